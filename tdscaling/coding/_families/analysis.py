"""Questions about one table.

Each family asks something that has to be computed over all rows. The code goes row by row in
Python, the hidden solution is a query over the same file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date as date_
from itertools import pairwise
from random import Random

from tdscaling.coding._families._snippets import (
    Words,
    look,
    python,
    rows_of,
    slips_of,
    solved_by,
    words,
)
from tdscaling.coding._families._tables import MISSING, Table, table
from tdscaling.coding.task import Question, Run, Task

SECOND_SHARE = 0.35
"""Probability of a second question about the same table."""


class TiedError(ValueError):
    """A table whose answer to a question is a tie."""


def _slips(t: Table, before: tuple[Run, ...], code: str) -> tuple[tuple[Run, ...], ...]:
    group, measure = t.theme.group[0], t.theme.measure[0]
    wrong_group, wrong_measure = t.theme.wrong
    return slips_of(
        before,
        code,
        (f'"{measure}"', f'"{wrong_measure}"'),
        (f'"{group}"', f'"{wrong_group}"'),
        (f'float(row["{measure}"])', f'row["{measure}"]'),
        (f' if row["{measure}"] != "{MISSING}"', ""),
    )


def _question(
    random: Random,
    t: Table,
    code: str,
    query: str,
    said: Words,
    *,
    names: bool = False,
) -> Question:
    before = look(random, t.file)
    return Question(
        requests=said.requests,
        runs=(*before, python(code)),
        slips=_slips(t, before, code),
        hidden=solved_by(query, [("t", t.file)]),
        answers=said.answers,
        names=names,
    )


def _hundredths(measure: str) -> int:
    """A measure with its two decimals as a whole number."""
    return int(measure.replace(".", ""))


def top_group(random: Random, t: Table) -> Question:
    """Which group has the largest total."""
    (group, group_noun), (measure, noun) = t.theme.group, t.theme.measure
    exact: Counter[str] = Counter()
    for row in t.rows:
        exact[row[group]] += _hundredths(row[measure])
    # As floats, two equal totals may differ by the order in which their parts are added.
    if len({total for _, total in exact.most_common(2)}) < 2:
        raise TiedError
    code = (
        rows_of(random, t.file)
        + f"""
totals = {{}}
for row in rows:
    totals[row["{group}"]] = totals.get(row["{group}"], 0.0) + float(row["{measure}"])
best = max(totals, key=totals.get)
print(f"{group_noun}: {{best}}")
print(f"total {noun}: {{totals[best]:.2f}}")
"""
    )
    top = f'SELECT "{group}" AS g, sum("{measure}") AS s FROM t GROUP BY 1 ORDER BY s DESC LIMIT 1'
    query = (
        f"WITH top AS ({top}) SELECT '{group_noun}', g FROM top "
        f"UNION ALL SELECT 'total {noun}', round(s, 2) FROM top"
    )
    return _question(
        random,
        t,
        code,
        query,
        words("top_group", file=t.file, group_noun=group_noun, noun=noun, rows=t.theme.about),
    )


def filtered_average(random: Random, t: Table) -> Question:
    """An average over some rows, those without a measure left out."""
    (kind, kind_noun), (measure, noun) = t.theme.kind, t.theme.measure
    wanted = random.choice(sorted({row[kind] for row in t.rows if row[measure] != MISSING}))
    code = (
        rows_of(random, t.file)
        + f"""
values = [
    float(row["{measure}"])
    for row in rows
    if row["{kind}"] == "{wanted}"
    if row["{measure}"] != "{MISSING}"
]
print(f"rows: {{len(values)}}")
print(f"average {noun}: {{sum(values) / len(values):.2f}}")
"""
    )
    where = f"FROM t WHERE \"{kind}\" = '{wanted}' AND \"{measure}\" <> '{MISSING}'"
    query = (
        f"SELECT 'rows', count(*) {where} UNION ALL "
        f"SELECT 'average {noun}', round(avg(CAST(\"{measure}\" AS REAL)), 2) {where}"
    )
    return _question(
        random,
        t,
        code,
        query,
        words(
            "filtered_average",
            file=t.file,
            kind_noun=kind_noun,
            noun=noun,
            rows=t.theme.about,
            wanted=wanted,
        ),
    )


def share(random: Random, t: Table) -> Question:
    """The share of one group in the total."""
    (group, group_noun), (count, noun) = t.theme.group, t.theme.count
    wanted = random.choice(sorted({row[group] for row in t.rows}))
    code = (
        rows_of(random, t.file)
        + f"""
total = sum(int(row["{count}"]) for row in rows)
part = sum(int(row["{count}"]) for row in rows if row["{group}"] == "{wanted}")
print(f"share: {{100 * part / total:.1f}}%")
"""
    )
    query = (
        f"SELECT 'share', printf('%.1f', 100.0 * sum(CASE WHEN \"{group}\" = '{wanted}' "
        f'THEN "{count}" END) / sum("{count}")) || \'%\' FROM t'
    )
    return _question(
        random,
        t,
        code,
        query,
        words("share", file=t.file, group_noun=group_noun, noun=noun, wanted=wanted),
    )


def change(random: Random, t: Table) -> Question:
    """How a total changed from one month to the next."""
    measure, noun = t.theme.measure
    months = t.months()
    first = random.randrange(len(months) - 1)
    old, new = months[first], months[first + 1]
    code = (
        rows_of(random, t.file)
        + f"""
def total(month):
    return sum(
        float(row["{measure}"]) for row in rows if row["{t.theme.date}"].startswith(month)
    )

before, after = total("{old}"), total("{new}")
print(f"{old}: {{before:.2f}}")
print(f"{new}: {{after:.2f}}")
print(f"change: {{100 * (after - before) / before:.1f}}%")
"""
    )
    month = f'substr("{t.theme.date}", 1, 7)'
    sums = (
        f'SELECT {month} AS m, sum("{measure}") AS s FROM t '
        f"WHERE m IN ('{old}', '{new}') GROUP BY 1"
    )
    query = (
        f"WITH sums AS ({sums}) SELECT m, printf('%.2f', s) FROM sums UNION ALL SELECT 'change', "
        "printf('%.1f', 100.0 * (max(CASE m WHEN '{new}' THEN s END) / "
        "max(CASE m WHEN '{old}' THEN s END) - 1)) || '%' FROM sums"
    ).replace("{new}", new).replace("{old}", old)  # fmt: skip
    return _question(
        random,
        t,
        code,
        query,
        words("change", file=t.file, new=new, noun=noun, old=old),
    )


def ranking(random: Random, t: Table) -> Question:
    """The first groups by a total, in order."""
    (group, group_noun), (count, noun) = t.theme.group, t.theme.count
    number = random.choice((2, 3))
    totals: Counter[str] = Counter()
    for row in t.rows:
        totals[row[group]] += int(row[count])
    leading = [total for _, total in totals.most_common(number + 1)]
    if len(set(leading)) < len(leading):
        raise TiedError
    code = (
        rows_of(random, t.file).replace("import csv", "import csv\nfrom collections import Counter")
        + f"""
totals = Counter()
for row in rows:
    totals[row["{group}"]] += int(row["{count}"])
for name, value in sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:{number}]:
    print(f"{{name}}: {{value}}")
"""
    )
    query = (
        f'SELECT "{group}", sum("{count}") AS s FROM t GROUP BY 1 ORDER BY s DESC, 1 LIMIT {number}'
    )
    return _question(
        random,
        t,
        code,
        query,
        words("ranking", file=t.file, group_noun=group_noun, noun=noun, number=number),
        names=True,
    )


def middle(random: Random, t: Table) -> Question:
    """Median and spread of a measure."""
    measure, noun = t.theme.measure
    code = (
        rows_of(random, t.file).replace("import csv", "import csv\nimport statistics")
        + f"""
values = [float(row["{measure}"]) for row in rows if row["{measure}"] != "{MISSING}"]
print(f"median: {{statistics.median(values):.3f}}")
print(f"spread: {{max(values) - min(values):.2f}}")
"""
    )
    values = (
        f'SELECT CAST("{measure}" AS REAL) AS v, '
        f'row_number() OVER (ORDER BY CAST("{measure}" AS REAL))'
        f" AS n, count(*) OVER () AS c FROM t WHERE \"{measure}\" <> '{MISSING}'"
    )
    query = (
        f"WITH o AS ({values}) SELECT 'median', printf('%.3f', avg(v)) FROM o "
        "WHERE n IN ((c + 1) / 2, (c + 2) / 2) "
        "UNION ALL SELECT 'spread', round(max(v) - min(v), 2) FROM o"
    )
    return _question(
        random,
        t,
        code,
        query,
        words("middle", file=t.file, noun=noun),
    )


def _longest_once(days: list[date_]) -> bool:
    days = sorted(days)
    gaps = [later - earlier for earlier, later in pairwise(days)]
    return gaps.count(max(gaps)) == 1


def longest_gap(random: Random, t: Table) -> Question:
    """The longest time without an entry of one group."""
    (group, group_noun), date = t.theme.group, t.theme.date
    held = [row[group] for row in t.rows]
    often = sorted({name for name in held if held.count(name) > 2})
    clear = [name for name in often if _longest_once([date_.fromisoformat(row[date])
             for row in t.rows if row[group] == name])]  # fmt: skip
    if not clear:
        raise TiedError
    wanted = random.choice(clear)
    code = (
        rows_of(random, t.file).replace("import csv", "import csv\nfrom datetime import date")
        + f"""
days = sorted(date.fromisoformat(row["{date}"]) for row in rows if row["{group}"] == "{wanted}")
gaps = [(later - earlier).days for earlier, later in zip(days, days[1:])]
print(f"longest gap in days: {{max(gaps)}}")
print(f"from: {{days[gaps.index(max(gaps))]}}")
"""
    )
    pairs = (
        f'SELECT "{date}" AS a, lead("{date}") OVER (ORDER BY "{date}") AS b FROM t '
        f"WHERE \"{group}\" = '{wanted}'"
    )
    top = (
        f"SELECT a, CAST(julianday(b) - julianday(a) AS INTEGER) AS d FROM ({pairs}) "
        "WHERE b IS NOT NULL ORDER BY d DESC, a LIMIT 1"
    )
    query = (
        f"WITH top AS ({top}) SELECT 'longest gap in days', d FROM top "
        "UNION ALL SELECT 'from', a FROM top"
    )
    return _question(
        random, t, code, query,
        words("longest_gap", file=t.file, group_noun=group_noun, rows=t.theme.about, wanted=wanted),
    )  # fmt: skip


Kind = Callable[[Random, Table], Question]
_SECOND: tuple[Kind, ...] = (top_group, share, ranking, change)


def _family(kind: Kind, gaps: float = 0.0) -> Callable[[Random], Task]:
    def drawn(random: Random) -> Task:
        t = table(random, gaps=gaps)
        questions = [kind(random, t)]
        others = [other for other in _SECOND if other is not kind and not gaps]
        if others and random.random() < SECOND_SHARE:
            questions.append(random.choice(others)(random, t))
        return Task({t.file: t.data}, tuple(questions))

    def make(random: Random) -> Task:
        while True:  # few tables have ties
            try:
                return drawn(random)
            except TiedError:
                continue

    return make


FAMILIES: dict[str, Callable[[Random], Task]] = {
    "top_group": _family(top_group),
    "filtered_average": _family(filtered_average, gaps=0.12),
    "share": _family(share),
    "change": _family(change),
    "ranking": _family(ranking),
    "median_spread": _family(middle, gaps=0.1),
    "longest_gap": _family(longest_gap),
}
