"""What steering brings against a model whose bias is known, and what it costs.

The world: 20 categories, 6 modes, 4 complexity bins, 480 cells. Unsteered, its categories follow
Zipf(1.5), whatever was asked. Steered, the category and the number of calls are obeyed, but the
mode comes out `direct` in 80% of the attempts whatever operators were asked. Each cell that can be
asked for (category, operators, bin) is accepted with a chance of its own, 0.15 to 1.0, and an
attempt costs 100 tokens per bin, rejected or not. Because the bias is known, the best allocation
can be computed: the request rates that maximise domain plus mode entropy at the same tokens per
accepted trajectory, with a certificate of how far off they can be. It is also played, because a
finite sample of the best allocation has less entropy than the allocation.

    python benchmarks/bench_evolution.py [--quick]
"""

from __future__ import annotations

import contextlib
import io
import math
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random
from typing import Protocol

from hydra.utils import instantiate
from rich.console import Console
from rich.table import Table
from worlds.biased import (
    CALLS,
    CATEGORIES,
    DIRECT,
    EDGES,
    KINDS,
    MODES,
    OPERATORS,
    Optimum,
    World,
    optimum,
)

from tdscaling.__main__ import main as product
from tdscaling.configuration import Invocation, compose
from tdscaling.evolution import Evolution
from tdscaling.evolution._cells import cell_of
from tdscaling.roles import Said, Scene
from tdscaling.roles.user.scripted import ScriptedUser
from tdscaling.schema import Cluster, Menu, Message, Outcome, Request, Steering
from tdscaling.store import FILE, Store
from tdscaling.store_rows import tokens_of

SIZE = 32
LAG = 2


class Steers(Protocol):
    """What a run needs of an evolution."""

    def observe(self, outcome: Outcome) -> None:
        """Learn from one outcome."""

    def steer(self, round_: int, size: int, menu: Menu, seed: int) -> Steering:
        """The requests of a round."""
        ...


def evolution(option: str, *words: str) -> Evolution:
    """As it is shipped, with this world's edges."""
    overrides = (f"evolution={option}", f"metrics.bins={list(EDGES)}", *words, "hydra.run.dir=.")
    config = compose(Invocation("synthesize", overrides))
    built: Evolution = instantiate(config.evolution, _convert_="all")
    return built


def run(world: World, steering: Steers, accepted: int) -> list[Outcome]:
    """Rounds as in the product: round r is steered by outcomes of rounds <= r-2."""
    rounds: list[list[Outcome]] = []
    found = 0
    while found < accepted:
        number = len(rounds)
        if number >= LAG:
            for outcome in rounds[number - LAG]:
                steering.observe(outcome)
        requests = steering.steer(number, SIZE, world.menu, world.seed).requests
        played = [world.play(number * SIZE + i, number, r) for i, r in enumerate(requests)]
        rounds.append(played)
        found += sum(outcome.verdict.accepted for outcome in played)
    flat = [outcome for played in rounds for outcome in played]
    last = [i for i, outcome in enumerate(flat) if outcome.verdict.accepted][accepted - 1]
    return flat[: last + 1]


def bits(labels: Iterable[object]) -> float:
    counts = Counter(labels)
    whole = counts.total()
    return -sum(n / whole * math.log2(n / whole) for n in counts.values())


def kept(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.verdict.accepted]


def cells(outcomes: Sequence[Outcome]) -> set[tuple[str, str, int]]:
    return {(o.category, o.trace.mode, len(o.trace.actions)) for o in kept(outcomes)}


def spent(outcomes: Sequence[Outcome]) -> int:
    return sum(tokens_of(outcome) for outcome in outcomes)


def each(outcomes: Sequence[Outcome], calls: int) -> float:
    """Tokens per accepted trajectory of one complexity."""
    part = [outcome for outcome in outcomes if outcome.request.calls == calls]
    return spent(part) / max(len(kept(part)), 1)


def at_cost(outcomes: Sequence[Outcome], tokens: float) -> list[Outcome]:
    """What a run had when it had spent so many tokens."""
    left, found = tokens, []
    for outcome in outcomes:
        left -= tokens_of(outcome)
        if left < 0:
            break
        found.append(outcome)
    return found


class Oracle:
    """Draws the best allocation from the start: what nobody who has to learn the bias can beat."""

    def __init__(self, best: Optimum) -> None:
        self._best = best

    def observe(self, outcome: Outcome) -> None:
        """Knows everything already."""

    def steer(self, round_: int, size: int, menu: Menu, seed: int) -> Steering:
        """Independent draws at the best rates."""
        rng = random.Random(f"oracle:{seed}:{round_}")
        drawn = rng.choices(KINDS, self._best.rates, k=size)
        return Steering(
            tuple(Request(menu.clusters[c].id, OPERATORS[o], CALLS[k]) for c, o, k in drawn)
        )


Row = dict[str, float]


def figures(part: Sequence[Outcome], control: Sequence[Outcome]) -> Row:
    return {
        "H dom": bits(o.category for o in kept(part)),
        "H mode": bits(o.trace.mode for o in kept(part)),
        "cells": len(cells(part)) / (CATEGORIES * len(MODES) * len(CALLS)),
        "accepted": len(kept(part)),
        "tokens": spent(part),
        "vs none": sum(each(part, c) / each(control, c) for c in CALLS) / len(CALLS),
    }


def rows(seed: int, size: int) -> dict[str, Row]:
    """Every option at `size` accepted; the control also at the tokens that entropy spent."""
    steered, free = World(seed, True), World(seed, False)
    parts = {name: run(steered, evolution(name), size) for name in ("entropy", "novelty", "bandit")}
    budget = spent(parts["entropy"])
    control = at_cost(run(free, evolution("none"), 2 * size), budget)
    best = optimum(steered, budget / size)
    parts = {
        "none, same tokens": control,
        "best, bias known": run(steered, Oracle(best), size),
        **parts,
    }
    found = {name: figures(part, control) for name, part in parts.items()}
    found["best, computed"] = {"H dom": best.domain, "H mode": best.mode, "slack": best.slack}
    return found


def allocation(console: Console, size: int, seeds: int) -> None:
    """Means over seeds against the best allocation, and which goals were reached."""
    held = [rows(seed, size) for seed in range(1, seeds + 1)]
    mean = {
        name: {key: sum(one[name][key] for one in held) / seeds for key in held[0][name]}
        for name in held[0]
    }
    computed, entropy = mean["best, computed"], mean["entropy"]
    title = f"{size} accepted or the same tokens, mean of {seeds} seeds; best proven to within "
    title += f"{max(computed.pop('slack'), 0):.4f} bits"
    table = Table(title=title, title_justify="left")
    for name in (
        "",
        "H dom",
        "of best",
        "H mode",
        "of best",
        "cells",
        "accepted",
        "tokens",
        "vs none",
    ):
        table.add_column(name, justify="right" if name else "left")
    for name, row in mean.items():
        shares = [f"{row[key] / computed[key]:.3f}" for key in ("H dom", "H mode")]
        rest = (
            [f"{row['cells']:.3f}", f"{row['accepted']:.0f}", f"{row['tokens']:.0f}",
             f"{row['vs none']:.2f}x"] if "cells" in row else [""] * 4
        )  # fmt: skip
        table.add_row(
            name, f"{row['H dom']:.3f}", shares[0], f"{row['H mode']:.3f}", shares[1], *rest
        )
    console.print(table)
    goals = {
        "domain entropy >= 0.97 of computed": entropy["H dom"] / computed["H dom"] >= 0.97,
        "mode entropy >= 0.97 of computed": entropy["H mode"] / computed["H mode"] >= 0.97,
        "tokens per accepted <= 1.25x of none at equal complexity": entropy["vs none"] <= 1.25,
    }
    if size >= 5000:
        goals["cells >= 0.95"] = entropy["cells"] >= 0.95
    for goal, reached in goals.items():
        console.print(f"  {'reached' if reached else 'MISSED '}  {goal}")


def steering_time(console: Console) -> None:
    """CPU time of one round's decision for menus of growing size."""
    table = Table("cells", "ms per round", "us per cell", title="Time to steer a round of 32")
    slowest = 0.0
    for categories, combinations, calls in ((10, 10, 10), (25, 20, 10), (50, 20, 10), (100, 50, 2)):
        operators = tuple((f"op{i}",) for i in range(combinations))
        menu = Menu(
            tuple(Cluster(f"cat{i:02}", "d", f"cat{i:02}", (), ()) for i in range(categories)),
            operators,  # type: ignore[arg-type]
            tuple(range(1, calls + 1)),
        )
        steering = evolution("entropy")
        rng, world = random.Random(0), World(1, True)
        for index in range(4000):
            asked = Request(
                f"cat{rng.randrange(CATEGORIES):02}", rng.choice(OPERATORS), rng.choice(CALLS)
            )
            drawn = replace(
                asked,
                cluster=rng.choice(menu.clusters).id,
                operators=rng.choice(menu.operators),
                calls=rng.choice(menu.calls),
            )
            done = world.play(index, index // SIZE, asked)
            mode = f"m{rng.randrange(30)}"
            trace = replace(done.trace, mode=mode)
            steering.observe(replace(done, request=drawn, category=drawn.cluster, trace=trace))
        begun = time.process_time()
        for round_ in range(200, 220):
            steering.steer(round_, SIZE, menu, 1)
        slowest = (time.process_time() - begun) / 20
        count = categories * combinations * calls
        table.add_row(f"{count:,}", f"{1e3 * slowest:.1f}", f"{1e6 * slowest / count:.2f}")
    console.print(table)
    reached = "reached" if slowest < 0.05 else "MISSED "
    console.print(f"  {reached}  less than 50 ms for 10,000 cells")


class HurriedUser(ScriptedUser):
    """Leaves after the first wish in four of five conversations, whatever the blueprint wants."""

    name = "hurried"

    async def speak(self, scene: Scene, messages: Sequence[Message]) -> Said:
        """The scripted words, unless it is gone."""
        said = await super().speak(scene, messages)
        words = [turn.request for turn in scene.blueprint.turns[1:]]
        text = str((said.message or {}).get("content", "")).lower()
        gone = Random(f"{scene.seed}:hurry").random() < DIRECT
        return Said(None) if gone and any(word[1:].lower() in text for word in words) else said


def real_run(option: str, seed: int, size: int, user: str) -> Row:
    """A whole run of the product."""
    with tempfile.TemporaryDirectory() as folder:
        target = f"{folder}/run"
        words = [
            f"evolution={option}", f"seed={seed}", "execution=inline", "blueprints.worlds=2",
            "coding.share=0", "sandbox=none",
            f"budget.trajectories={size}", "report.trajectories=0", f"hydra.run.dir={target}",
            *([f"roles.user._target_={user}"] if user else []),
        ]  # fmt: skip
        with contextlib.redirect_stdout(io.StringIO()):
            product(words)
        store = Store.read(f"{target}/{FILE}")
        outcomes = list(store.outcomes())
        store.close()
    edges = compose(Invocation("synthesize", ("hydra.run.dir=.",))).metrics.bins
    return {
        "H dom": bits(o.category for o in kept(outcomes)),
        "H mode": bits(o.trace.mode for o in kept(outcomes)),
        "effective modes": 2 ** bits(o.trace.mode for o in kept(outcomes)),
        "cells": len({cell_of(o, edges) for o in kept(outcomes)}),
        "attempts": len(outcomes),
        "tokens": spent(outcomes),
    }


def real_pipeline(console: Console, size: int, seeds: Sequence[int], user: str) -> None:
    """Means over whole runs, and whether steering is worth it in each figure."""
    who = "a user who leaves early" if user else "the scripted user"
    title = f"The real pipeline with {who}, {size} accepted, mean of {len(seeds)} seeds"
    table = Table(title=title, title_justify="left")
    mean: dict[str, Row] = {}
    for option in ("none", "entropy", "novelty", "bandit") if user else ("none", "entropy"):
        held = [real_run(option, seed, size, user) for seed in seeds]
        mean[option] = {key: sum(row[key] for row in held) / len(held) for key in held[0]}
        each_seed = " ".join(f"{row['effective modes']:.1f}" for row in held)
        if not table.columns:
            for name in ("", *held[0], "effective modes per seed"):
                table.add_column(name, justify="right" if name else "left")
        digits = {"H dom": 3, "H mode": 3, "effective modes": 1}
        shown = [f"{value:.{digits.get(key, 0)}f}" for key, value in mean[option].items()]
        table.add_row(option, *shown, each_seed)
    console.print(table)
    none, entropy = mean["none"], mean["entropy"]
    goals = {
        f"entropy >= none in {key}": entropy[key] >= none[key]
        for key in ("effective modes", "H dom", "cells")
    }
    goals["tokens <= 1.25x of none"] = entropy["tokens"] <= 1.25 * none["tokens"]
    for goal, reached in goals.items():
        console.print(f"  {'reached' if reached else 'MISSED '}  {goal}")


def main() -> None:
    console = Console(width=120)
    quick = "--quick" in sys.argv
    allocation(console, 500, 4 if quick else 24)
    if not quick:
        allocation(console, 5000, 6)
    steering_time(console)
    size, seeds = (100, [1]) if quick else (300, [1, 2, 3])
    real_pipeline(console, size, seeds, "bench_evolution.HurriedUser")
    real_pipeline(console, size, seeds, "")


if __name__ == "__main__":
    main()
