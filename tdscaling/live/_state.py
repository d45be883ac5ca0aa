"""What a server's state is, and how it has changed.

Enters: a server and what its entry says of its state. Leaves: rows by table and key; the difference
between two such readings in the form that declared domains have, with everything that is different
each time said the same each time.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tdscaling.bindings import rows
from tdscaling.declared.session import Row, StateChanges
from tdscaling.errors import EnvironmentFailure
from tdscaling.live._server import Server
from tdscaling.live._setup import command
from tdscaling.live.entry import State
from tdscaling.live.stable import Stable
from tdscaling.schema import canonical

MOST_ROWS = 100_000
"""Rows of a state, at most: a server that writes more is no subject of a comparison."""
TEXT_BYTES = 200_000
"""Files above this are compared by their digest."""

Reading = dict[str, dict[str, Row]]
"""Rows by table and key."""


def read(server: Server, state: State) -> Reading:
    """The state as it is now.

    Raises:
        EnvironmentFailure: if it cannot be read.
    """
    found: Reading = {}
    try:
        if state.sqlite is not None:
            found |= _sqlite(server.workspace / state.sqlite)
        if state.json_ is not None:
            found |= _json(server.workspace / state.json_)
        if state.files is not None:
            found["files"] = _files(server.workspace / state.files, state.leave_out)
        for name, argv in state.run.items():
            lines = command(server, argv).splitlines()
            found[name] = {f"{n:05d}": {"line": line} for n, line in enumerate(lines)}
    except (OSError, sqlite3.Error, UnicodeDecodeError, RecursionError) as error:
        raise EnvironmentFailure(
            f"{server.entry.name}: its state cannot be read: {error}"
        ) from error
    if sum(map(len, found.values())) > MOST_ROWS:
        raise EnvironmentFailure(f"{server.entry.name}: its state has more than {MOST_ROWS} rows")
    return found


def difference(
    name: str, before: Reading, after: Reading, stable: Stable, leave_out: tuple[str, ...]
) -> StateChanges:
    """What has changed between two readings."""
    found: StateChanges = {}
    for table in sorted(before.keys() | after.keys()):
        old, new = before.get(table, {}), after.get(table, {})
        if old == new:
            continue
        skipped = {p.partition(".")[2] for p in leave_out if p.startswith(f"{table}.")}
        parts = _parts(_kept(old, skipped), _kept(new, skipped))
        shown = {
            part: said for part, rows_ in parts.items() if (said := _shown(part, rows_, stable))
        }
        if shown:
            found[f"{name}.{table}"] = shown
    return found


def _kept(rows_: Mapping[str, Row], skipped: set[str]) -> dict[str, Row]:
    return {k: {c: v for c, v in row.items() if c not in skipped} for k, row in rows_.items()}


def _parts(old: Mapping[str, Row], new: Mapping[str, Row]) -> dict[str, Any]:
    changed = {
        key: {
            column: [old[key].get(column), new[key].get(column)]
            for column in dict.fromkeys([*old[key], *new[key]])
            if old[key].get(column) != new[key].get(column)
        }
        for key in old.keys() & new.keys()
        if old[key] != new[key]
    }
    return {
        "added": [new[key] for key in new.keys() - old.keys()],
        "removed": [old[key] for key in old.keys() - new.keys()],
        "changed": changed,
    }


def _shown(part: str, content: Any, stable: Stable) -> Any:
    """Rows in an order, and with identifiers, that do not depend on random keys."""
    if part == "changed":
        texts = [canonical([key, columns]) for key, columns in content.items()]
    else:
        texts = [canonical(row) for row in content]
    shown = []
    # What the conversation has not shown yet is named in the order of all that is known of a row.
    for text in sorted(texts, key=stable.masked):
        shown.append(json.loads(stable.outward(text, "state")))
    if part == "changed":
        # A change of a time from one moment of the conversation to another is none.
        pairs = {key: {c: v for c, v in columns.items() if v[0] != v[1]} for key, columns in shown}
        return {key: columns for key, columns in sorted(pairs.items()) if columns}
    return sorted(shown, key=canonical)


def _sqlite(path: Path) -> Reading:
    if not path.is_file():
        return {}
    with tempfile.TemporaryDirectory(prefix="tdscaling-state-") as folder:
        # A copy with its log: the server keeps the file open, and may be in the middle of writing.
        for suffix in ("", "-wal", "-journal"):
            source = path.with_name(path.name + suffix)
            if source.is_file():
                shutil.copyfile(source, Path(folder) / f"copy{suffix}")
        with closing(sqlite3.connect(Path(folder) / "copy")) as connection:
            names = connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
                "AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
            ).fetchall()
            found = {name: _table(connection, name) for (name,) in names if not _is_shadow(name)}
            schema = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL")
            found["schema"] = {name: {"name": name, "sql": sql} for name, sql in schema}
            return found


def _is_shadow(name: str) -> bool:
    """Whether a table is one that full-text search keeps for itself."""
    return name.endswith(("_data", "_idx", "_content", "_docsize", "_config")) and "fts" in name


def _table(connection: sqlite3.Connection, name: str) -> dict[str, Row]:
    quoted = name.replace('"', '""')
    info = connection.execute("SELECT name, pk FROM pragma_table_info(?)", (name,)).fetchall()
    keys = [column for column, pk in info if pk]
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    cursor = connection.execute(f'SELECT * FROM "{quoted}" LIMIT {MOST_ROWS + 1}')
    columns = [column[0] for column in cursor.description]
    found: dict[str, Row] = {}
    for values in cursor:
        row = {c: _plain(v) for c, v in zip(columns, values, strict=True)}
        _put(found, "|".join(str(row[key]) for key in keys) if keys else canonical(row), row)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"sha256:{hashlib.sha256(value).hexdigest()}"
    return round(value, 6) if isinstance(value, float) else value


def _put(found: dict[str, Row], key: str, row: Row) -> None:
    number, free = 1, key
    while free in found:
        number += 1
        free = f"{key}#{number}"
    found[free] = row


def _json(path: Path) -> Reading:
    if not path.is_file():
        return {}
    text = path.read_text(encoding="utf-8")
    try:
        data = json.loads(text)
    except ValueError:
        return {"lines": _keyed(rows(text) if text.strip() else [])}
    if isinstance(data, list):
        return {"items": _keyed([r if isinstance(r, dict) else {"value": r} for r in data])}
    if not isinstance(data, dict):
        return {"document": {"value": {"value": data}}}
    found: Reading = {"document": {}}
    for name, value in data.items():
        if isinstance(value, list) and all(isinstance(row, dict) for row in value):
            found[name] = _keyed(value)
        else:
            found["document"][name] = {"value": value}
    return found


def _keyed(rows_: list[Row]) -> dict[str, Row]:
    """Rows by what identifies them, where a column does; else by all that they hold."""
    names = [n for n in (rows_[0] if rows_ else {}) if n.lower() in ("id", "uuid", "key", "name")]
    names += [n for n in (rows_[0] if rows_ else {}) if n.endswith(("Id", "_id"))]
    for name in names:
        values = [str(row.get(name)) for row in rows_]
        if len(set(values)) == len(values):
            return dict(zip(values, rows_, strict=True))
    found: dict[str, Row] = {}
    for row in rows_:
        _put(found, canonical(row), row)
    return found


def _files(folder: Path, leave_out: tuple[str, ...]) -> dict[str, Row]:
    return {name: {"path": name, **_file(path)} for name, path in _walk(folder, leave_out)}


def _walk(folder: Path, leave_out: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        parents = [name, *(parent.as_posix() for parent in Path(name).parents)]
        if not any(fnmatch.fnmatch(part, pattern) for part in parents for pattern in leave_out):
            yield name, path


def _file(path: Path) -> Row:
    if path.is_symlink():
        return {"link": str(path.readlink())}
    if path.is_dir():
        return {"folder": True}
    if not path.is_file():
        return {"kind": "other"}
    if path.stat().st_size > TEXT_BYTES:
        with path.open("rb") as file:
            return {"sha256": hashlib.file_digest(file, "sha256").hexdigest()}
    raw = path.read_bytes()
    try:
        return {"text": raw.decode()}
    except UnicodeDecodeError:
        return {"sha256": hashlib.sha256(raw).hexdigest()}
