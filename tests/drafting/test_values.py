"""What drafted worlds show: whole counts, fields of the thing, ids that somebody can know."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tdscaling.declared.arguments import candidates
from tdscaling.declared.rows import Generators
from tdscaling.drafting import drafted, sketch
from tests.schemas import cluster, tool

UUID = {"type": "string", "format": "uuid"}
LISTED = {
    "type": "object",
    "properties": {
        "success": {"type": "boolean"},
        "pagination_count": {"type": "number"},
        "current_page": {"type": "number"},
        "message": {"type": "string"},
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "review_count": {"type": "number"},
                    "price": {"type": "number"},
                    "created_at": {"type": "integer"},
                    "calling_code": {"type": "string"},
                },
            },
        },
    },
}


def rows(domain: Any, name: str, **arguments: Any) -> Any:
    result = domain.open("1").execute(name, arguments)
    assert result.ok, result.content
    return json.loads(result.content)


def test_results_hold_the_thing_and_not_its_envelope() -> None:
    domain = drafted(
        cluster([tool("list_shops", result=LISTED), tool("get_shop", "", {"shop_id": "Id"})])
    )
    for row in rows(domain, "list_shops"):
        assert row.keys() == {"shop_id", "name", "review_count", "price", "calling_code"}
        assert isinstance(row["review_count"], int)
        assert isinstance(row["price"], float)
        assert row["calling_code"] != "ls -la"


def test_numbers_that_count_are_whole() -> None:
    domain = drafted(
        cluster(
            [
                tool("list_shops", "", {"limit": {"type": "number"}}),
                tool("get_shop", "", {"shop_id": "Id"}),
            ]
        )
    )
    generators = Generators("1", domain.file.clock, None)
    drawn = list(candidates(domain.open("1"), domain.tools["list_shops"], generators, {}, 5))
    assert drawn
    assert all(isinstance(arguments["limit"], int) for arguments in drawn)


def test_ids_that_nobody_knows_are_looked_up_or_not_asked_for() -> None:
    tools = [
        tool("list_shops", ""),
        tool("get_shop", "", {"shop_id": UUID}),
        tool("delete_shop", "", {"shop_id": UUID}),
        tool("get_invoice", "", {"invoice_id": UUID}),
        tool(
            "list_orders",
            "",
            {},
            {
                "invoice_id": UUID,
                "agent_ids": {"type": "array", "items": UUID},
                "status": "Status",
            },
        ),
    ]
    made, domain = sketch(cluster(tools))
    assert set(domain.tools) == {"list_shops", "get_shop", "delete_shop", "list_orders"}
    assert [entry.why for entry in made.left_out] == [
        "parameter invoice_id: no tool returns it, nobody knows it"
    ]
    for name in ("get_shop", "delete_shop"):
        assert not domain.tools[name].file.parameters["shop_id"].known
    assert set(domain.tools["list_orders"].file.parameters) == {"status"}


def test_what_is_made_is_called_as_its_maker_says() -> None:
    domain = drafted(
        cluster(
            [
                tool("create_project", "", {"project_id": "Id of the new project"}),
                tool("get_project", "", {"project_id": "Id"}),
            ]
        )
    )
    chosen = domain.tools["create_project"].file.parameters["project_id"]
    assert (chosen.kind, chosen.noun) == ("name", "project name")
    intents = domain.tools["create_project"].file.intents
    assert "create a project named {project_id}" in intents
    assert not any("in {project_id}" in said for said in intents)


def test_one_thing_is_asked_for_without_a_number_of_results() -> None:
    optional = {"page_size": {"type": "integer"}, "order_id": "Id", "language": "Language"}
    domain = drafted(
        cluster([tool("list_shops", ""), tool("get_shop", "", {"shop_id": "Id"}, optional)])
    )
    assert set(domain.tools["get_shop"].file.parameters) == {"shop_id", "language"}


@pytest.mark.parametrize("path", ["delete_apps_id", "patch_apps_id"])
def test_a_plain_id_is_of_what_several_tools_are_about(path: str) -> None:
    tools = [
        tool("get_apps", "Get apps."),
        tool("get_rules", "Get rules."),
        tool("get_apps_id", "", {"id": "Id"}),
        tool(path, "", {"id": "Id"}, {"name": "Name"}),
    ]
    domain = drafted(cluster(tools))
    assert domain.tools[path].file.parameters["id"].source == "app_id"
