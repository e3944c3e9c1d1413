"""Rows in DuckDB, KQL translated to its SQL, JSON values out. Loaded on the first query only: it is large."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import batched

import duckdb
from duckdb_kql.engine import connect
from duckdb_kql.errors import KqlSchemaError, KqlSyntaxError, KqlUnsupportedError
from duckdb_kql.lower import lower
from duckdb_kql.translate import CLOCK_SLOT, TranslationResult, clock, quote_ident
from duckdb_kql.translate import to_sql as rendered

from simulator.kql.agreement import Agreement
from simulator.kql.errors import NotAnswerable, QuerySemanticError
from simulator.kql.syntax import syntax_error
from simulator.kql.tables import KINDS, Result, Table, View
from simulator.kql.values import converter

_CACHED = 512
_ROWS_AT_ONCE = 5_000
_KEY = "_key"
_ANY_MOMENT = datetime(2000, 1, 1)  # noqa: DTZ001 - DuckDB's have none; stands for the clock where only names and types matter


class Engine:
    """Stores (tables of rows by key) and queries over views of them. Not for several threads at once."""

    def __init__(self) -> None:
        self._connection = connect(
            config={"threads": 2, "enable_external_access": False, "autoinstall_known_extensions": False}
        )
        # A null inside an object is null in Kusto; DuckDB would have it be the JSON value null, which is not NULL.
        self._connection.execute(
            "CREATE MACRO json_extract(json, path) AS "
            "nullif(system.main.json_extract(json, path), CAST('null' AS JSON))"
        )
        self._stores: dict[str, Table] = {}
        self._sql = lru_cache(_CACHED)(self._translated)

    def create(self, store: str, table: Table) -> None:
        """An empty store for rows of the table; one that is there stays."""
        if store in self._stores:
            return
        columns = ", ".join(f"{quote_ident(name)} {KINDS[kind]}" for name, kind in table.columns.items())
        self._connection.execute(f"CREATE TABLE {quote_ident(store)} ({_KEY} VARCHAR, {columns})")
        self._stores[store] = table

    def put(self, store: str, rows: Mapping[str, str], *, fresh: bool = False) -> None:
        """Add or replace rows: key -> JSON object with the table's columns (what it lacks is null). `fresh`: none of
        the keys is there."""
        if not rows:
            return
        if not fresh:
            self.remove(store, rows)
        columns = self._stores[store].columns
        shape = json.dumps([{_KEY: "VARCHAR", **{name: KINDS[kind] for name, kind in columns.items()}}])
        # a string is never null in Kusto
        picked = [
            f"coalesce(row.{quote_ident(name)}, '')" if kind == "string" else f"row.{quote_ident(name)}"
            for name, kind in columns.items()
        ]
        insert = (
            f"INSERT INTO {quote_ident(store)} SELECT row.{_KEY}, {', '.join(picked)} "  # noqa: S608 - our own names
            f"FROM (SELECT unnest(from_json(CAST($rows AS JSON), '{shape}')) AS row)"
        )
        for some in batched(rows.items(), _ROWS_AT_ONCE, strict=False):
            keyed = (f'{{"{_KEY}":{json.dumps(key)},{text.lstrip()[1:]}' for key, text in some)
            self._connection.execute(insert, {"rows": f"[{','.join(keyed)}]"})

    def remove(self, store: str, keys: Iterable[str]) -> None:
        self._connection.execute(
            f"DELETE FROM {quote_ident(store)} WHERE {_KEY} IN (SELECT unnest($keys::VARCHAR[]))",  # noqa: S608
            {"keys": list(keys)},
        )

    def distinct(self, store: str, *columns: str) -> list[tuple[str, ...]]:
        """The combinations of values that rows of a store have in these columns (`_key` is one)."""
        names = ", ".join(quote_ident(name) for name in columns)
        found = self._connection.execute(f"SELECT DISTINCT {names} FROM {quote_ident(store)}")  # noqa: S608
        return [tuple(str(value) for value in row) for row in found.fetchall()]

    def keys(self, store: str, column: str, value: str, also: str) -> list[tuple[str, str]]:
        """Key and column `also` of the rows of a store that have the value in a column."""
        found = self._connection.execute(
            f"SELECT {_KEY}, {quote_ident(also)} FROM {quote_ident(store)} "  # noqa: S608 - our own names
            f"WHERE {quote_ident(column)} = $value",
            {"value": value},
        )
        return [(str(key), str(other)) for key, other in found.fetchall()]

    def query(self, text: str, views: Sequence[View], now: datetime) -> Result:
        """What Kusto would answer. `now` is what `now()` and `ago()` count from; no other table than those of `views`
        can be read. Raises QueryError."""
        for view in views:
            columns = ", ".join(quote_ident(name) for name in view.table.columns)
            self._connection.execute(
                f"CREATE OR REPLACE TEMP VIEW {quote_ident(view.table.name)} AS "  # noqa: S608 - never a caller's text
                f"SELECT {columns} FROM {quote_ident(view.store)} WHERE {view.where}"
            )
        try:
            return self._answered(text, views, now)
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.ConversionException) as error:
            raise QuerySemanticError(_first_line(error)) from error
        except duckdb.Error as error:
            raise NotAnswerable(_first_line(error)) from error
        finally:
            for view in views:
                self._connection.execute(f"DROP VIEW IF EXISTS temp.{quote_ident(view.table.name)}")

    def _answered(self, text: str, views: Sequence[View], now: datetime) -> Result:
        sql = self._sql(text, tuple((view.table.name, tuple(view.table.columns)) for view in views))
        parameters = {name: now if name == CLOCK_SLOT else value for name, value in sql.parameters.items()}
        cursor = self._connection.execute(str(sql), parameters)
        described = [(str(name), *converter(str(kind))) for name, kind, *_ in cursor.description or ()]
        columns = tuple((name, kind) for name, kind, _ in described)
        converters = tuple(convert for _, _, convert in described)
        return Result(columns, cursor.fetchall(), converters, by_the_clock=CLOCK_SLOT in sql.parameters)

    def _translated(self, text: str, schema: tuple[tuple[str, tuple[str, ...]], ...]) -> TranslationResult:
        """The SQL of a query; the views stand while it is made, for their types are asked of DuckDB."""
        known = {name: list(columns) for name, columns in schema}
        try:
            with clock(_ANY_MOMENT) as pinned:
                query = Agreement(known, self._types).made(lower(text))
                sql = rendered(query, known)
                if pinned.moment != _ANY_MOMENT:
                    raise NotAnswerable("set query_now is not modelled")
                return sql.with_parameters({**sql.parameters, CLOCK_SLOT: None}, ()) if pinned.used else sql
        except KqlSyntaxError as error:
            raise syntax_error(text, error.diagnostics) from error
        except KqlUnsupportedError as error:
            raise NotAnswerable(str(error)) from error
        except KqlSchemaError as error:
            raise QuerySemanticError(str(error)) from error

    def _types(self, sql: TranslationResult) -> list[tuple[str, str]]:
        """Column names and DuckDB types of a translated query, without running it."""
        parameters = {name: _ANY_MOMENT if name == CLOCK_SLOT else value for name, value in sql.parameters.items()}
        if CLOCK_SLOT in str(sql):
            parameters[CLOCK_SLOT] = _ANY_MOMENT
        found = self._connection.execute(f"DESCRIBE {sql}", parameters).fetchall()
        return [(str(name), str(kind)) for name, kind, *_ in found]


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
