"""The tables of `run.duckdb`, as an append-only list of changes.

Enters: a connection to a run's database. Leaves: the same database at the newest schema version.
A released entry is never edited: files written with it exist. A change is a new entry at the end.
"""

from __future__ import annotations

import duckdb

from tdscaling.errors import RunDirectoryError

_V1 = """
CREATE TABLE config (digest VARCHAR, config JSON, version VARCHAR);
CREATE TABLE clusters (id VARCHAR, domain VARCHAR, category VARCHAR, tools JSON, edges JSON);
CREATE TABLE trajectories (
    idx BIGINT PRIMARY KEY, id VARCHAR, round INTEGER, seed VARCHAR,
    category VARCHAR, domain VARCHAR, cluster VARCHAR,
    asked_operators VARCHAR, asked_calls INTEGER,
    mode VARCHAR, signature VARCHAR, events VARCHAR, complexity DOUBLE,
    calls INTEGER, turns INTEGER, categories JSON, blueprint VARCHAR,
    accepted BOOLEAN, reason VARCHAR, detail VARCHAR,
    prompt_tokens BIGINT, completion_tokens BIGINT, cost_usd DOUBLE, seconds JSON);
CREATE TABLE actions (
    idx BIGINT, trajectory_id VARCHAR, step INTEGER, kind VARCHAR, tool VARCHAR, ok BOOLEAN,
    provenance VARCHAR, depth INTEGER, bound_args INTEGER);
CREATE TABLE llm_calls (
    idx BIGINT, trajectory_id VARCHAR, role VARCHAR, model VARCHAR, prompt_tokens BIGINT,
    completion_tokens BIGINT, latency_ms DOUBLE, cost_usd DOUBLE, cached BOOLEAN, error VARCHAR);
CREATE TABLE documents (
    idx BIGINT, id VARCHAR, accepted BOOLEAN, line VARCHAR USING COMPRESSION zstd);
CREATE TABLE rounds (
    round INTEGER, attempted BIGINT, accepted BIGINT,
    domain_entropy DOUBLE, mode_entropy DOUBLE, signature_entropy DOUBLE,
    complexity_mean DOUBLE, novelty_per_ktok DOUBLE, figures JSON);
CREATE TABLE steering (
    round INTEGER, factor VARCHAR, choice VARCHAR, weight DOUBLE, why VARCHAR);
"""

_V2 = """
ALTER TABLE trajectories ADD COLUMN shape VARCHAR DEFAULT '';
ALTER TABLE actions ADD COLUMN writes BOOLEAN DEFAULT false;
ALTER TABLE actions ADD COLUMN sources INTEGER[] DEFAULT [];
"""

_V3 = """
ALTER TABLE trajectories ADD COLUMN parent VARCHAR;
CREATE TABLE alarms (
    round INTEGER, kind VARCHAR, value DOUBLE, threshold DOUBLE, message VARCHAR);
"""

_V4 = """
CREATE TABLE services (
    name VARCHAR PRIMARY KEY, title VARCHAR, category VARCHAR, source VARCHAR, licence VARCHAR,
    tools INTEGER);
ALTER TABLE clusters ADD COLUMN services VARCHAR[] DEFAULT [];
CREATE TABLE skipped (entry VARCHAR, why VARCHAR);
"""

_V5 = """
CREATE TABLE recordings (
    idx BIGINT, trajectory_id VARCHAR, domain VARCHAR, key VARCHAR, tool VARCHAR, ok BOOLEAN,
    content VARCHAR USING COMPRESSION zstd, changes VARCHAR USING COMPRESSION zstd);
CREATE TABLE live_domains (name VARCHAR, digest VARCHAR, definition VARCHAR);
"""

_V6 = """
CREATE TABLE spending (
    role VARCHAR, model VARCHAR, calls BIGINT, failed BIGINT, cached BIGINT,
    prompt_tokens BIGINT, completion_tokens BIGINT, cost_usd DOUBLE);
"""

_V7 = """
ALTER TABLE trajectories ADD COLUMN voice VARCHAR DEFAULT '';
"""

MIGRATIONS: tuple[str, ...] = (_V1, _V2, _V3, _V4, _V5, _V6, _V7)
"""Entry i takes a database from schema version i to i + 1."""


def schema_version(connection: duckdb.DuckDBPyConnection) -> int:
    """Number of migrations that a database has seen; 0 for an empty one."""
    found = connection.execute(
        "SELECT count(*) FROM duckdb_tables()"
        " WHERE table_name = 'schema_version' AND database_name = current_database()"
    ).fetchone()
    if not found or not found[0]:
        return 0
    row = connection.execute("SELECT max(version) FROM schema_version").fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def check_version(version: int, where: str) -> None:
    """Refuse a database that a newer release wrote.

    Raises:
        RunDirectoryError: if the version is above the newest known here.
    """
    if version > len(MIGRATIONS):
        raise RunDirectoryError(
            f"{where} has schema version {version}, this release of tdscaling knows up to"
            f" {len(MIGRATIONS)}: a newer release wrote it. Type: pip install -U tdscaling"
        )


def migrate(connection: duckdb.DuckDBPyConnection, where: str) -> None:
    """Bring a database to the newest schema version, in one transaction."""
    version = schema_version(connection)
    check_version(version, where)
    if version == len(MIGRATIONS):
        return
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)")
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.execute(statements)
        connection.execute("INSERT INTO schema_version VALUES (?)", [number])
    connection.execute("COMMIT")
