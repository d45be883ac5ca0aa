"""Operations of an API description as tools.

Enters: a document of OpenAPI 3 or Swagger 2.0. Leaves: a tool per operation: its arguments are the
parameters in path and query and the properties of the body, side by side. What a client sends by
itself (headers, cookies, keys) is no argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tdscaling.schema import Tool
from tdscaling.tools._fields import fields
from tdscaling.tools._keywords import shortened, untagged
from tdscaling.tools._messages import shown
from tdscaling.tools._schema import Cleaner, Limits, SchemaProblem
from tdscaling.tools._service import Shelf, tool_name
from tdscaling.tools._verbs import changes, commands_change

METHODS = ("get", "head", "post", "put", "patch", "delete")
ARGUMENTS = Limits(text=300, largest=8_000, levels=(6, 4, 3, 2, 1), html=True)
RESULTS = Limits(text=150, largest=6_000, levels=(6, 5, 4, 3, 2, 1), html=True)
"""API descriptions are written for programs: kept small, since a model reads them."""
DESCRIPTION = 1_000
"""Characters that are kept of an operation's description."""

TRANSPORT = frozenset(
    {
        *("$.xgafv", "alt", "callback", "prettyPrint", "quotaUser", "uploadType"),
        *("upload_protocol", "api-version", "access_token", "api_key", "apikey", "oauth_token"),
    }
)
"""Names in the query that tell how to talk, not what about: the same with every call."""

_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json\b|text/json\b|\*/\*", re.IGNORECASE)
_FORM = re.compile(r"application/x-www-form-urlencoded|multipart/form-data", re.IGNORECASE)


class Operations:
    """The operations of one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._arguments = Cleaner(document, ARGUMENTS)
        self._results = Cleaner(document, RESULTS)
        self._keys = frozenset(self._auth())

    def tools(self, where: str, shelf: Shelf) -> Iterator[Tool]:
        """A tool per operation; those that cannot be used are skipped and named."""
        taken: set[str] = set()
        for path, item in _mapping(self._document.get("paths")).items():
            if not isinstance(path, str) or not path.startswith("/"):
                continue  # an extension
            try:
                shared = self._arguments.resolve(_mapping(item))
            except SchemaProblem as problem:
                shelf.skip(f"{where}: {path}", str(problem))
                continue
            for method in METHODS:
                if method not in shared:
                    continue
                try:
                    tool = self._tool(method, path, shared)
                except SchemaProblem as problem:
                    shelf.skip(f"{where}: {method.upper()} {path}", str(problem))
                else:
                    yield _unique(tool, taken)

    def _auth(self) -> Iterator[str]:
        """Names of query parameters that hold a key."""
        stated = _mapping(_mapping(self._document.get("components")).get("securitySchemes"))
        for scheme in [
            *stated.values(),
            *_mapping(self._document.get("securityDefinitions")).values(),
        ]:
            name = _mapping(scheme).get("name")
            if _mapping(scheme).get("in") == "query" and isinstance(name, str):
                yield name

    def _tool(self, method: str, path: str, shared: Mapping[str, Any]) -> Tool:
        operation = shared[method]
        if not isinstance(operation, dict):
            raise SchemaProblem(f"expected an operation, got {shown(operation)}")
        stated = operation.get("operationId")
        name = stated if isinstance(stated, str) and stated.strip() else f"{method} {path}"
        summary, description = _text(operation.get("summary")), _text(operation.get("description"))
        result = self._results.result(self._response(operation))
        writes = _writes(method, name, summary or description)
        reads = method in {"get", "head"} and not writes
        return Tool(
            name=tool_name(name.strip()),
            description=shortened(_joined(summary, description), DESCRIPTION),
            parameters=self._parameters(path, shared, operation),
            domain="",
            category="",
            returns=fields(result),
            writes=writes,
            read_only=True if reads else False if method == "delete" else None,
            destructive=True if method == "delete" else None,
            result=result,
        )

    def _parameters(
        self, path: str, shared: Mapping[str, Any], operation: Mapping[str, Any]
    ) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
        own, body = schema["properties"], self._body(operation)
        for parameter in self._stated(shared, operation):
            name, place = parameter["name"], parameter["in"]
            if place == "query" and self._is_fixed(parameter):
                continue
            if place == "body":
                body = _mapping(parameter.get("schema"))
            elif place in {"path", "query", "formData"}:
                own[name] = _value(parameter)
                if place == "path" or parameter.get("required") is True:
                    schema["required"].append(name)
        for name in re.findall(r"\{([^{}]{1,100})\}", path):
            if name not in own:
                own[name] = {"type": "string"}
                schema["required"].append(name)
        if body:
            schema = self._with_body(schema, body)
        return _offered(self._arguments.parameters(schema), list(own))

    def _is_fixed(self, parameter: Mapping[str, Any]) -> bool:
        """Whether a client sends it by itself: keys, versions, the only value there is."""
        name, values = parameter["name"], _list(_value(parameter).get("enum"))
        only = len(values) == 1 and parameter.get("required") is True
        return name in self._keys or name in TRANSPORT or only

    def _stated(
        self, shared: Mapping[str, Any], operation: Mapping[str, Any]
    ) -> list[Mapping[str, Any]]:
        """Parameters of the path and the operation, which replaces those of the same name."""
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        for holder in (shared, operation):
            for entry in _list(holder.get("parameters")):
                parameter = self._arguments.resolve(_mapping(entry))
                name, place = parameter.get("name"), parameter.get("in")
                if isinstance(name, str) and isinstance(place, str):
                    found[name, place] = parameter
        return list(found.values())

    def _body(self, operation: Mapping[str, Any]) -> Mapping[str, Any]:
        body = self._arguments.resolve(_mapping(operation.get("requestBody")))
        content = _mapping(body.get("content"))
        for form in (_JSON, _FORM):
            for kind, media in content.items():
                if isinstance(kind, str) and form.match(kind):
                    return _mapping(_mapping(media).get("schema"))
        return {}

    def _with_body(self, schema: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        """Properties of the body beside the parameters, which go first where names clash."""
        outline = self._arguments.result(body) or {}
        if outline.get("properties"):
            return {**schema, "allOf": [body]}
        if "body" not in schema["properties"]:
            schema["properties"]["body"] = body
        return schema

    def _response(self, operation: Mapping[str, Any]) -> Any:
        """Schema of the first 2xx response that is JSON, None where there is none."""
        responses = _mapping(operation.get("responses"))
        coded = {str(code): response for code, response in responses.items()}  # YAML: a number
        for code in sorted(code for code in coded if code.startswith("2")):
            try:
                response = self._results.resolve(_mapping(coded[code]))
            except SchemaProblem:
                continue
            if isinstance(response.get("schema"), dict):
                return response["schema"]
            for kind, media in _mapping(response.get("content")).items():
                if isinstance(kind, str) and _JSON.match(kind) and isinstance(media, dict):
                    return media.get("schema")
        return None


def _value(parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    """Schema of a parameter's value: below it in OpenAPI 3, the parameter itself in Swagger 2."""
    schema = parameter.get("schema")
    if not isinstance(schema, dict):
        media = next(iter(_mapping(parameter.get("content")).values()), None)
        schema = _mapping(media).get("schema")
    if not isinstance(schema, dict):
        left_out = {"name", "in", "required", "schema", "content"}
        return {key: value for key, value in parameter.items() if key not in left_out}
    said = {key: parameter[key] for key in ("description", "example") if key in parameter}
    return {**schema, **said} if said else schema


def _offered(parameters: dict[str, Any], first: list[str]) -> dict[str, Any]:
    """Parameters in reading order, without those that only a server sets."""
    found = parameters["properties"]
    names = [name for name in first if name in found]
    names += [n for n in found if n not in first and found[n].get("readOnly") is not True]
    required = [name for name in names if name in parameters.get("required", ())]
    offered = {"type": "object", "properties": {name: found[name] for name in names}}
    return {**offered, "required": required} if required else offered


def _writes(method: str, name: str, description: str) -> bool:
    """By the method, but for a POST that searches and a GET that carries a command."""
    bare = re.sub(rf"^{method}[ _-]+", "", name, flags=re.IGNORECASE)
    if method in {"get", "head"}:
        return name.startswith("GET_") and commands_change(bare)
    if method != "post":
        return True
    tail = re.split(r"[_./:]", bare)[-1]  # `ComputeNode_Reboot`, `places.searchNearby`
    verdict = changes(tail, "") if re.search(r"[A-Z]", tail) else None
    return (changes(bare, description) if verdict is None else verdict) is not False


def _unique(tool: Tool, taken: set[str]) -> Tool:
    name, number = tool.name, 1
    while name in taken:
        number += 1
        name = f"{tool.name[: 63 - len(str(number))]}_{number}"
    taken.add(name)
    return tool if name == tool.name else replace(tool, name=name)


def _joined(summary: str, description: str) -> str:
    summary, description = untagged(summary[:5_000]), untagged(description[:5_000])
    if not summary or description.lower().startswith(summary.lower().rstrip(".")):
        return description or summary
    if description and summary[-1] not in ".!?:":
        summary += "."
    return f"{summary}\n\n{description}" if description else summary


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
