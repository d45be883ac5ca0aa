"""Clusters of services of any size: parts, labels, selection, compositions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from math import e
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from tdscaling.catalog import Catalog
from tdscaling.clusters._selection import cover
from tdscaling.clusters.communities import CommunityClusters
from tdscaling.clusters.dataflow import DataFlowClusters
from tdscaling.configuration import conf_dir
from tdscaling.declared.definition import DomainFile
from tdscaling.errors import ConfigError, DomainError
from tdscaling.schema import Cluster, Service, Tool
from tests.bookshop import bookshop, desk


def option(**changed: Any) -> CommunityClusters:
    """The option with its shipped settings, some of them changed."""
    path = conf_dir() / "clusters" / "communities.yaml"
    shipped: Any = OmegaConf.to_container(OmegaConf.load(path))
    del shipped["_target_"]
    return CommunityClusters(**{**shipped, **changed})


def tool(service: str, name: str, **parameters: str) -> Tool:
    schema = {
        "type": "object",
        "properties": {key: {"type": kind} for key, kind in parameters.items()},
        "required": list(parameters),
    }
    writes = not name.startswith(("list", "get"))
    return Tool(name, f"Will {name} of {service}.", schema, service, "", writes=writes)


def things(service: str, *names: str, **more: str) -> tuple[Tool, ...]:
    """Four tools per thing, tied by its id."""
    found = []
    for name in names:
        key = {f"{name}_id": "string"}
        found += [
            tool(service, f"create_{name}", **more),
            tool(service, f"list_{name}s"),
            tool(service, f"get_{name}", **key),
            tool(service, f"delete_{name}", **key),
        ]
    return tuple(found)


def service(name: str, *tools: Tool, category: str = "") -> Service:
    return Service(name, name.title(), category, "", tools, "here")


def catalog(*services: Service) -> Catalog:
    return Catalog({found.name: found for found in services})


def names(cluster: Cluster) -> set[str]:
    return {found.name for found in cluster.tools}


SHOP = service("shop", *things("shop", "order"))
BANK = service("bank", *things("bank", "account", "card"))


def test_a_cluster_per_connected_part() -> None:
    clusters = option().build(catalog(SHOP, BANK))
    assert [names(cluster) for cluster in clusters] == [
        {f"{verb}_account" for verb in ("create", "get", "delete")} | {"list_accounts"},
        {f"{verb}_card" for verb in ("create", "get", "delete")} | {"list_cards"},
        {f"{verb}_order" for verb in ("create", "get", "delete")} | {"list_orders"},
    ]
    shop = clusters[-1]
    assert shop.services == ("shop",)
    assert shop.domain == shop.id
    assert len(shop.edges) == 4
    assert {edge.kind for edge in shop.edges} == {"key"}


def test_ids_name_domains() -> None:
    strange = service("s_42", *(replace(t, name=f"X-{t.name}") for t in things("s_42", "ü")))
    for cluster in option().build(catalog(SHOP, BANK, strange)):
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,62}", cluster.id)
        # What a drafted domain's file asks of its category.
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,62}", cluster.category)
    assert DomainFile.model_fields["category"].metadata


def test_order_of_services_and_tools_does_not_matter() -> None:
    def mixed(seed: int) -> tuple[Cluster, ...]:
        services = [SHOP, BANK, service("big", *things("big", *"abcdefghij", a_id="string"))]
        Random(seed).shuffle(services)
        shuffled = [
            replace(s, tools=tuple(Random(seed).sample(s.tools, len(s.tools)))) for s in services
        ]
        return option(count=4, compositions=3).build(catalog(*shuffled))

    def seen(clusters: tuple[Cluster, ...]) -> list[tuple[str, set[str]]]:
        return [(cluster.id, names(cluster)) for cluster in clusters]

    assert seen(mixed(1)) == seen(mixed(2))


PARTS = [
    "wheel",
    "frame",
    "saddle",
    "chain",
    "pedal",
    "brake",
    "spoke",
    "hub",
    "fork",
    "crank",
    "cable",
    "lamp",
]


def test_large_parts_are_split() -> None:
    # A chain of twelve things: each is made with the id of the one before.
    chain = [
        found
        for number in range(12)
        for before in [f"{PARTS[number - 1]}_id"]
        for found in things("x", PARTS[number], **({before: "string"} if number else {}))
    ]
    clusters = option(max_tools=10).build(catalog(service("x", *chain)))
    assert len(clusters) > 4
    assert all(3 <= len(cluster.tools) <= 10 for cluster in clusters)
    members = [name for cluster in clusters for name in names(cluster)]
    assert len(members) == len(set(members))
    (whole,) = option(max_tools=100).build(catalog(service("x", *chain)))
    assert len(whole.tools) == 48


def test_a_star_is_split_too() -> None:
    star = [tool("x", f"do{chr(97 + n)}", user_id="string") for n in range(26)]
    clusters = option(max_tools=8, min_edges=1).build(
        catalog(
            service(
                "x", tool("x", "list_users"), *(tool("x", f"other{n}") for n in range(9)), *star
            )
        )
    )
    assert all(len(cluster.tools) <= 8 for cluster in clusters)


def test_limits() -> None:
    assert len(option(min_tools=5, max_tools=9).build(catalog(SHOP, replace_ids()))) == 1
    with pytest.raises(DomainError, match=r"tied by 9 data-flow edges among 4 tools of 1 services"):
        option(min_edges=9).build(catalog(SHOP))
    with pytest.raises(DomainError, match=r"clusters\.threshold"):
        option(threshold=1.0).build(catalog(SHOP))


def unclustered(service_: Service, **limits: Any) -> str:
    """What is said where no cluster comes of a service."""
    with pytest.raises(DomainError) as refused:
        option(**limits).build(catalog(service_))
    return str(refused.value)


@pytest.mark.parametrize(
    "limits",
    [{"min_tools": 9}, {"min_edges": 30}, {"threshold": 1.0}, {"min_tools": 7, "min_edges": 40}],
)
def test_advice_finds_a_cluster(limits: dict[str, Any]) -> None:
    said = unclustered(SHOP, **limits)
    told = dict(re.findall(r"clusters\.(\w+)=([\d.]+)", said.split("). ")[1]))
    assert told
    changed = {key: float(value) if "." in value else int(value) for key, value in told.items()}
    assert option(**{**limits, **changed}).build(catalog(SHOP))


def test_advice_to_write_too() -> None:
    reads = service("r", *(replace(found, writes=False) for found in things("r", "order")))
    assert "clusters.needs_write=false finds one" in unclustered(reads, needs_write=True)


def test_no_advice_where_none_helps() -> None:
    alone = service("a", tool("a", "get_weather", city="string"), tool("a", "roll_dice"))
    said = unclustered(alone)
    assert "a: no value is known to flow between its 2 tools" in said
    assert "finds one: add tools" in said
    assert "Lower" not in said


def test_services_without_a_cluster_are_told_with_the_reason() -> None:
    pair = service(
        "pair", tool("pair", "list_orders"), tool("pair", "get_order", order_id="string")
    )
    every = catalog(SHOP, pair, BANK)
    stage = option()
    told = {skip.where: skip.why for skip in stage.left_out(every, stage.build(every))}
    assert told == {"pair": "it has 2 tools, a cluster needs clusters.min_tools=3"}
    stage = option(min_tools=2, count=1)
    told = {skip.where: skip.why for skip in stage.left_out(every, stage.build(every))}
    assert {"clusters.count" in why or "clusters.min_edges" in why for why in told.values()} == {
        True
    }


def replace_ids() -> Service:
    """A service of five tools."""
    return service("clinic", *things("clinic", "visit"), tool("clinic", "pay", visit_id="string"))


def test_needs_write() -> None:
    reads = service("r", *(replace(found, writes=False) for found in things("r", "order")))
    assert len(option().build(catalog(reads, BANK))) == 3
    assert len(option(needs_write=True).build(catalog(reads, BANK))) == 2


def test_category_is_the_source_s() -> None:
    found = option().build(catalog(replace(SHOP, category="toys")))
    assert found[0].category == "toys"
    assert {tool.category for tool in found[0].tools} == {"toys"}


def test_category_by_words() -> None:
    words = {"hospital": "patient", "airport": "flight", "blurb": "xyzzy"}
    found = option().build(catalog(*(service(n, *things(n, t)) for n, t in words.items())))
    assert [cluster.category for cluster in found] == ["travel", "other", "healthcare"]


def test_own_alphabet(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("gifts: [order]\n")
    found = option(alphabet=str(path)).build(catalog(SHOP, BANK))
    assert {cluster.category for cluster in found} == {"gifts", "other"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "expected a YAML file"),
        ("- a", "got no categories"),
        ("A b: [c]", "expected a category of small letters"),
        ("other: [c]", "that is not `other`"),
        ("a: c", "a: expected a list of words"),
    ],
)
def test_bad_alphabet(text: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=problem):
        option(alphabet=str(path))
    with pytest.raises(ConfigError, match="expected a YAML file"):
        option(alphabet=str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_tools", 0),
        ("max_tools", 1),
        ("min_edges", -1),
        ("threshold", 1.5),
        ("similarity", 0.0),
        ("count", 0),
        ("compositions", -1),
        ("partners", -1),
    ],
)
def test_numbers_out_of_range(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"clusters\.{name}: expected"):
        option(**{name: value})


def copied(original: Service, name: str) -> Service:
    return replace(
        original, name=name, tools=tuple(replace(t, domain=name) for t in original.tools)
    )


def test_what_several_services_offer_counts_once() -> None:
    clusters = option().build(catalog(SHOP, copied(SHOP, "mirror"), BANK))
    assert [cluster.services for cluster in clusters] == [("bank",), ("bank",), ("mirror",)]
    clusters = option(count=3).build(catalog(SHOP, copied(SHOP, "mirror"), BANK))
    assert len(clusters) == 3


def test_count_keeps_those_that_cover_most() -> None:
    big = replace_ids()
    clusters = option(count=1).build(catalog(SHOP, BANK, big))
    assert [cluster.services for cluster in clusters] == [("clinic",)]


def test_domains_have_the_clusters_of_dataflow() -> None:
    domains = {"bookshop": bookshop(), "desk": desk()}
    expected = DataFlowClusters(min_tools=3).build(Catalog({}, domains))
    (found,) = option().build(Catalog({}, domains))
    assert replace(found, partners=()) == replace(expected[0], partners=())
    pair = DataFlowClusters(min_tools=1).build(Catalog({}, domains))
    assert option(min_tools=1).build(Catalog({}, domains)) == pair


CONTACTS = service("contacts", *things("contacts", "contact", email="string"))
MAIL = service("mail", *things("mail", "letter", recipient_email="string"))


def test_partners_hand_over_a_kind_of_value() -> None:
    found = {c.services[0]: c for c in option().build(catalog(CONTACTS, MAIL, SHOP))}
    assert found["contacts"].partners == (found["mail"].id,)
    assert found["shop"].partners == ()
    assert option(partners=0).build(catalog(CONTACTS, MAIL))[0].partners == ()


def test_domains_and_schemas_are_partners() -> None:
    support = service("support", *things("support", "case", buyer_name="string", email="string"))
    domains = {"bookshop": bookshop()}
    both = Catalog({"support": support, "bookshop": service("bookshop")}, domains)
    shop, schemas = option().build(both)
    assert shop.domain == "bookshop"
    assert shop.partners == (schemas.id,) or not shop.partners
    assert schemas.services == ("support",)


def test_compositions() -> None:
    clusters = option(compositions=2).build(catalog(CONTACTS, MAIL, SHOP))
    base, made = clusters[:3], clusters[3:]
    assert made
    for cluster in made:
        assert set(cluster.services) == {"contacts", "mail"}
        assert cluster.domain == cluster.id
        assert len(names(cluster)) == len(cluster.tools) == 8
        inner = {edge for part in base for edge in part.edges}
        crossing = [edge for edge in cluster.edges if edge not in inner]
        assert crossing
        for edge in crossing:
            assert edge.kind == "value"
            assert edge.reasons == ("both are of the kind email",)
            assert {edge.producer, edge.consumer} <= names(cluster)


def test_no_composition_has_two_tools_of_one_name() -> None:
    again = copied(MAIL, "post")
    assert len(option(compositions=5).build(catalog(MAIL, again))) == 1


def plain_greedy(sets: list[frozenset[int]], count: int) -> list[int]:
    left, covered, chosen = list(range(len(sets))), set[int](), list[int]()
    while left and len(chosen) < count:
        best = max(left, key=lambda at: (len(sets[at] - covered), -at))
        left.remove(best)
        covered |= sets[best]
        chosen.append(best)
    return chosen


SETS = st.lists(st.frozensets(st.integers(0, 20), max_size=8), max_size=10)


@given(SETS, st.integers(0, 6))
def test_lazy_selection_is_the_plain_one(sets: list[frozenset[int]], count: int) -> None:
    assert cover(sets, count) == plain_greedy(sets, count)


@given(SETS, st.integers(1, 4))
def test_selection_is_near_the_best(sets: list[frozenset[int]], count: int) -> None:
    best = max(
        len(frozenset().union(*chosen)) for chosen in combinations(sets, min(count, len(sets)))
    )
    reached = len(frozenset[int]().union(*(sets[at] for at in cover(sets, count))))
    assert reached >= (1 - 1 / e) * best


def test_shipped_alphabet_names_the_shipped_domains_categories() -> None:
    shipped: Any = OmegaConf.load(conf_dir() / "clusters" / "_alphabet.yaml")
    assert isinstance(shipped, Mapping) or len(shipped) > 20
    for path in (conf_dir() / "domains").glob("*.yaml"):
        stated = re.search(r"^category: (\w+)", path.read_text(), re.MULTILINE)
        assert stated is not None
        assert stated[1] in shipped, path.stem
