"""The dataset card.

Enters: the figures of a run. Leaves: `dataset/README.md` in the form the Hugging Face Hub reads: a
YAML head, then Markdown. No clock and no path of this machine is in it, so the same ledger gives
the same card.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from tdscaling.export._summary import Row, Summary

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
"""Size categories of the Hub: below the first number."""

MODES_SHOWN = 30
"""Rows of the table of modes; rarer ones share the last."""
SERVICES_SHOWN = 100
"""Rows of the table of licences; further services share the last."""


def _cell(value: object) -> str:
    """A value as a table cell. Names come from tools: they may not end the cell or add markup."""
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    text = "".join(char if char.isprintable() else " " for char in str(value))
    text = " ".join(text.split())
    for char in "\\|`<>*_[]":
        text = text.replace(char, "\\" + char)
    return text


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return "None.\n"
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _columns(rows: Sequence[Row], *names: str) -> list[list[object]]:
    return [[row[name] if row[name] != "" else "(none)" for name in names] for row in rows]


def _front_matter(summary: Summary, name: str, licence: str, files: Mapping[str, str]) -> str:
    size = next((label for limit, label in SIZES if summary.accepted < limit), "n>1M")
    # JSON strings are YAML strings, whatever is in them.
    lines = [
        "---",
        f"pretty_name: {json.dumps(name)}",
        f"license: {json.dumps(licence)}",
        "language: [en]",
        "task_categories: [text-generation]",
        f"size_categories: [{json.dumps(size)}]",
        "tags: [synthetic, agent, tool-use, function-calling, multi-turn, tdscaling]",
        "configs:",
    ]
    for format_, file in files.items():
        lines += [
            f"- config_name: {format_}",
            *(["  default: true"] if format_ == "openai" else []),
            f"  data_files: [{{split: train, path: {file}}}]",
        ]
    return "\n".join([*lines, "---"])


def _diversity(summary: Summary) -> str:
    complexity, coverage = summary.complexity, summary.coverage
    table = _table(
        ["over", "N", "kinds", "H, bits", "2^H", "Miller-Madow, bits", "evenness", "seen once"],
        [
            [
                e.over,
                e.n,
                e.support,
                e.bits,
                e.effective,
                e.miller_madow,
                e.evenness,
                e.singletons,
            ]
            for e in summary.entropies
        ],
    )
    figures = [["Cells filled (category, mode, complexity bin)", coverage["cells"]]]
    for what in ("tools", "clusters"):
        used = f"{coverage[f'{what}_used']} of {coverage[f'{what}_offered']}"
        figures.append([f"Coverage: {what} used", used])
    figures += [
        ["Pairs of tools where one fed the other", coverage["tool_pairs"]],
        ["Shapes of data-flow graphs", coverage["shapes"]],
        ["Share of trajectories in which code was run for the task", coverage["coding"]],
    ]
    if summary.accepted:
        figures += [
            ["Cumulative action complexity, mean", complexity["mean"]],
            ["Cumulative action complexity, median", complexity["median"]],
            ["Cumulative action complexity, 90th percentile", complexity["p90"]],
            ["Cumulative action complexity per call", complexity["per_call"] or 0.0],
            ["Calls per trajectory, mean", complexity["calls"]],
            ["User turns per trajectory, mean", complexity["turns"]],
        ]
    note = "Entropies grow with N: compare two data sets only at equal N.\n"
    return "\n".join([table, note, _table(["figure", "value"], figures)])


def _modes(summary: Summary) -> str:
    rows = _columns(summary.modes[:MODES_SHOWN], "mode", "accepted")
    rest = summary.modes[MODES_SHOWN:]
    if rest:
        rows.append([f"{len(rest)} rarer modes", sum(row["accepted"] for row in rest)])
    return _table(["mode", "n"], rows)


def _who(summary: Summary) -> str:
    played = _table(["role", "played by", "trajectories"], _columns(summary.roles, *_ROLE))
    if not summary.models:
        return played + "\nNo language model was called.\n"
    notes = []
    if summary.words.texts:
        share = f"{summary.words.by_model:,} of {summary.words.texts:,}"
        notes.append(f"Goals, requests and replies in a model's words: {share}; else templates.\n")
    if summary.languages:
        told = ", ".join(f"{_cell(row['language'])} ({row['n']:,})" for row in summary.languages)
        notes.append(f"Languages that users were asked to write in: {told}.\n")
    models = _table(list(_MODEL), _columns(summary.models, *_MODEL))
    return "\n".join([played, *notes, models])


_ROLE = ("role", "player", "n")
_MODEL = ("role", "model", "n", "prompt_tokens", "completion_tokens", "cost_usd")

_PROVENANCE = """`executed`: a tool ran and this is what it returned. `replayed`: recorded from a
run of the tool. `injected`: an error put in the place of the result, on purpose. `simulated`: a
stand-in for the tool answered, a world drafted from its schema or a language model.
"""

_LIMITS = """- Verification checks calls, states and stated values; it does not judge style or tone.
- Worlds are synthetic. Names, ids and amounts belong to nobody.
- Categories and tools are those of the run's domains, not a sample of what users ask for.
- Words of scripted roles come from templates: their variety is below that of people.
- Entropies measure spread over the kinds that the run defines, not usefulness for training.
"""


def _licence(licence: str, summary: Summary) -> str:
    lines = [f"The data is published under the licence named above: `{_cell(licence)}`."]
    lines.append(
        "Tool names, descriptions and schemas keep the licence of where they come from; those of "
        "the declared domains that ship with TDScaling fall under its licence. Check tools that "
        "you connected yourself (MCP servers, OpenAPI documents, your own domains) before you "
        "publish."
    )
    if summary.licences:
        lines.append(_licences(summary))
    if summary.models:
        lines.append("The terms of the models listed under roles apply to the words they wrote.")
    return "\n\n".join(lines) + "\n"


def _licences(summary: Summary) -> str:
    used = summary.licences
    rows: list[list[object]] = [
        [row["service"], row["licence"] or "not stated", row["tools"]]
        for row in used[:SERVICES_SHOWN]
    ]
    if len(used) > SERVICES_SHOWN:
        kinds = {row["licence"] or "not stated" for row in used[SERVICES_SHOWN:]}
        rest = used[SERVICES_SHOWN:]
        rows.append([f"{len(rest)} more", ", ".join(sorted(kinds)), sum(r["tools"] for r in rest)])
    return _table(["service", "licence as its source states it", "tools"], rows)


def _reproduce(summary: Summary) -> str:
    config = f"`{summary.config_digest}`, seed `{summary.config.get('seed')}`"
    return f"""Config digest {config}, written by TDScaling {summary.release}.
The composed config and the overrides are in `.hydra/` of the run directory. Type `tdscaling` with
the overrides of `.hydra/overrides.yaml`: the same release writes the same bytes where roles are
scripted or a journal of replies is replayed.

```
tdscaling verify dataset=dataset/train.jsonl
```

replays every trajectory in a fresh environment and checks it again.
"""


def card(summary: Summary, name: str, licence: str, files: Mapping[str, str]) -> str:
    """The card as Markdown with a YAML head."""
    counts = [
        ["attempted", summary.attempted],
        ["accepted, in this data set", summary.accepted],
        *([f"rejected: {row['reason']}", row["n"]] for row in summary.reasons),
    ]
    sections = [
        ("Counts", _table(["trajectories", "n"], counts)),
        ("Diversity", _diversity(summary)),
        (
            "Categories",
            _table(
                ["category", "attempted", "accepted", "share of calls"],
                _columns(summary.categories, "category", "attempted", "accepted", "share"),
            ),
        ),
        (
            "Domains",
            _table(
                ["domain", "category", "attempted", "accepted", "of them crossed with another"],
                _columns(summary.domains, "domain", "category", "attempted", "accepted", "crossed"),
            ),
        ),
        ("Reasoning modes", _modes(summary)),
        (
            "Operators",
            _table(
                ["operator", "attempted", "accepted"],
                _columns(summary.operators, "operator", "attempted", "accepted"),
            )
            + "\nA trajectory made with several operators counts for each.\n",
        ),
        (
            "Provenance of the observations",
            _PROVENANCE
            + "\n"
            + _table(["provenance", "tool calls"], _columns(summary.provenance, "provenance", "n")),
        ),
        ("Roles", _who(summary)),
        ("Format", _format(files)),
        ("Reproduce and verify", _reproduce(summary)),
        ("Licence", _licence(licence, summary)),
        ("Limits", _LIMITS),
    ]
    head = _front_matter(summary, name, licence, files)
    intro = (
        "Multi-turn trajectories of an assistant that uses tools, synthesised and verified by "
        "TDScaling."
    )
    body = "\n".join(f"## {title}\n\n{text}" for title, text in sections)
    return f"{head}\n\n# {_cell(name)}\n\n{intro}\n\n{body}".rstrip()


def _format(files: Mapping[str, str]) -> str:
    about = {
        "openai": "`id`, `messages` and `tools` in OpenAI chat format, `meta` with blueprint, "
        "verdict, mode, complexity and provenance",
        "sharegpt": "`conversations` with `from` and `value`, `system`, and `tools` as a JSON "
        "string",
    }
    return "".join(f"- `{file}`: {about[name]}\n" for name, file in files.items())
