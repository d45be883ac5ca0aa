"""Reading API descriptions.

Claims checked: the time per operation stays flat as a description grows, although all operations
refer to the same schemas and those to each other; parsing YAML takes a multiple of parsing JSON.

    python benchmarks/bench_tools.py [operations]
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from tdscaling.tools._files import json_of
from tdscaling.tools._yaml import yaml_of
from tdscaling.tools.openapi import OpenapiTools

ENTITIES = 200


def description(operations: int) -> dict[str, Any]:
    """An API whose entities refer to each other, in circles."""
    schemas = {}
    for number in range(ENTITIES):
        fields: dict[str, Any] = {
            f"field_{i}": {"type": "string", "description": "What it is about. " * 5}
            for i in range(10)
        }
        for step in (1, 7, 31):
            fields[f"entity_{step}"] = {
                "$ref": f"#/components/schemas/E{(number + step) % ENTITIES}"
            }
        schemas[f"E{number}"] = {"type": "object", "properties": fields}
    paths = {}
    for number in range(operations):
        schema = {"$ref": f"#/components/schemas/E{number % ENTITIES}"}
        content = {"content": {"application/json": {"schema": schema}}}
        operation = {"requestBody": content, "responses": {"200": content}}
        paths[f"/things/{number}"] = {"post": {"operationId": f"create_{number}", **operation}}
    return {"openapi": "3.0.0", "components": {"schemas": schemas}, "paths": paths}


def seconds(path: Path, operations: int) -> float:
    started = time.perf_counter()
    catalog = OpenapiTools(paths=[str(path)], services=[]).load()
    taken = time.perf_counter() - started
    assert len(catalog.services["api"].tools) == operations
    return taken


def parsing(document: dict[str, Any]) -> float:
    taken = []
    for text, parse in (
        (yaml.dump(document, Dumper=yaml.CSafeDumper), yaml_of),
        (json.dumps(document), json_of),
    ):
        data = text.encode()
        started = time.perf_counter()
        assert parse(data) == document
        taken.append(time.perf_counter() - started)
    return taken[0] / taken[1]


def main(operations: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "api.json")
        each = {}
        for count in (operations // 8, operations):
            path.write_text(json.dumps(description(count)))
            each[count] = seconds(path, count) / count
            print(f"{count:7,} operations: {1 / each[count]:9,.0f} a second")
        print(f"time per operation, large to small: {each[operations] / each[operations // 8]:.2f}")
    print(f"parsing alone, YAML to JSON: {parsing(description(operations)):.0f}")
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:,} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8_000)
