"""Values that people give, by kind.

Enters: a kind, a name and a JSON type. Leaves: generators (as in `tdscaling.declared.rows`), the
best first; those that do not fit a schema are dropped by the caller.
"""

from __future__ import annotations

from typing import Any

from tdscaling.phrasing.names import split
from tdscaling.phrasing.verbs import listed

RICH = listed("""email phone url person address city country date
    datetime time amount company title name
    text query tags currency language year limit""")
"""Kinds of which the stock is better than a single example."""

_TOPICS = (
    "remote work", "solar panels", "electric cars", "healthy breakfast", "machine learning",
    "climate policy", "interest rates", "home gardening", "space telescopes", "data privacy",
    "city cycling", "jazz history", "battery storage", "supply chains", "sleep research",
    "coffee roasting", "renewable energy", "open source", "urban planning", "marathon training",
)  # fmt: skip
_TITLES = (
    "Quarterly review", "Website redesign", "Team offsite", "Budget plan", "Product launch",
    "Customer survey", "Onboarding guide", "Release checklist", "Security audit", "Spring campaign",
    "Vendor shortlist", "Workshop agenda", "Hiring plan", "Travel policy", "Data cleanup",
    "Server migration", "Monthly report", "Kitchen renovation", "Summer trip", "Reading club",
)  # fmt: skip
_TEXTS = (
    "The meeting moves to Thursday afternoon", "Please have a look before Friday",
    "All numbers are final now", "We need two more volunteers for the stand",
    "The delivery arrived this morning without damage", "Great work on the last release!",
    "The draft is ready for comments", "Parking is behind the building",
    "The new menu starts next week", "I will be out of office until Monday",
    "The test went well and nothing was lost", "Bring your own laptop to the workshop",
    "The first results look promising", "Lunch is served at noon in the main hall",
)  # fmt: skip
"""Without a stop at the end: they stand within sentences."""
_NAMES = (
    "Aurora", "Harbor", "Juniper", "Atlas", "Meridian", "Cobalt", "Willow", "Summit", "Lantern",
    "Orchard", "Beacon", "Falcon", "Maple", "Quartz", "Ridge", "Sparrow",
)  # fmt: skip
_SUMMARIES = (
    "Everything runs as planned", "Two points still need attention",
    "Results are slightly above the average", "There were no changes since last week",
    "The numbers fell a little, then recovered", "Three entries were added this month",
    "Demand is steady and costs are down", "One open question is left",
)  # fmt: skip
_PLAIN = ("main", "demo", "staging", "archive", "reports", "weekly", "internal", "backup")
_LISTS: dict[str, tuple[Any, ...]] = {
    "query": _TOPICS, "title": _TITLES, "text": _TEXTS, "name": _NAMES, "summary": _SUMMARIES,
    "country": ("Norway", "Canada", "Japan", "Brazil", "Germany", "Kenya", "Spain", "India"),
    "region": ("Bavaria", "Tuscany", "Ontario", "Queensland", "Catalonia", "Hokkaido"),
    "place": ("Oslo", "Lisbon", "Toronto", "Kyoto", "Chicago", "Nairobi", "Vienna", "Porto"),
    "currency": ("USD", "EUR", "GBP", "JPY", "CHF", "SEK"),
    "language": ("English", "German", "Spanish", "French", "Italian", "Portuguese"),
    "timezone": ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Europe/London",
                 "Australia/Sydney", "America/Sao_Paulo"),
    "color": ("blue", "green", "red", "orange", "purple", "teal"),
    "month": ("January", "March", "May", "August", "October", "December"),
    "tags": ("urgent", "finance", "design", "research", "travel", "family", "legal", "ideas"),
    "ticker": ("AAPL", "MSFT", "NVDA", "AMZN", "TSLA", "NFLX", "INTC", "ORCL"),
    "coin": ("bitcoin", "ethereum", "solana", "cardano", "litecoin", "polkadot"),
    "status": ("open", "in progress", "done", "on hold"),
    "priority": ("low", "medium", "high"),
    "category": ("technology", "health", "education", "finance", "sports", "travel"),
    "repo": ("payments-api", "docs-site", "mobile-app", "infra-tools", "data-pipeline"),
    "branch": ("main", "develop", "release-2.4", "fix-login", "feature-search"),
    "version": ("1.4.2", "2.0.0", "3.1.7", "0.9.5"),
    "host": ("example.com", "example.org", "shop.example.com", "status.example.net"),
    "ip": ("192.0.2.10", "198.51.100.24", "203.0.113.77", "192.0.2.143"),
    "isbn": ("9780141439518", "9780679783268", "9780316769488", "9780547928227"),
    "selector": ("#submit", "#search-box", ".nav-link", "#email", "button.primary"),
    "username": ("mira.hansen", "jonas_k", "t.okafor", "lucia-r", "sam.patel", "nina_w"),
    "team": ("Arsenal", "Real Madrid", "Bayern Munich", "Inter Milan", "Boston Celtics"),
    "sport": ("football", "basketball", "tennis", "ice hockey", "baseball"),
    "food": ("chicken", "lentils", "salmon", "pumpkin", "mushrooms", "chickpeas"),
    "job": ("data analyst", "nurse", "project manager", "electrician", "software engineer"),
    "song": ("Clair de Lune", "Bohemian Rhapsody", "Take Five", "Hallelujah", "Imagine"),
    "film": ("Casablanca", "Metropolis", "The Matrix", "Amelie", "Spirited Away", "Parasite"),
    "book": ("Emma", "Dracula", "Middlemarch", "Don Quixote", "Moby Dick"),
    "animal": ("pikachu", "eevee", "snorlax", "bulbasaur", "charizard"),
    "word": ("resilient", "harbor", "ephemeral", "lantern", "gather", "bright"),
    "reference": ("A12", "B07", "C31", "D18", "E26"),
    "zip": ("10115", "94103", "60614", "75001", "02139"),
    "airport": ("OSL", "LHR", "JFK", "CDG", "NRT", "AMS"),
    "format": ("pdf", "csv", "png"), "mode": ("standard", "basic", "advanced"),
    "hash": ("9f2c41d7e0ab", "4be81c09fd32", "c07a5e6612d9", "71d3fa8840be"),
    "code": ("SUM(A1:A10)", "x**2 + 3*x - 4", "ls -la", "print(2 + 3)"),
    "url": ("https://example.com/blog/spring-update", "https://example.org/pricing",
            "https://news.example.net/markets", "https://docs.example.com/start",
            "https://example.com/products/lamp"),
    "path": ("/home/mira/reports", "/data/projects/atlas", "/srv/share/archive",
             "/home/jonas/documents"),
    "file": ("report.pdf", "budget.xlsx", "notes.txt", "photo.jpg", "minutes.docx"),
    "wallet": ("0x52908400098527886e0f7030069857d2e4169ee7",
               "0x8617e340b3d01fa5f11f306f4090fd50e238070d",
               "0xde709f2102306220921060314715629080e2fb77"),
    "model": ("standard", "large", "compact"),
    "duration": ("30 minutes", "2 hours", "1 day"),
    "condition": ("sunny", "light rain", "overcast", "clear", "windy", "foggy"),
}  # fmt: skip
_BARE = {"person": "person", "phone": "phone", "address": "address", "city": "city",
         "company": "company"}  # fmt: skip
_NUMBERS: dict[str, dict[str, Any]] = {
    "limit": {"int": [2, 12]}, "page": {"int": [1, 1]}, "year": {"int": [2015, 2024]},
    "month": {"int": [1, 12]}, "latitude": {"number": [-54, 64, 3]},
    "longitude": {"number": [-120, 140, 3]}, "percent": {"int": [5, 60]},
    "rating": {"int": [1, 5]}, "port": {"int": [3000, 9000]}, "size": {"int": [200, 1600]},
    "duration": {"int": [5, 90]}, "age": {"int": [18, 80]}, "weight": {"number": [2, 90, 1]},
    "temperature": {"number": [-4, 33, 1]}, "amount": {"money": [12, 480]},
    "distance": {"number": [1, 420, 1]}, "priority": {"int": [1, 5]},
    "quarter": {"int": [1, 4]}, "date": {"int": [1, 28]}, "time": {"int": [8, 18]},
}  # fmt: skip
_CODES = {
    "country": ("NO", "CA", "JP", "BR", "DE", "KE", "ES", "IN"),
    "language": ("en", "de", "es", "fr", "it", "pt"),
    "currency": _LISTS["currency"], "airport": _LISTS["airport"],
}  # fmt: skip
_MEASURED = listed("frequency speed ratio level factor threshold value volume brightness rate "
                   "scale step range depth intensity ratio zoom")  # fmt: skip
_NAMED = listed(
    """namespace environment env database db collection schema table bucket index cluster session
    workspace profile tenant slug group channel room topic queue stack container pod service
    deployment node project app application device site store instance resource key tag label
    account organization org space board sheet dataset graph network zone set pool stage target
    source component module package library class function method variable parameter property
    setting section block layer scene object item element field column folder bin job task flow
    workflow pipeline dashboard report template layout theme skill agent tool server client
    database_name uid identifier alias mount volume image plan policy role entity""".strip()
)
_PAST = listed("since start begin from after born birth issued created last updated sent joined "
               "modified published added")  # fmt: skip
_LATER = listed("end until before to finish stop expires expiry return checkout till")
_AHEAD = listed("due deadline appointment departure arrival checkin delivery schedule send "
                   "reminder event")  # fmt: skip


def of_kind(kind: str | None, name: str, stated: str, about: str) -> list[Any]:
    """Generators for a kind of value, the best first."""
    if stated in {"integer", "number"}:
        found = _NUMBERS.get(str(kind))
        return [found] if found else []
    if kind == "id":
        return [{"pattern": f"{_prefix(name)}-####"}]
    if kind in {"date", "datetime", "time"}:
        return _moments(kind, name, about)
    if kind == "email":
        return [{"choice": [f"{user}@example.com" for user in
                            ("mira.hansen", "jonas.keller", "t.okafor", "lucia.rossi", "s.patel",
                             "nina.wolff", "h.tanaka", "pedro.alves")]}]  # fmt: skip
    if kind in _BARE:
        return [_BARE[kind]]
    options: list[Any] = []
    if kind in _CODES and (
        "code" in name.lower() or "code" in about.lower() or "iso" in about.lower()
    ):
        options.append({"choice": list(_CODES[kind])})
    if kind in _LISTS:
        options.append({"choice": list(_LISTS[kind])})
    if kind == "year":
        options.append({"choice": [str(year) for year in range(2016, 2025)]})
    if kind in _NUMBERS and kind != "amount":
        options.append({"choice": ["5", "10", "20"]})
    return options


def _moments(kind: str, name: str, about: str) -> list[Any]:
    span = _span(name)
    day, iso = {"date": span}, {"instant": span}
    both = [{"choice": ["09:30", "14:00", "17:45", "11:15"]}] if kind == "time" else []
    wants_iso = kind == "datetime" or "iso" in about.lower()
    return [*both, *([iso, day] if wants_iso else [day, iso]), {"datetime": span}]


def _span(name: str) -> list[int]:
    words = set(split(name))
    if words & {"birth", "birthday", "born", "dob", "birthdate"}:
        return [-20000, -7000]
    if words & _AHEAD:
        return [1, 30]
    if words & _LATER:
        return [-28, -1]
    if words & _PAST:
        return [-90, -30]
    return [-20, 20]


def _prefix(name: str) -> str:
    parts = [part for part in split(name) if part not in {"id", "ids", "uuid", "uid", "guid"}]
    word = "".join(parts) or "ref"
    return (word[:3] if len(word) > 2 else word).upper()


def is_fallback(spec: Any) -> bool:
    """Whether values are those of a technical name of which no more is known."""
    return bool(spec == {"choice": list(_PLAIN)})


def fallback(name: str, patterned: bool) -> list[Any]:
    """Generators for a text of which no more is known than that it is a technical name."""
    if patterned:
        return [
            {"choice": ["weekly-report", "main", "WEEKLY", "ABC", "US", "EN", "42", "1.4.2"]},
            {"pattern": "########-####-4###-8###-############"},
            {"pattern": "PRJ-###"}, {"date": [-20, 20]}, {"choice": ["09:30", "14:00"]},
            {"choice": ["0x52908400098527886e0f7030069857d2e4169ee7",
                        "9f2c41d7e0ab9f2c41d7e0ab9f2c41d7e0ab9f2c", "9f2c41d7"]},
            {"choice": ["#3366cc", "https://example.com/start", "mira@example.com", "@mira"]},
            {"pattern": "##########"}, {"pattern": "######"}, {"pattern": "####"},
        ]  # fmt: skip
    words = set(split(name))
    if words & _MEASURED:
        return [{"choice": ["5", "10", "25", "40"]}]
    return [{"choice": list(_PLAIN)}] if words & _NAMED else []
