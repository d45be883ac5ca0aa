"""A model with a known bias, and the best that can be got out of it.

Enters: requests. Leaves: outcomes; and, by convex optimisation, the request rates that maximise
domain plus mode entropy at a price, with a certificate of how far off they can be.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import linprog

from tdscaling.schema import Action, Cluster, Menu, Operator, Outcome, Request, Trace, Verdict

CATEGORIES = 20
ZIPF = 1.5
DIRECT = 0.8
"""Chance that the mode is `direct` whatever was asked."""
OPERATORS: tuple[tuple[Operator, ...], ...] = (
    (),
    ("extend",),
    ("branch",),
    ("withhold",),
    ("perturb",),
    ("revise",),
)
MODES = ["direct", *(operators[0] for operators in OPERATORS[1:])]
CALLS = (1, 2, 3, 4)
EDGES = (1.25, 1.75, 2.25)
"""Plans of 1 to 4 calls have 1.0 to 2.5 complexity per call: a bin each."""
TOKENS = 100

KINDS = list(product(range(CATEGORIES), range(len(OPERATORS)), range(len(CALLS))))
"""Everything that can be asked for: category, operators, calls, by place."""


@dataclass(frozen=True)
class World:
    """A model with a known bias and a verification with known strictness."""

    seed: int
    steered: bool

    @property
    def menu(self) -> Menu:
        """One cluster per category, one operator per mode."""
        names = [f"cat{i:02}" for i in range(CATEGORIES)]
        return Menu(tuple(Cluster(n, n, n, (), ()) for n in names), OPERATORS, CALLS)

    def acceptance(self, category: int, asked: int, bin_: int) -> float:
        """Chance that what was asked for is accepted."""
        return 0.15 + 0.85 * random.Random(f"{self.seed}:{category}:{asked}:{bin_}").random()

    def play(self, index: int, round_: int, request: Request) -> Outcome:
        """What the model makes of a request."""
        rng = random.Random(f"{self.seed}:{index}")
        zipf = rng.choices(range(CATEGORIES), [(i + 1) ** -ZIPF for i in range(CATEGORIES)])[0]
        category = int(request.cluster[3:]) if self.steered else zipf
        asked = OPERATORS.index(request.operators)
        mode = 0 if rng.random() < DIRECT else asked
        bin_ = CALLS.index(request.calls)
        accepted = rng.random() < self.acceptance(category, asked, bin_)
        calls = request.calls
        actions = tuple(Action(i, "call", "t", True, "executed", 0, 0) for i in range(calls))
        signature = f"{MODES[mode]}:{calls}"
        trace = Trace(("call",), signature, MODES[mode], actions, calls * (1 + 0.5 * bin_))
        name = f"cat{category:02}"
        return Outcome(
            index,
            round_,
            str(index),
            str(self.seed),
            request,
            name,
            name,
            {name: 1.0},
            Verdict(accepted, None if accepted else "missing_step"),
            f"b{index}",
            trace,
            1,
            line="x" * (4 * TOKENS * (1 + bin_)),
        )


@dataclass(frozen=True)
class Optimum:
    """The best allocation at a price."""

    domain: float
    mode: float
    slack: float
    """No allocation has more than domain + mode + slack, bits."""
    rates: list[float]
    """Attempts per accepted trajectory, one for each of KINDS."""


def optimum(world: World, price: float) -> Optimum:
    """Maximise domain plus mode entropy over request rates, at most `price` tokens per accepted.

    Concave under linear constraints: multiplicative updates of the shares of accepted trajectories
    (as Blahut and Arimoto do), the price as a multiplier found by bisection. A linear program over
    the tangent bounds what any other allocation could have more.
    """
    by_mode, by_domain, yields, costs = _brought(world)
    parts = (by_domain / yields, by_mode / yields)
    paid = costs / yields
    low, high, shares = 0.0, 1.0 / price, np.full(len(KINDS), 1 / len(KINDS))
    for _ in range(20):
        middle = (low + high) / 2
        shares = _ascend(parts, paid, middle)
        low, high = (low, middle) if paid @ shares <= price else (middle, high)
    shares = _ascend(parts, paid, high)
    entropies = [float(-(p * np.log2(p)).sum()) for p in (part @ shares for part in parts)]
    slope = _slope(parts, shares)
    ones = np.ones((1, len(KINDS)))
    ahead = linprog(-slope, A_ub=[paid], b_ub=[max(price, paid @ shares)], A_eq=ones, b_eq=[1.0])
    slack = float(-ahead.fun - slope @ shares)
    return Optimum(entropies[0], entropies[1], slack, (shares / yields).tolist())


def _brought(world: World) -> tuple[Any, Any, Any, Any]:
    """Accepted trajectories per attempt of each kind by mode and by category; both; its tokens."""
    by_mode = np.zeros((len(MODES), len(KINDS)))
    by_domain = np.zeros((CATEGORIES, len(KINDS)))
    for place, (c, o, k) in enumerate(KINDS):
        for mode, chance in ((0, DIRECT), (o, 1 - DIRECT)):
            by_mode[mode, place] += chance * world.acceptance(c, o, k)
            by_domain[c, place] += chance * world.acceptance(c, o, k)
    costs = np.array([TOKENS * (1 + k) for _, _, k in KINDS], dtype=float)
    return by_mode, by_domain, by_mode.sum(axis=0), costs


def _slope(parts: Any, shares: Any) -> Any:
    return sum(-part.T @ np.log2(np.maximum(part @ shares, 1e-15)) for part in parts)


def _ascend(parts: Any, paid: Any, multiplier: float) -> Any:
    shares = np.full(len(KINDS), 1 / len(KINDS))
    for _ in range(1500):
        slope = _slope(parts, shares) - multiplier * paid
        shares = shares * np.exp2(0.5 * (slope - slope.max()))
        shares /= shares.sum()
    return shares
