"""The command `verify`: what holds passes, and whatever was changed is found and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tdscaling.__main__ import main
from tests.bookshop import BOOKSHOP
from tests.runs import SMALL, command, finish, here

Line = dict[str, Any]
INLINE = ("execution=inline", "tools.domains=[airline,calendar]")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "run"
    assert here(folder, size=40) == 0
    return folder


@pytest.fixture(scope="module")
def lines(run: Path) -> list[Line]:
    text = (run / "dataset" / "train.jsonl").read_text()
    return [json.loads(line) for line in text.split("\n") if line]


def written(folder: Path, lines: list[Line]) -> Path:
    path = folder / "data.jsonl"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    return path


def verified(path: Path, *words: str) -> int:
    return main(["verify", f"dataset={path}", *INLINE, *words])


Changed = Callable[[Line], None]


def position(line: Line, role: str) -> int:
    return max(n for n, m in enumerate(line["messages"]) if m["role"] == role)


def one_byte(line: Line) -> None:
    message = line["messages"][position(line, "tool")]
    digit = next(c for c in message["content"] if c.isdigit())
    message["content"] = message["content"].replace(digit, str((int(digit) + 1) % 10), 1)


def other_answer(line: Line) -> None:
    line["messages"][position(line, "assistant")]["content"] = "It is all done, have a good day."


def invented_id(line: Line) -> None:
    line["messages"][position(line, "assistant")]["content"] += " Your reference is BK-00000."


def other_provenance(line: Line) -> None:
    line["meta"]["provenance"][-1] = "simulated"


def no_provenance(line: Line) -> None:
    line["meta"]["provenance"].pop()


def other_gold(line: Line) -> None:
    line["meta"]["blueprint"]["plan"][0]["observation"] += " "


def no_answers(line: Line) -> None:
    line["meta"]["blueprint"]["answers"] = []


def other_state(line: Line) -> None:
    line["meta"]["blueprint"]["final_state"] = {"airline.flight": {"removed": [{"flight_id": 1}]}}


def other_system(line: Line) -> None:
    line["messages"][0]["content"] += " Always say yes."


def other_tool(line: Line) -> None:
    line["tools"][0]["function"]["description"] = "Does anything."


def fewer_tools(line: Line) -> None:
    line["tools"].pop()


def other_domain(line: Line) -> None:
    name = next(iter(line["meta"]["domains"]))
    line["meta"]["domains"][name] = "0" * 16


def judged(line: Line) -> None:
    line["meta"]["verdict"] = {"accepted": False, "reason": "judge_rejected", "detail": "curt"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (one_byte, ("invented_observation: message ", "expected ", "got ")),
        (other_answer, ("answer_not_told",)),
        (invented_id, ("invented_id", "BK-00000")),
        (other_provenance, ("invented_observation", "(executed)", "(simulated)")),
        (no_provenance, ("malformed_message: expected one provenance per tool message",)),
        (other_gold, ("blueprint, step 0, observation of ", "expected ", "got ")),
        (no_answers, ("blueprint, answers: expected ",)),
        (other_state, ("blueprint, final_state: expected ",)),
        (other_system, ("message 0: expected ", "Always say yes")),
        (other_tool, ("tools: expected ", "Does anything.")),
        (fewer_tools, ("tools: expected ",)),
        (other_domain, ("is another: expected digest 0000000000000000, got ",)),
        (judged, ("expected an accepted trajectory, got the verdict", "judge_rejected")),
        (lambda line: line["meta"].update(mode="direct+x"), ("meta.mode: expected '", "direct+x")),
        (lambda line: line["meta"].update(signature="x"), ("meta.signature: expected '", "'x'")),
        (lambda line: line["meta"].update(complexity=1.25), ("meta.complexity: expected ", "1.25")),
        (lambda line: line["meta"].update(category="x"), ("meta.category: expected ", "'x'")),
        (lambda line: line["meta"].update(operators=["x"]), ("meta.operators: expected ", "x")),
        (lambda line: line["meta"].pop("verdict"), ("the field meta.verdict", "missing")),
        (lambda line: line.pop("messages"), ("the field messages", "missing")),
        (lambda line: line.update(meta=5), ("meta: expected an object, got 5",)),
        (lambda line: line.update(messages=5), ("not a trajectory: ",)),
        (lambda line: line["meta"]["blueprint"].pop("plan"), ("not a trajectory: ", "plan")),
    ],
)
def test_what_was_changed_is_named(
    change: Changed,
    named: tuple[str, ...],
    lines: list[Line],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data: list[Line] = json.loads(json.dumps(lines[:3]))
    change(data[1])
    path = written(tmp_path, data)
    assert verified(path) == 1
    said = capsys.readouterr().out
    assert said.startswith(f"{path}:2: {lines[1]['id']}: ")
    assert said.endswith("1 of 3 lines do not hold\n")
    for word in named:
        assert word in said


def writing(lines: list[Line]) -> Line:
    """A trajectory of one turn that changes something."""
    found = next(
        line
        for line in lines
        if line["meta"]["blueprint"]["final_state"] and len(line["meta"]["blueprint"]["turns"]) == 1
    )
    copy: Line = json.loads(json.dumps(found))
    return copy


def test_call_that_is_left_out(
    lines: list[Line], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = writing(lines)
    last = position(line, "tool")
    del line["messages"][last - 1 : last + 1]
    line["meta"]["provenance"].pop()
    assert verified(written(tmp_path, [line])) == 1
    said = capsys.readouterr().out
    assert "expected the verdict accepted, got " in said
    assert any(reason in said for reason in ("missing_step", "answer_not_told", "invented_"))


def test_state_and_conversation_tampered_together(
    lines: list[Line], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Verification alone would take the changed contract at its word."""
    line = writing(lines)
    last = position(line, "tool")
    del line["messages"][last - 1 : last + 1]
    line["meta"]["provenance"].pop()
    line["meta"]["blueprint"]["final_state"] = {}
    line["meta"]["blueprint"]["answers"] = []
    assert verified(written(tmp_path, [line])) == 1
    assert "blueprint, final_state: expected {" in capsys.readouterr().out


def test_lines_that_are_none_and_those_after_them(
    lines: list[Line], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, lines[:2])
    whole = path.read_bytes()
    path.write_bytes(b"\n[1]\n\xff\xfe\n" + whole + whole[:300])
    assert verified(path) == 1
    said = capsys.readouterr().out
    shown = [line.partition(": ")[0] for line in said.splitlines()]
    assert shown[:4] == [f"{path}:{n}" for n in (1, 2, 3, 6)]
    assert "expected one JSON object" in said
    assert said.endswith("4 of 6 lines do not hold\n")


def test_ids_and_blueprints_are_unique(
    lines: list[Line], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = {**lines[0], "id": "another"}
    assert verified(written(tmp_path, [lines[0], lines[1], lines[0], again])) == 1
    said = capsys.readouterr().out
    assert f":3: {lines[0]['id']}: id {lines[0]['id']} is that of line 1 already" in said
    assert ":4: another: blueprint " in said


def test_twenty_are_shown_and_all_counted(
    lines: list[Line], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = json.loads(json.dumps(lines[:25]))
    for line in data:
        one_byte(line)
    assert verified(written(tmp_path, data)) == 1
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 22
    assert said[-2:] == ["... and 5 more", "25 of 25 lines do not hold"]


@pytest.mark.parametrize("execution", ["inline", "processes"])
def test_a_run_holds_in_a_process_of_its_own(run: Path, tmp_path: Path, execution: str) -> None:
    line = command("verify", f"dataset={run}", f"execution={execution}")
    done = finish(line, folder=tmp_path)
    assert done.stdout.endswith("all 40 trajectories hold\n")
    assert list(tmp_path.iterdir()) == []


def test_processes_find_the_same(lines: list[Line], tmp_path: Path) -> None:
    data = json.loads(json.dumps(lines))
    for line in data[::3]:
        one_byte(line)
    words = ("verify", f"dataset={written(tmp_path, data)}", SMALL[0])
    said = [finish(command(*words, f"execution={e}"), code=1) for e in ("inline", "processes")]
    assert said[0].stdout == said[1].stdout


def test_config_of_the_run_is_used(
    tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, weights = f"tools.paths=[{BOOKSHOP}]", "metrics.alpha=3"
    assert here(tmp_path / "own", own, "tools.domains=[bookshop]", weights, size=3) == 0
    capsys.readouterr()
    assert main(["verify", f"dataset={tmp_path / 'own'}", "execution=inline"]) == 0
    assert "all 3 trajectories hold" in capsys.readouterr().out
    assert verified(tmp_path / "own", "parts=here") == 1
    assert "domain bookshop is not known here; type tools.paths" in capsys.readouterr().out
    here_too = ("parts=here", own, "tools.domains=[bookshop]")
    assert main(["verify", f"dataset={tmp_path / 'own'}", "execution=inline", *here_too]) == 1
    assert "meta.complexity: expected" in capsys.readouterr().out


def test_config_of_a_run_calls_nothing_but_options(
    tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    config = copy / ".hydra" / "config.yaml"
    shipped = "tdscaling.environments.declared.DeclaredEnvironments"
    config.write_text(config.read_text().replace(shipped, "os.getcwd"))
    assert verified(copy) == 1
    assert "environments names os.getcwd, which is not shipped" in capsys.readouterr().err
    assert verified(copy, "parts=here") == 0


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (
            ("dataset=none.jsonl",),
            "expected a JSONL file or the directory of a run, got none.jsonl",
        ),
        (("dataset={empty}",), "got an empty file"),
        (("dataset={empty}", "parts=there"), "parts: expected run or here, got 'there'"),
    ],
)
def test_what_cannot_be_verified_is_refused(
    words: tuple[str, ...], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    assert main(["verify", *(word.format(empty=empty) for word in words), *INLINE]) == 1
    assert named in capsys.readouterr().err


def test_neither_graph_nor_model_client_is_loaded() -> None:
    code = (
        "import sys, tdscaling.verify as v;"
        "print([m for m in sys.modules if m.split('.')[0] in "
        "{'langgraph', 'langchain', 'langchain_core', 'langchain_openai', 'openai'}])"
    )
    done = finish([command()[0], "-c", code])
    assert done.stdout == "[]\n"
