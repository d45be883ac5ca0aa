"""The command `servers`."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tdscaling.__main__ import main
from tests.live_parts import NOTES


def test_the_registry_is_listed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["servers", f"home={tmp_path}"]) == 0
    said = capsys.readouterr().out
    assert "kanban" in said
    assert "tdscaling servers install=[kanban]" in said
    assert "mcp-server-time==2026.10.19" in said


def test_a_server_of_ones_own_is_tried(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "notes.yaml").write_text(yaml.safe_dump(NOTES))
    words = ["servers", f"paths=[{tmp_path / 'notes.yaml'}]", f"home={tmp_path}"]
    assert main([*words, "check=notes"]) == 0
    said = capsys.readouterr().out
    assert "6 tools of notes that work" in said
    assert "note_id <- list_notes.note_id" in said
    assert main([*words, "check=time"]) == 1
    assert "is not installed" in capsys.readouterr().out


def test_names_are_checked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["servers", "check=nobody", f"home={tmp_path}"]) == 1
    assert "there is no server 'nobody'" in capsys.readouterr().err


def test_each_is_installed_in_an_environment_of_its_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "build_notes"\nbackend-path = ["."]\n'
    )
    # No package index is asked for a wheel that a backend in the folder makes itself.
    (package / "build_notes.py").write_text(
        "import zipfile\n"
        "def build_wheel(folder, config=None, metadata=None):\n"
        "    name = 'notes_server-1-py3-none-any.whl'\n"
        "    info = 'notes_server-1.dist-info'\n"
        "    with zipfile.ZipFile(folder + '/' + name, 'w') as wheel:\n"
        "        wheel.writestr('notes_server.py', 'def main():\\n    pass\\n')\n"
        "        wheel.writestr(info + '/METADATA', 'Metadata-Version: 2.1\\n'\n"
        "            'Name: notes-server\\nVersion: 1\\n')\n"
        "        wheel.writestr(info + '/WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\n'\n"
        "            'Root-Is-Purelib: true\\nTag: py3-none-any\\n')\n"
        "        wheel.writestr(info + '/entry_points.txt', '[console_scripts]\\n'\n"
        "            'notes-server = notes_server:main\\n')\n"
        "        wheel.writestr(info + '/RECORD', '')\n"
        "    return name\n"
    )
    entry = {
        "command": "notes-server",
        "install": {"pypi": f"notes-server @ {package.as_uri()}"},
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(entry))
    broken = {"command": "x", "install": {"pypi": str(tmp_path / "gone")}}
    (tmp_path / "broken.yaml").write_text(yaml.safe_dump(broken))
    words = ["servers", f"paths=[{tmp_path}]", f"home={tmp_path / 'home'}"]
    assert main([*words, "install=[mine]"]) == 0
    assert list((tmp_path / "home").glob("mine-*/bin/notes-server"))
    assert main([*words, "install=[mine]"]) == 0
    assert main([*words, "install=[broken]"]) == 1
    assert "failed" in capsys.readouterr().out
    assert main(words) == 0
    assert "yes" in capsys.readouterr().out
