"""Edges that execution shows, and those that it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tdscaling.dataflow import confirm, infer
from tdscaling.declared.domain import Domain
from tdscaling.declared.load import load
from tdscaling.schema import Edge, Service, Tool
from tdscaling.tools.declared import SHIPPED
from tests.bookshop import bookshop


def stripped(domain: Domain) -> Service:
    """The domain's tools as if only their schemas were known."""
    tools = tuple(replace(tool, returns=()) for tool in domain.as_tools())
    return Service(domain.name, domain.name, "", "", tools, "here")


def key(edge: Edge) -> tuple[str, str, str]:
    return edge.producer, edge.consumer, edge.slot


def test_inferred_edges_of_a_domain_are_confirmed() -> None:
    found = confirm(bookshop(), infer(stripped(bookshop())), seed="1", worlds=2)
    shown = {key(edge): edge for edge in found if edge.confirmed}
    edge = shown["search_books", "order_book", "book_id"]
    assert edge.reasons[-1] == "execution: accepted, and a made-up value refused"
    assert edge.score == next(e.score for e in infer(stripped(bookshop())) if key(e) == key(edge))


def test_wrong_edges_are_not() -> None:
    wrong = Edge("search_books", "order_book", "title", "book_id", "key", 0.9)
    none = Edge("search_books", "order_book", "colour", "book_id", "key", 0.9)
    stranger = Edge("search_books", "no_such_tool", "book_id", "book_id", "key", 0.9)
    other = Edge("search_books", "order_book", "book_id", "no_such_slot", "key", 0.9)
    found = confirm(bookshop(), (wrong, none, stranger, other), seed="1", worlds=2)
    assert found == (wrong, none, stranger, other)


def test_same_seed_same_result() -> None:
    edges = infer(stripped(bookshop()))
    assert confirm(bookshop(), edges, seed="7", worlds=2) == confirm(
        bookshop(), edges, seed="7", worlds=2
    )


@pytest.mark.parametrize(("name", "share"), [("airline", 1.0), ("webshop", 1.0), ("helpdesk", 0.7)])
def test_sure_edges_of_shipped_domains_hold(name: str, share: float) -> None:
    # A new ticket can only be replied to once it was accepted: two calls do not show that edge.
    domain = load(SHIPPED / f"{name}.yaml")
    sure = [edge for edge in infer(stripped(domain)) if edge.score >= 0.75]
    found = confirm(domain, sure, seed="1", worlds=2)
    assert len(found) > 5
    assert sum(edge.confirmed for edge in found) >= share * len(found)


def test_a_list_takes_single_values() -> None:
    domain = load(SHIPPED / "calendar.yaml")
    tools = {tool.name: tool for tool in domain.as_tools()}
    lists = [
        (tool.name, slot)
        for tool in tools.values()
        for slot, schema in tool.parameters["properties"].items()
        if schema["type"] == "array"
    ]
    edges = [e for e in domain.edges if (e.consumer, e.slot) in lists]
    assert all(edge.confirmed for edge in confirm(domain, edges, seed="1", worlds=2))


def test_tools_are_read_by_what_names_mean() -> None:
    """A result's `id` is the id of the thing that the tool is about."""
    edge = Edge("search_books", "order_book", "book_id", "book_id", "key", 0.9)
    renamed = replace(edge, column="bookID")
    assert confirm(bookshop(), (renamed,), seed="1", worlds=2)[0].confirmed
    assert isinstance(bookshop().as_tools()[0], Tool)
