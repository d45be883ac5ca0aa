"""Lines that were forged where no execution looks are found and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tdscaling.__main__ import main
from tdscaling.blueprints._identity import identity
from tdscaling.schema import Blueprint
from tests.runs import here

Line = dict[str, Any]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    folder = tmp_path_factory.mktemp("made") / "run"
    assert here(folder, size=12) == 0
    text = (folder / "dataset" / "train.jsonl").read_text()
    return [json.loads(line) for line in text.split("\n") if line]


def verified(folder: Path, lines: list[str]) -> int:
    path = folder / "data.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    domains = "tools.domains=[airline,calendar]"
    return main(["verify", f"dataset={path}", "execution=inline", domains])


def both(name: str, value: Any) -> Callable[[Line], None]:
    """A label that is changed in the line and in its blueprint."""

    def change(line: Line) -> None:
        line["meta"][name] = line["meta"]["blueprint"][name] = value

    return change


def contract(**changes: Any) -> Callable[[Line], None]:
    return lambda line: line["meta"]["blueprint"].update(changes)


def message(role: str, **changes: Any) -> Callable[[Line], None]:
    """A change to the first message of a role."""
    return lambda line: next(m for m in line["messages"] if m["role"] == role).update(changes)


def first_call(line: Line) -> Any:
    return next(m for m in line["messages"] if m.get("tool_calls"))["tool_calls"][0]


def other_request(line: Line) -> None:
    turn = line["meta"]["blueprint"]["turns"][0]
    turn["request"] = "Tell me a joke."


def other_words(line: Line) -> None:
    user = next(m for m in line["messages"] if m["role"] == "user")
    user["content"] = "Purple monkey dishwasher."


def more_turns(line: Line) -> None:
    user, answer = line["messages"][1], line["messages"][-1]
    line["messages"] += [{**user, "content": "Thanks."}, {**answer, "content": "Gladly."}] * 30


def more_contract(line: Line) -> None:
    line["meta"]["blueprint"]["turns"].append(line["meta"]["blueprint"]["turns"][0])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda line: line.update(id=""), "id: expected a text, got "),
        (lambda line: line.update(id=17), "id: expected a text, got '17'"),
        (lambda line: line.update(id="\x1b]0;x\x07"), "id: expected a text, got '\\x1b]0;x"),
        (
            lambda line: line.update(extra=1),
            "expected the fields id, messages, tools, meta, got extra",
        ),
        (contract(id="0" * 16), "blueprint, id: expected '"),
        (contract(id=""), "blueprint, id: expected '"),
        (contract(id=None), "blueprint, id: expected '"),
        (both("category", "banking"), "meta.category: expected '"),
        (both("domain", "bank"), "meta.domain: expected "),
        (both("cluster", "bank-10a1df3f"), "meta.cluster: expected one of "),
        (both("operators", ["dazzle"]), "meta.operators: expected each of "),
        (both("operators", ["perturb", "withhold", "cross", "revise"]), "meta.operators: expected"),
        (lambda line: line["meta"].update(roles={}), "meta.roles: expected who played whom"),
        (other_request, "messages: the user never says what turn 0 asks: Tell me a joke."),
        (other_words, "messages: the user never says what turn 0 asks: "),
        (more_turns, "of the user, got "),
        (more_contract, "blueprint: expected steps for each of its "),
        (message("user", name="eve"), "a user message has no key 'name'"),
        (message("tool", extra=1), "a tool message has no key 'extra'"),
        (message("assistant", content=[1]), "malformed_message: message "),
        (lambda line: first_call(line).update(type="other"), "a tool call has an id, type "),
        (lambda line: first_call(line).pop("type"), "a tool call has an id, type function"),
        (lambda line: first_call(line).update(hint=1), "a tool call has an id, type function"),
        (lambda line: first_call(line)["function"].update(hint=1), "a tool call has an id, type"),
    ],
)
def test_what_was_forged_is_named(
    change: Callable[[Line], None],
    named: str,
    lines: list[Line],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data: list[Line] = json.loads(json.dumps(lines[:3]))
    change(data[1])
    assert verified(tmp_path, [json.dumps(line) for line in data]) == 1
    said = capsys.readouterr().out
    assert said.startswith(f"{tmp_path / 'data.jsonl'}:2: ")
    assert named in said
    assert said.endswith("1 of 3 lines do not hold\n")


def test_key_that_is_there_twice(
    lines: list[Line], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = json.dumps(lines[0])
    assert text.startswith("{")
    assert verified(tmp_path, ['{"id": "another", ' + text[1:]]) == 1
    assert "expected each key once, got id twice in one object" in capsys.readouterr().out


def test_conversation_that_is_there_twice(
    lines: list[Line], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Calls in other batches make another blueprint of the same words."""
    again: Line = json.loads(json.dumps(lines[0]))
    contract = again["meta"]["blueprint"]
    for step in contract["plan"]:
        step["batch"] += 1
    changed = Blueprint.from_json(contract)
    contract["id"] = identity(changed.worlds, changed.plan, changed.turns, changed.injections)
    again["id"] = "another"
    assert verified(tmp_path, [json.dumps(lines[0]), json.dumps(again)]) == 1
    assert ":2: another: conversation " in capsys.readouterr().out
