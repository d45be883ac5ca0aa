"""Edges out of schemas: what ties tools, what does not, and text of strangers."""

from __future__ import annotations

import itertools
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdscaling.dataflow import LEAST, infer
from tdscaling.schema import Edge, Service, Tool


def tool(name: str, description: str = "", result: Any = None, **parameters: Any) -> Tool:
    """A tool; a parameter is its schema, or its type, with `?` at the end where optional."""
    properties, needed = {}, []
    for key, schema in parameters.items():
        if isinstance(schema, str):
            if not schema.endswith("?"):
                needed.append(key)
            schema = {"type": schema.rstrip("?")}
        properties[key] = schema
    schema = {"type": "object", "properties": properties, "required": needed}
    return Tool(name, description, schema, "shop", "", result=result)


def service(*tools: Tool) -> Service:
    return Service("shop", "Shop", "", "", tools, "here")


def edges(*tools: Tool) -> dict[tuple[str, str, str], Edge]:
    return {(e.producer, e.consumer, e.slot): e for e in infer(service(*tools))}


def test_what_a_verb_gives_another_needs() -> None:
    found = edges(tool("createOrder"), tool("get_orders"), tool("cancel-order", orderId="string"))
    assert found.keys() == {
        ("createOrder", "cancel-order", "orderId"),
        ("get_orders", "cancel-order", "orderId"),
    }
    edge = found["createOrder", "cancel-order", "orderId"]
    assert (edge.column, edge.kind, edge.confirmed) == ("order_id", "key", False)
    assert edge.score > 0.9
    assert any(reason.startswith("verbs 1.00: create -> update") for reason in edge.reasons)


@pytest.mark.parametrize(
    "slot", ["id", "order_id", "orderID", "orderIds", "OrderId", "order", "order_uuid", "order-id"]
)
def test_spelling_of_a_slot_does_not_matter(slot: str) -> None:
    assert edges(tool("list_orders"), tool("cancel_order", **{slot: "string"}))


def test_stated_result() -> None:
    result = {"properties": {"customer": {"properties": {"id": {"type": "integer"}}}}}
    found = edges(tool("get_order", result=result), tool("get_customer", id="integer"))
    (edge,) = found.values()
    assert (edge.producer, edge.column) == ("get_order", "id")
    assert any("customer.id" in reason for reason in edge.reasons)


def test_fields_that_a_description_lists() -> None:
    said = "Opens a basket.\n\nReturns: {`basket_ref`, total}"
    (edge,) = edges(tool("start", said), tool("pay", basket_ref="string")).values()
    assert edge.column == "basket_ref"


def test_a_parameter_s_description_names_the_producer() -> None:
    schema = {"type": "string", "description": "Handle that prepare_upload returned"}
    (edge,) = edges(tool("prepare_upload"), tool("send", blob=schema)).values()
    assert edge.producer == "prepare_upload"
    assert not edges(tool("prepare_upload"), tool("send", blob="string"))


@pytest.mark.parametrize("slot", ["query", "limit", "page", "lang", "sortBy", "new_order_name"])
def test_generic_parameters_are_no_data_flow(slot: str) -> None:
    assert not edges(tool(f"list_{slot}s"), tool("search_orders", **{slot: "string"}))


def test_choices_and_switches_are_no_data_flow() -> None:
    choice = {"type": "string", "enum": ["a", "b"]}
    assert not edges(tool("list_orders"), tool("x", order_id=choice))
    assert not edges(tool("list_orders"), tool("x", order_id="boolean"))


def test_echoes_are_dropped() -> None:
    shown = tool("get_order", order_id="string")
    paid = tool("pay_order", order_id="string")
    assert not edges(shown, paid)


def test_context_is_set_once() -> None:
    tools = [tool(f"do_{n}", workspace_id="string") for n in "abcdefg"]
    assert not edges(tool("list_workspaces"), *tools)
    assert edges(tool("list_workspaces"), tool("b"), tool("c"), *tools[:3])


def test_four_best_producers() -> None:
    makers = [tool(name) for name in ("create_order", "list_orders", "find_orders", "open_order")]
    rest = [tool(f"get_{n}_order") for n in ("first", "last", "best")]
    found = edges(*makers, *rest, tool("pay", order_id="string"))
    assert {producer for producer, _, _ in found} == {maker.name for maker in makers}


def test_what_is_deleted_is_not_passed_on() -> None:
    assert not edges(tool("delete_order"), tool("get_order", order_id="string"))


def test_login_gives_the_token() -> None:
    (edge,) = edges(tool("login", user="string"), tool("pay", access_token="string")).values()
    assert edge.score == 0.9


def test_roles_are_played_by_users() -> None:
    (edge,) = edges(tool("list_users"), tool("send_gift", receiver_id="string")).values()
    assert "a receiver is a user" in edge.reasons[0]


def test_the_same_thing_is_preferred_to_one_of_its_kind() -> None:
    found = edges(
        tool("list_bank_accounts"), tool("list_accounts"), tool("close", account_id="string")
    )
    scores = {producer: edge.score for (producer, _, _), edge in found.items()}
    assert scores["list_accounts"] > 0.75 > scores["list_bank_accounts"]


def test_optional_slots_count_less() -> None:
    def best(kind: str) -> float:
        (edge,) = edges(tool("list_orders"), tool("pay", order_id=kind)).values()
        return edge.score

    assert best("string") > best("string?") > LEAST


def test_types_that_do_not_fit() -> None:
    result = {"properties": {"order_id": {"type": "boolean"}}}
    assert not edges(tool("list_orders", result=result), tool("pay", order_id="string"))


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "properties", "items", "$ref", "anyOf", "required", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.lists(
        st.builds(
            Tool,
            name=st.text(max_size=30),
            description=st.text(max_size=60),
            parameters=st.dictionaries(st.sampled_from(["properties", "required"]), any_json),
            domain=st.just("x"),
            category=st.just(""),
            result=st.none() | st.dictionaries(st.sampled_from(["properties", "items"]), any_json),
        ),
        max_size=5,
    )
)
def test_strangers_text_breaks_nothing(tools: list[Tool]) -> None:
    found = infer(service(*tools))
    assert all(0 <= edge.score <= 1 for edge in found)
    assert found == infer(service(*tools))


def test_a_schema_that_refers_to_itself() -> None:
    node = {"properties": {"child": {"$ref": "#"}, "order_id": {"type": "string"}}}
    assert edges(tool("list_trees", result=node), tool("pay", order_id="string"))


def test_large_services_take_no_quadratic_work() -> None:
    """Every tool returns and needs the ids of the same things."""

    def calls(size: int) -> int:
        result = {"properties": {f"thing{n}_id": {"type": "string"} for n in range(20)}}
        tools = [
            tool(f"get_part{n}", result=result, **{f"thing{m}_id": "string?" for m in range(5)})
            for n in range(size)
        ]
        whole = service(*tools)
        made = itertools.count()
        sys.setprofile(lambda frame, event, _: next(made) if "call" in event else None)
        try:
            infer(whole)
        finally:
            sys.setprofile(None)
        return next(made)

    calls(50)  # fills what is remembered of words
    small, large = calls(200), calls(800)
    assert large < 6 * small
