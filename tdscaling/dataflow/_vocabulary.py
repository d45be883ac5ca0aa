"""What words of names mean, whatever the service: verbs, identifiers, generic parameters, roles.

Leaves: closed lists, data only.
"""

from __future__ import annotations

from typing import Literal

Action = Literal["create", "list", "read", "update", "delete", "login", "other"]
"""What a tool does to the thing that its name tells."""


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VERBS: dict[Action, str] = {
    "create": "create write add new insert register open start post book place submit make "
    "generate upload schedule reserve order issue enroll spawn launch provision init initialize "
    "import "
    "clone copy duplicate fork invite request draft save record log plan buy purchase file lodge "
    "raise hire",
    "list": "list search find query browse lookup discover enumerate scan explore",
    "read": "get read show fetch describe view retrieve check inspect load download export count "
    "preview compare track monitor summarize detail resolve validate verify",
    "update": "update edit set modify patch change rename move assign unassign mark complete close "
    "cancel approve reject accept decline archive unarchive restore reopen merge push pay refund "
    "confirm enable disable activate deactivate pause resume stop transfer attach detach link "
    "unlink append replace put lock unlock publish unpublish follow unfollow star unstar pin unpin "
    "subscribe unsubscribe join leave vote rate reply comment share send forward run execute "
    "trigger apply advance revert transition promote tag untag react upsert finish grant revoke "
    "reschedule extend renew checkout commit switch void redirect sign dispatch escalate rotate "
    "reset swap adjust redeem waive settle return suspend reinstate release withdraw cast deposit",
    "delete": "delete remove clear drop destroy purge erase uninstall terminate kill trash",
    "login": "login authenticate signin logon",
}
VERBS: dict[str, Action] = {
    verb: action for action, verbs in _VERBS.items() for verb in verbs.split()
}
"""Verb to what it does; a verb that is also a noun counts as a verb only where a name starts with
it, see `_tools.py`."""

MAKING = _set("create new insert register make generate clone copy duplicate fork import")
"""Verbs of tools that make a thing even where they are told its id."""

NOUNS_TOO = _set(
    "file sign switch return release deposit void cast raise hire "
    "apply book check close comment commit copy count detail draft export extend fork import "
    "invite issue link list lock log merge move new open order pin place plan post purchase "
    "put query rate record report request reserve run scan schedule search set share star "
    "tag track transfer trash vote"
)
"""Verbs that inside of a name are more likely a thing."""

STOP = _set(
    "about after and as at before between by for from if in into of on or per since than to "
    "under using via when with within"
)
"""Words that end the thing a tool's name tells."""

EMPTY = _set(
    "open free unread pending upcoming running enabled disabled closed overdue deleted favorite "
    "a active advanced all an any api async available basic batch best bulk content current "
    "data detail detailed entry every existing full get information item_list last latest "
    "list many matching mcp metadata multiple my new next one own quick random recent result "
    "safe similar simple single specific summary the tool top v1 v2 v3 your"
)
"""Words of a tool's name that tell nothing about the thing."""

IDENTIFIERS: dict[str, float] = {
    "id": 1.0, "uuid": 1.0, "sku": 1.0, "isbn": 1.0, "arn": 1.0, "key": 0.95, "handle": 0.9,
    "slug": 0.95, "ref": 0.9, "reference": 0.9, "token": 0.9, "sha": 1.0, "hash": 0.9,
    "uid": 1.0, "pid": 1.0, "gid": 1.0, "number": 0.85, "code": 0.8, "symbol": 0.7, "ticker": 0.7,
    "name": 0.85, "title": 0.5, "login": 0.6, "index": 0.5, "cid": 1.0,
    "uri": 0.6, "url": 0.5, "link": 0.5, "path": 0.8, "href": 0.5, "file": 0.55,
}  # fmt: skip
"""Last word of a field to how much it identifies a thing, 0 to 1."""

SAME = {"uuid": "id", "uid": "id", "reference": "ref", "uri": "url", "link": "url", "href": "url"}
"""Identifiers that mean the same as another."""

VALUES: dict[str, float] = {
    "email": 0.5, "phone": 0.5, "address": 0.5, "city": 0.4, "country": 0.4, "currency": 0.4,
    "latitude": 0.6, "longitude": 0.6, "lat": 0.6, "lon": 0.6, "lng": 0.6, "coordinate": 0.5,
    "timezone": 0.5, "date": 0.3, "amount": 0.4, "price": 0.4, "zip": 0.4, "postcode": 0.4,
    "iban": 0.8, "domain": 0.3, "hostname": 0.4, "ip": 0.4,
}  # fmt: skip
"""Fields that identify nothing but are worth passing on, to how much."""

GENERIC = _set(
    "a accept access action after alt api_key api_version args ascending authorization b "
    "before body callback code command comment config content context count cursor "
    "data date day depth descending description direction dry_run end end_date envelope "
    "exclude expand expression field fields filter first force format from header height "
    "include input interval item_per_page keyword kind lang language last level limit "
    "locale max max_result message metadata method min mode month next_token note num number "
    "number_result oauth_token offset operation option order_by output page "
    "page_number page_size page_token param parameter passphrase password per_page period "
    "pretty_print priority prompt property q query quota_user random_string reason recursive "
    "result_per_page script search secret select since size skip sort sort_by start "
    "start_date state status summary template term text time timeout to top type until "
    "upload_protocol user_agent value verbose version width x xgafv y year z"
)
"""Parameters, words joined by `_`, that every service has and that data-flow never fills."""

TOKENS = _set(
    "access_token api_token auth auth_token bearer_token jwt refresh_token session "
    "session_id session_key session_token token"
)
"""Parameters that a login fills."""

ROLES: dict[str, str] = dict.fromkeys(
    _set(
        "account approver assignee attendee author buyer client contact creator customer "
        "employee follower friend manager member organizer owner participant person profile "
        "receiver recipient reporter requester reviewer seller sender "
    ),
    "user",
)
"""Parts that people play, to the thing that plays them."""

OTHERS = _set("parent source from src base template original another target to")
"""Words before a thing that tell that it is not the tool's own but another of its kind."""

MODIFIERS = _set(
    "base blocked blocker blocking child current default depends dest destination dst "
    "existing first from head linked my new next old origin original other parent previous "
    "primary related root second secondary source src target this to"
)
"""Words before a thing that tell which one, not what."""
