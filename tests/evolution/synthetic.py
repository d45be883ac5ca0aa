"""A biased stand-in for everything between a request and its outcome, with known biases.

Categories differ in clusters (1 to 12) and in acceptance (0.25 to 0.95, one never); four of nine
operator combinations end in the same mode, the others mostly in their own; most plans end in the
lowest complexity bin.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from tdscaling.evolution import Evolution
from tdscaling.schema import (
    Action,
    Cluster,
    Menu,
    Operator,
    Outcome,
    Request,
    Trace,
    Verdict,
)

CATEGORIES = 12
DEAD = "cat11"
OPERATORS: tuple[tuple[Operator, ...], ...] = (
    (),
    ("extend",),
    ("withhold",),
    ("perturb",),
    ("revise",),
    ("refuse",),
    ("branch",),
    ("withhold", "perturb"),
    ("revise", "perturb"),
)
CALLS = (1, 2, 3, 4, 6, 8)


def menu() -> Menu:
    clusters = tuple(
        Cluster(f"c{c}_{i}", f"d{c}", f"cat{c}", (), ())
        for c in range(CATEGORIES)
        for i in range(max(1, 12 - 2 * c))
    )
    return Menu(clusters, OPERATORS, CALLS)


def outcome(index: int, round_: int, request: Request, seed: int) -> Outcome:
    rng = random.Random(f"{seed}:{index}")
    category = "cat" + request.cluster[1:].split("_")[0]
    rate = 0.0 if category == DEAD else 0.95 - 0.7 * int(category[3:]) / CATEGORIES
    accepted = rng.random() < rate * (0.6 if "perturb" in request.operators else 1)
    common = len(request.operators) == 1 and request.operators[0] in {"extend", "branch", "refuse"}
    own = 0.1 if common else 0.85
    mode = ("+".join(request.operators) if rng.random() < own else "") or "direct"
    per_call = 1 + 0.4 * request.calls * rng.random() ** 2
    actions = tuple(Action(i, "call", "t", True, "executed", 0, 0) for i in range(request.calls))
    return Outcome(
        index=index,
        round=round_,
        id=str(index),
        seed=str(seed),
        request=request,
        category=category,
        domain="d",
        categories={category: 1.0},
        verdict=Verdict(accepted, None if accepted else "extra_write"),
        blueprint_id="b",
        trace=Trace(("call",), mode, mode, actions, per_call * request.calls),
        turns=1,
    )


def run(evolution: Evolution, accepted: int, seed: int, size: int = 64) -> list[Outcome]:
    """Rounds until `accepted` trajectories; round r knows rounds up to r-2, as in the loop."""
    rounds: list[list[Outcome]] = []
    everything: Sequence[Outcome] = ()
    while sum(o.verdict.accepted for o in everything) < accepted:
        number = len(rounds)
        if number >= 2:
            for done in rounds[number - 2]:
                evolution.observe(done)
        requests = evolution.steer(number, size, menu(), seed).requests
        start = number * size
        rounds.append([outcome(start + i, number, r, seed) for i, r in enumerate(requests)])
        everything = [o for round_ in rounds for o in round_]
    return list(everything)
