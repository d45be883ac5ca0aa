"""Tools out of API descriptions: OpenAPI 3.0 and 3.1, Swagger 2.0.

Enters: JSON or YAML files. Leaves: a service per API, a tool per operation; they are known by
their schemas alone. No request is made, and no reference is followed out of the file.

The libraries that resolve or check such documents write every reference out or validate the whole
first: minutes and gigabytes where thousands are read, and one mistake anywhere refuses the whole
document. So references are followed here, as far as an operation needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tdscaling.errors import ToolsError
from tdscaling.schema import Service
from tdscaling.tools._file_tools import FileTools
from tdscaling.tools._files import Listed, content, json_of
from tdscaling.tools._messages import shown
from tdscaling.tools._operations import Operations
from tdscaling.tools._service import Shelf, label, sentence, slug
from tdscaling.tools._yaml import yaml_of


class OpenapiTools(FileTools):
    """Files that describe APIs."""

    suffixes = (".json", ".yaml", ".yml")
    example = "tools.paths=[my/openapi.yaml]"

    def read(self, file: Listed, shelf: Shelf) -> None:
        """One service.

        Raises:
            ToolsError: if the file is refused.
        """
        _read(file, shelf)


def _read(file: Listed, shelf: Shelf) -> None:
    document = _document(file)
    info = _mapping(document.get("info"))
    title = _text(info.get("title")).strip() or file.path.stem
    shelf.add(
        Service(
            name=slug(title) or slug(file.path.stem),
            title=title[:200],
            category=_category(info),
            about=sentence(info.get("description")) or sentence(title),
            tools=tuple(Operations(document).tools(file.where, shelf)),
            source=file.where,
            licence=_licence(info),
        )
    )


def _document(file: Listed) -> Mapping[str, Any]:
    data = content(file.path)
    flow = data.lstrip()[:1] in (b"{", b"[") and file.path.suffix.lower() == ".json"
    try:
        document = json_of(data) if flow else yaml_of(data)
    except ValueError as error:
        kind = "JSON" if flow else "YAML"
        raise ToolsError(
            f"{file.path}: expected an API description, got no {kind}: {error}."
        ) from error
    stated = _mapping(document)
    version = stated.get("openapi") or stated.get("swagger")
    if not isinstance(version, str | float) or not str(version).startswith(("3.", "2.0")):
        raise ToolsError(
            f"{file.path}: expected `openapi: 3.x` or `swagger: 2.0`, got {shown(version)}. "
            "Give the file of an API description."
        )
    return stated


def _category(info: Mapping[str, Any]) -> str:
    stated = info.get("x-apisguru-categories")
    first = stated[0] if isinstance(stated, list) and stated else info.get("x-category")
    return label(first)


def _licence(info: Mapping[str, Any]) -> str:
    stated = _mapping(info.get("license"))
    name = _text(stated.get("name")) or _text(stated.get("identifier"))
    address = _text(stated.get("url"))
    return (f"{name} ({address})" if name and address else name or address)[:200]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
