"""What a conversation's environment observes, injects and reports."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tdscaling.catalog import Catalog
from tdscaling.declared.domain import Domain
from tdscaling.declared.load import load
from tdscaling.declared.world import world
from tdscaling.drafting import drafted
from tdscaling.environments._worlds import Worlds
from tdscaling.environments.declared import DeclaredEnvironment, DeclaredEnvironments
from tdscaling.errors import DomainError, EnvironmentFailure
from tdscaling.schema import Cluster, Injection, Observation
from tests.bookshop import bookshop, changed, desk, session, some
from tests.schemas import cluster, tool, tracker, weather

BOTH = {"bookshop": bookshop(), "desk": desk()}
OPEN = some(session(), "SELECT purchase_id FROM purchase WHERE purchase_status = 'open'")


def opened(
    injections: Sequence[Injection] = (), domains: dict[str, Domain] = BOTH
) -> DeclaredEnvironment:
    return DeclaredEnvironments().open(domains, dict.fromkeys(domains, "1"), injections)


def call(environment: DeclaredEnvironment, tool: str, arguments: object) -> Observation:
    return asyncio.run(environment.call(tool, arguments))


def test_call_is_executed() -> None:
    seen = call(opened(), "pay_purchase", {"purchase_id": OPEN})
    expected = session().execute("pay_purchase", {"purchase_id": OPEN})
    assert seen == Observation(expected.content, True, "executed")


def test_arguments_may_be_json_text() -> None:
    assert call(opened(), "pay_purchase", json.dumps({"purchase_id": OPEN})).ok


def test_tools_of_all_domains_are_at_hand() -> None:
    environment = opened()
    assert call(environment, "find_tickets", {"caller": "Ada"}).content == "[]"
    assert call(environment, "search_books", {"title": "Dunes"}).ok


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("sell_book", {}, "there is no tool 'sell_book'"),
        ("pay_purchase", "{", "arguments are not a JSON object"),
        ("pay_purchase", "[1]", "arguments are not a JSON object"),
        ("pay_purchase", "[" * 100_000, "arguments are not a JSON object"),
        ("pay_purchase", None, "arguments are not a JSON object"),
        ("pay_purchase", "", "invalid arguments"),
        ("pay_purchase", {"purchase_id": 5}, "invalid arguments"),
        ("pay_purchase", {"purchase_id": "PU-9"}, "there is no order PU-9"),
    ],
)
def test_what_does_not_fit_is_an_observation(tool: str, arguments: Any, words: str) -> None:
    environment = opened()
    seen = call(environment, tool, arguments)
    assert not seen.ok
    assert seen.provenance == "executed"
    assert words in json.loads(seen.content)["error"]
    assert environment.changes() == {}


def test_injection_takes_the_place_of_one_call() -> None:
    environment = opened([Injection("pay_purchase", 1, "try again")])
    first = call(environment, "pay_purchase", {"purchase_id": "PU-9"})
    call(environment, "search_books", {"title": "Dunes"})
    second = call(environment, "pay_purchase", {"purchase_id": OPEN})
    assert first.provenance == "executed"
    assert second == Observation('{"error": "try again"}', False, "injected")
    assert environment.changes() == {}
    third = call(environment, "pay_purchase", {"purchase_id": OPEN})
    assert (third.ok, third.provenance) == (True, "executed")


def test_changes_of_all_domains_and_fresh_state() -> None:
    environment = opened()
    call(environment, "pay_purchase", {"purchase_id": OPEN})
    status = {"purchase_status": ["open", "paid"]}
    assert environment.changes() == {"bookshop.purchase": {"changed": {OPEN: status}}}
    assert opened().changes() == {}


def test_broken_sql_is_a_failure_and_no_observation(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        tool = data["tools"]["pay_purchase"]
        tool["parameters"]["basket"] = {
            "type": "string",
            "description": "JSON",
            "sample": {"value": "[]"},
        }
        tool["requires"].append({"check": "SELECT json(:basket)", "error": "no basket"})

    domain = load(changed(tmp_path, change))
    environment = opened((), {"bookshop": domain})
    with pytest.raises(EnvironmentFailure, match=r"bookshop\.pay_purchase: malformed JSON"):
        call(environment, "pay_purchase", {"purchase_id": OPEN, "basket": "{"})


def test_close_frees_the_state() -> None:
    environment = opened()
    environment.close()
    with pytest.raises(EnvironmentFailure, match="closed"):
        call(environment, "search_books", {"title": "Dunes"})
    assert world(bookshop(), "1").open().changes() == {}


def test_clusters_known_by_schemas_get_a_drafted_world() -> None:
    domains = DeclaredEnvironments().prepare(Catalog({}, BOTH), [tracker(), weather()])
    assert list(domains) == ["bookshop", "desk", "tracker", "weather"]
    assert domains["bookshop"] is BOTH["bookshop"]
    made = domains["tracker"]
    assert domains["tracker"] is made
    assert pickle.loads(pickle.dumps(domains))["tracker"].digest == made.digest
    environment = opened(domains={"tracker": made})
    assert call(environment, "list_projects", {}).provenance == "simulated"


def test_a_name_of_nothing_is_not_known() -> None:
    domains = DeclaredEnvironments().prepare(Catalog({}, BOTH), [tracker()])
    assert "nothing" not in domains
    with pytest.raises(KeyError):
        domains["nothing"]


def test_a_cluster_that_cannot_be_drafted_says_why_each_time() -> None:
    poor = cluster([tool("x", "")], "poor")
    domains = DeclaredEnvironments().prepare(Catalog({}), [poor])
    for _ in range(2):
        with pytest.raises(DomainError, match="cluster poor-1: expected at least 2 tools"):
            domains["poor"]


def test_only_the_latest_drafted_worlds_are_kept() -> None:
    made: list[str] = []

    def make(of: Cluster) -> Domain:
        made.append(of.domain)
        return drafted(of)

    domains = Worlds({}, [tracker(), weather()], make, kept=1)
    for name in ("tracker", "tracker", "weather", "tracker"):
        assert domains[name].name == name
    assert made == ["tracker", "weather", "tracker"]
