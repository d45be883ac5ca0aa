"""Tools of a run's recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from tdscaling.errors import ToolsError
from tdscaling.schema import Outcome, Recording, Request, Trace, Verdict
from tdscaling.store import FILE, Store
from tdscaling.tools.recorded import RecordedTools
from tests.live_parts import notes_domain


def test_services_and_domains_come_back_as_they_were(tmp_path: Path) -> None:
    domain = notes_domain()
    store = Store.open(tmp_path / FILE, {"seed": 1})
    store.put_definitions([domain.definition()])
    store.commit([outcome(Recording("notes", "k", "list_notes", True, "[]", "{}"))])
    store.close()
    catalog = RecordedTools(cassette=str(tmp_path)).load()
    again = catalog.domains["notes"]
    assert again.digest == domain.digest
    assert again.file == domain.file
    assert again.edges == domain.edges
    assert again.as_tools() == domain.as_tools() == catalog.services["notes"].tools
    assert catalog.services["notes"].title == "Notes"
    assert not again.blocking
    assert again.provenance == "replayed"


def outcome(recording: Recording) -> Outcome:
    return Outcome(
        index=0, round=0, id="a", seed="s", request=Request("c", (), 1), category="x",
        domain="notes", categories={}, verdict=Verdict(accepted=True), blueprint_id="b",
        trace=Trace((), "", "", (), 0.0), turns=1, recordings=(recording,),
    )  # fmt: skip


def test_a_run_without_servers_has_no_recording(tmp_path: Path) -> None:
    Store.open(tmp_path / FILE, {"seed": 1}).close()
    with pytest.raises(ToolsError, match="expected a run over live servers"):
        RecordedTools(cassette=str(tmp_path)).load()
    with pytest.raises(ToolsError, match="expected the directory of a run"):
        RecordedTools(cassette=str(tmp_path / "nowhere"))
