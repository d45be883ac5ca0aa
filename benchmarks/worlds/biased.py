"""A model with a known bias, and the best that can be got out of it.

Enters: requests. Leaves: outcomes; and, by convex optimisation, the request rates that maximise
domain plus mode entropy at a price, with a certificate of how far off they can be.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import linprog, minimize

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
    """Maximise domain plus mode entropy over request rates, concave under two linear constraints.

    The unknowns are attempts per accepted trajectory for each kind of request.
    """
    kinds = KINDS
    into_mode = np.zeros((len(MODES), len(kinds)))
    into_domain = np.zeros((CATEGORIES, len(kinds)))
    for place, (c, o, k) in enumerate(kinds):
        for mode, chance in ((0, DIRECT), (o, 1 - DIRECT)):
            brought = chance * world.acceptance(c, o, k)
            into_mode[mode, place] += brought
            into_domain[c, place] += brought
    yields = into_mode.sum(axis=0)
    costs = np.array([TOKENS * (1 + k) for _, _, k in kinds], dtype=float)

    def value(rates: Any) -> tuple[float, Any]:
        total, slope = 0.0, np.zeros(len(kinds))
        for matrix in (into_domain, into_mode):
            p = np.maximum(matrix @ rates, 1e-12)
            total += float((p * np.log2(p)).sum())
            slope += matrix.T @ (np.log2(p) + 1 / math.log(2))
        return total, slope

    start = np.full(len(kinds), 1 / yields.sum())
    cheap = linprog(costs, A_eq=[yields], b_eq=[1.0])
    if costs @ start > price:  # move toward the cheapest until it can be paid
        part = (costs @ start - price) / (costs @ start - cheap.fun)
        start = (1 - part) * start + part * cheap.x
    found = minimize(
        value,
        start,
        jac=True,
        method="SLSQP",
        bounds=[(0, None)] * len(kinds),
        constraints=[
            {"type": "eq", "fun": lambda r: yields @ r - 1, "jac": lambda r: yields},
            {
                "type": "ineq",
                "fun": lambda r: (price - costs @ r) / price,
                "jac": lambda r: -costs / price,
            },
        ],
        options={"maxiter": 300, "ftol": 1e-9},
    )
    _, slope = value(found.x)
    ahead = linprog(slope, A_ub=[costs], b_ub=[price], A_eq=[yields], b_eq=[1.0])
    domain, mode = (
        -float((p * np.log2(p)).sum())
        for p in (np.maximum(matrix @ found.x, 1e-12) for matrix in (into_domain, into_mode))
    )
    rates = [max(float(rate), 0.0) for rate in found.x]
    return Optimum(domain, mode, float(slope @ found.x - ahead.fun), rates)
