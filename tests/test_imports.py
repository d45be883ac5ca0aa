"""What is imported when: a mistake must be answered before anything heavy is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tdscaling import configuration

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"langchain_openai", "langgraph", "matplotlib", "networkx", "openai", "mimesis"}


def loaded_after(*words: str) -> tuple[int, set[str]]:
    """Exit code of a command line, and the heavy modules that it loaded."""
    code = (
        "import sys; from tdscaling.__main__ import main; code = main(sys.argv[1:]);"
        f"print('loaded', code, *({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True, cwd=ROOT
    )
    line = done.stdout.strip().splitlines()[-1].split()
    assert line[0] == "loaded"
    return int(line[1]), set(line[2:])


@pytest.mark.parametrize(
    "word", ["budget.trajektories=1", "budget.trajectories=abc", "evolution=entropi", "seed=1,2"]
)
def test_mistake_loads_nothing_heavy(word: str) -> None:
    assert loaded_after(word) == (1, set())


@pytest.mark.parametrize("command", configuration.commands([configuration.conf_dir()]))
def test_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    assert loaded_after(command, "--help") == (0, set())


def test_graphs_have_one_import_name() -> None:
    from tdscaling.graphs import conversation

    assert conversation.__name__ == "tdscaling.graphs.conversation"
    assert Path(conversation.__file__).resolve() == ROOT / "graphs" / "conversation.py"
