"""Times of a real clock as those of a clock that stands still.

Enters: texts of a server. Leaves: where they name the present moment, or a day close to it, and
what to say instead in the same format. A time within the conversation is the clock's own moment;
one of the days around it keeps its time of day and moves with the day. What lies further away is
data and stays.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable, Iterator

NEAR = dt.timedelta(hours=36)
"""How far from now a time may be to count as close to it."""
SLACK = dt.timedelta(seconds=3)
"""Clocks of a server and its client may differ by this, and stamps are cut to seconds."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = "|".join(day[:3] for day in WEEKDAYS)
_MONTH = "|".join(MONTHS)
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<fraction>[.,]\d{1,9})?)?"
ISO = re.compile(
    rf"(?<![\w-])(?P<date>\d{{4}}-\d\d-\d\d)(?P<t>[T _]){_TIME}(?P<z>Z|[+-]\d\d:?\d\d)?(?!\d)"
)
DATE = re.compile(r"(?<![\w-])\d{4}-\d\d-\d\d(?![\w-])")
WORDED = re.compile(
    rf"\b(?P<wd>{_DAY})(?P<c>,?) "
    rf"(?:(?P<m1>{_MONTH}) (?P<d1>[ \d]?\d)|(?P<d2>\d?\d) (?P<m2>{_MONTH}))"
    rf"(?: (?P<y1>\d{{4}}))? (?P<h>\d\d):(?P<mi>\d\d):(?P<s>\d\d)(?: (?P<y2>\d{{4}}))?"
    r"(?: (?:GMT|UTC)?(?P<z>[+-]\d{4})?)?"
)
EPOCH = re.compile(r"(?<![\w.-])1[5-9]\d{8}(?:\d{3})?(?:\.\d+)?(?![\w-]|\.\w)")
WEEKDAY = re.compile(rf"\b(?:{'|'.join(WEEKDAYS)})\b")
BESIDE = 80
"""Characters after a date within which a weekday is that date's."""

Found = tuple[int, int, str]


class Times:
    """Maps between now and a fixed clock.

    Args:
        clock: the time that it is, UTC.
        now: reads the real time, in seconds since 1970.
    """

    def __init__(self, clock: dt.datetime, now: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._now = now
        self._began = self._present()
        self._reals: dict[str, str] = {}

    def spans(self, text: str, given: str) -> Iterator[Found]:
        """Where a text names times close to now, and what to say there."""
        days = _Days(self._clock, self._present())
        found: list[Found] = []
        dated: list[tuple[int, dt.date, dt.date]] = []
        for pattern, read in ((ISO, self._iso), (WORDED, self._worded), (DATE, self._date)):
            for match in pattern.finditer(text):
                if any(match.start() < end and start < match.end() for start, end, _ in found):
                    continue
                told = read(match, given, days)
                if told:
                    shown, real_day, shown_day = told
                    found.append((match.start(), match.end(), shown))
                    dated.append((match.end(), real_day, shown_day))
        for match in EPOCH.finditer(text):
            if epoch := self._epoch(match[0]):
                found.append((match.start(), match.end(), epoch))
        found += _weekdays(text, dated)
        for start, end, shown in found:
            if shown not in WEEKDAYS:
                self._reals[shown] = text[start:end]
            yield start, end, shown

    def real(self, shown: str) -> str | None:
        """The real time that was last shown as this one."""
        return self._reals.get(shown)

    def back(self, text: str) -> str:
        """A text with real times in place of those that were shown."""
        for shown in sorted(self._reals, key=len, reverse=True):
            if shown in text:
                real = self._reals[shown]
                text = re.sub(rf"(?<!\w){re.escape(shown)}(?![\w-])", real, text)
        return text

    def _present(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self._now(), dt.UTC)

    def _at_hand(self, moment: dt.datetime, precision: dt.timedelta) -> bool:
        """Whether a time lies within the conversation."""
        return self._began - SLACK - precision <= moment <= self._present() + SLACK

    def _moved(
        self, moment: dt.datetime, precision: dt.timedelta, given: str, days: _Days
    ) -> dt.datetime | None:
        if abs(moment - self._present()) > NEAR:
            return None
        if f"{moment:%H:%M}" not in given and self._at_hand(moment, precision):
            return self._clock.astimezone(moment.tzinfo)
        return moment + days.between(moment.tzinfo)

    def _iso(self, match: re.Match[str], given: str, days: _Days) -> _Told | None:
        part = match.groupdict()
        try:
            moment = dt.datetime.fromisoformat(
                f"{part['date']}T{part['hour']}:{part['minute']}:{part['second'] or '00'}"
                f"{_zone(part['z'])}"
            )
        except ValueError:
            return None
        precision = dt.timedelta(seconds=1 if part["second"] else 60)
        shown = self._moved(moment, precision, given, days)
        if shown is None:
            return None
        seconds = f":{shown:%S}" if part["second"] else ""
        fraction = part["fraction"]
        # Writers leave zeros at the end out, so how many digits there are is chance.
        fraction = fraction[0] + ("000" if len(fraction) <= 4 else "000000") if fraction else ""
        words = f"{shown:%Y-%m-%d}{part['t']}{shown:%H:%M}{seconds}{fraction}{part['z'] or ''}"
        return words, moment.date(), shown.date()

    def _worded(self, match: re.Match[str], given: str, days: _Days) -> _Told | None:
        part = match.groupdict()
        year = part["y1"] or part["y2"]
        month, day = part["m1"] or part["m2"], part["d1"] or part["d2"]
        if year is None:
            return None
        try:
            moment = dt.datetime.fromisoformat(
                f"{year}-{MONTHS.index(month) + 1:02d}-{int(day):02d}"
                f"T{part['h']}:{part['mi']}:{part['s']}{_zone(part['z'])}"
            )
        except ValueError:
            return None
        shown = self._moved(moment, dt.timedelta(seconds=1), given, days)
        if shown is None:
            return None
        text = match[0].replace(f"{part['h']}:{part['mi']}:{part['s']}", f"{shown:%H:%M:%S}")
        text = text.replace(part["wd"], WEEKDAYS[shown.weekday()][:3], 1).replace(
            year, str(shown.year)
        )
        # Where the year comes last, writers differ in how they pad a day of one digit: not at all.
        name, number = MONTHS[shown.month - 1], f"{shown.day:02d}" if part["y1"] else str(shown.day)
        if part["m1"]:
            text = text.replace(f"{month} {day}", f"{name} {number}", 1)
        else:
            text = text.replace(f"{day} {month}", f"{shown.day:02d} {name}", 1)
        return text, moment.date(), shown.date()

    def _date(self, match: re.Match[str], given: str, days: _Days) -> _Told | None:
        try:
            day = dt.date.fromisoformat(match[0])
        except ValueError:
            return None
        if match[0] in given:
            return None
        present = self._present()
        today = {self._began.date(), present.date()}
        if day in today:
            shown = self._clock.date()
        elif abs(day - present.date()) <= dt.timedelta(days=1):
            shown = day + days.between(dt.UTC)
        else:
            return None
        return shown.isoformat(), day, shown

    def _epoch(self, text: str) -> str | None:
        whole, _, fraction = text.partition(".")
        scale = 1000 if len(whole) == 13 else 1
        moment = dt.datetime.fromtimestamp(float(text) / scale, dt.UTC)
        if abs(moment - self._present()) > NEAR:
            return None
        days = _Days(self._clock, self._present())
        if self._at_hand(moment, dt.timedelta(seconds=1)):
            return f"{int(self._clock.timestamp()) * scale}" + (".0" if fraction else "")
        moved = int(whole) + int(days.between(dt.UTC).total_seconds()) * scale
        return f"{moved}" + (f".{fraction}" if fraction else "")


_Told = tuple[str, dt.date, dt.date]


class _Days:
    """Whole days between the real clock and the fixed one, the same throughout a text.

    Days begin at midnight of a time zone. The zone of the first time in a text counts, so that what
    a server works out from "today" there does not depend on the hour at which it is asked.
    """

    def __init__(self, clock: dt.datetime, present: dt.datetime) -> None:
        self._clock, self._present = clock, present
        self._found: dt.timedelta | None = None

    def between(self, zone: dt.tzinfo | None) -> dt.timedelta:
        if self._found is None:
            here, there = self._clock.astimezone(zone), self._present.astimezone(zone)
            self._found = here.date() - there.date()
        return self._found


def _weekdays(text: str, dated: list[tuple[int, dt.date, dt.date]]) -> Iterator[Found]:
    for match in WEEKDAY.finditer(text):
        before = [d for d in dated if d[0] <= match.start() <= d[0] + BESIDE]
        if before:
            _, real, shown = max(before)
            if WEEKDAYS[real.weekday()] == match[0]:
                yield match.start(), match.end(), WEEKDAYS[shown.weekday()]


def _zone(text: str | None) -> str:
    # Servers run in UTC: a time without a zone is one of theirs.
    return "+00:00" if not text or text == "Z" else text
