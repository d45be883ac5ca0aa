"""Whole runs whose user's words a model finds, over HTTP."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tdscaling import diversity
from tdscaling.__main__ import main
from tdscaling.metrics.default import DiversityMetrics
from tdscaling.store import FILE, Store
from tests.blueprints.composer import asked, draft_of, german, message, polite
from tests.openai_server import Answer, Body, dead_url, refused, said, serving
from tests.runs import NO_CODE, ROOT, SMALL, command, finish, here

MODEL = ("blueprints=composed", "llm=openai", "llm.model=m", "llm.retries=0")
Line = dict[str, Any]


def lines(folder: Path) -> list[Line]:
    text = (folder / "dataset" / "train.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def some(body: Body) -> Answer:
    """Two of three texts hold."""
    draft = draft_of(body)
    return message(polite(draft)) if len(draft) % 3 else message("I have booked that for you.")


def made(
    folder: Path, answer: Answer | Callable[[Body], Answer], *words: str, size: int = 10
) -> list[Line]:
    with serving(answer) as server:
        url = f"llm.base_url={server.base_url}"
        assert here(folder, *MODEL, url, *NO_CODE, *words, size=size) == 0
    return lines(folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("composed") / "run"
    made(folder, some, size=10)
    return folder


def test_a_line_says_who_found_which_words(run: Path) -> None:
    counts = [0, 0]
    for line in lines(run):
        meta, contract = line["meta"], line["meta"]["blueprint"]
        authors = contract["authors"]
        by_model = sum(author == "model" for author in authors.values())
        counts[0] += by_model
        counts[1] += len(authors)
        role = f"scripted, words of llm:m ({by_model} of {len(authors)})"
        assert meta["roles"] == {"user": role, "assistant": "scripted", "judge": "scripted"}
        assert re.fullmatch("[0-9a-f]{16}", meta["prompts"]["composer"])
        assert ("voice" in meta) == (by_model > 0)
        spoken = [m["content"] for m in line["messages"] if m["role"] == "user"]
        for number, turn in enumerate(contract["turns"]):
            if authors[f"turns.{number}.request"] == "model":
                assert turn["request"].startswith("Good day")
                assert turn["request"] in spoken
    assert 0 < counts[0] < counts[1]
    store = Store.read(run / FILE)
    found = diversity.found_words(store)
    store.close()
    assert [found.by_model, found.texts] == counts
    card = (run / "dataset" / "README.md").read_text()
    assert f"in a model's words: {counts[0]} of {counts[1]}; else templates." in card
    assert "| user | scripted, words of llm:m |" in card
    assert "| voices of the user |" in card
    assert f"English ({sum('voice' in line['meta'] for line in lines(run))})" in card


def test_voices_are_counted_like_everything_else(run: Path) -> None:
    store = Store.read(run / FILE)
    found, sequence = diversity.figures(store), list(store.outcomes())
    knobs = store.config()["metrics"]
    store.close()
    metrics = DiversityMetrics(**{name: knobs[name] for name in ("alpha", "beta", "gamma", "bins")})
    for outcome in sequence:
        metrics.observe(outcome)
    assert found == pytest.approx(metrics.figures(), abs=1e-9, rel=1e-9)
    voices = {json.dumps(line["meta"].get("voice")) for line in lines(run)} - {"null"}
    assert found["voice_support"] == len(voices) > 3
    assert 0.8 < found["voice_evenness"] < 1 + 1e-9


def test_figures_are_shown(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", f"dataset={run}"]) == 0
    assert "voice " in capsys.readouterr().out
    assert main(["compare", f"runs={run}", f"out={tmp_path}"]) == 0
    assert "H voice" in capsys.readouterr().out
    assert "voices of the user" in (run / "report.html").read_text()


def test_verify_bears_it_out(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", f"dataset={run / 'dataset' / 'train.jsonl'}"]) == 0
    assert "trajectories hold" in capsys.readouterr().out


def first(key: str, change: Callable[[Any], Any]) -> Callable[[Line], None]:
    def apply(line: Line) -> None:
        holder: Any = line
        *path, last = key.split(".")
        for name in path:
            holder = holder[name]
        holder[last] = change(holder[last])

    return apply


FORGED: list[tuple[Callable[[Line], None], str]] = [
    (first("meta.roles.user", lambda _: "scripted"), "meta.roles: expected"),
    (first("meta.roles.user", lambda name: name.replace(" of ", " of 9")), "meta.roles: "),
    (first("meta.blueprint.authors", lambda _: {"goal": "model"}), "blueprint, authors: "),
    (first("meta.voice", lambda voice: voice | {"style": "x"}), "meta.voice: expected {"),
    (first("meta.prompts", lambda _: {}), "meta.prompts: expected a digest by role"),
    (first("meta.prompts.composer", lambda _: "f" * 15), "expected 16 hex digits"),
    (first("meta.prompts", lambda told: told | {"judge": "0" * 16}), "that a model plays"),
    (first("meta.prompts", lambda told: told | {"x": "0" * 16}), "that a model plays"),
    (
        first("meta.blueprint.turns", lambda turns: [turns[0] | {"request": "Hi."}, *turns[1:]]),
        "the user never says what turn 0 asks",
    ),
]


def test_what_was_forged_is_named(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = json.dumps(next(line for line in lines(run) if "voice" in line["meta"]))
    path = tmp_path / "data.jsonl"
    with path.open("w") as file:
        for change, _ in FORGED:
            line = json.loads(text)
            change(line)
            file.write(json.dumps(line) + "\n")
    assert main(["verify", f"dataset={path}", "execution=inline", SMALL[0]]) == 1
    told = capsys.readouterr().out
    for number, (_, named) in enumerate(FORGED, 1):
        (problem,) = re.findall(rf"^.*data\.jsonl:{number}: (.*)$", told, re.MULTILINE)
        assert named in problem


def test_same_replies_same_bytes_wherever_it_runs(run: Path, tmp_path: Path) -> None:
    with serving(some) as server:
        words = (*SMALL, *MODEL, *NO_CODE, f"llm.base_url={server.base_url}")
        size = "budget.trajectories=10"
        finish(command(*words, size, "execution=processes", f"hydra.run.dir={tmp_path / 'other'}"))
    data = [folder / "dataset" / "train.jsonl" for folder in (run, tmp_path / "other")]
    assert data[0].read_bytes() == data[1].read_bytes()


def test_mutants_of_composed_parents(tmp_path: Path) -> None:
    found = made(tmp_path, some, "evolution=novelty", size=40)
    assert any(line["meta"]["blueprint"]["parent"] for line in found)


def test_failing_requests_are_rejections_and_are_counted(tmp_path: Path) -> None:
    with serving(refused(400, "too long")) as server:
        words = (*MODEL, f"llm.base_url={server.base_url}", "budget.attempts=6")
        assert here(tmp_path, *words, *NO_CODE) in (0, 1)
    store = Store.read(tmp_path / FILE)
    rows = store.query("SELECT DISTINCT accepted, reason FROM trajectories")
    calls = store.query("SELECT DISTINCT role, error FROM llm_calls")
    store.close()
    assert {"accepted": False, "reason": "role_failed"} in rows
    assert not any(row["accepted"] for row in rows)
    assert calls == [{"role": "composer", "error": "status 400: too long"}]


def test_dead_endpoint_ends_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert here(tmp_path, *MODEL, *NO_CODE, f"llm.base_url={dead_url()}") == 1
    assert "cannot be reached" in capsys.readouterr().err


def test_a_model_is_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert here(tmp_path, "blueprints=composed", *NO_CODE) == 1
    assert "llm=openai" in capsys.readouterr().err


def test_voices_without_composed_words_need_a_user_that_a_model_plays(tmp_path: Path) -> None:
    voices = ("blueprints.voices.personas=[a student,a nurse]", "blueprints.voices.styles=[short]")
    assert here(tmp_path / "scripted", *NO_CODE, *voices, size=6) == 0
    assert all("voice" not in line["meta"] for line in lines(tmp_path / "scripted"))
    assert all("voice" not in line["meta"]["blueprint"] for line in lines(tmp_path / "scripted"))

    def user(body: Body) -> Answer:
        step = int(bool("Customer:" in body["messages"][1]["content"]))
        wish = re.findall(r"^\d+\. (.*)$", body["messages"][0]["content"], re.MULTILINE)[:1]
        return said("[DONE]" if step else wish[0])

    with serving(user) as server:
        words = ("roles/user=llm", "llm=openai", "llm.model=m", f"llm.base_url={server.base_url}")
        calm = ("blueprints.operators=[]", "blueprints.calls=[1,2]")
        assert here(tmp_path / "llm", *words, *NO_CODE, *voices, *calm, size=6) == 0
    told = [line["meta"] for line in lines(tmp_path / "llm")]
    assert {meta["voice"]["style"] for meta in told} == {"short"}
    assert {meta["voice"]["persona"] for meta in told} == {"a student", "a nurse"}
    assert all(list(meta["prompts"]) == ["user"] for meta in told)
    sent = [body["messages"][0]["content"] for body in server.requests]
    assert all("How you write: short." in text for text in sent)
    assert any("Who you are: a nurse. Do not say so." in text for text in sent)


def test_example_of_the_docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Narrated answers in the user's language, as docs/blueprints.md types it."""
    text = (ROOT / "docs" / "blueprints.md").read_text(encoding="utf-8")
    (typed,) = re.findall(r"^tdscaling (blueprints=composed (?:.*\\\n)*.*)$", text, re.MULTILINE)
    words = [word for word in shlex.split(typed) if word.strip()]

    def answer(body: Body) -> Answer:
        if not asked(body):
            reply = body["messages"][-1]["content"].split("The assistant's reply: ")[1]
            return message(f"Gern! {reply.split(chr(10))[0]}")
        foreign = "Write in German." in body["messages"][0]["content"]
        return german(body) if foreign else message(polite(draft_of(body)))

    with serving(answer) as server:
        own = [f"llm.base_url={server.base_url}" if "base_url" in word else word for word in words]
        assert here(tmp_path, *NO_CODE, *own, size=8) == 0
    found = lines(tmp_path)
    assert {line["meta"]["voice"]["language"] for line in found} == {"English", "German"}
    narrated = [b for b in server.requests if not asked(b)]
    assert any("Write in German." in b["messages"][-1]["content"] for b in narrated)
    assert any("Write in German." not in b["messages"][-1]["content"] for b in narrated)
    for line in found:
        assert line["meta"]["roles"]["assistant"].startswith("narrated:NAME (")
        assert list(line["meta"]["prompts"]) == ["assistant", "composer"]
        foreign = line["meta"]["voice"]["language"] == "German"
        user = [m["content"] for m in line["messages"] if m["role"] == "user"]
        assert any(text.startswith("Guten Tag") for text in user) == foreign
    assert main(["verify", f"dataset={tmp_path / 'dataset' / 'train.jsonl'}"]) == 0
