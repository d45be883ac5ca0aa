"""Calls that are given a figure over what two others returned: planned, played, forged."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from tdscaling.__main__ import main
from tdscaling.bindings import filled, resolve
from tdscaling.blueprints._glue_figures import (
    LATER,
    PERCENT,
    Glue,
    Pair,
    choices,
    dates,
    days_between,
    numbers,
)
from tdscaling.blueprints._readings import Call, called, wanted
from tdscaling.blueprints._worded import worded
from tdscaling.blueprints.dataflow import DataFlowBlueprints
from tdscaling.catalog import Catalog
from tdscaling.clusters.dataflow import DataFlowClusters
from tdscaling.coding import printed
from tdscaling.coding.areas import CALCULATIONS
from tdscaling.coding.domain import code_domain
from tdscaling.declared.definition import Parameter
from tdscaling.declared.domain import Domain
from tdscaling.declared.session import Result
from tdscaling.errors import BlueprintError
from tdscaling.roles import Scene
from tdscaling.schema import Blueprint, Cluster, Draw, Message, Operator, Request, Step, digest
from tdscaling.tools.declared import DeclaredTools
from tdscaling.verify._contract import _other_operators
from tests.coding.workspaces import CONF, area, arguments, instead, played, sandbox, trace
from tests.conversations import call, once, rejected
from tests.runs import data, here

NAMES = ["airline", "bank", "calendar", "parcel", "people_ops", "restaurant"]


@functools.cache
def domains(recover_share: float = 0.0) -> dict[str, Domain]:
    found: dict[str, Domain] = dict(DeclaredTools(domains=NAMES, paths=[]).load().domains)
    found[CALCULATIONS] = code_domain(
        CALCULATIONS, sandbox(), recover_share=recover_share, glue_share=1.0
    )
    return found


@functools.cache
def clusters() -> tuple[Cluster, ...]:
    services = {name: domain for name, domain in domains().items() if name != CALCULATIONS}
    return DataFlowClusters(min_tools=3).build(Catalog({}, services))


def make(
    name: str, number: int, operators: tuple[Operator, ...] = ("glue",), recover: float = 0.0
) -> Blueprint:
    options = yaml.safe_load((CONF / "blueprints" / "dataflow.yaml").read_text())
    del options["_target_"]
    stage = DataFlowBlueprints(**{**options, "seed": 1})
    cluster = next(cluster for cluster in clusters() if cluster.domain == name)
    draw = Draw(number, 0, digest(["glue", name, number]), Request(cluster.id, operators, 4))
    return stage.make(draw, cluster, domains(recover))


@functools.cache
def glued(name: str, number: int = 0, recover: float = 0.0) -> Blueprint:
    return make(name, number, recover=recover)


def taking(blueprint: Blueprint) -> tuple[Step, str, dict[str, Any]]:
    """The step that is given a figure, its parameter and its binding."""
    return next(
        (step, name, bound)
        for step in blueprint.plan
        for name, bound in step.arguments.items()
        if "printed" in bound
    )


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("name", [name for name in NAMES if name != "calendar"])
def test_two_calls_then_code_then_a_call(name: str, number: int) -> None:
    blueprint = glued(name, number)
    assert {"compute", "glue"} <= set(blueprint.operators)
    step, parameter, bound = taking(blueprint)
    code = blueprint.plan[bound["step"]]
    assert (code.tool, code.domain, code.purpose) == ("run_python", CALCULATIONS, "lookup")
    taken = {v["step"] for v in code.arguments["code"]["values"].values() if "step" in v}
    assert len(taken) == 2
    assert max(taken) < bound["step"] < blueprint.plan.index(step)
    spec = domains()[name].tools[step.tool]
    assert spec.problem(step.gold) is None
    shown = dict(printed.lines(printed.stdout(code.observation)))[bound["printed"]]
    assert str(step.gold[parameter]) in (shown, f"{shown}.0")
    assert spec.writes == frozenset() or blueprint.final_state
    said = " ".join(turn.request for turn in blueprint.turns)
    for number_ in taken:  # the lookups are never asked for, but what they are given is said
        assert all(str(v).replace("_", " ") in said for v in blueprint.plan[number_].gold.values())


def test_same_draw_same_blueprint() -> None:
    assert make("bank", 7) == make("bank", 7)


def test_arguments_follow_from_what_is_observed() -> None:
    blueprint = glued("airline")
    step, parameter, bound = taking(blueprint)
    seen = {number: one.observation for number, one in enumerate(blueprint.plan)}
    if bound["type"] == "number":
        seen[bound["step"]] = json.dumps({"stdout": f"{bound['printed']}: 3.5\n"})
        assert resolve(step, blueprint.facts, seen)[parameter] == 3.5


@pytest.mark.parametrize("name", ["bank", "parcel", "restaurant"])
def test_played_and_accepted(name: str) -> None:
    transcript, verdict = played(glued(name, 1), domains())
    assert verdict.accepted, verdict.detail
    assert "code" in trace(transcript).events


def test_a_mistake_is_made_and_mended_first() -> None:
    transcript, verdict = played(glued("bank", 2, 1.0), domains(1.0))
    assert verdict.accepted, verdict.detail
    assert {"error", "recover"} <= set(trace(transcript).events)


@pytest.mark.parametrize("domain", ["airline", "bank"])
def test_the_figure_flows_on(domain: str) -> None:
    """The trace says that the argument came out of what the code printed, 12.50 as 12.5."""
    for number in range(60):
        blueprint = glued(domain, number)
        step, name, bound = taking(blueprint)
        seen = [one.observation for one in blueprint.plan[: bound["step"]]]
        value = step.gold[name]
        if bound["type"] == "string" or value <= 12 or any(f"{value:g}" in text for text in seen):
            continue
        actions = trace(played(blueprint, domains())[0]).actions
        made = next(a for a in actions if a.tool == step.tool and bound["step"] in a.sources)
        assert made.depth == 2
        return
    raise AssertionError(f"no figure of {domain} is a telling number")


def figure_of(name: str, kind: str) -> Blueprint:
    """A blueprint in which a figure of that JSON type is passed on to a call that writes."""
    for number in range(60):
        blueprint = glued(name, number)
        step, _, bound = taking(blueprint)
        if bound["type"] == kind and domains()[name].tools[step.tool].writes:
            return blueprint
    raise AssertionError(f"no {kind} in {name}")


def changed(
    tool: str, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> Callable[[Scene, Sequence[Message], Message], Message]:
    def edit(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        made = message.get("tool_calls") or ()
        if len(made) == 1 and made[0]["function"]["name"] == tool:
            return instead(message, tool, **change(arguments(message)))
        return message

    return edit


def test_code_that_comes_to_something_else_is_rejected() -> None:
    blueprint = figure_of("airline", "number")
    label = taking(blueprint)[2]["printed"]
    edit = changed("run_python", lambda given: {"code": f"print('{label}: 2.25')"})
    rejected(played(blueprint, domains(), edit)[1], "wrong_argument", "2.25")


def test_an_argument_that_no_code_came_to_is_rejected() -> None:
    blueprint = figure_of("airline", "number")
    step, name, _ = taking(blueprint)
    edit = changed(step.tool, lambda given: {**given, name: given[name] + 0.01})
    rejected(played(blueprint, domains(), edit)[1], "wrong_argument")


def test_a_figure_worked_out_in_the_head_is_rejected() -> None:
    """The right call with the right figure, though the code never said it."""
    blueprint = figure_of("airline", "number")
    step, _, _ = taking(blueprint)
    answers = " ".join(value for answer in blueprint.answers for value in answer.values)

    def edit(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        if message.get("content") == "All done.":  # the scripted one has no figure to go on with
            made = call(step.tool, json.dumps(step.gold))
            return made if once(messages) else {**message, "content": answers}
        quiet = changed("run_python", lambda given: {"code": given["code"].rpartition("print")[0]})
        return quiet(scene, messages, message)

    rejected(played(blueprint, domains(), edit)[1], "ungrounded_argument", f"of {step.tool}: ")


def test_where_no_call_can_take_a_figure_one_is_told() -> None:
    blueprint = next(b for n in range(20) if (b := tried("calendar", n, ("compute",))) is not None)
    assert "glue" not in blueprint.operators
    assert "compute" in blueprint.operators
    with pytest.raises(BlueprintError, match="calendar: no call can be given a figure over two"):
        make("calendar", 0)


def tried(name: str, number: int, operators: tuple[Operator, ...]) -> Blueprint | None:
    try:
        return make(name, number, operators)
    except BlueprintError:
        return None


def test_a_computed_figure_is_passed_on_by_share() -> None:
    assert "glue" in make("parcel", 3, ("compute",)).operators


def test_labels_without_it_are_named() -> None:
    blueprint = glued("bank")
    assert _other_operators(blueprint) is None
    fields = blueprint.to_json()
    fields["operators"] = [o for o in blueprint.operators if o != "glue"]
    found = _other_operators(Blueprint.from_json(fields))
    assert found == "meta.operators: expected glue in them by its blueprint"


HARD = [0.1, 0.2, 1.005, 2.675, 1.1, 2.2, 19.99, 1e3, 4503599.37, 0.07, 33.33, 7]


def pair(one: Sequence[Any], other: Sequence[Any], column: str, *, many: bool) -> Pair:
    spec = domains()["bank"].tools["list_payments" if many else "get_payment"]
    sides = (
        Call(spec, {"payment_id": f"PM-100{side}"},
             Result(True, tuple({"payment_id": f"PM-{side}{n}", column: value}
                                for n, value in enumerate(held)), ""), f"PM-100{side}")
        for side, held in enumerate((one, other))
    )  # fmt: skip
    return Pair(tuple(sides), (column, column))  # type: ignore[arg-type]


def all_figures() -> list[tuple[Glue, Pair]]:
    found: list[tuple[Glue, Pair]] = []
    for seed in range(30):
        random = Random(seed)
        singles = pair([random.choice(HARD)], [random.choice(HARD)], "amount", many=False)
        several = [[random.choice(HARD) for _ in range(random.randint(1, 5))] for _ in range(2)]
        lists = pair(several[0], several[1], "amount", many=True)
        counts = pair([random.randint(0, 9)], [random.randint(0, 9)], "points", many=False)
        days = [f"2024-{random.randint(1, 12):02}-{random.randint(1, 28):02}" for _ in range(5)]
        dated = pair(days[:1], days[1:2], "due_date", many=False)
        listed = pair(days[:2], days[2:], "due_date", many=True)
        for one in (singles, lists):
            found += [(g, one) for g in numbers(one, PERCENT, whole=False, money=True)]
            found += [(g, one) for g in choices(one, "payment_id", "payment")]
        found += [(g, counts) for g in numbers(counts, PERCENT, whole=True, money=False)]
        found += [(g, one) for one in (dated, listed) for g in dates(one, LATER[:2], (0, 4))]
        found += [(g, dated) for g in days_between(dated)]
        found += [(g, listed) for g in choices(listed, "payment_id", "payment")]
    return found


def test_both_programs_come_to_the_same_to_the_last_digit() -> None:
    session = area(CALCULATIONS).open("figure.0")
    found = all_figures()
    assert len(found) > 250
    try:
        for program in ("code", "check"):
            text = "".join(
                _ran(getattr(glue, program)(f"figure {number}"), glue, one)
                for number, (glue, one) in enumerate(found)
            )
            result = session.execute("run_python", {"code": text})
            assert result.ok, result.content
            shown = printed.lines(printed.stdout(result.content))
            assert len(shown) == len(found)
            if program == "code":
                first = shown
        assert first == shown
    finally:
        session.close()
    for (_, value), (glue, _) in zip(first, found, strict=True):
        assert not value.startswith("-"), glue.phrase
        assert len(value.partition(".")[2]) <= 2, glue.phrase


def _ran(template: str, glue: Glue, one: Pair) -> str:
    sides: list[list[Any]] = list(one.held)
    sides += [[row["payment_id"] for row in side.result.rows] for side in one.calls]
    names = ("first", "second", "first_keys", "second_keys")
    values: dict[str, Any] = {
        name: held if one.lists else held[0] for name, held in zip(names, sides, strict=True)
    }
    return filled(template, values | dict(glue.stated))


def test_what_rounds_either_way_and_what_ties_is_left_out() -> None:
    half = pair([0.01], [0.02], "amount", many=False)
    assert not any("average" in g.phrase for g in numbers(half, PERCENT, whole=False, money=False))
    same = pair([5.0], [5.0], "amount", many=False)
    assert not any(
        "difference" in g.phrase for g in numbers(same, PERCENT, whole=False, money=True)
    )
    assert list(choices(same, "payment_id", "payment")) == []
    equal = pair(["2024-05-01"], ["2024-05-01"], "due_date", many=False)
    assert [*dates(equal, LATER, range(5)), *days_between(equal)] == []


@pytest.mark.parametrize(
    ("schema", "unit"),
    [
        ({"type": "number", "kind": "amount"}, "amount"),
        ({"type": "integer"}, "night"),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": "integer", "enum": [1, 2]}, ""),
        ({"type": "string"}, ""),
        ({"type": "boolean"}, ""),
    ],
)
def test_what_a_parameter_takes(schema: dict[str, Any], unit: str) -> None:
    assert wanted("nights", Parameter(description="Something.", **schema)) == unit


@pytest.mark.parametrize(
    ("column", "noun"),
    [("filed_on", "filing date"), ("weight_kg", "weight"), ("used_mb", "used MB"),
     ("valid_until", "valid-until date"), ("account_id", "account")],
)  # fmt: skip
def test_columns_are_called_what_a_person_calls_them(column: str, noun: str) -> None:
    assert called(column) == noun


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("glue") / "run"
    words = ("coding.share=1", "coding.areas=[]", "coding.glue_share=1", "sandbox=bubblewrap")
    assert here(folder, "tools.domains=[airline,bank]", *words, size=10) == 0
    return folder


Line = dict[str, Any]


def verified(folder: Path, lines: list[Line]) -> int:
    path = folder / "data.jsonl"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    words = ["tools.domains=[airline,bank]", "sandbox=bubblewrap", "execution=inline"]
    return main(["verify", f"dataset={path}", *words])


def calls(line: Line, tool: str) -> Any:
    return [
        call["function"]
        for message in line["messages"]
        for call in message.get("tool_calls") or ()
        if call["function"]["name"] == tool
    ]


def test_a_run_of_them_is_verified_and_forgeries_are_found(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [json.loads(line) for line in data(run).splitlines()]
    glue = [line for line in lines if "glue" in line["meta"]["operators"]]
    assert len(glue) >= len(lines) / 2
    assert verified(tmp_path, glue) == 0
    code = json.loads(json.dumps(glue[0]))
    last = calls(code, "run_python")[-1]
    last["arguments"] = json.dumps({"code": "print('amount: 1.5')"})
    assert verified(tmp_path, [code]) == 1
    argument = json.loads(json.dumps(glue[0]))
    step, name, bound = taking(Blueprint.from_json(argument["meta"]["blueprint"]))
    made = calls(argument, step.tool)[-1]
    given = json.loads(made["arguments"])
    given[name] = given[name] + 1 if bound["type"] != "string" else "2031-01-01"
    made["arguments"] = json.dumps(given)
    assert verified(tmp_path, [argument]) == 1
    wish = json.loads(json.dumps(glue[0]))
    told = wish["meta"]["blueprint"]
    turn = told["turns"][step.turn]
    ((_, names),) = worded(Blueprint.from_json(told), domains())
    asked = next(name.rstrip(",") for name in names if name.rstrip(",") in turn["request"])
    text = json.dumps(wish).replace(json.dumps(asked)[1:-1], "ten times the sum of everything")
    assert verified(tmp_path, [json.loads(text)]) == 1
    assert "expected words for the figure that its code works out" in capsys.readouterr().out
