"""The report in a real browser: it works, it is legible, and nothing in the data runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from tdscaling.report import write_report
from tests.export.ledger import make_run, outcome
from tests.report_browser import browser, count, emulate, items, load, press, search


@pytest.fixture(scope="module")
def driver() -> Iterator[webdriver.Chrome]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(make_run(tmp_path_factory.mktemp("run"), 120), trajectories=500)


@pytest.fixture
def report(driver: webdriver.Chrome, page: Path) -> webdriver.Chrome:
    emulate(driver)
    load(driver, page)
    return driver


def choose(driver: webdriver.Chrome, field: str, value: str) -> None:
    Select(driver.find_element(By.ID, field)).select_by_value(value)


def test_loads_without_a_word_in_the_console(report: webdriver.Chrome) -> None:
    assert report.get_log("browser") == []
    assert report.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_plots_have_content(report: webdriver.Chrome) -> None:
    lines = report.find_elements(By.CSS_SELECTOR, "#diversity polyline")
    assert len(lines) == 5
    for line in lines:
        ys = {float(point.split(",")[1]) for point in line.get_attribute("points").split()}
        assert len(ys) > 3
        assert line.size["width"] > 100
    bars = report.find_elements(By.CSS_SELECTOR, "#outcomes rect.fill")
    assert sum(bar.size["width"] > 5 and bar.size["height"] > 2 for bar in bars) > 10
    for plot in report.find_elements(By.CSS_SELECTOR, "svg.plot"):
        assert plot.get_attribute("aria-label")


def test_every_cell_counts_its_accepted_trajectories(report: webdriver.Chrome) -> None:
    accepted = [o for o in map(outcome, range(120)) if o.verdict.accepted]
    cells = report.find_elements(By.CSS_SELECTOR, ".heat td[data-mode]")
    shown = {
        (c.get_attribute("data-category"), c.get_attribute("data-mode")): int(c.text)
        for c in cells
        if c.text.isdigit()
    }
    assert sum(shown.values()) == len(accepted)
    travel = sum(o.category == "travel" and o.trace.mode == "recover" for o in accepted)
    assert shown["travel", "recover"] == travel


def test_a_cell_selects_its_trajectories(report: webdriver.Chrome) -> None:
    cell = next(
        c for c in report.find_elements(By.CSS_SELECTOR, ".heat td.h5[data-mode]") if c.text
    )
    expected = int(cell.text)
    press(report, cell)
    assert count(report) == expected


def test_filters_filter(report: webdriver.Chrome) -> None:
    outcomes = [outcome(i) for i in range(120)]
    assert count(report) == 120
    choose(report, "f-category", "travel")
    assert count(report) == sum(o.category == "travel" for o in outcomes)
    choose(report, "f-mode", "recover")
    some = [o for o in outcomes if o.category == "travel" and o.trace.mode == "recover"]
    assert count(report) == len(some)
    choose(report, "f-verdict", "accepted")
    assert count(report) == sum(o.verdict.accepted for o in some)
    press(report, report.find_element(By.ID, "f-clear"))
    choose(report, "f-verdict", "=extra_write")
    assert count(report) == sum(o.verdict.reason == "extra_write" for o in outcomes)
    assert all("extra_write" in item.text for item in items(report))


def test_search_finds_words_of_the_conversation(report: webdriver.Chrome) -> None:
    found = next(o for o in map(outcome, range(30, 120)) if o.line)
    number = re.search(r"[A-Z]{2}-1\d{3}", found.line)
    assert number
    search(report, number.group().lower(), 1)
    assert f"#{found.index}" in items(report)[0].text
    report.find_element(By.ID, "f-text").send_keys("no such words")
    WebDriverWait(report, 5).until(lambda d: not items(d))
    assert "No embedded trajectory matches" in report.find_element(By.ID, "list").text


def test_pages_turn(report: webdriver.Chrome) -> None:
    back, forth = (report.find_element(By.ID, name) for name in ("prev", "next"))
    assert (len(items(report)), back.is_enabled()) == (25, False)
    press(report, forth)
    assert report.find_element(By.ID, "count").text == "26\u201350 of 120"
    assert "#25" in items(report)[0].text
    for _ in range(3):
        press(report, forth)
    assert (len(items(report)), forth.is_enabled()) == (20, False)


def test_viewer_shows_conversation_blueprint_and_verdict(report: webdriver.Chrome) -> None:
    choose(report, "f-mode", "recover")
    choose(report, "f-verdict", "=missing_step")
    press(report, items(report)[0])
    detail = report.find_element(By.ID, "detail")
    assert "missing_step — step 2: expected create, got nothing" in detail.text
    assert "Hello, I need a" in detail.text
    injected = detail.find_elements(By.CSS_SELECTOR, ".call.injected")
    assert len(injected) == 1
    assert "injected error" in injected[0].text
    assert "upstream timed out" in injected[0].text
    executed = detail.find_elements(By.CSS_SELECTOR, ".call .badge.good")
    assert [badge.text for badge in executed] == ["executed"] * 3
    tabs = detail.find_elements(By.CSS_SELECTOR, "[role=tab]")
    press(report, tabs[1])
    for words in ("Goal", "Facts the user knows", "Expected final state", "step 1 →", "turn 1: "):
        assert words in detail.text
    tabs[1].send_keys(Keys.ARROW_RIGHT)
    assert "search_" in detail.find_element(By.ID, "pane").text


def test_a_link_opens_its_trajectory(driver: webdriver.Chrome, page: Path) -> None:
    emulate(driver)
    load(driver, page, "#t=77")
    assert "#77 · t00077" in driver.find_element(By.ID, "detail").text


def test_clusters_are_drawn_and_explain_themselves(report: webdriver.Chrome) -> None:
    Select(report.find_element(By.ID, "cluster")).select_by_index(3)
    nodes = report.find_elements(By.CSS_SELECTOR, "#graph .node[tabindex]")
    values = report.find_elements(By.CSS_SELECTOR, "#graph .node.value")
    edges = report.find_elements(By.CSS_SELECTOR, "#graph .edge")
    assert (len(nodes), len(edges)) == (5, 6)
    assert all(value.text.endswith("_id") for value in values)
    made = next(n for n in nodes if "create_" in n.text)
    assert "write" in made.get_attribute("class")
    made.send_keys(Keys.ENTER)
    about = report.find_element(By.ID, "tool").text
    assert re.search(r"Needs\n(\w+)_id from search_\1s, get_\1\nFeeds\n\w+_id to get_", about)
    lit = [e for e in edges if "on" in e.get_attribute("class").split()]
    assert len(lit) == 5


def test_arrows_do_not_run_behind_boxes(report: webdriver.Chrome) -> None:
    """A point of an arrow inside a box that is neither of its ends would hide the arrow."""
    hidden = report.execute_script(
        """
        const boxes = [...document.querySelectorAll("#graph .node rect")].map((r) => r.getBBox());
        let hidden = 0;
        for (const path of document.querySelectorAll("#graph .edge path")) {
          const length = path.getTotalLength();
          for (let at = 4; at < length - 4; at += 4) {
            const p = path.getPointAtLength(at);
            if (boxes.some((b) => p.x > b.x + 1 && p.x < b.x + b.width - 1
                                  && p.y > b.y && p.y < b.y + b.height)) hidden += 1;
          }
        }
        return hidden;
        """
    )
    assert hidden == 0


def test_steering_shows_the_reasons_of_a_round(report: webdriver.Chrome) -> None:
    choose(report, "round", "4")
    choose(report, "factor", "calls")
    rows = report.find_elements(By.CSS_SELECTOR, "#decisions tr")
    assert len(rows) == 3
    assert all("exploration floor" in row.text and "33.3" in row.text for row in rows)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(driver: webdriver.Chrome, page: Path, scheme: str) -> None:
    """WCAG AA: contrast of at least 4.5 to 1 for every piece of text on the page."""
    emulate(driver, scheme=scheme)
    load(driver, page)
    poor = driver.execute_script(
        """
        const parse = (c) => { const m = c.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
        const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
                               return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] > 0) return c; } return [255, 255, 255, 1]; };
        const poor = [];
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
          const e = walker.currentNode.parentElement;
          if (!walker.currentNode.data.trim() || !e.checkVisibility() || e.closest("script, button:disabled, option, .node.write")) continue;
          const style = getComputedStyle(e);
          const ink = parse(e instanceof SVGElement ? style.fill : style.color);
          const [a, b] = [light(ink), light(ground(e))].sort((x, y) => y - x);
          const ratio = (a + 0.05) / (b + 0.05);
          if (ratio < 4.5) poor.push(ratio.toFixed(2) + " " + e.className + " " + walker.currentNode.data.trim().slice(0, 30));
        }
        return [...new Set(poor)];
        """  # noqa: E501
    )
    assert poor == []


def test_fits_a_narrow_screen(driver: webdriver.Chrome, page: Path) -> None:
    emulate(driver, width=390)
    load(driver, page)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
    detail = driver.find_element(By.ID, "detail")
    assert not detail.is_displayed()
    press(driver, items(driver)[2])
    assert detail.is_displayed()
    assert not driver.find_element(By.ID, "list").is_displayed()
    press(driver, detail.find_element(By.CLASS_NAME, "back"))
    assert driver.find_element(By.ID, "list").is_displayed()
