"""A small but realistic ledger, written through the real store.

Six services, several operators, injected errors, rejections with reasons: what a run leaves behind.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from tdscaling.schema import (
    Action,
    Cluster,
    Decision,
    Edge,
    LlmCall,
    Outcome,
    Request,
    Service,
    Tool,
    Trace,
    Verdict,
)
from tdscaling.store import FILE, Store

CONFIG = {
    "seed": 7,
    "metrics": {"bins": [2.0, 3.0, 4.5]},
    "budget": {"trajectories": 60},
    "evolution": {"_target_": "x.Entropy"},
}
SERVICES = {
    "airline": ("travel", "flight", "booking"),
    "hotel": ("travel", "room", "stay"),
    "bank": ("finance", "account", "transfer"),
    "helpdesk": ("support", "ticket", "reply"),
    "library": ("education", "book", "loan"),
    "clinic": ("health", "doctor", "appointment"),
}
MODES = ["direct", "chain", "ask+chain", "chain+verify", "recover", "ask+chain+verify", "refuse"]
OPERATORS: list[tuple[Any, ...]] = [(), ("extend",), ("withhold",), ("perturb",), ("refuse",)]
REASONS: list[Any] = ["missing_step", "extra_write", "invented_id", "role_failed"]
EVIL = '</script><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>\u2028'


def _tool(name: str, description: str, needs: list[str], service: str, **more: Any) -> Tool:
    properties = {slot: {"type": "string", "description": f"The {slot}"} for slot in needs}
    schema = {"type": "object", "properties": properties, "required": needs}
    return Tool(name, description, schema, service, SERVICES[service][0], **more)


def source(service: str) -> Service:
    """As a catalog knows it; one of them states a licence that tries to break out of its cell."""
    licence = "MIT | <b>free</b>" if service == "bank" else ""
    tools = cluster(service).tools
    category = SERVICES[service][0]
    return Service(service, service.title(), category, "", tools, f"{service}.json", licence)


def cluster(service: str) -> Cluster:
    category, thing, deed = SERVICES[service]
    names = [f"search_{thing}s", f"get_{thing}", f"create_{deed}", f"get_{deed}", f"cancel_{deed}"]
    key, made = f"{thing}_id", f"{deed}_id"
    tools = (
        _tool(names[0], f"Find {thing}s by words.", ["query"], service, returns=(key, "name")),
        _tool(names[1], f"Details of one {thing}.", [key], service, returns=(key, "price")),
        _tool(names[2], f"Make a {deed}.", [key], service, returns=(made,), writes=True),
        _tool(names[3], f"Look a {deed} up.", [made], service, returns=(made, "status")),
        _tool(names[4], f"Cancel a {deed}.", [made], service, returns=("status",), writes=True),
    )
    edges = (
        Edge(names[0], names[1], key, key, "key"),
        Edge(names[0], names[2], key, key, "key"),
        Edge(names[1], names[2], key, key, "key"),
        Edge(names[2], names[3], made, made, "key"),
        Edge(names[2], names[4], made, made, "key"),
        Edge(names[3], names[4], made, made, "value"),
    )
    return Cluster(f"c_{service}", service, category, tools, edges)


def _call(number: int, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    function = {"name": tool, "arguments": json.dumps(arguments)}
    return {"id": f"call_{number}", "type": "function", "function": function}


def _observed(number: int, content: object) -> dict[str, Any]:
    text = json.dumps(content)
    return {"role": "tool", "tool_call_id": f"call_{number}", "content": text}


def messages(service: str, index: int, injected: bool) -> list[dict[str, Any]]:
    _, thing, deed = SERVICES[service]
    key, made = f"{thing}_id", f"{deed}_id"
    name, number = f"{thing.title()} {index}", f"{deed[:2].upper()}-{1000 + index}"
    found = [{key: f"{thing[:2].upper()}{index}", "name": name, "price": 49.5 + index}]
    talk: list[dict[str, Any]] = [
        {"role": "system", "content": f"You are the assistant of the {service} service."},
        {"role": "user", "content": f"Hello, I need a {deed} for {name}, please."},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [_call(0, f"search_{thing}s", {"query": name})],
        },
    ]
    if injected:
        talk.append(_observed(0, {"error": "upstream timed out"}))
        again = [_call(9, f"search_{thing}s", {"query": name.lower()})]
        talk.append({"role": "assistant", "content": "Let me try again.", "tool_calls": again})
        talk.append(_observed(9, found))
    else:
        talk.append(_observed(0, found))
    both = [
        _call(1, f"get_{thing}", {key: found[0][key]}),
        _call(2, f"create_{deed}", {key: found[0][key]}),
    ]
    return [
        *talk,
        {"role": "assistant", "content": "", "tool_calls": both},
        _observed(1, found[0]),
        _observed(2, {made: number, "status": "held", "note": None}),
        {"role": "assistant", "content": f"Done: {number} is held for {49.5 + index}."},
        {"role": "user", "content": "Thank you. What was the number again?"},
        {"role": "assistant", "content": f"It is {number}."},
    ]


def _plan(service: str, index: int) -> list[dict[str, Any]]:
    _, thing, deed = SERVICES[service]
    key = f"{thing}_id"
    common = {"domain": service, "turn": 0, "expect": "ok", "observation": "[]"}
    search = {
        "tool": f"search_{thing}s",
        "arguments": {"query": {"fact": "name"}},
        "gold": {"query": f"{thing} {index}"},
    }
    create = {
        "tool": f"create_{deed}",
        "arguments": {key: {"step": 0, "column": key, "pick": "only"}},
        "gold": {key: f"X{index}"},
    }
    return [
        {**common, **search, "batch": 0, "purpose": "lookup"},
        {**common, **create, "batch": 1, "purpose": "goal"},
    ]


def _blueprint(service: str, index: int, operators: tuple[str, ...]) -> dict[str, Any]:
    category, thing, deed = SERVICES[service]
    told = f"{deed[:2].upper()}-{1000 + index}"
    first = {"request": f"make a {deed}", "facts": ["name"], "closes": False}
    second = {"request": "ask for its number", "facts": [], "closes": True}
    return {
        "id": f"b{index}",
        "cluster": f"c_{service}",
        "domain": service,
        "category": category,
        "operators": list(operators),
        "worlds": {service: "w"},
        "goal": f"Get a {deed} for {thing} {index}.",
        "facts": {"name": f"{thing} {index}"},
        "turns": [{**turn, "withheld": [], "revises": []} for turn in (first, second)],
        "plan": _plan(service, index),
        "injections": [],
        "final_state": {f"{service}.{deed}": {"added": [{"status": "held"}]}},
        "answers": [{"turn": 0, "step": 1, "values": [told], "refusal": None}],
    }


def line(
    service: str, index: int, operators: tuple[str, ...], verdict: Verdict, injected: bool
) -> str:
    talk = messages(service, index, injected)
    observed = sum(message["role"] == "tool" for message in talk)
    first = ["injected" if injected else "executed"]
    return json.dumps(
        {
            "id": f"t{index:05d}",
            "messages": talk,
            "tools": [tool.openai() for tool in cluster(service).tools],
            "meta": {
                "seed": f"s{index}",
                "category": SERVICES[service][0],
                "domain": service,
                "blueprint": _blueprint(service, index, operators),
                "verdict": {"accepted": verdict.accepted, "reason": verdict.reason},
                "roles": {"user": "scripted", "assistant": "scripted", "judge": "none"},
                "provenance": first + ["executed"] * (observed - 1),
            },
        },
        ensure_ascii=False,
    )


def outcome(index: int) -> Outcome:
    rng = random.Random(index)
    service = rng.choice(list(SERVICES))
    operators = rng.choice(OPERATORS)
    injected = operators == ("perturb",)
    mode = "recover" if injected else rng.choice(MODES[: 3 + index // 12])
    accepted = rng.random() < 0.78
    verdict = Verdict(accepted=True)
    if not accepted:
        detail = "step 2: expected create, got nothing"
        verdict = Verdict(accepted=False, reason=rng.choice(REASONS), detail=detail)
    talk = messages(service, index, injected)
    names = [call["function"]["name"] for m in talk for call in m.get("tool_calls", [])]
    actions = tuple(
        Action(i, "call", name, True, "injected" if injected and not i else "executed", i, i)
        for i, name in enumerate(names)
    )
    failed = verdict.reason == "role_failed"
    return Outcome(
        index=index,
        round=index // 10,
        id=f"t{index:05d}",
        seed=f"s{index}",
        request=Request(f"c_{service}", operators, 3),
        category=SERVICES[service][0],
        domain=service,
        categories={} if failed else {SERVICES[service][0]: 1.0},
        verdict=verdict,
        blueprint_id=f"b{index}",
        trace=Trace(
            (), "call>chain>answer", mode, () if failed else actions, 3.0 + rng.random() * 20
        ),
        turns=2,
        llm_calls=(LlmCall("user", "small-model", 100, 20, 9.5, 0.001),) if index % 9 == 0 else (),
        line="" if failed else line(service, index, operators, verdict, injected),
    )


def rounds(outcomes: list[Outcome]) -> list[dict[str, Any]]:
    last = max(o.round for o in outcomes)
    return [
        {
            "round": r,
            "attempted": sum(o.round == r for o in outcomes),
            "accepted": sum(o.round == r and o.verdict.accepted for o in outcomes),
            "domain_entropy": 1.6 + 0.6 * r / (r + 2),
            "mode_entropy": 1.2 + 1.5 * r / (r + 2),
            "signature_entropy": 1.5 + 2.2 * r / (r + 3),
            "complexity_mean": 9.0 + r / 5,
            "novelty_per_ktok": 0.0,
        }
        for r in range(last + 1)
    ]


def decisions(last: int) -> list[Decision]:
    found = []
    for r in range(last + 1):
        weights = {category: 0.1 + i * 0.07 for i, (category, *_) in enumerate(SERVICES.values())}
        found += [
            Decision(r, "category", c, w, f"{int(40 * w)} accepted of {int(60 * w)}")
            for c, w in weights.items()
        ]
        found += [Decision(r, "calls", str(n), 1 / 3, "exploration floor") for n in (2, 3, 4)]
    return found


def make_run(run_dir: Path, attempts: int = 120, extra: tuple[Outcome, ...] = ()) -> Path:
    """Write a ledger of `attempts` outcomes; `extra` ones follow them."""
    outcomes = [outcome(i) for i in range(attempts)] + list(extra)
    store = Store.open(run_dir / FILE, CONFIG)
    store.put_clusters([cluster(service) for service in SERVICES])
    store.put_sources([source(service) for service in SERVICES], [("bad.json", "no tools")])
    for start in range(0, len(outcomes), 50):
        store.commit(outcomes[start : start + 50])
    if outcomes:
        made = rounds(outcomes)
        store.commit([], made, decisions(len(made) - 1))
    store.close()
    return run_dir
