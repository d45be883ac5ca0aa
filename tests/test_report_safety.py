"""Nothing in the data runs: markup in every place that a tool, a model or a user can fill."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tdscaling.report import write_report
from tdscaling.schema import Decision, Outcome
from tdscaling.store import FILE, Store
from tests.export.ledger import CONFIG, EVIL, cluster, make_run, outcome
from tests.report_browser import browser, emulate, items, load, press, search


@pytest.fixture(scope="module")
def driver() -> Iterator[webdriver.Chrome]:
    with browser() as opened:
        yield opened


def poisoned(index: int) -> Outcome:
    """An outcome with markup in every place that a tool, a model or a user can fill."""
    base = next(o for o in map(outcome, range(500)) if o.verdict.accepted and o.line)

    def spoil(value: object) -> object:
        if isinstance(value, str):
            return value + EVIL
        if isinstance(value, list):
            return [spoil(item) for item in value]
        if isinstance(value, dict):
            keep = {"role", "tool_call_id", "id"}
            return {k: v if k in keep else spoil(v) for k, v in value.items()}
        return value

    data = json.loads(base.line)
    data["messages"] = spoil(data["messages"])
    data["tools"] = spoil(data["tools"])
    data["meta"] = spoil(data["meta"])
    data["meta"]["blueprint"]["facts"] = {EVIL: EVIL}
    data["meta"]["roles"] = {EVIL: EVIL}
    return replace(
        base,
        index=index,
        id=EVIL,
        category=EVIL,
        domain=EVIL,
        categories={EVIL: 1.0},
        request=replace(base.request, operators=(EVIL,)),
        verdict=replace(base.verdict, detail=EVIL),
        trace=replace(
            base.trace,
            mode=EVIL,
            signature=EVIL,
            actions=tuple(replace(a, tool=EVIL, provenance=EVIL) for a in base.trace.actions),
        ),
        line=json.dumps(data, ensure_ascii=False),
    )


@pytest.fixture(scope="module")
def poisoned_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("evil")
    make_run(run_dir, 20, (poisoned(20),))
    plain = cluster("hotel")
    tool = replace(plain.tools[0], name=EVIL, description=EVIL)
    edge = replace(plain.edges[0], producer=EVIL, column=EVIL, slot=EVIL)
    edges = (edge, *(e for e in plain.edges if e.producer != plain.tools[0].name))
    bad = replace(
        plain,
        domain=EVIL,
        category=EVIL,
        tools=(tool, *plain.tools[1:]),
        edges=edges,
    )
    store = Store.open(run_dir / FILE, CONFIG)
    store.put_clusters([bad])
    row = {"round": 2, "attempted": 1, "accepted": 1, "domain_entropy": 1.0}
    store.commit([], [row], [Decision(2, EVIL, EVIL, 0.5, EVIL)])
    store.close()
    return write_report(run_dir, trajectories=500)


def test_nothing_in_the_data_runs(driver: webdriver.Chrome, poisoned_page: Path) -> None:
    emulate(driver)
    load(driver, poisoned_page, "#t=20")
    for tab in driver.find_elements(By.CSS_SELECTOR, "[role=tab]"):
        press(driver, tab)
        assert "onerror=" in driver.find_element(By.ID, "pane").text
    for node in driver.find_elements(By.CSS_SELECTOR, "#graph .node[tabindex]"):
        node.send_keys(Keys.ENTER)
    Select(driver.find_element(By.ID, "factor")).select_by_visible_text(EVIL.strip())
    assert "onerror=" in driver.find_element(By.ID, "decisions").text
    for cell in driver.find_elements(By.CSS_SELECTOR, ".heat td[data-mode]"):
        press(driver, cell)
    search(driver, "onerror", 1)
    assert driver.execute_script("return window.pwned === undefined")
    assert driver.execute_script("return document.images.length") == 0
    assert driver.execute_script("return document.scripts.length") == 2
    assert driver.get_log("browser") == []


def test_the_policy_stops_a_script_that_gets_in(
    driver: webdriver.Chrome, poisoned_page: Path, tmp_path: Path
) -> None:
    """The second line of defence: even markup that came through would not run."""
    broken = tmp_path / "broken.html"
    evil = "<img src=x onerror='window.pwned=1'><script>window.pwned=1</script>"
    broken.write_text(poisoned_page.read_text("utf-8").replace("<main>", "<main>" + evil), "utf-8")
    load(driver, broken)
    assert len(items(driver)) == 21
    assert driver.execute_script("return window.pwned === undefined")
    assert "Content Security Policy" in str(driver.get_log("browser"))
