"""The contract of one trajectory, made and dry-run before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from tdscaling.schema.words import Operator

ENGLISH = "English"
Author = Literal["model", "template"]


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a plan."""

    domain: str
    tool: str
    arguments: dict[str, dict[str, Any]]
    """How each argument is bound: `{"fact": name}` takes what the user said;
    `{"step": i, "column": c, "pick": p}` takes field c of a row of step i's observation, where p is
    `"first"`, `"all"` (the list of all rows' values) or `{"column": d, "fact": name}` (the row
    whose d equals that fact); with `"printed": l, "type": t` besides, of what code printed in that
    field the figure behind the label l, as a number, an integer or a string; `{"text": t}` is what
    the assistant writes itself, code for example, with the values that
    `"values": {name: binding}` binds put in at `$name`."""
    turn: int
    """The user turn that it serves, from 0."""
    batch: int
    """Calls with the same batch are made in one assistant message; counts up from 0."""
    purpose: Literal["goal", "fallback", "lookup"]
    """`fallback`: what the user wants if the goal right before it is refused."""
    expect: Literal["ok", "refused"]
    gold: dict[str, Any] = field(default_factory=dict)
    """Arguments as bound in the dry run."""
    observation: str = ""
    """What the dry run observed."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Who the user is and how they write, shown to models that find the user's words."""

    persona: str = ""
    style: str = ""
    language: str = ""

    @property
    def name(self) -> str:
        """What is told of it, joined by ` | `: the kind that its entropy counts."""
        return " | ".join(filter(None, (self.persona, self.style, self.language)))

    @property
    def foreign(self) -> str:
        """The language where it is another than English, which all templates are in."""
        return "" if self.language in ("", ENGLISH) else self.language

    def to_json(self) -> dict[str, str]:
        """What is told of it."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True)
class UserTurn:
    """What the user brings up in one turn."""

    request: str
    """The wish in plain words, without tool names."""
    facts: tuple[str, ...]
    """Facts that the words give away."""
    withheld: tuple[tuple[str, str, str], ...] = ()
    """(fact, question that asks for it, words that tell it): told only when asked."""
    revises: tuple[str, ...] = ()
    """Facts of earlier turns that this turn replaces."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> UserTurn:
        """Inverse of `asdict`."""
        tuples = {name: tuple(data[name]) for name in ("facts", "revises")}
        return cls(**{**data, **tuples, "withheld": tuple(map(tuple, data["withheld"]))})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the assistant must have said by the end of a user turn."""

    turn: int
    step: int
    """Index into the plan of the call whose result it reports."""
    values: tuple[str, ...]
    """Values that must appear in the assistant's words; numbers match as numbers."""
    refusal: str | None = None
    """The refusal that must be explained, as the tool worded it."""


@dataclass(frozen=True, slots=True)
class Injection:
    """An error put in the place of a tool's real result, and marked as such."""

    tool: str
    nth: int
    """Which call of that tool fails, counting from 0."""
    error: str


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The contract of one trajectory, made and dry-run before it."""

    id: str
    """Digest of what decides the trajectory: worlds, plan, facts, turns, injections."""
    cluster: str
    domain: str
    """Service; two joined by `+` where the blueprint crosses them."""
    category: str
    operators: tuple[Operator, ...]
    worlds: dict[str, str]
    """Seed of each domain's initial state."""
    goal: str
    facts: dict[str, Any]
    """What the user knows."""
    turns: tuple[UserTurn, ...]
    plan: tuple[Step, ...]
    injections: tuple[Injection, ...]
    final_state: dict[str, Any]
    """Expected changes per `domain.table`, see `tdscaling.declared.state`; `{}` for none."""
    answers: tuple[Answer, ...]
    parent: str | None = None
    """Id of the blueprint that it was mutated from."""
    voice: Voice | None = None
    """Of the user, where a model finds the user's words."""
    authors: dict[str, Author] = field(default_factory=dict)
    """Who found which words, keyed by their place in here: `goal`, `turns.0.request`,
    `turns.0.withheld.0`; empty where no model was asked."""

    @property
    def by_model(self) -> int:
        """Texts that a model has found."""
        return sum(author == "model" for author in self.authors.values())

    def places(self) -> list[str]:
        """Where its words are, as in `authors`; a goal of one turn is that turn's request."""
        found = ["goal"] if len(self.turns) > 1 else []
        for number, turn in enumerate(self.turns):
            found.append(f"turns.{number}.request")
            found += [f"turns.{number}.withheld.{at}" for at in range(len(turn.withheld))]
        return found

    def to_json(self) -> dict[str, Any]:
        """The blueprint as plain JSON data, the form stored in `meta.blueprint`."""
        data = asdict(self)
        if self.voice is None:
            del data["voice"]
        else:
            data["voice"] = self.voice.to_json()
        if not self.authors:
            del data["authors"]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Blueprint:
        """Inverse of `to_json`.

        Raises:
            KeyError, TypeError: if the data does not have the shape of a blueprint.
        """
        fields = dict(data)
        fields["operators"] = tuple(fields["operators"])
        fields["turns"] = tuple(UserTurn.from_json(turn) for turn in fields["turns"])
        fields["plan"] = tuple(Step(**step) for step in fields["plan"])
        fields["injections"] = tuple(Injection(**item) for item in fields["injections"])
        fields["answers"] = tuple(
            Answer(**{**item, "values": tuple(item["values"])}) for item in fields["answers"]
        )
        if fields.get("voice") is not None:
            fields["voice"] = Voice(**fields["voice"])
        return cls(**fields)
