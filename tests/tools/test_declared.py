"""Which domains are chosen, and what is said about names and paths that do not exist."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tdscaling.errors import DomainError
from tdscaling.tools.declared import SHIPPED, DeclaredTools
from tests.bookshop import BOOKSHOP, FOLDER, changed


def test_named_domains_in_alphabetical_order() -> None:
    assert list(DeclaredTools(domains=["bank", "airline"], paths=[]).load().domains) == [
        "airline",
        "bank",
    ]


def test_without_names_all_are_chosen() -> None:
    tools = DeclaredTools(domains=[], paths=[str(BOOKSHOP)])
    shipped = {path.stem for path in SHIPPED.glob("*.yaml")}
    assert set(tools.load().domains) == shipped | {"bookshop"}


def test_folder_and_file_of_ones_own() -> None:
    for path in (FOLDER, BOOKSHOP):
        domains = DeclaredTools(domains=["bookshop"], paths=[str(path)]).load().domains
        assert list(domains) == ["bookshop"]


def test_own_file_replaces_a_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "airline.yaml"
    shutil.copy(BOOKSHOP, own)
    domain = DeclaredTools(domains=["airline"], paths=[str(own)]).load().domains["airline"]
    assert "search_books" in domain.tools


def test_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(DomainError, match=r"'airlin'.*Did you mean airline.*tools\.paths="):
        DeclaredTools(domains=["airlin"], paths=[])


@pytest.mark.parametrize("name", ["none.yaml", "empty"])
def test_path_without_domains(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DomainError, match=r"tools\.paths: expected a domain file or a folder"):
        DeclaredTools(domains=[], paths=[str(tmp_path / name)])


def test_refused_file_only_stops_who_chose_it(tmp_path: Path) -> None:
    path = changed(tmp_path, lambda data: data.pop("category"))
    assert DeclaredTools(domains=["bank"], paths=[str(path)]).load().domains
    with pytest.raises(DomainError, match="category"):
        DeclaredTools(domains=["bookshop"], paths=[str(path)]).load()
