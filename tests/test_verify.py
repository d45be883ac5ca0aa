"""The command `verify`: what holds passes, and whatever was changed is found and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tdscaling.__main__ import main
from tests.bookshop import BOOKSHOP
from tests.runs import SMALL, command, finish, here, refused

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
    """A trajectory that changes something and ends with a call of its own."""
    found = next(
        line
        for line in lines
        if line["meta"]["blueprint"]["final_state"]
        and len(line["messages"][position(line, "tool") - 1].get("tool_calls", ())) == 1
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
    assert shown[:3] == [f"{path}:{n}" for n in (2, 3, 6)]
    assert "expected one JSON object" in said
    assert said.endswith("3 of 5 lines do not hold\n")


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
    done = finish(line, folder=tmp_path, apart=True)
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
    here_too = ("parts=here", own, "tools.domains=[bookshop]")
    assert main(["verify", f"dataset={tmp_path / 'own'}", "execution=inline", *here_too]) == 1
    assert "meta.complexity: expected" in capsys.readouterr().out


def test_domains_that_are_not_known_are_one_refusal(
    tmp_path: Path, lines: list[Line], capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, lines)
    assert main(["verify", f"dataset={path}", "execution=inline", "tools.domains=[airline]"]) == 1
    said = capsys.readouterr()
    unknown = sum("calendar" in line["meta"]["domains"] for line in lines)
    assert 0 < unknown < len(lines)
    refused(said, f"{unknown} of {len(lines)} lines are of domains that are not known here: ")
    refused(said, "calendar. Type parts=here", "tools.paths=[FILE]")
    assert said.out == ""


def test_relative_paths_are_those_of_the_run(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    shutil.copy(BOOKSHOP, home / BOOKSHOP.name)
    own = (f"tools.paths=[{BOOKSHOP.name}]", "tools.domains=[bookshop]")
    budget = ("budget.trajectories=2", f"hydra.run.dir={home / 'run'}", "execution=inline")
    finish(command(*own, *budget), folder=home)
    verify = command("verify", f"dataset={home / 'run'}", "execution=inline")
    done = finish(verify, folder=elsewhere)
    assert done.stdout.endswith("all 2 trajectories hold\n")
    (home / BOOKSHOP.name).unlink()
    gone = finish(verify, code=1, folder=elsewhere)
    refused(gone, "tools.paths: expected a domain file", "parts=here", "tools.paths=[FILE]")


def with_config(run: Path, folder: Path, changes: dict[str, Any]) -> Path:
    """A copy of a run whose config was changed."""
    copy = folder / "run"
    shutil.copytree(run, copy)
    path = copy / ".hydra" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    for key, value in changes.items():
        *stages, name = key.split(".")
        node = config
        for stage in stages:
            node = node[stage]
        node[name] = value
    path.write_text(yaml.safe_dump(config))
    return copy


VICTIM = "{victim}"
UNLINK = {
    "_target_": "tdscaling.tools.declared.Path.unlink",
    "_args_": [{"_target_": "tdscaling.tools.declared.Path", "_args_": [VICTIM]}],
}
OPEN = {
    "_target_": "tdscaling.verification._grounds.json.codecs.open",
    "filename": VICTIM,
    "mode": "w",
}


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("environments._target_", "os.getcwd", "environments names os.getcwd, which is not"),
        ("tools", UNLINK, "tools names tdscaling.tools.declared.Path.unlink, which is not"),
        ("tools.domains", UNLINK, "tools.domains: expected a plain value"),
        ("tools.paths", [UNLINK], "tools.paths: expected a plain value"),
        ("metrics.bins", UNLINK, "metrics.bins: expected a plain value"),
        ("environments._args_", [UNLINK], "environments._args_: expected a plain value"),
        ("environments._partial_", True, "environments._partial_: expected a plain value"),
        ("tools.domains", ["${oc.env:TDSCALING_TEST_KEY}"], "tools.domains: expected a plain"),
        ("tools.paths", "${oc.env:TDSCALING_TEST_KEY}", "tools.paths: expected a plain value"),
        ("metrics.other", 1, "metrics.other: expected a plain value"),
        ("tools", 5, "tools names None, which is not shipped"),
        ("tools._target_", ["tdscaling.tools.declared.DeclaredTools"], "which is not shipped"),
        ("tools.domains", 5, "Type parts=here to do without it"),
    ],
)
def test_config_of_a_run_calls_nothing_but_options(
    key: str,
    value: Any,
    named: str,
    tmp_path: Path,
    run: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TDSCALING_TEST_KEY", "s3cret")
    victim = tmp_path / "victim"
    victim.write_text("dear")
    chosen = json.loads(json.dumps(value).replace(VICTIM, str(victim)))
    copy = with_config(run, tmp_path, {key: chosen})
    assert verified(copy) == 1
    said = capsys.readouterr()
    refused(said, named)
    assert "s3cret" not in said.out + said.err
    assert victim.read_text() == "dear"
    assert verified(copy, "parts=here") == 0


@pytest.mark.parametrize("value", [UNLINK, OPEN, {"_target_": "x.y"}, False])
def test_a_dataset_does_not_choose_its_judge(
    value: Any, tmp_path: Path, run: Path, lines: list[Line], capsys: pytest.CaptureFixture[str]
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("dear")
    chosen = json.loads(json.dumps(value).replace(VICTIM, str(victim)))
    copy = with_config(run, tmp_path, {"verification.claims": chosen})
    data: list[Line] = json.loads(json.dumps(lines))
    invented_id(data[0])
    written(copy / "dataset", data).replace(copy / "dataset" / "train.jsonl")
    assert verified(copy) == 1
    said = capsys.readouterr().out
    assert "got invented_id" in said
    assert said.endswith(f"1 of {len(data)} lines do not hold\n")
    assert victim.read_text() == "dear"


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
    done = finish([command()[0], "-c", code], apart=True)
    assert done.stdout == "[]\n"
