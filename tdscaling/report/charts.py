"""Geometry of the report's charts.

Enters: numbers. Leaves: coordinates, ticks and labels that `templates/charts.html.jinja` draws as
inline SVG and tables. Drawn here rather than by a plotting library so that the style sheet can
recolour them for a dark screen and the same ledger gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

WIDTH, HEIGHT = 470, 262
LEFT, TOP, BOTTOM = 62, 12, 214
LABEL_GAP, CHAR_WIDTH = 14, 8.6
"""Room around a label, and of one character in the larger type of small screens."""
DOTS = 40
"""Up to this many points a line gets a dot each; beyond, the dots would hide the line."""


def ticks(top: float, count: int = 5) -> list[float]:
    """About `count` round values from 0 to at least `top`."""
    if top <= 0:
        return [0.0, 1.0]
    raw = top / count
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= raw * (1 - 1e-9))
    return [round(i * step, 10) for i in range(math.ceil(top / step - 1e-9) + 1)]


def short(value: float) -> str:
    """A number for a label: no needless digits, thousands separated."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"


def _y(value: float, top: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * value / top, 2)


def _apart(wanted: Sequence[float], gap: float) -> list[float]:
    """Label positions near the wanted ones, `gap` apart, so that none covers another."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = list(wanted)
    for below, here in pairwise(order):
        placed[here] = max(placed[here], placed[below] + gap)
    overflow = max(placed, default=0.0) - (BOTTOM - 2)
    return [p - overflow for p in placed] if overflow > 0 else placed


def line_plot(
    rounds: Sequence[int], series: Mapping[str, Sequence[float]], label: str
) -> dict[str, Any] | None:
    """Lines over rounds, each named at its right end; None without rounds."""
    if not rounds:
        return None
    named = max(len(f"{name} {short(round(v[-1], 2))}") for name, v in series.items())
    right = round(WIDTH - LABEL_GAP - named * CHAR_WIDTH, 2)
    y_ticks = ticks(max((max(values) for values in series.values()), default=1.0))
    top = y_ticks[-1]
    span = max(rounds[-1] - rounds[0], 1)
    xs = [round(LEFT + (right - LEFT) * (r - rounds[0]) / span, 2) for r in rounds]
    if len(rounds) == 1:
        xs = [(LEFT + right) / 2]
    names = _apart([_y(values[-1], top) for values in series.values()], 17)
    drawn = []
    for key, ((name, values), name_y) in enumerate(zip(series.items(), names, strict=True), 1):
        ys = [_y(value, top) for value in values]
        every = range(len(xs)) if len(xs) <= DOTS else [len(xs) - 1]
        drawn.append(
            {
                "key": key,
                "name": name,
                "last": short(round(values[-1], 2)),
                "name_y": round(name_y, 2),
                "points": " ".join(f"{x},{y}" for x, y in zip(xs, ys, strict=True)),
                "radius": 3.5,
                "dots": [
                    {"x": xs[i], "y": ys[i], "round": rounds[i], "text": short(round(values[i], 3))}
                    for i in every
                ],
            }
        )
    stride = max(1, math.ceil(len(rounds) / 8))
    return {
        **_frame(label, right, y_ticks, top),
        "x_name": "round",
        "x_unit": "round",
        "x_ticks": [{"at": xs[i], "text": rounds[i]} for i in range(0, len(rounds), stride)],
        "series": drawn,
    }


def _frame(label: str, right: float, y_ticks: Sequence[float], top: float) -> dict[str, Any]:
    return {
        "label": label,
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": right,
        "bottom": BOTTOM,
        "y_ticks": [{"at": _y(tick, top), "text": short(tick)} for tick in y_ticks],
    }


def column_plot(
    counts: Mapping[int, tuple[int, int]], label: str, x_name: str, most: int = 30
) -> dict[str, Any]:
    """Stacked columns of (accepted, rejected) per number; from `most` on in one last column."""
    folded: dict[int, tuple[int, int]] = {}
    for value, (accepted, rejected) in counts.items():
        at = min(value, most)
        before = folded.get(at, (0, 0))
        folded[at] = (before[0] + accepted, before[1] + rejected)
    right = WIDTH - 12
    last = max(folded, default=0)
    y_ticks = ticks(max((sum(pair) for pair in folded.values()), default=1), 4)
    top = y_ticks[-1]
    slot = (right - LEFT) / (last + 1)
    bars = []
    for value, (accepted, rejected) in sorted(folded.items()):
        accepted_y, total_y = _y(accepted, top), _y(accepted + rejected, top)
        more = "+" if value == most and last == most else ""
        bars.append(
            {
                "x": round(LEFT + slot * value + slot * 0.12, 2),
                "width": round(slot * 0.76, 2),
                "accepted_y": accepted_y,
                "accepted_height": round(BOTTOM - accepted_y, 2),
                "rejected_y": total_y,
                "rejected_height": round(max(accepted_y - total_y - 1, 0), 2),
                "text": f"{value}{more} calls: {accepted} accepted, {rejected} rejected",
            }
        )
    stride = max(1, math.ceil((last + 1) / 12))
    return {
        **_frame(label, right, y_ticks, top),
        "x_name": x_name,
        "bars": bars,
        "x_ticks": [
            {
                "at": round(LEFT + slot * (value + 0.5), 2),
                "text": f"{value}+" if value == most else str(value),
            }
            for value in range(0, last + 1, stride)
        ],
    }


def bars(rows: Sequence[tuple[str, float, str]]) -> list[dict[str, Any]]:
    """Horizontal bars (name, length, text), scaled to the longest."""
    longest = max((length for _, length, _ in rows), default=0) or 1
    return [
        {"name": name, "percent": round(100 * length / longest, 2), "text": text}
        for name, length, text in rows
    ]


def level(count: int, most: int) -> int:
    """Shade 1 to 5 by square root, so that rare cells stay visible; 0 for none."""
    return 0 if count == 0 else min(5, 1 + math.floor(4.999 * math.sqrt(count / most)))
