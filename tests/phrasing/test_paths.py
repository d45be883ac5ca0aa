"""Names made of a method and a path, and names that are none."""

from __future__ import annotations

import pytest

from tdscaling.phrasing.names import identified, verb_and_thing
from tdscaling.phrasing.verbs import past

NAMES = [
    ("post_v1_bundles_bundle_id_tracks", ("create", "track", False)),
    ("get_v1_bundles_bundle_id_tracks", ("get", "track", True)),
    ("get_v1_bundles_bundle_id_tracks_track_id", ("get", "track", False)),
    ("delete_companies_company_id_price_margins_price_margins_id", ("delete", "price margin",
                                                                    False)),
    ("put_projects_project_id_project_files_project_file_id", ("update", "project file", False)),
    ("delete_clocking_records_clocking_record_id", ("delete", "clocking record", False)),
    ("patch_apps_id", ("update", "app", False)),
    ("get_recipe_recipeId_review", ("get", "review", False)),
    ("post_orders_order_id_cancel", ("cancel", "order", False)),
    ("POST_Entities", ("create", "entity", False)),
    ("PUT_UnpostDebitMemo", ("unpost", "debit memo", False)),
    ("get_get_notifications", ("get", "notification", True)),
    ("Recipe_GetV2", ("get", "recipe", False)),
    ("Review_Put", ("update", "review", False)),
    ("Review_PostReply", ("create", "reply", False)),
    ("Object_POSTcreate", ("create", "object", False)),
    ("getV1Bundles", ("get", "bundle", True)),
]  # fmt: skip
PLAIN = [
    ("get_user_by_id", ("get", "user", False)),
    ("post_tweet", ("post", "tweet", False)),
    ("delete_task", ("delete", "task", False)),
    ("restart_k8s_rollout", ("restart", "k8s rollout", False)),
    ("tasks_list", ("list", "task", True)),
    ("getDetailedRefunds", ("get", "refund", True)),
]


@pytest.mark.parametrize(("name", "read"), NAMES)
def test_methods_are_verbs_and_the_last_resource_is_the_thing(
    name: str, read: tuple[str, str, bool]
) -> None:
    assert verb_and_thing(name) == read


@pytest.mark.parametrize(("name", "read"), PLAIN)
def test_other_names_are_read_as_before(name: str, read: tuple[str, str, bool]) -> None:
    assert verb_and_thing(name) == read


def test_an_id_of_either_kind_is_that_of_the_latter() -> None:
    assert identified("key_or_custom_id") == "custom"


@pytest.mark.parametrize(
    ("verb", "done"),
    [("debug", "debugged"), ("pin", "pinned"), ("unpin", "unpinned"), ("tag", "tagged"),
     ("edit", "edited"), ("load", "loaded"), ("fix", "fixed"), ("play", "played"),
     ("open", "opened"), ("add", "added")],
)  # fmt: skip
def test_past_participles_double_where_english_does(verb: str, done: str) -> None:
    assert past(verb) == done
