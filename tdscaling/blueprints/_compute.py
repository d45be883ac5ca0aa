"""Figures over what earlier calls returned: the operator `compute`.

Enters: the executed steps of a draft. Leaves: what a user may want worked out over values that they
returned, in words and in code; a second program comes to the same figure in another way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from tdscaling.bindings import filled, rows
from tdscaling.blueprints._plan import Planner
from tdscaling.blueprints._refer import DraftStep, Expect, Purpose
from tdscaling.blueprints._slips import slips
from tdscaling.coding import printed
from tdscaling.coding.domain import CodeDomain
from tdscaling.declared.domain import noun
from tdscaling.errors import BlueprintError

FEWEST, MOST = 3, 20
"""Rows of a list that figures are asked over."""
_QUANTITY = re.compile(
    r"(?:^|_)(?:price|total|amount|balance|fee|fees|cost|fare|rate|quantity|count|seats|minutes|"
    r"hours|days|nights|kwh|kg|weight|stock|points|salary|budget|deposit|rent|limit|usage|size|mb|gb|"
    r"available|refund|duration|capacity|guests|pages|score|distance|km)(?:$|_)"
)
ID = re.compile(r"[A-Z]{1,5}-\d{3,}")
_VAGUE = frozenset({"available", "remaining"})
"""Columns whose names say no more than what they are left with."""
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?")


@dataclass(frozen=True, slots=True)
class Figure:
    """Something to be worked out."""

    words: str
    """The wish, imperative."""
    code: str
    """Template of the code; `$name` stands for the values of that name."""
    check: str
    """Template of another program that prints the same."""
    values: dict[str, dict[str, Any]]
    """Bindings of the values."""

    def binding(self, template: str) -> dict[str, Any]:
        """How the argument of a call is bound."""
        return {"text": template, "values": self.values}

    def slips(self) -> list[str]:
        """The code with a mistake that Python refuses."""
        imports = re.match(r"(?:(?:import|from) .*\n)*\n?", self.code)
        return slips(self.code, imports[0] if imports else "")


def figures(steps: Sequence[DraftStep]) -> Iterator[Figure]:
    """All figures that can be asked for clearly after the steps."""
    lists = [
        (number, found)
        for number, step in enumerate(steps)
        if step.expect == "ok"
        and step.purpose == "goal"
        and step.spec.file.result == "many"
        and len(found := rows(step.result.content)) > 1
    ]
    if lists:  # "that list" is the latest
        number, found = lists[-1]
        if FEWEST <= len(found) <= MOST:
            for column in found[0]:
                yield from _over_list(number, column, [row.get(column) for row in found])
    yield from _over_pairs(steps)


def _over_list(number: int, column: str, held: list[Any]) -> Iterator[Figure]:
    values = {"values": {"step": number, "column": column, "pick": "all"}}
    name = noun(column)
    if all(isinstance(value, str) and _DATE.fullmatch(value) for value in held):
        if len({value[:10] for value in held}) > 1:
            yield Figure(
                f"work out how many days lie between the earliest and the latest {name} in that"
                " list",
                "from datetime import date\n\nvalues = $values\n"
                "days = sorted(date.fromisoformat(value[:10]) for value in values)\n"
                "print(f\"days between: {(days[-1] - days[0]).days}\")\n",
                "import calendar, time\nvalues = $values\n"
                "d = [calendar.timegm(time.strptime(v[:10], '%Y-%m-%d')) for v in values]\n"
                'print("days between:", (max(d) - min(d)) // 86400)\n',
                values,
            )  # fmt: skip
    elif countable(column, held) and len(set(held)) > 1:
        yield from _numbers(name, values, whole=all(isinstance(value, int) for value in held))


def _numbers(name: str, values: dict[str, dict[str, Any]], *, whole: bool) -> Iterator[Figure]:
    form = "" if whole else ":.2f"
    exact = "from fractions import Fraction\nvalues = [Fraction(str(v)) for v in $values]\n"
    kinds = (
        (f"add up the {name} over that whole list", f"sum of the {name}", "",
         f"{{sum(values){form}}}", "sum(values)", form),
        (f"work out the average {name} over that list", f"average {name}", "import statistics\n\n",
         "{statistics.mean(values):.2f}", "sum(values) / len(values)", ":.2f"),
        (f"tell me the median {name} in that list", f"median {name}", "import statistics\n\n",
         "{statistics.median(values):.2f}",
         "(sorted(values)[(len(values) - 1) // 2] + sorted(values)[len(values) // 2]) / 2", ":.2f"),
        (f"work out how far the highest and the lowest {name} in that list are apart",
         f"difference in {name}", "", f"{{max(values) - min(values){form}}}",
         "sorted(values)[-1] - sorted(values)[0]", form),
        (f"work out what share of the total {name} in that list the largest one makes up, in "
         "percent to one decimal", f"largest share of the {name}", "",
         "{100 * max(values) / sum(values):.1f}%", "100 * sorted(values)[-1] / sum(values)",
         ":.1f"),
    )  # fmt: skip
    for words, label, imports, shown, other, other_form in kinds:
        percent = "%" if shown.endswith("%") else ""
        number = "int" if other_form == "" else "float"
        yield Figure(
            words,
            f'{imports}values = $values\nprint(f"{label}: {shown}")\n',
            f'{exact}print(f"{label}: {{{number}({other}){other_form}}}{percent}")\n',
            values,
        )


def _over_pairs(steps: Sequence[DraftStep]) -> Iterator[Figure]:
    """Figures over two calls that returned one row each."""
    single = [
        (number, step, step.result.rows[0])
        for number, step in enumerate(steps)
        if step.expect == "ok" and step.purpose == "goal" and step.spec.file.result == "one"
    ]
    for (one, first, row), (other, second, other_row) in combinations(single, 2):
        names = [_named(first), _named(second)]
        if first.spec is not second.spec or not all(names) or names[0] == names[1]:
            continue
        for column in [c for c in row if c in other_row and c in first.spec.file.tell]:
            held = [row[column], other_row[column]]
            if countable(column, held) and held[0] != held[1] and all(held):
                yield from _pair(" and ".join(names), column, one, other, held)


def _named(step: DraftStep) -> str:
    """The id that the user gave for a step; empty where there is none to name it by."""
    given = [str(step.values[name]) for name, source in step.bindings.items() if "fact" in source]
    return next((value for value in given if ID.fullmatch(value)), "")


def _pair(names: str, column: str, one: int, other: int, held: list[Any]) -> Iterator[Figure]:
    name = noun(column)
    values = {
        "first": {"step": one, "column": column, "pick": "first"},
        "second": {"step": other, "column": column, "pick": "first"},
    }
    form = "" if all(isinstance(value, int) for value in held) else ":.2f"
    kind = "int" if form == "" else "float"
    head = "first = $first\nsecond = $second\n"
    exact = "from fractions import Fraction\na, b = Fraction(str($first)), Fraction(str($second))\n"
    for words, label, code, check in (
        (f"add up the {name} of {names}", f"{name} of both", "(first + second)", "a + b"),
        (f"work out how far {names} are apart in {name}", f"difference in {name}",
         "abs(first - second)", "max(a, b) - min(a, b)"),
    ):  # fmt: skip
        yield Figure(
            words,
            f'{head}print(f"{label}: {{{code}{form}}}")\n',
            f'{exact}print(f"{label}: {{{kind}({check}){form}}}")\n',
            values,
        )


def countable(column: str, held: Sequence[Any]) -> bool:
    """Whether a column holds quantities: numbers that are no marks, codes or flags."""
    plain = all(isinstance(v, int | float) and not isinstance(v, bool) and v >= 0 for v in held)
    return (
        plain
        and column not in _VAGUE
        and (any(isinstance(v, float) for v in held) or bool(_QUANTITY.search(column)))
    )


def bound(values: Mapping[str, dict[str, Any]], steps: Sequence[DraftStep]) -> dict[str, Any]:
    """The values of a figure as the draft's steps returned them."""
    found = {}
    for name, source in values.items():
        held = [row[source["column"]] for row in rows(steps[source["step"]].result.content)]
        found[name] = held if source["pick"] == "all" else held[0]
    return found


def add_figure(planner: Planner, domain: str, figure: Figure, turn: int) -> None:
    """Add the code that works a figure out to a draft; sometimes a slip comes first.

    Args:
        planner: with a session of the domain.
        domain: that runs the code.
        figure: what is worked out.
        turn: in which the user asks for it.

    Raises:
        BlueprintError: if the code does not end as it must, or the check comes to something else.
    """
    session = planner.sessions[domain]
    owner = session.domain
    if not isinstance(owner, CodeDomain):
        raise BlueprintError(f"{domain}: expected a domain that runs code")
    values = bound(figure.values, planner.steps)

    def run(template: str, purpose: Purpose, follows: frozenset[int]) -> DraftStep:
        code = filled(template, values)
        expect: Expect = "ok" if purpose == "goal" else "refused"
        result = session.execute("run_python", {"code": code})
        if result.ok != (expect == "ok"):
            raise BlueprintError(f"{domain}: the code was to be {expect}: {result.content}")
        binding = {"code": figure.binding(template)}
        spec, arguments = owner.tools["run_python"], {"code": code}
        words = figure.words if purpose == "goal" else ""
        return DraftStep(domain, spec, turn, purpose, expect, binding, arguments, result,
                         words=words, follows=follows)  # fmt: skip

    made = figure.slips() if planner.random.random() < owner.recover_share else []
    if made:
        planner.steps.append(run(planner.random.choice(made), "lookup", frozenset()))
    before = frozenset({len(planner.steps) - 1}) if made else frozenset()
    step = run(figure.code, "goal", before)
    check = session.execute("run_python", {"code": filled(figure.check, values)})
    if not printed.same_lines(printed.stdout(step.result.content), printed.stdout(check.content)):
        raise BlueprintError(f"{domain}: another program comes to {check.content}")
    planner.steps.append(step)
