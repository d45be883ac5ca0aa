"""The command `graph`, the picture in the README and the entry for LangGraph's own tools."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

from tdscaling.__main__ import main
from tdscaling.graph import BEGIN, END

ROOT = Path(__file__).resolve().parents[1]


def test_picture_has_every_node_and_edge(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["graph"]) == 0
    picture = capfd.readouterr().out
    assert "graph TD;" in picture
    edges = set(re.findall(r"(\w+) -?-?\.?->? (\w+);", picture.replace("-.->", "->")))
    assert edges >= {
        ("user", "assistant"),
        ("user", "judge"),
        ("assistant", "environment"),
        ("assistant", "user"),
        ("assistant", "judge"),
        ("environment", "assistant"),
        ("environment", "judge"),
    }


def test_picture_is_written_between_the_markers(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\n{BEGIN}\nold\n{END}\nafter\n")
    assert main(["graph", f"out={page}"]) == 0
    written = page.read_text()
    capfd.readouterr()
    main(["graph"])
    picture = capfd.readouterr().out.strip()
    expected = f"# Title\n\n{BEGIN}\n```mermaid\n{picture}\n```\n{END}\nafter\n"
    assert written == expected
    assert main(["graph", f"out={page}"]) == 0
    assert page.read_text() == expected


@pytest.mark.parametrize("text", ["no markers\n", f"{BEGIN}\n", f"{END}\n{BEGIN}\n"])
def test_file_without_markers_stays_as_it_is(
    text: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    assert main(["graph", f"out={page}"]) == 1
    assert f"out={page}: expected a line `{BEGIN}`" in capfd.readouterr().err
    assert page.read_text() == text


def test_no_such_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", f"out={tmp_path / 'none.md'}"]) == 1
    assert "expected a Markdown file that can be written" in capfd.readouterr().err


def test_picture_in_the_readme_is_the_generated_one(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    copy = tmp_path / "README.md"
    copy.write_text(text, encoding="utf-8")
    assert main(["graph", f"out={copy}"]) == 0, capfd.readouterr().err
    assert copy.read_text(encoding="utf-8") == text, "run `tdscaling graph out=README.md`"


def test_langgraph_json_names_a_graph_that_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    graphs = json.loads((ROOT / "langgraph.json").read_text())["graphs"]
    assert graphs
    for name, entry in graphs.items():
        file, _, attribute = entry.partition(":")
        spec = importlib.util.spec_from_file_location(f"langgraph_{name}", ROOT / file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        compiled = getattr(module, attribute)()
        assert {"user", "assistant", "environment", "judge"} <= set(compiled.get_graph().nodes)
