"""The option `openai`: files, formats, and what a failed export leaves behind."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tdscaling.errors import ConfigError, RunDirectoryError
from tdscaling.export.openai import OpenAIExport, write_lines
from tdscaling.store import FILE, Store
from tests.export.ledger import make_run, outcome

OPTIONS = {"licence": "apache-2.0", "name": "Sample"}


def export(run_dir: Path, *formats: str) -> tuple[Path, ...]:
    store = Store.read(run_dir / FILE)
    try:
        return OpenAIExport(formats=formats or ("openai",), **OPTIONS).write(store, run_dir)
    finally:
        store.close()


def test_lines_are_the_accepted_ones_in_index_order(tmp_path: Path) -> None:
    train, card = export(make_run(tmp_path, 60))
    expected = [o.line for o in map(outcome, range(60)) if o.verdict.accepted]
    assert train == tmp_path / "dataset" / "train.jsonl"
    assert train.read_text("utf-8").splitlines() == expected
    assert card.name == "README.md"


def test_the_same_ledger_gives_the_same_bytes(tmp_path: Path) -> None:
    formats = ("openai", "sharegpt")
    first = [p.read_bytes() for p in export(make_run(tmp_path / "a", 60), *formats)]
    again = [p.read_bytes() for p in export(tmp_path / "a", *formats)]
    other = [p.read_bytes() for p in export(make_run(tmp_path / "b", 60), *formats)]
    assert first == again == other
    assert len(first) == 3


def test_separators_inside_words_do_not_split_lines(tmp_path: Path) -> None:
    odd = json.dumps({"id": "x", "messages": [{"content": "a\u2028b\x85c"}]}, ensure_ascii=False)
    write_lines(tmp_path / "x.jsonl", [odd])
    assert (tmp_path / "x.jsonl").read_bytes() == odd.encode() + b"\n"


def test_an_empty_run_gives_an_empty_file_and_a_card(tmp_path: Path) -> None:
    train, card = export(make_run(tmp_path, 0))
    assert train.read_bytes() == b""
    assert "accepted, in this data set | 0" in card.read_text("utf-8")


@pytest.mark.parametrize("formats", [["parquet", "openai"], ["sharegpt"], []])
def test_formats_are_checked_when_the_option_is_made(formats: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"export\.formats=\[openai,sharegpt\]"):
        OpenAIExport(formats=formats, **OPTIONS)


def test_a_failing_source_keeps_the_earlier_file_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    write_lines(path, ["kept"])

    def failing():
        yield "half"
        raise OSError(28, "No space left on device")

    with pytest.raises(RunDirectoryError, match="No space left on device"):
        write_lines(path, failing())
    assert path.read_text() == "kept\n"
    assert os.listdir(tmp_path) == ["train.jsonl"]


def test_a_full_disk_is_a_run_directory_error(tmp_path: Path) -> None:
    """The limit on file size makes the kernel refuse the write, as a full disk does."""
    make_run(tmp_path, 60)
    export(tmp_path)
    before = (tmp_path / "dataset" / "train.jsonl").read_bytes()
    code = f"""
import resource, signal
from pathlib import Path
from tdscaling.errors import RunDirectoryError
from tests.export.test_openai import export
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    export(Path({str(tmp_path)!r}))
except RunDirectoryError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=os.getcwd()
    )
    assert "train.jsonl: cannot be written" in done.stdout
    assert "type" in done.stdout or "hydra.run.dir" in done.stdout
    assert (tmp_path / "dataset" / "train.jsonl").read_bytes() == before
    assert sorted(os.listdir(tmp_path / "dataset")) == ["README.md", "train.jsonl"]


def test_a_place_that_is_no_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "dataset").write_text("in the way")
    with pytest.raises(RunDirectoryError, match=r"dataset/train\.jsonl: cannot be written"):
        export(make_run(tmp_path, 5))


def test_memory_stays_flat(tmp_path: Path) -> None:
    """Ten times the lines may not take ten times the memory."""
    path = tmp_path / "big.jsonl"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    write_lines(path, ("x" * 10_000 for _ in range(20_000)))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert path.stat().st_size == 20_000 * 10_001
    assert grown < 50_000, f"{grown} kB more at the peak for a file of 200 MB"
