"""Speed of the metrics: what counting one trajectory costs, early and late in a run.

Claims checked: observing an outcome and asking for all figures costs under 0.2 ms of CPU at 50,000
trajectories, about as much as at the start; computing the figures anew from what was counted would
grow with the run; reading a trace costs more than counting it and grows with the conversation only.

    python benchmarks/bench_metrics.py [trajectories]
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tdscaling.metrics._entropy import entropy_of
from tdscaling.metrics._trace import shape_of
from tdscaling.metrics.default import DiversityMetrics
from tdscaling.schema import Action, Message, Outcome, Request, Trace, Verdict

GOAL_MS = 0.2
WINDOW = 2000
CALLS = 6
EVENTS = ("ask", "call", "chain", "error", "parallel", "recover", "refuse", "revise", "verify")
KNOBS: dict[str, Any] = {"alpha": 0.5, "beta": 0.5, "gamma": 1.0, "bins": [1.01, 1.5, 2.0, 2.5]}


def outcome(index: int) -> Outcome:
    """Long-tailed like a run: few modes, most signatures and shapes seen once."""
    rng = random.Random(index)
    category = f"c{int(rng.paretovariate(1)) % 25}"
    events = tuple(rng.choices(EVENTS, k=CALLS))
    actions = tuple(
        Action(
            step=step,
            kind="call",
            tool=f"{category}_t{rng.randrange(14)}",
            ok=True,
            provenance="executed",
            depth=step,
            bound_args=1,
            writes=rng.random() < 0.4,
            sources=(rng.randrange(step),) if step else (),
        )
        for step in range(CALLS)
    )
    return Outcome(
        index=index,
        round=index // 64,
        id=str(index),
        seed="s",
        request=Request("c", (), CALLS),
        category=category,
        domain="d",
        categories={category: 0.75, f"c{rng.randrange(25)}x": 0.25},
        verdict=Verdict(rng.random() < 0.95),
        blueprint_id=str(index),
        trace=Trace(
            events=events,
            signature=">".join(events),
            mode="+".join(sorted(set(events[:3]))),
            actions=actions,
            complexity=CALLS * (1 + 2 * rng.random()),
            shape=shape_of(actions),
        ),
        turns=2,
        line="x" * 4000,
    )


def conversation(turns: int) -> list[Message]:
    """A dozen messages or so: each turn looks something up and changes it."""
    messages: list[Message] = [{"role": "system", "content": "You are an assistant with tools."}]
    for turn in range(turns):
        found = {"booking_id": f"BK-{5000 + turn}", "status": "held", "price": 99.5 + turn}
        messages.append({"role": "user", "content": f"Please change the booking of guest {turn}."})
        for tool, given in (("find_booking", {"guest": str(turn)}), ("move_booking", found)):
            id_ = f"call_{len(messages)}"
            function = {"name": tool, "arguments": json.dumps(given)}
            messages += [
                {"role": "assistant", "tool_calls": [{"id": id_, "function": function}]},
                {"role": "tool", "tool_call_id": id_, "content": json.dumps(found)},
            ]
        messages.append({"role": "assistant", "content": "Done, it is moved."})
    return messages


def milliseconds(work: Callable[[], object], times: int) -> float:
    """CPU time of one call."""
    start = time.process_time()
    for _ in range(times):
        work()
    return 1000 * (time.process_time() - start) / times


def observe_all(total: int) -> tuple[DiversityMetrics, list[float]]:
    """CPU milliseconds per trajectory of observe + figures, window by window."""
    metrics, windows = DiversityMetrics(**KNOBS), []
    for first in range(0, total, WINDOW):
        made = [outcome(index) for index in range(first, first + WINDOW)]
        start = time.process_time()
        for one in made:
            metrics.observe(one)
            metrics.figures()
        windows.append(1000 * (time.process_time() - start) / WINDOW)
    return metrics, windows


def main(total: int) -> int:
    _, windows = observe_all(total)
    early, late = windows[0], windows[-1]
    print(f"observe + figures, first {WINDOW}:         {early:8.4f} ms per trajectory")
    print(f"observe + figures, last {WINDOW} of {total}: {late:8.4f} ms, {late / early:.2f} times")
    tally = Counter(outcome(index).trace.signature for index in range(total))
    counts = [float(count) for count in tally.values()]
    anew = milliseconds(lambda: entropy_of(counts), 5)
    print(f"one entropy anew over {len(counts)} kinds: {anew:8.4f} ms, {anew / late:.0f} times")
    metrics = DiversityMetrics(**KNOBS)
    for turns in (2, 8):
        messages = conversation(turns)
        read = milliseconds(lambda m=messages: metrics.read(m, None, []), 200)
        print(
            f"read a trace of {len(messages):3} messages:         {read:8.4f} ms,"
            f" {read / late:.1f} times"
        )
    print(f"goal {GOAL_MS} ms: {'held' if late < GOAL_MS else 'MISSED'}")
    return int(late >= GOAL_MS)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000))
