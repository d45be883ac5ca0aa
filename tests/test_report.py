"""The report as a file: what is embedded, determinism, speed, and the command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tdscaling.errors import RunDirectoryError
from tdscaling.report import report, write_report
from tdscaling.report.charts import level, line_plot, ticks
from tdscaling.report.clustermap import drawing
from tdscaling.report.page import embed
from tdscaling.schema import Cluster, Edge, Tool
from tdscaling.store import FILE, Store
from tests.export.ledger import CONFIG, EVIL, make_run, outcome


def data_of(page: Path) -> dict:
    text = page.read_text("utf-8")
    return json.loads(text.split('<script type="application/json" id="data">')[1].split("</")[0])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("run"), 200)


def test_the_same_ledger_gives_the_same_page(run: Path) -> None:
    first = write_report(run, trajectories=50).read_bytes()
    assert write_report(run, trajectories=50).read_bytes() == first


def test_nothing_outside_the_page_is_named(run: Path) -> None:
    text = write_report(run, trajectories=0).read_text("utf-8")
    outside = set(re.findall(r"https?://[^\s\"'<]+", text))
    assert outside == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<(link|img|iframe|object|embed)\b|\bsrc=|@import|url\((?!#)", text)


def test_the_sample_is_spread_over_cells_and_reasons(run: Path) -> None:
    shown = data_of(write_report(run, trajectories=60))["trajectories"]
    accepted = [t for t in shown if t["accepted"]]
    whole = [outcome(i) for i in range(200)]
    assert len(shown) == 60
    assert {t["reason"] for t in shown} == {o.verdict.reason for o in whole}
    modes = {(o.category, o.trace.mode) for o in whole if o.verdict.accepted}
    assert len({(t["category"], t["mode"]) for t in accepted}) > 0.9 * len(modes)
    assert [t["idx"] for t in shown] == sorted(t["idx"] for t in shown)


@pytest.mark.parametrize(("most", "expected"), [(0, 0), (1, 1), (200, 200), (900, 200)])
def test_the_knob_bounds_what_is_embedded(run: Path, most: int, expected: int) -> None:
    page = write_report(run, trajectories=most)
    assert len(data_of(page)["trajectories"]) == expected
    said = f"{expected:,} of 200 attempted" if expected < 200 else "All 200 attempted"
    assert said in page.read_text("utf-8")


def test_tools_are_stored_once(run: Path) -> None:
    data = data_of(write_report(run, trajectories=200))
    names = [tool["name"] for tool in data["tools"]]
    assert len(names) == len(set(names)) == 5 * len({t["domain"] for t in data["trajectories"]})


def test_embedded_json_ends_no_element_and_reads_back() -> None:
    value = {"a": EVIL, "b": "<!--<script>&amp;\u2029", EVIL: [1, None, True]}
    text = embed(value)
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == value
    assert embed({"lone": "\ud800"}) == '{"lone":"?"}'


def test_a_run_of_five_thousand_takes_seconds(tmp_path: Path) -> None:
    make_run(tmp_path, 5000)
    began = time.process_time()
    page = write_report(tmp_path, trajectories=500)
    assert time.process_time() - began < 5
    assert page.stat().st_size < 10_000_000


def test_an_empty_run_has_a_report(tmp_path: Path) -> None:
    page = write_report(make_run(tmp_path, 0), trajectories=500)
    text = page.read_text("utf-8")
    assert "No trajectory was accepted." in text
    assert "Nothing was rejected." in text


def test_alarms_are_a_banner_of_their_own(tmp_path: Path) -> None:
    quiet = write_report(make_run(tmp_path, 20), trajectories=0).read_text("utf-8")
    assert 'id="alarms"' not in quiet
    store = Store.open(tmp_path / FILE, CONFIG)
    row = {"round": 3, "kind": "cell", "value": 0.7, "threshold": 0.5, "message": f"cell {EVIL}"}
    store.commit([], alarms=[row])
    store.close()
    text = write_report(tmp_path, trajectories=0).read_text("utf-8")
    banner = text.split('id="alarms"')[1].split("</aside>")[0]
    assert "1 alarm: " in banner
    assert "Round 3, <code>cell</code>: cell &lt;/script&gt;&lt;img" in banner
    assert EVIL not in banner


def test_an_open_ledger_is_used_and_left_open(run: Path) -> None:
    store = Store.read(run / FILE)
    write_report(run, trajectories=5, store=store)
    assert store.query("SELECT 1 AS one") == [{"one": 1}]
    store.close()


def test_the_command_prints_the_path(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(run_dir=str(run), trajectories=5) == 0
    assert capsys.readouterr().out == f"{run / 'report.html'}\n"


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_the_command_says_what_is_missing(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunDirectoryError, match=r"run_dir=|run\.duckdb"):
        report(run_dir=str(tmp_path / name), trajectories=5)


def test_drawing_libraries_load_only_when_a_report_is_written() -> None:
    code = (
        "import sys, tdscaling.report, tdscaling.export.openai;"
        "print([m for m in ('matplotlib', 'networkx', 'jinja2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        (0, [0, 1]),
        (1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (7, [0, 2, 4, 6, 8]),
        (180, [0, 50, 100, 150, 200]),
    ],
)
def test_ticks_are_round_and_reach_the_top(top: float, expected: list[float]) -> None:
    assert ticks(top) == expected


def test_names_of_lines_keep_apart() -> None:
    plot = line_plot([0, 1], {"a": [1.0, 2.0], "b": [1.0, 2.0], "c": [1.0, 2.01]}, "x")
    assert plot
    places = sorted(series["name_y"] for series in plot["series"])
    assert min(b - a for a, b in pairwise(places)) >= 15
    assert line_plot([], {"a": []}, "x") is None


def test_rare_cells_stay_visible() -> None:
    assert [level(n, 100) for n in (0, 1, 4, 25, 100)] == [0, 1, 1, 3, 5]


def chain(*edges: str) -> Cluster:
    """Tools named by letters; `ab` says that a returns what b needs."""
    tools = tuple(Tool(n, "", {"type": "object"}, "d", "c") for n in sorted({*"".join(edges)}))
    return Cluster("x", "d", "c", tools, tuple(Edge(p, c, p, p, "key") for p, c in edges))


def test_producers_stand_left_of_their_consumers() -> None:
    drawn = drawing(chain("ab", "bc", "ac", "cd"), 1, 1)
    left = {node["name"]: node["x"] for node in drawn["nodes"] if node["kind"] != "value"}
    assert left["a"] < left["b"] < left["c"] < left["d"]
    passing = [arrow for arrow in drawn["arrows"] if arrow["via"]]
    assert len(passing) == 1, "only what a gives to c passes a column"


def test_a_value_that_many_return_comes_from_the_earliest() -> None:
    tools = tuple(Tool(n, "", {"type": "object"}, "d", "c") for n in "abcd")
    pairs = [("a", "b"), ("a", "c"), ("b", "c"), ("b", "d"), ("c", "d"), ("c", "b"), ("a", "d")]
    edges = tuple(Edge(p, c, "id", "id", "key") for p, c in pairs)
    drawn = drawing(Cluster("x", "d", "c", tools, edges), 1, 1)
    assert [node["name"] for node in drawn["nodes"]] == ["a", "b", "c", "d", "id"]
    assert len(drawn["arrows"]) == 4, "one into the value, three out of it"
    assert len(drawn["edges"]) == 7, "a tool still lists every edge"


def test_cycles_self_loops_and_strangers_are_laid_out() -> None:
    drawn = drawing(chain("ab", "ba", "aa", "bc"), 1, 1)
    places = {(node["x"], node["y"]) for node in drawn["nodes"]}
    assert len(places) == len(drawn["nodes"])
    stranger = replace(chain("ab"), edges=(Edge("a", "elsewhere", "id", "id", "key"),))
    assert drawing(stranger, 0, 0)["arrows"] == []
    assert drawing(Cluster("x", "d", "c", (), ()), 0, 0)["nodes"] == []
