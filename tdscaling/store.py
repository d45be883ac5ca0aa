"""The ledger of a run: one DuckDB file, one writer.

Enters: outcomes in index order, rounds, decisions. Leaves: the same again, after a crash too, and
tables that anybody can query. A commit is one transaction, so a killed run has every committed
batch whole and nothing of the next one. Rows are bound column by column (`unnest`), fifty times
faster here than row by row; `benchmarks/bench_store.py` measures it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import duckdb

from tdscaling.errors import RunDirectoryError
from tdscaling.migrations import MIGRATIONS, check_version, migrate, schema_version
from tdscaling.run_config import check_same, config_digest, deciding
from tdscaling.schema import Blueprint, Cluster, Decision, Outcome, Service, canonical
from tdscaling.spending.journal import Spent
from tdscaling.store_file import brought_up_to_date, connect, rollback, rows, translated
from tdscaling.store_rows import (
    Row,
    action_rows,
    cluster_row,
    decision_row,
    document_row,
    llm_rows,
    outcome_of,
    recording_rows,
    round_row,
    service_row,
    trajectory_row,
)

FILE = "run.duckdb"
"""Name of the ledger inside a run directory."""

_PAGE = 256
"""Outcomes or lines read at a time: bounds memory whatever the size of the run."""


class Store:
    """Ledger of one run; make it with `open` to write or `read` to read only."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        """Wrap a connection whose tables are at the newest schema version."""
        self.path = path
        self._connection = connection
        self._types = _column_types(connection)
        counts = self.query(
            "SELECT count(*) AS n, count(*) FILTER (accepted) AS a FROM trajectories"
        )
        self._next_index: int = counts[0]["n"]
        self._accepted: int = counts[0]["a"]

    @classmethod
    def open(cls, path: Path | str, config: Mapping[str, Any]) -> Store:
        """Create the ledger at `path`, or continue it if it was written by the same config.

        Raises:
            RunDirectoryError: of another config, in use, broken, or not writable.
        """
        file = Path(path)
        with translated(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            connection = connect(file, read_only=False)
        try:
            with translated(file):
                migrate(connection, str(file))
                _settle_config(connection, config, str(file))
                return cls(connection, file)
        except BaseException:
            connection.close()
            raise

    @classmethod
    def read(cls, path: Path | str) -> Store:
        """Open an existing ledger for reading only; several readers may do so at once.

        Raises:
            RunDirectoryError: missing, held by a writing process, broken, or of a newer release.
        """
        file = Path(path)
        if not file.is_file():
            raise RunDirectoryError(
                f"{file}: no such file; expected the ledger that a run writes, {FILE}"
            )
        with translated(file):
            connection = connect(file, read_only=True)
        try:
            with translated(file):
                if _check_is_run(connection, file) < len(MIGRATIONS):
                    connection.close()
                    connection = brought_up_to_date(file)
                return cls(connection, file)
        except BaseException:
            connection.close()
            raise

    @property
    def next_index(self) -> int:
        """Index of the next outcome to commit: the number of attempts stored."""
        return self._next_index

    @property
    def accepted(self) -> int:
        """Accepted trajectories stored."""
        return self._accepted

    def put_clusters(self, clusters: Sequence[Cluster]) -> None:
        """Store the clusters that the run draws from; a second call replaces the first."""
        rows = [cluster_row(cluster) for cluster in clusters]
        with self._transaction():
            self._connection.execute("DELETE FROM clusters")
            self._insert("clusters", rows)

    def put_sources(self, services: Sequence[Service], skipped: Sequence[tuple[str, str]]) -> None:
        """Store where the tools come from, and (entry, why) of what could not be used."""
        with self._transaction():
            self._connection.execute("DELETE FROM services")
            self._insert("services", [service_row(service) for service in services])
            self._connection.execute("DELETE FROM skipped")
            self._insert("skipped", [{"entry": entry, "why": why} for entry, why in skipped])

    def put_definitions(self, definitions: Sequence[Mapping[str, Any]]) -> None:
        """Store what is known of domains that cannot be had again, such as servers."""
        rows = [
            {"name": one["name"], "digest": one["digest"], "definition": json.dumps(one)}
            for one in definitions
        ]
        with self._transaction():
            self._connection.execute("DELETE FROM live_domains")
            self._insert("live_domains", rows)

    def requests(self) -> int:
        """Requests to models that were paid by this run, as far as the ledger knows."""
        return int(self.query("SELECT coalesce(sum(calls), 0)::BIGINT AS n FROM spending")[0]["n"])

    def put_spending(self, spent: Sequence[Spent]) -> None:
        """Store what all requests to models have cost, those of unfinished attempts included."""
        with self._transaction():
            self._connection.execute("DELETE FROM spending")
            self._insert("spending", [asdict(row) for row in spent])

    def commit(
        self,
        outcomes: Sequence[Outcome],
        rounds: Sequence[Mapping[str, Any]] = (),
        decisions: Sequence[Decision] = (),
        alarms: Sequence[Row] = (),
    ) -> None:
        """Store a batch in one transaction.

        A row of `rounds` has `round`, `attempted` and `accepted` of that round and the metrics'
        figures; those without a column of their own go to the column `figures` as JSON. Rounds,
        decisions and alarms of a round that is stored already replace what was stored.

        Raises:
            RunDirectoryError: disk full or the file gone; what was committed before stays.
            ValueError: if the indices do not continue what is stored.
        """
        self._check_order(outcomes)
        with self._transaction():
            self._insert("trajectories", [trajectory_row(outcome) for outcome in outcomes])
            self._insert("actions", [row for o in outcomes for row in action_rows(o)])
            self._insert("llm_calls", [row for o in outcomes for row in llm_rows(o)])
            self._insert("recordings", [row for o in outcomes for row in recording_rows(o)])
            self._insert("documents", [document_row(o) for o in outcomes if o.line])
            self._replace_rounds("rounds", [round_row(row) for row in rounds])
            self._replace_rounds("steering", [decision_row(row) for row in decisions])
            self._replace_rounds("alarms", alarms)
        self._next_index += len(outcomes)
        self._accepted += sum(outcome.verdict.accepted for outcome in outcomes)

    def outcomes(self) -> Iterator[Outcome]:
        """Every outcome in index order, lines included, some hundreds in memory at a time."""
        for start in range(0, self._next_index, _PAGE):
            span = [start, start + _PAGE]
            actions = self._grouped("actions", span)
            calls = self._grouped("llm_calls", span)
            lines = {row["idx"]: row["line"] for row in self._page("documents", span)}
            for row in self._page("trajectories", span):
                idx = row["idx"]
                yield outcome_of(row, actions[idx], calls[idx], lines.get(idx, ""))

    def lines(self, accepted: bool | None = True) -> Iterator[str]:
        """Stored conversations as JSON lines in index order.

        Args:
            accepted: True for accepted ones, False for rejected ones, None for both.
        """
        for start in range(0, self._next_index, _PAGE):
            for row in self._page("documents", [start, start + _PAGE]):
                if accepted is None or row["accepted"] == accepted:
                    yield row["line"]

    def blueprint(self, blueprint_id: str) -> Blueprint:
        """The blueprint of an accepted trajectory.

        Raises:
            KeyError: if no accepted trajectory was played from it.
        """
        found = self.query(
            "SELECT line FROM documents WHERE idx = "
            "(SELECT min(idx) FROM trajectories WHERE accepted AND blueprint = ?)",
            [blueprint_id],
        )
        if not found:
            raise KeyError(blueprint_id)
        return Blueprint.from_json(json.loads(found[0]["line"])["meta"]["blueprint"])

    def config(self) -> Row:
        """The stored config: keys that decide the data, and the budget."""
        rows = self.query("SELECT config FROM config")
        # A run killed while its ledger was being made has none.
        stored: Row = json.loads(rows[0]["config"]) if rows else {}
        return stored

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Rows of a SQL query over the tables, as dictionaries."""
        with translated(self.path):
            return rows(self._connection, sql, parameters)

    def close(self) -> None:
        """Write everything into the one file and let other processes have it."""
        with translated(self.path):
            self._connection.close()

    def _check_order(self, outcomes: Sequence[Outcome]) -> None:
        for expected, outcome in enumerate(outcomes, start=self._next_index):
            if outcome.index != expected:
                raise ValueError(f"outcome {outcome.index} where {expected} was expected")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with translated(self.path):
            self._connection.execute("BEGIN")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                rollback(self._connection)
                raise

    def _insert(self, table: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        names = list(rows[0])
        lists = ", ".join(f"unnest(?::{self._types[table, name]}[])" for name in names)
        self._connection.execute(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {lists}",
            [[row[name] for row in rows] for name in names],
        )

    def _replace_rounds(self, table: str, rows: Sequence[Row]) -> None:
        if rows:
            known = sorted({row["round"] for row in rows})
            self._connection.execute(
                f"DELETE FROM {table} WHERE round IN (SELECT unnest(?::INTEGER[]))", [known]
            )
            self._insert(table, rows)

    def _page(self, table: str, span: Sequence[int]) -> list[Row]:
        return self.query(
            f"SELECT * FROM {table} WHERE idx >= ? AND idx < ? ORDER BY idx, rowid", span
        )

    def _grouped(self, table: str, span: Sequence[int]) -> defaultdict[int, list[Row]]:
        groups: defaultdict[int, list[Row]] = defaultdict(list)
        for row in self._page(table, span):
            groups[row["idx"]].append(row)
        return groups


def check_run_directory(run_dir: Path, config: Mapping[str, Any]) -> None:
    """Refuse a run directory that this config cannot start or continue in; writes nothing.

    Raises:
        RunDirectoryError: if it holds a run of another config, is in use, or is broken.
    """
    file = Path(run_dir) / FILE
    if not file.exists():
        return
    with translated(file):
        connection = connect(file, read_only=True)
        try:
            version_ = schema_version(connection)
            check_version(version_, str(file))
            stored = rows(connection, "SELECT config FROM config") if version_ else []
        finally:
            connection.close()
    if stored:
        check_same(json.loads(stored[0]["config"]), config, str(file))


def _settle_config(
    connection: duckdb.DuckDBPyConnection, config: Mapping[str, Any], where: str
) -> None:
    stored = rows(connection, "SELECT config FROM config")
    if stored:
        check_same(json.loads(stored[0]["config"]), config, where)
    connection.execute("BEGIN")
    connection.execute("DELETE FROM config")
    connection.execute(
        "INSERT INTO config VALUES (?, ?, ?)",
        [config_digest(config), canonical(deciding(config)), _release()],
    )
    connection.execute("COMMIT")


def _check_is_run(connection: duckdb.DuckDBPyConnection, file: Path) -> int:
    found = schema_version(connection)
    check_version(found, str(file))
    if not found:
        raise RunDirectoryError(
            f"{file} is a DuckDB file but not a run: it has no table schema_version"
        )
    return found


def _release() -> str:
    try:
        return version("tdscaling")
    except PackageNotFoundError:  # a checkout that was never installed
        return "unreleased"


def _column_types(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    sql = (
        "SELECT table_name, column_name, data_type FROM duckdb_columns()"
        " WHERE database_name = current_database()"
    )
    return {(r["table_name"], r["column_name"]): r["data_type"] for r in rows(connection, sql)}
