"""The rounds of a run: what is drawn next, what was committed so far.

Enters: outcomes in any order. Leaves: draws, and commits in index order. Round r is steered once
all outcomes of rounds <= r - lag are committed, so `lag` rounds are under way at a time and nothing
depends on which conversation was quick. Where nobody learns from outcomes no round waits.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from tdscaling.budget import Budget
from tdscaling.coding.mix import Mix
from tdscaling.evolution import Alarm, Evolution
from tdscaling.metrics import Metrics
from tdscaling.schema import (
    Blueprint,
    Decision,
    Draw,
    Menu,
    Outcome,
    Request,
    Verdict,
    digest,
)
from tdscaling.spending.journal import Spent
from tdscaling.store import Store
from tdscaling.store_rows import paid_tokens_of

COMMIT_SIZE = 32
"""Outcomes per commit, at most."""
COMMIT_SECONDS = 1.0
"""Seconds after which fewer are committed too: no more than this is lost to a crash."""
AHEAD = 4096
"""Attempts drawn beyond the first one that is not committed, at most (and what is left of the last
round), where nobody learns: their outcomes wait in memory, some tens of kilobytes each."""


class Rounds:
    """Decides draws and commits outcomes.

    Args:
        store: the ledger; what it holds is taken up.
        metrics: counts outcomes.
        evolution: steers rounds.
        menu: what can be asked for.
        seed: of the run.
        size: draws per round, at least 1.
        budget: when to end.
        mix: turns a share of the draws into coding tasks.
        lag: round r is steered by outcomes of rounds <= r - lag, at least 2.
    """

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        evolution: Evolution,
        menu: Menu,
        seed: int,
        size: int,
        budget: Budget,
        mix: Mix,
        lag: int,
    ) -> None:
        self._store, self._metrics, self._evolution = store, metrics, evolution
        self._menu, self._seed, self._size, self._budget = menu, seed, size, budget
        self._mix, self._lag = mix, lag
        self._learning = evolution.learns or mix.learns
        self._queue: deque[Draw] = deque()
        self._waiting: dict[int, Outcome] = {}
        self._hoped = [0, 0]
        self._under_way = 0
        self._batch: list[Outcome] = []
        self._decisions: list[Decision] = []
        self._finished: list[dict[str, Any]] = []
        self._unseen: dict[int, list[Outcome]] = {}
        self._blueprints: set[str] = set()
        self._next = 0
        self._steered = 0
        self._accepted = 0
        self._tokens = 0
        self._round = [0, 0]
        self._barren = 0
        self._taking_up = True
        self._committed = time.monotonic()
        self.done = False
        self.held_up = False
        """Whether no more is drawn because the next round waits for outcomes to learn from."""
        self.hopeless = False
        self.cut = self.raisable = False
        self.why = ""
        self.alarms: list[Alarm] = []
        """Raised since somebody looked last."""
        self._raised: list[Alarm] = []
        self._watch = evolution.watch
        self._watch.begin(menu)
        self._replayed = store.next_index // size - lag
        for outcome in store.outcomes():
            self._count(outcome)
            if self._next % size == 0:
                self._round = [0, 0]
        self._taking_up = False
        self.alarms, self._raised = [], []  # they are in the ledger

    def draws(self, room: int, stopping: bool) -> Iterator[Draw]:
        """The next draws, as many as there is room for and as are decided."""
        self.held_up = False
        while room > 0 and not stopping and not self._enough():
            while not self._queue and self._steerable():
                self._steer()
            self.held_up = not self._queue
            if not self._queue or self._queue[0].index >= (self._budget.attempts or math.inf):
                return
            room -= 1
            self._under_way += 1
            yield self._queue.popleft()

    def _enough(self) -> bool:
        """Whether the run is over, or will be once what waits for its turn is committed."""
        accepted, tokens = self._hoped
        # What is drawn beyond the last one that is needed is paid for in vain, where a model plays.
        made, rate = self._accepted + accepted, (self._accepted + 1) / (self._next + 1)
        return (
            self.done
            or made + self._under_way * rate >= self._budget.trajectories
            or self._tokens + tokens >= (self._budget.tokens or math.inf)
        )

    def _steerable(self) -> bool:
        """Whether the next round may be decided by now."""
        if self._learning:
            return self._steered < self._next // self._size + self._lag
        return self._steered * self._size < self._next + AHEAD

    def _steer(self) -> None:
        round_ = self._steered
        for earlier in sorted(self._unseen):
            if earlier <= round_ - self._lag:
                for outcome in self._unseen.pop(earlier):
                    self._learn(outcome)
        first = round_ * self._size
        self._steered += 1
        if first + self._size <= self._next:
            return  # of a run that is continued: this round is in the ledger already
        steering = self._evolution.steer(round_, self._size, self._menu, self._seed)
        self._decisions += steering.decisions
        requests = self._mix.applied(steering.requests, first)
        parents = self._parents(requests)
        self._queue.extend(
            Draw(
                index,
                round_,
                digest([self._seed, index]),
                request,
                parents[request.parent] if request.parent else None,
            )
            for index, request in enumerate(requests, first)
            if index >= self._next
        )

    def _learn(self, outcome: Outcome) -> None:
        """Draws that were turned tell the evolution nothing: it did not ask for them."""
        learner = self._mix if self._mix.concerns(outcome.request) else self._evolution
        learner.observe(outcome)

    def _parents(self, requests: Iterable[Request]) -> dict[str, Blueprint]:
        """The blueprints that requests want mutated, as the ledger holds them."""
        wanted = sorted({request.parent for request in requests if request.parent})
        if not wanted:
            return {}
        self.flush()
        return {id_: self._store.blueprint(id_) for id_ in wanted}

    def take(self, outcomes: Iterable[Outcome]) -> None:
        """Accept finished attempts, and commit those whose turn it is."""
        for outcome in outcomes:
            self._waiting[outcome.index] = outcome
            self._hope(outcome, 1)
            self._under_way -= 1
        while self._next in self._waiting and not self.done:
            waited = self._waiting.pop(self._next)
            self._hope(waited, -1)
            outcome = self._unique(waited)
            self._batch.append(outcome)
            self._count(outcome)
            self._end_round()
            if len(self._batch) == COMMIT_SIZE:
                self.flush()
        if self.done or time.monotonic() - self._committed > COMMIT_SECONDS:
            self.flush()

    def _hope(self, outcome: Outcome, sign: int) -> None:
        """Keep what is waiting summed up: what the budget needs no more is not drawn."""
        self._hoped[0] += sign * outcome.verdict.accepted
        self._hoped[1] += sign * paid_tokens_of(outcome)

    def _unique(self, outcome: Outcome) -> Outcome:
        if not outcome.verdict.accepted or outcome.blueprint_id not in self._blueprints:
            return outcome
        detail = f"blueprint {outcome.blueprint_id} was accepted before"
        # The conversation is not kept: its line states a verdict that no longer holds.
        return replace(outcome, verdict=Verdict(False, "duplicate", detail), line="")

    def _count(self, outcome: Outcome) -> None:
        self._metrics.observe(outcome)
        self._watch.observe(outcome)
        if outcome.round <= self._replayed or not self._learning:
            self._learn(outcome)  # no round will be steered without it
        else:
            self._unseen.setdefault(outcome.round, []).append(outcome)
        if outcome.verdict.accepted:
            self._blueprints.add(outcome.blueprint_id)
        self._next = outcome.index + 1
        self._accepted += outcome.verdict.accepted
        self._tokens += paid_tokens_of(outcome)
        self._round[0] += 1
        self._round[1] += outcome.verdict.accepted
        if self._next % self._size == 0:
            self._barren = 0 if self._round[1] else self._barren + 1
            if self._taking_up and self._barren >= self._budget.patience:
                self._barren = 0  # an earlier start gave up here; what failed may have been mended
            found = self._watch.close(outcome.round, self._metrics.figures)
            self.alarms += found
            self._raised += found
        self._check_budget()

    def _end_round(self) -> None:
        """Keep the figures of a round that is over; the last one may be cut short."""
        if self._next % self._size and not self.done:
            return
        attempted, accepted = self._round
        row = {"round": (self._next - 1) // self._size, "attempted": attempted}
        self._finished.append({**self._metrics.figures(), **row, "accepted": accepted})
        self._round = [0, 0]

    def _check_budget(self) -> None:
        budget = self._budget
        if self._accepted >= budget.trajectories:
            self.done, self.why = True, f"{self._accepted} trajectories accepted"
        elif budget.tokens is not None and self._tokens >= budget.tokens:
            self.done, self.why = True, f"{self._tokens} of {budget.tokens} tokens spent"
        elif budget.attempts is not None and self._next >= budget.attempts:
            self.done, self.why = True, f"{self._next} attempts made"
        elif self._barren >= budget.patience:
            self.done, self.why = True, f"no acceptance in {self._barren} rounds"
            self.hopeless = True
        elif self._watch.collapsed:
            self.done, self.why = True, f"an alarm: {self._watch.collapsed.message}"
        elif self._watch.exhausted:
            self.done, self.why = True, self._watch.exhausted

    def end(self, why: str, *, raisable: bool) -> None:
        """No more can be made, unless something can be `raisable`, and is raised."""
        self.done, self.why, self.cut, self.raisable = True, why, True, raisable

    def flush(self) -> None:
        """Commit what is finished, once: what a full disk refuses the next start makes again."""
        self._committed = time.monotonic()
        if not self._batch:
            return
        batch, finished, decisions = self._batch, self._finished, self._decisions
        # How far steering is ahead depends on timing, so the ledger waits for a round's outcomes.
        begun = (self._next - 1) // self._size
        raised = [alarm.row() for alarm in self._raised]
        self._batch, self._finished, self._raised = [], [], []
        self._decisions = [decision for decision in decisions if decision.round > begun]
        told = [decision for decision in decisions if decision.round <= begun]
        self._store.commit(batch, finished, told, raised)

    def settle(self, spent: Sequence[Spent]) -> None:
        """Keep what models have cost, in conversations that were not finished too."""
        self._store.put_spending(spent)

    def state(self) -> tuple[int, int, dict[str, Any]]:
        """Accepted, attempted, and the metrics' figures."""
        return self._accepted, self._next, self._metrics.figures()

    def failure(self) -> str:
        """Why the run ended in failure, for its user; empty where it did not."""
        if self.hopeless:
            return self.despair()
        alarm = self._watch.collapsed
        if alarm is None:
            return ""
        return (
            f"the alarm `{alarm.kind}` was raised in round {alarm.round}: {alarm.message}. What was"
            " accepted before is written. docs/evolution.md lists the alarms; to only be warned,"
            " start a new run with evolution.on_collapse=warn"
        )

    def despair(self) -> str:
        """Why a hopeless run found nothing, for its user."""
        return (
            f"nothing was accepted in {self._barren} rounds of {self._size} attempts; "
            f"{self.refusals()} Nothing is put in its place. Mend the cause and "
            f"start the same command again: it tries {self._budget.patience} rounds more. To wait "
            f"longer, raise it: budget.patience={2 * self._budget.patience}"
        )

    def refusals(self) -> str:
        """What attempts were mostly rejected for, and where, in words; empty without any."""
        worst = self._store.query(
            "SELECT reason, count(*) AS n, any_value(detail ORDER BY idx DESC) AS detail "
            "FROM trajectories WHERE NOT accepted GROUP BY reason ORDER BY n DESC, reason LIMIT 1"
        )
        cells = self._store.query(
            "SELECT category, asked_operators AS operators, reason, count(*) AS n "
            "FROM trajectories WHERE NOT accepted GROUP BY ALL "
            "ORDER BY n DESC, category, operators, reason LIMIT 3"
        )
        if not worst:
            return ""
        failing = ", ".join(
            f"{c['category']} with {c['operators'] or 'no operator'} ({c['n']} {c['reason']})"
            for c in cells
        )
        cause = f"{worst[0]['reason']} ({worst[0]['detail']})"
        return f"most often: {cause}. Failing most: {failing}."
