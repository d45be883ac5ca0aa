"""What things usually have, for tools that do not say.

Enters: a noun. Leaves: names of columns, the telling ones first.
"""

from __future__ import annotations

_PEOPLE = "user customer contact member employee author person client student patient lead driver "
_PEOPLE += "guest attendee candidate teacher participant follower friend subscriber agent player"
_BY_NOUN = {
    _PEOPLE: ("full_name", "email", "city"),
    "product item listing good sku gift book movie game course plan package asset": (
        "name", "price", "category", "rating",
    ),
    "order invoice payment transaction bill purchase receipt expense refund charge quote deal": (
        "customer_name", "amount", "date",
    ),
    "file document image photo video attachment recording asset media artifact backup": (
        "filename", "size_kb", "updated_on",
    ),
    "event meeting appointment booking reservation calendar session webinar class": (
        "title", "start_time", "place",
    ),
    "message comment post tweet note email mail reply chat thread review memo annotation update": (
        "text", "author_name", "sent_at",
    ),
    "task ticket issue todo bug incident job story epic card request case reminder goal": (
        "title", "priority", "due_date",
    ),
    "project campaign workspace board collection folder list channel group team space database "
    "playlist repository environment workflow dashboard portfolio": ("name", "created_on"),
    "article story page news paper publication blog document result": ("title", "author_name",
                                                                    "date", "url"),
    "place location hotel restaurant store shop property station venue airport branch": (
        "name", "address", "rating",
    ),
    "stock coin token quote market pair crypto currency fund": (
        "name", "price", "change_percent",
    ),
    "account wallet card subscription": ("owner_name", "balance", "currency"),
    "weather forecast": ("temperature_c", "conditions", "humidity_percent"),
    "server instance node cluster container pod service vm machine device sensor": (
        "name", "region", "ip",
    ),
    "company organization brand vendor supplier": ("company", "city", "website"),
    "song track album artist": ("title", "artist_name", "year"),
    "status health uptime availability": ("status", "updated_on"),
    "report overview summary analysis insight log history activity documentation content guide "
    "help readme transcript trend outlook recommendation advice feedback docs changelog": (
        "summary", "updated_on",
    ),
    "stat stats statistic statistics metric metrics analytics usage performance": (
        "total_count", "change_percent", "updated_on",
    ),
    "profile": ("full_name", "email", "city"),
    "setting config configuration preference option": ("language", "timezone", "updated_on"),
    "version": ("version", "published_on"),
    "word definition synonym": ("word", "language"),
    "time timezone clock": ("time", "timezone"),
    "schedule agenda slot availability": ("date", "start_time"),
    "route direction distance trip": ("distance", "duration"),
}  # fmt: skip
_USUAL = {noun: columns for nouns, columns in _BY_NOUN.items() for noun in nouns.split()}
_OTHERS = ("name", "category", "updated_on")


def usual(noun: str) -> tuple[str, ...]:
    """Columns that such a thing usually has."""
    return _USUAL.get(noun.rpartition(" ")[2]) or _OTHERS


def known(noun: str) -> bool:
    """Whether it is known what such a thing has."""
    return noun.rpartition(" ")[2] in _USUAL
