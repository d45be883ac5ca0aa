"""Tables that the data analysis families ask about.

Enters: a random stream. Leaves: a table of one of several businesses as CSV: an id, a date, two
groupings, a whole number and a measure; some measures are missing where that is wanted.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass
from random import Random

MISSING = "n/a"
"""How a missing measure is written."""


@dataclass(frozen=True, slots=True)
class Theme:
    """A kind of business and what it calls things."""

    file: str
    about: str
    """What a row is, in the plural."""
    id: str
    prefix: str
    date: str
    group: tuple[str, str]
    """Column and what a person calls it."""
    groups: tuple[str, ...]
    kind: tuple[str, str]
    kinds: tuple[str, ...]
    count: tuple[str, str]
    counts: tuple[int, int]
    measure: tuple[str, str]
    measures: tuple[float, float]
    wrong: tuple[str, str]
    """Names that one might expect in place of group and measure, and that are not there."""


THEMES = (
    Theme("sales.csv", "orders", "order_id", "SO", "order_date", ("region", "region"),
          ("North", "South", "East", "West", "Central"), ("product", "product"),
          ("kettle", "toaster", "blender", "grinder"), ("units", "units sold"), (1, 40),
          ("revenue_eur", "revenue"), (18, 940), ("area", "revenue")),
    Theme("shifts.csv", "shifts", "shift_id", "SH", "work_date", ("team", "team"),
          ("Assembly", "Packing", "Paint", "Receiving"), ("shift_kind", "kind of shift"),
          ("early", "late", "night"), ("workers", "workers"), (2, 18),
          ("hours_worked", "hours worked"), (8, 140), ("department", "hours")),
    Theme("readings.csv", "readings", "reading_id", "RD", "taken_on", ("station", "station"),
          ("Harbour", "Airport", "Old Town", "Hillside", "Riverside"), ("pollutant", "pollutant"),
          ("NO2", "PM10", "ozone"), ("samples", "samples"), (3, 60),
          ("level_ugm3", "level"), (4, 96), ("site", "value")),
    Theme("shipments.csv", "shipments", "shipment_id", "SP", "shipped_on", ("carrier", "carrier"),
          ("Bluebird", "FastFreight", "Norline", "Transalp"), ("service", "service"),
          ("express", "standard", "economy"), ("parcels", "parcels"), (1, 75),
          ("weight_kg", "weight"), (2, 620), ("company", "weight")),
    Theme("donations.csv", "donations", "donation_id", "DN", "given_on", ("campaign", "campaign"),
          ("Wells", "Schools", "Reforest", "Clinics"), ("channel", "channel"),
          ("online", "post", "event"), ("gifts", "gifts"), (1, 30),
          ("amount_usd", "amount"), (10, 1500), ("project", "amount")),
    Theme("visits.csv", "visits", "visit_id", "VS", "visit_date", ("department", "department"),
          ("Cardiology", "Radiology", "Dermatology", "Orthopaedics"), ("insurance", "insurance"),
          ("public", "private", "none"), ("patients", "patients"), (1, 22),
          ("fee_eur", "fees"), (35, 780), ("ward", "fee")),
    Theme("tickets.csv", "support tickets", "ticket_id", "TK", "opened_on", ("product", "product"),
          ("Mailer", "Ledger", "Planner", "Vault"), ("severity", "severity"),
          ("low", "normal", "urgent"), ("replies", "replies"), (1, 25),
          ("handling_min", "handling time"), (4, 380), ("application", "minutes")),
    Theme("energy.csv", "meter readings", "meter_reading_id", "MR", "read_on",
          ("building", "building"), ("Library", "Main Hall", "Workshop", "Annex", "Cafeteria"),
          ("tariff", "tariff"), ("day", "night", "weekend"), ("meters", "meters"), (1, 12),
          ("usage_kwh", "usage"), (12, 910), ("house", "kwh")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """A theme with its rows."""

    theme: Theme
    rows: tuple[dict[str, str], ...]

    @property
    def file(self) -> str:
        """Name of the file."""
        return self.theme.file

    @property
    def data(self) -> bytes:
        """The file."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(self.rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue().encode()

    def months(self) -> list[str]:
        """The months that occur, as YYYY-MM."""
        return sorted({row[self.theme.date][:7] for row in self.rows})


def table(random: Random, *, gaps: float = 0.0) -> Table:
    """A table of a random theme.

    Args:
        random: the stream.
        gaps: share of rows whose measure is missing, 0 to 1.
    """
    theme = random.choice(THEMES)
    first = dt.date(random.choice((2022, 2023, 2024)), random.randint(1, 9), 1)
    groups = random.sample(theme.groups, random.randint(3, len(theme.groups)))
    rows = []
    number = random.randint(1000, 8000)
    for _ in range(random.randint(24, 60)):
        number += random.randint(1, 9)
        missing = random.random() < gaps
        measure = f"{random.uniform(*theme.measures):.2f}"
        rows.append(
            {
                theme.id: f"{theme.prefix}-{number}",
                theme.date: (first + dt.timedelta(days=random.randint(0, 118))).isoformat(),
                theme.group[0]: random.choice(groups),
                theme.kind[0]: random.choice(theme.kinds),
                theme.count[0]: str(random.randint(*theme.counts)),
                theme.measure[0]: MISSING if missing else measure,
            }
        )
    if gaps and not any(row[theme.measure[0]] == MISSING for row in rows):
        rows[random.randrange(len(rows))][theme.measure[0]] = MISSING
    return Table(theme, tuple(rows))
