"""The command `domains`: list, check, show."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tdscaling.__main__ import main
from tests.bookshop import BOOKSHOP, FOLDER, changed

SMALL = ("tools.domains=[bookshop,desk]", f"tools.paths=[{FOLDER}]")


class Told:
    """Exit code and words of one call."""

    def __init__(self, capfd: pytest.CaptureFixture[str], *words: str) -> None:
        capfd.readouterr()
        self.code = main(["domains", *words])
        self.out, self.err = capfd.readouterr()

    def row(self, name: str) -> list[str]:
        """Cells of the table's row that begins with a name."""
        rows = [line for line in self.out.splitlines() if f" {name} " in line and "│" in line]
        return [cell.strip() for cell in rows[0].strip("│").split("│")]


def test_list(capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, *SMALL)
    assert told.code == 0
    shop = ["bookshop", "retail", "4 tools (1 read, 3 write)", "2", "7", "3", "1"]
    assert told.row("bookshop") == shop
    # Too small for a cluster, so nothing is crossed with it as the main domain.
    assert told.row("desk") == ["desk", "support", "1 tools (1 read, 0 write)", "1", "0", "0", "0"]


def test_list_of_all_shipped_domains(capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd)
    shipped = list(Path("conf/domains").glob("*.yaml"))
    assert f"{len(shipped)} domains" in told.out
    assert all(told.row(path.stem) for path in shipped)


def test_good_file(capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, f"check={BOOKSHOP}", "samples=2")
    assert told.code == 0
    assert "bookshop.yaml: good. 4 tools (1 read, 3 write), 2 tables, 7 data-flow" in told.out
    assert "warning: tool order_book: the rule 'there is no book {book_id}' never" in told.out
    assert told.out.count("user: ") >= 2
    assert "bookshop, sample 2" in told.out
    assert "sample 3" not in told.out


def test_number_and_seed_of_samples(capfd: pytest.CaptureFixture[str]) -> None:
    assert "sample" not in Told(capfd, f"check={BOOKSHOP}", "samples=0").out
    first = Told(capfd, f"check={BOOKSHOP}").out
    assert Told(capfd, f"check={BOOKSHOP}").out == first
    assert Told(capfd, f"check={BOOKSHOP}", "seed=2").out != first


def test_every_refused_file_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    changed(tmp_path, lambda data: data.pop("category"))
    (tmp_path / "broken.yaml").write_text("a: [\n")
    shutil.copy(FOLDER / "desk.yaml", tmp_path)
    told = Told(capfd, f"check={tmp_path}")
    assert told.code == 1
    assert f"refused: {tmp_path}/bookshop.yaml: category: Field required" in told.out
    assert f"refused: {tmp_path}/broken.yaml, line 2" in told.out
    assert f"{tmp_path}/desk.yaml: good." in told.out
    # A domain without a cluster gets no sample but the reason.
    assert "3 tools" in told.out


def test_no_such_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, f"check={tmp_path}")
    assert told.code == 1
    assert f"check={tmp_path}: expected a domain file or a folder" in told.err


def test_show(capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, "show=bookshop", *SMALL)
    assert told.code == 0
    assert "bookshop (retail): Find books and order them." in told.out
    assert "can cross with: desk" in told.out
    assert told.row("order_book") == [
        "order_book",
        "book, purchase",
        "book_id: string",
        "book_id <- search_books, pay_purchase",
    ]
    assert "gift: boolean (optional)" in told.out
    assert "user: " in told.out


def test_show_unknown(capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, "show=bookshp", *SMALL)
    assert told.code == 1
    assert "show=bookshp: there is no such domain, there are bookshop, desk" in told.err
