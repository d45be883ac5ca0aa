"""What is asked of a tool, and how its result is told."""

from __future__ import annotations

import pytest

from tdscaling.declared.template import slots
from tdscaling.phrasing import Words, parameters, words
from tdscaling.schema import Tool
from tests.schemas import tool

SAYS = [
    ("get_price", "Returns the current price of a coin using the API.",
     "get the current price of a coin"),
    ("get_x", "This tool retrieves detailed information about a book. Use it with care.",
     "get information about a book"),
    ("list_it", "**Lists** all `labels` in the user's mailbox", "list all labels in my mailbox"),
    ("find_it", "Use this tool to find hotels by name, including prices", "find hotels"),
    ("get_y", "\n    Fetch news from a site.\n\n    Args:\n        x: y\n", "get news from a site"),
]  # fmt: skip


PARAGRAPHS = [
    ("get_x", "Get all bundles.\n\nGets the list of bundles", "get all bundles"),
    ("delete_x", "Delete a track\n\nDelete a track of a bundle", "delete a track"),
    ("delete_y", "Deletes a queue\nOauthScopes: WRITE", "delete a queue"),
    ("get_z", "Reachable range.\n\nGets a set of places", "get a set of places"),
    ("get_w", "Get user projects&nbsp;", "get user projects"),
    ("make_w", "Translates audio into into English", "translate audio into English"),
]


@pytest.mark.parametrize(("name", "description", "said"), PARAGRAPHS)
def test_paragraphs_are_sentences_of_their_own(name: str, description: str, said: str) -> None:
    assert said in worded(tool(name, description)).intents


def test_a_comma_between_adjectives_ends_no_request() -> None:
    made = worded(tool("get_random_recipe", "Gets a random, unfiltered recipe"))
    assert "get a random" not in made.intents


def test_a_place_that_is_named_is_not_said_twice() -> None:
    one = tool("get_comments", "Get comments for a given story", {"story_id": "Id"})
    assert "get comments for {story_id}" in worded(one).intents


def test_what_is_paid_is_of_an_amount_and_other_things_have_one() -> None:
    pays = tool("refund_order", "", {"amount": {"type": "number"}})
    assert "refund the order of {amount}" in worded(pays).intents
    sets = tool("create_ad", "", {"bid_amount": {"type": "number"}})
    assert "create an ad with a bid amount of {bid_amount}" in worded(sets).intents


def test_ids_of_paths_name_the_thing() -> None:
    one = tool("delete_apps_app_id_queues_queue_id", "", {"app_id": "Id", "queue_id": "Id"})
    assert "delete {queue_id} for {app_id}" in worded(one).intents


def worded(one: Tool, *columns: str, many: bool = False) -> Words:
    return words(one, parameters(one), columns or ("id", "name", "status"), many)


@pytest.mark.parametrize(("name", "description", "said"), SAYS)
def test_the_first_sentence_becomes_a_request(name: str, description: str, said: str) -> None:
    assert said in worded(tool(name, description)).intents


@pytest.mark.parametrize(
    "description",
    ["", "获取天气", "Obtiene el clima", "Weather API endpoint", "Calls get_weather() for you"],
)
def test_a_name_says_it_where_the_description_does_not(description: str) -> None:
    made = worded(tool("get_weather", description, {"city": "City"}))
    assert "look up the weather in {city}" in made.intents


def test_parameters_are_woven_in() -> None:
    one = tool(
        "create_task",
        "",
        {"title": "Title", "project_id": "Id"},
        {"due_date": {"type": "string", "format": "date"}, "priority": "Priority"},
    )
    made = worded(one)
    assert 'create a task called "{title}" in {project_id}' in made.intents
    assert any("due {due_date}" in said for said in made.intents)
    given = {slots(said) for said in made.intents}
    required = {"title", "project_id"}
    assert {frozenset(required), frozenset(required | {"due_date", "priority"})} <= given
    assert frozenset() in given


def test_changes_say_what_is_set() -> None:
    one = tool("update_task", "", {"task_id": "Id"}, {"title": "Title"})
    assert any(
        said.endswith('{task_id}, setting the title to "{title}"') for said in worded(one).intents
    )


def test_three_ways_at_least_and_all_differ() -> None:
    for one in (tool("ping", ""), tool("run", ""), tool("x", ""), tool("list_a_b", "List a b.")):
        made = worded(one)
        assert len(set(made.intents)) == len(made.intents) >= 3
        assert len(set(made.answers)) >= 3


def test_no_request_names_the_tool() -> None:
    for name in ("get_user_by_id", "fetchAllOrders", "drive_file-copy"):
        for said in worded(tool(name, f"Calls {name} for you")).intents:
            assert name not in said
            assert "_" not in said


def test_columns_that_matter_are_told() -> None:
    one = tool("get_order", "", {"order_id": "Id"})
    made = worded(one, "order_id", "etag", "name", "status", "amount", "note")
    assert made.tell == ("name", "status", "amount")
    assert all(set(made.tell) <= slots(answer) for answer in made.answers)


def test_lists_have_items() -> None:
    made = worded(tool("list_entries", ""), "id", "name", "status", many=True)
    assert made.item == "{name} ({id}), {status}"
    assert "There are {count} entr(ies): {items}." in made.answers
    assert made.first == "entry at the top of the list"


def test_results_without_columns_are_told_all_the_same() -> None:
    one = tool("ping", "")
    made = words(one, {}, (), many=False)
    assert made.tell == ()
    assert len(made.answers) >= 3


@pytest.mark.parametrize("text", ["{x}", "{0}", "}{", "{a.b}", "a\nb", "\x1b[1mc", "%s", "\u202ed"])
def test_nothing_of_a_description_is_a_template(text: str) -> None:
    one = tool(f"get_{text}", f"Get the {text} thing. {text}", {"city": text})
    for template in [*worded(one).intents, *worded(one).answers]:
        assert slots(template) <= {"city", "id", "name", "status"}
        assert template.isprintable()
