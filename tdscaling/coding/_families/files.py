"""Questions over several files, nested files and logs; and files to be written.

The hidden solutions read the same files in another way. A file that is to be written is judged by
its content, whatever wrote it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from random import Random
from typing import Any

from tdscaling.coding._families._snippets import (
    bash,
    look,
    python,
    rows_of,
    slips_of,
    solved_by,
    words,
)
from tdscaling.coding._families._tables import table
from tdscaling.coding.task import Hidden, Question, Run, Task

_GOODS = ("notebook", "stapler", "desk lamp", "headset", "monitor", "keyboard", "webcam", "mouse",
          "printer", "scanner", "whiteboard", "shredder")  # fmt: skip
_CLIENTS = ("Aldermoor", "Bexley Labs", "Corvid", "Dunmore", "Elmfield", "Fairway", "Granta")
_PATHS = ("/", "/login", "/search", "/cart", "/checkout", "/api/items", "/api/orders", "/help")


def price_join(random: Random) -> Task:
    """Quantities in a CSV file, prices in a JSON file."""
    goods = random.sample(_GOODS, random.randint(5, 8))
    prices = [
        {"sku": f"A{random.randint(100, 999)}{n}", "item": item,
         "price_eur": round(random.uniform(3, 240), 2)}
        for n, item in enumerate(goods)
    ]  # fmt: skip
    orders: list[dict[str, str]] = [
        {"order": str(random.randint(10000, 99999)), "client": random.choice(_CLIENTS),
         "sku": str(random.choice(prices)["sku"]), "quantity": str(random.randint(1, 30))}
        for _ in range(random.randint(20, 45))
    ]  # fmt: skip
    client = random.choice(sorted({row["client"] for row in orders}))
    code = (
        rows_of(random, "orders.csv").replace("import csv", "import csv\nimport json")
        + f"""
with open("prices.json") as handle:
    prices = {{entry["sku"]: entry["price_eur"] for entry in json.load(handle)}}
lines = [row for row in rows if row["client"] == "{client}"]
total = sum(int(row["quantity"]) * prices[row["sku"]] for row in lines)
print(f"order lines: {{len(lines)}}")
print(f"value: {{total:.2f}}")
"""
    )
    joined = f"FROM orders JOIN prices USING (sku) WHERE client = '{client}'"
    query = (
        f"SELECT 'order lines', count(*) {joined} UNION ALL "
        f"SELECT 'value', round(sum(quantity * price_eur), 2) {joined}"
    )
    before = (*look(random, "orders.csv"), bash("head -c 300 prices.json"))
    question = Question(
        requests=(said := words("price_join", client=client)).requests,
        runs=(*before, python(code)),
        slips=slips_of(before, code, ('"price_eur"', '"price"'),
                       ('int(row["quantity"])', 'row["quantity"]'),
                       ('entry["sku"]: ', 'entry["id"]: ')),
        hidden=solved_by(query, [("orders", "orders.csv"), ("prices", "prices.json")]),
        answers=said.answers,
    )  # fmt: skip
    return Task({"orders.csv": _csv(orders), "prices.json": _json(prices)}, (question,))


_NESTED = """
import json
from fractions import Fraction
data = json.load(open("{file}", encoding="utf-8"))
found = {{}}
for one in data["{outer}"]:
    if one["{flag}"] == {wanted!r}:
        for line in one["{inner}"]:
            part = Fraction(str(line["{amount}"])) * line["{times}"]
            found.setdefault(one["id"], []).append(part)
sums = {{name: sum(parts) for name, parts in found.items()}}
top = min(sums, key=lambda name: (-sums[name], name))
print("matching:", len(found))
print("largest:", top)
print(f"its total: {{float(sums[top]):.2f}}")
"""


def nested(random: Random) -> Task:
    """Lists in objects in lists: what is the largest of those in a state."""
    file, outer, inner, flag, amount, times, noun = random.choice((
        ("invoices.json", "invoices", "lines", "status", "unit_price", "quantity", "invoice"),
        ("projects.json", "projects", "bookings", "phase", "rate", "hours", "project"),
        ("baskets.json", "baskets", "items", "channel", "price", "count", "basket"),
    ))  # fmt: skip
    states = {"status": ("open", "paid", "overdue"), "phase": ("draft", "running", "closed"),
              "channel": ("web", "store", "phone")}[flag]  # fmt: skip
    wanted = random.choice(states)
    prefix = noun[:2].upper()
    while True:  # few lists have ties
        entries: list[dict[str, Any]] = [
            {"id": f"{prefix}-{number}", flag: wanted if n < 3 else random.choice(states),
             inner: [{amount: round(random.uniform(2, 160), 2), times: random.randint(1, 12)}
                     for _ in range(random.randint(1, 5))]}
            for n, number in enumerate(random.sample(range(1000, 9999), random.randint(9, 18)))
        ]  # fmt: skip
        # In whole cents: as floats, equal totals may differ by the order of their parts.
        totals = sorted(sum(round(100 * line[amount]) * line[times] for line in entry[inner])
                        for entry in entries if entry[flag] == wanted)  # fmt: skip
        if totals[-1] > totals[-2]:
            break
    random.shuffle(entries)
    code = f"""
import json

with open("{file}") as handle:
    entries = json.load(handle)["{outer}"]
totals = {{
    entry["id"]: sum(line["{amount}"] * line["{times}"] for line in entry["{inner}"])
    for entry in entries
    if entry["{flag}"] == "{wanted}"
}}
largest = max(totals, key=totals.get)
print(f"matching: {{len(totals)}}")
print(f"largest: {{largest}}")
print(f"its total: {{totals[largest]:.2f}}")
"""
    before = (bash(random.choice((f"head -c 400 {file}", f"head -n 14 {file}"))),)
    question = Question(
        requests=(said := words("nested", file=file, flag=flag, noun=noun, wanted=wanted)).requests,
        runs=(*before, python(code)),
        slips=slips_of(before, code, (f'["{outer}"]', ""), (f'"{amount}"', '"value"'),
                       (f'"{inner}"', '"entries"')),
        hidden=Hidden("prints", _NESTED.format(file=file, outer=outer, inner=inner, flag=flag,
                                               wanted=wanted, amount=amount, times=times).strip()),
        answers=said.answers,
    )  # fmt: skip
    return Task({file: _json({outer: entries})}, (question,))


_TIDY = """
import csv, re
rows = list(csv.DictReader(open("{file}", newline="", encoding="utf-8")))
keep = {{}}
for row in rows:
    keep.setdefault(row["{id}"], row)
wanted = [{{**row, "{measure}": f"{{float(row['{measure}']):.2f}}"}} for row in keep.values()
          if re.fullmatch(r"[0-9.]+", row["{measure}"])]
wanted.sort(key=lambda row: (row["{date}"], row["{id}"]))
got = list(csv.DictReader(open("{out}", newline="", encoding="utf-8")))
def plain(row):
    shown = f"{{float(row['{measure}']):.2f}}"
    return {{**{{name: value.strip() for name, value in row.items()}}, "{measure}": shown}}
print("passed" if [plain(row) for row in got] == wanted else "failed")
"""


def tidy(random: Random) -> Task:
    """A table with doubles and gaps, to be written anew in order."""
    t = table(random, gaps=0.1)
    theme, out = t.theme, random.choice(("clean.csv", f"clean_{t.file}", f"tidy_{t.file}"))
    measure = theme.measure[0]
    rows = list(t.rows)
    doubled = random.randint(2, 5)
    rows += [dict(row) for row in random.sample(rows, doubled)]
    random.shuffle(rows)
    code = (
        rows_of(random, t.file)
        + f"""
kept = {{}}
for row in rows:
    if row["{theme.id}"] not in kept and row["{measure}"] != "n/a":
        kept[row["{theme.id}"]] = row
result = sorted(kept.values(), key=lambda row: (row["{theme.date}"], row["{theme.id}"]))
with open("{out}", "w", newline="") as target:
    writer = csv.DictWriter(target, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(result)
print(f"rows read: {{len(rows)}}")
print(f"rows written: {{len(result)}}")
"""
    )
    before = look(random, t.file)
    said = words("tidy", date=theme.date, file=t.file, id=theme.id, measure=measure, out=out)
    names = {"file": t.file, "id": theme.id, "measure": measure, "date": theme.date, "out": out}
    question = Question(
        requests=said.requests,
        runs=(*before, python(code)),
        slips=slips_of(
            before, code,
            ("fieldnames=list(rows[0])", f'fieldnames=["{theme.id}", "{measure}"]'),
            (f'"{theme.date}"], row', '"date"], row'),
            (f'"{measure}"]', f'"{theme.wrong[1]}_value"]'),
        ),
        hidden=Hidden("passes", _TIDY.format(**names).strip(), outputs=(out,),
                      files={t.file: _csv(rows)}),
        answers=said.answers,
    )  # fmt: skip
    return Task({t.file: _csv(rows)}, (question,))


_LOG = """
import re
lines = open("access.log", encoding="utf-8").read().splitlines()
form = re.compile(r'(\\S+) (\\S+) "(\\w+) (\\S+)" (\\d+) (\\d+)ms')
parts = [form.fullmatch(line).groups() for line in lines]
bad = [one for one in parts if one[4][0] == "5"]
slow = sorted((int(one[5]) for one in parts if one[3] == {path!r}), reverse=True)
print("server errors:", len(bad))
print("slowest ms:", slow[0])
print("requests:", len(slow))
"""


def log_file(random: Random) -> Task:
    """A server's log: errors, and the slowest request of a path."""
    path = random.choice(_PATHS[1:])
    lines = []
    for n in range(random.randint(40, 90)):
        hour, minute = divmod(n * random.randint(3, 11) % 1440, 60)
        asked = path if n < 4 else random.choice(_PATHS)
        status = random.choice((200, 200, 200, 200, 301, 404, 500, 503))
        lines.append(
            f'2024-03-{random.randint(1, 28):02}T{hour:02}:{minute:02}:00Z '
            f'10.0.{random.randint(0, 9)}.{random.randint(2, 250)} '
            f'"{random.choice(("GET", "GET", "POST"))} {asked}" {status} '
            f"{random.randint(14, 2900)}ms"
        )  # fmt: skip
    random.shuffle(lines)
    code = f"""
errors, times = 0, []
with open("access.log") as log:
    for line in log:
        stamp, address, method, path, status, took = line.split()
        errors += status.startswith("5")
        if path.rstrip('"') == "{path}":
            times.append(int(took.removesuffix("ms")))
print(f"server errors: {{errors}}")
print(f"slowest ms: {{max(times)}}")
print(f"requests: {{len(times)}}")
"""
    shell = (
        f'awk \'$5 ~ /^5/ {{e++}} $4 == "{path}\\"" {{t = $6 + 0; n++; if (t > m) m = t}} '
        'END {print "server errors: " e + 0; print "slowest ms: " m; print "requests: " n}\' '
        "access.log"
    )
    in_shell = random.random() < 0.5
    before = (bash(f"head -n {random.randint(2, 5)} access.log"),)
    if in_shell:
        last, broken = bash(shell), (bash(shell.replace("access.log", "acces.log"), fails=True),)
        slips: tuple[tuple[Run, ...], ...] = ((*before, *broken, last),)
    else:
        last = python(code)
        slips = slips_of(
            before, code, ("stamp, address, method", "stamp, method"),
            ('.removesuffix("ms")', ""), ('"access.log"', '"server.log"'),
        )  # fmt: skip
    question = Question(
        requests=(said := words("log_file", path=path)).requests,
        runs=(*before, last),
        slips=slips,
        hidden=Hidden("prints", _LOG.format(path=path).strip()),
        answers=said.answers,
    )  # fmt: skip
    return Task({"access.log": ("\n".join(lines) + "\n").encode()}, (question,))


def _csv(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _json(data: object) -> bytes:
    return (json.dumps(data, indent=1) + "\n").encode()


FAMILIES: dict[str, Callable[[Random], Task]] = {
    "price_join": price_join,
    "nested": nested,
    "tidy": tidy,
    "log_file": log_file,
}
