"""Checks a config against the annotations of what it builds.

Enters: a composed config as plain data. Leaves: one line per value that its `_target_` would not
take. Hydra itself accepts any value for any argument, and the mistake would surface mid-run.
"""

from __future__ import annotations

import functools
import inspect
import json
import operator
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from tdscaling.diagnosis import nearest

TARGET = "_target_"
_RESERVED = {TARGET, "_args_", "_convert_", "_partial_", "_recursive_"}
_UNIONS = (Union, types.UnionType)
_JSON_NAMES = {"dict": "mapping", "list": "list", "tuple": "list", "NoneType": "null"}


def problems(config: Mapping[str, Any], touched: Sequence[str] = ()) -> list[str]:
    """One line per misfit of the first part that has any; `[]` where all fits.

    Parts that hold a key of `touched` (dotted names) come first, so that a mistake in an override
    is answered without importing the modules of all other parts.
    """
    parts = sorted(_parts(config, ""), key=lambda part: not _concerns(part[0], touched))
    for path, part in parts:
        found = list(_check_part(path, part))
        if found:
            return found
    return []


def _concerns(path: str, touched: Sequence[str]) -> bool:
    owned = not path or any(f"{key}.".startswith(f"{path}.") for key in touched)
    return owned or any(path.startswith(f"{key}.") for key in touched)


def _parts(node: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every node that has a `_target_`, inner ones first, with its dotted name."""
    children: Iterator[tuple[Any, Any]]
    if isinstance(node, Mapping):
        children = iter(node.items())
    elif isinstance(node, list):
        children = iter(enumerate(node))
    else:
        return
    for key, child in children:
        yield from _parts(child, _join(path, key))
    if isinstance(node, Mapping) and TARGET in node:
        yield path, node


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _check_part(path: str, part: Mapping[str, Any]) -> Iterator[str]:
    from hydra.utils import get_object

    name = part[TARGET]
    try:
        target = get_object(name)
    except (ImportError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        yield f"{_join(path, TARGET)}: cannot import {name!r}: {reason}"
        return
    try:
        parameters = inspect.signature(target).parameters
    except ValueError:  # a builtin that does not tell its arguments
        return
    annotations = _annotations(target)
    rest = [name for name, p in parameters.items() if p.kind is p.VAR_KEYWORD]
    packed = _packed(annotations.get(rest[0])) if rest else {}
    annotations |= packed
    taken = {name for name in parameters if not packed or name not in rest} | packed.keys()
    open_ended = bool(rest) and not packed
    for key, value in part.items():
        if key in _RESERVED:
            continue
        if key in taken:
            yield from _check_value(_join(path, key), annotations.get(key, Any), value)
        elif not open_ended:
            takes = ", ".join(name for name in (*parameters, *packed) if name in taken)
            takes = takes or "no arguments"
            yield f"{_join(path, key)}: {target.__name__} takes no such argument; it takes: {takes}"
    if not part.get("_partial_") and "_args_" not in part:
        yield from _missing(path, part, parameters)
        for name in sorted(packed.keys() - part.keys()):
            yield _needed(_join(path, name), part)


def _check_value(path: str, annotation: Any, value: Any) -> Iterator[str]:
    """An argument; of a mapping of parts, each of which is checked by itself, the keys."""
    if next(_parts(value, ""), None) is None:
        yield from _misfits(path, annotation, value)
        return
    if not typing.is_typeddict(annotation) or TARGET in value:
        return
    names = list(get_type_hints(annotation))
    for key in value:
        if key not in names:
            listed = ", ".join(nearest(str(key), names))
            yield f"{_join(path, key)}: there is no such part; nearest first: {listed}"
    for key in sorted(annotation.__required_keys__ - value.keys()):
        yield f"{_join(path, key)}: a value is needed"


def _packed(annotation: Any) -> dict[str, Any]:
    """The keys of `**name: Unpack[...]`; empty where any keyword is taken."""
    inner = get_args(annotation)
    unpacks = get_origin(annotation) is typing.Unpack and typing.is_typeddict(inner[0])
    return get_type_hints(inner[0], include_extras=True) if unpacks else {}


def _missing(
    path: str, part: Mapping[str, Any], parameters: Mapping[str, inspect.Parameter]
) -> Iterator[str]:
    variadic = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    for name, parameter in parameters.items():
        needed = parameter.default is parameter.empty and parameter.kind not in variadic
        if needed and name not in part:
            yield _needed(_join(path, name), part)


def _needed(where: str, part: Mapping[str, Any]) -> str:
    return f"{where}: {part[TARGET]} needs this argument; type +{where}=..."


def _annotations(target: Any) -> dict[str, Any]:
    """Resolved annotations; one that can't be resolved counts as `Any`."""
    function = getattr(target, "__init__") if isinstance(target, type) else target  # noqa: B009
    raw = getattr(function, "__annotations__", {})
    namespace = getattr(function, "__globals__", {})
    found: dict[str, Any] = {}
    for name, annotation in raw.items():
        holder = types.SimpleNamespace(__annotations__={name: annotation})
        try:
            found.update(get_type_hints(holder, globalns=namespace, include_extras=True))
        except NameError:  # a name that is imported for type checkers only
            found[name] = Any
    return found


def _misfits(path: str, annotation: Any, value: Any) -> Iterator[str]:
    from pydantic import TypeAdapter, ValidationError
    from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

    if typing.is_typeddict(annotation) and isinstance(value, Mapping):
        yield from _misfit_keys(path, annotation, value)
        return
    if typing.is_typeddict(annotation):
        annotation = dict  # pydantic knows TypedDict only from Python 3.12 on
    plain = _without_protocols(annotation)
    if plain is not annotation:
        if plain is None or next(_misfits(path, plain, value), None):
            other = f" or {_worded(plain)}" if plain else ""
            yield f"{path}: expected a part with a {TARGET}{other}, got {_shown(value)}"
        return
    try:
        adapter = TypeAdapter(annotation)
    except (PydanticSchemaGenerationError, PydanticUserError):
        return  # a class of ours inside a union or container: only code can make one
    try:
        # JSON, because strict mode still takes a list for a tuple and text for a path there.
        adapter.validate_json(json.dumps(value, default=str), strict=True, extra="forbid")
    except ValidationError as error:
        lines: dict[str, str] = {}
        for detail in error.errors(include_url=False):
            where, line = _describe(path, annotation, value, detail)
            lines.setdefault(where, line)
        yield from lines.values()


def _without_protocols(annotation: Any) -> Any:
    """The annotation less the Protocols of a union; None if nothing else is left.

    What follows a Protocol must be built, so a plain value fits only the rest.
    """
    if getattr(annotation, "_is_protocol", False):
        return None
    if get_origin(annotation) not in _UNIONS:
        return annotation
    rest = [option for option in get_args(annotation) if not getattr(option, "_is_protocol", False)]
    if len(rest) == len(get_args(annotation)):
        return annotation
    return functools.reduce(operator.or_, rest) if rest else None


def _misfit_keys(path: str, annotation: Any, value: Mapping[str, Any]) -> Iterator[str]:
    hints = get_type_hints(annotation)
    for key, inner in value.items():
        if key in hints:
            yield from _misfits(_join(path, key), hints[key], inner)
        else:
            yield f"{_join(path, key)}: there is no such key; there are: {', '.join(hints)}"
    for key in sorted(annotation.__required_keys__ - value.keys()):
        yield f"{_join(path, key)}: a value is needed"


def _describe(path: str, annotation: Any, value: Any, detail: Mapping[str, Any]) -> tuple[str, str]:
    """Where one misfit is and the line about it."""
    kind = detail["type"]
    for key in detail["loc"]:
        inside = (isinstance(value, Mapping) and key in value) or (
            isinstance(value, list) and isinstance(key, int) and key < len(value)
        )
        if inside:
            annotation, value, path = _inner(annotation, key), value[key], _join(path, key)
        elif kind.startswith("missing"):
            return _join(path, key), f"{_join(path, key)}: a value is needed"
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return path, f"{path}: there is no such key"
    if kind.endswith("_type") or kind == "literal_error" or annotation is None:
        expected = _worded(annotation) if annotation is not None else detail["msg"]
        return (
            path,
            f"{path}: expected {expected}, got {_shown(value)}{_bracketed(path, value, kind)}",
        )
    return path, f"{path}: {detail['msg'][:1].lower()}{detail['msg'][1:]}, got {_shown(value)}"


def _bracketed(path: str, value: Any, kind: str) -> str:
    """How a list of one is typed, where a value came in the place of a list."""
    plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    typed = plain and not any(part.isdigit() for part in path.split("."))
    return f"; type {path}=[{value}]" if kind in ("list_type", "tuple_type") and typed else ""


def _inner(annotation: Any, key: Any) -> Any:
    """The annotation of what lies under `key`; None where it can't be told."""
    options = [annotation]
    if get_origin(annotation) in _UNIONS:
        options = [option for option in get_args(annotation) if option is not type(None)]
    for option in options:
        origin, arguments = get_origin(option), get_args(option)
        if origin is None and isinstance(option, type) and hasattr(option, "__annotations__"):
            return get_type_hints(option).get(key)
        if origin is tuple and arguments[-1:] != (...,) and isinstance(key, int):
            return arguments[key] if key < len(arguments) else None
        if arguments and isinstance(origin, type) and issubclass(origin, Mapping):
            return arguments[1]
        if arguments and isinstance(origin, type):
            return arguments[0]
    return None


def _worded(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(repr(choice) for choice in get_args(annotation))
    if get_origin(annotation) is Annotated:
        return _worded(get_args(annotation)[0])
    if get_origin(annotation) in _UNIONS:
        return " or ".join(_worded(option) for option in get_args(annotation))
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return _JSON_NAMES.get(annotation.__name__, annotation.__name__)
    return re.sub(r"\b(\w+\.)+", "", str(annotation))


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    return f"{value!r} ({type(value).__name__})"
