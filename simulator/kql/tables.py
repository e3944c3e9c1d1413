"""What a query reads and what it gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

KINDS: Mapping[str, str] = {
    "string": "VARCHAR",
    "dynamic": "JSON",
    "datetime": "TIMESTAMP",
    "long": "BIGINT",
    "int": "INTEGER",
    "real": "DOUBLE",
    "bool": "BOOLEAN",
}
"""Kusto's type of a column -> DuckDB's."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as queries know it: columns with Kusto's types, in order."""

    name: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class View:
    """A table as one query may see it: the rows of `store` for which `where` (SQL over its columns and `_key`, never
    a caller's text) holds."""

    table: Table
    store: str
    where: str = "true"


@dataclass(frozen=True, slots=True)
class Result:
    """`columns` are name and Kusto type; `found` the rows as the engine has them, made JSON only when they are read:
    datetimes as ISO 8601 with seven decimals, strings never null. `by_the_clock`: the query asks what time it is."""

    columns: tuple[tuple[str, str], ...]
    found: Sequence[tuple[Any, ...]]
    converters: tuple[Callable[[Any], Any], ...]
    by_the_clock: bool = False

    @property
    def rows(self) -> list[list[Any]]:
        return self.part(0, len(self.found))

    def part(self, start: int, stop: int) -> list[list[Any]]:
        """Some of the rows."""
        return [
            [convert(value) for convert, value in zip(self.converters, row, strict=True)]
            for row in self.found[start:stop]
        ]

    def by(self, column: str) -> "Result":
        """The same rows in the order of a column of strings."""
        at = [name for name, _ in self.columns].index(column)
        return replace(self, found=sorted(self.found, key=lambda row: str(row[at])))
