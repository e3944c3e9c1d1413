"""Where DuckDB would silently answer otherwise than Kusto: made alike, or refused.

Kusto's rules are those of its documentation: strings are never null, names are case-sensitive, and a dynamic value is
no key of `summarize`, `distinct`, `join` or `sort`."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from duckdb_kql import ir
from duckdb_kql.schema import output_columns
from duckdb_kql.translate import TranslationResult
from duckdb_kql.translate import to_sql as rendered

from simulator.kql.errors import QuerySemanticError

Types = Callable[[TranslationResult], list[tuple[str, str]]]
Lets = list[tuple[str, ir.Query | ir.Expr]]


class Agreement:
    """`schema` is the columns of every table there is; `types` asks DuckDB for the types of a query's columns."""

    def __init__(self, schema: Mapping[str, Sequence[str]], types: Types) -> None:
        self._schema = {name: list(columns) for name, columns in schema.items()}
        self._types = types

    def made(self, query: ir.Query, outer: Lets | None = None) -> ir.Query:
        """The query that gives Kusto's answer. Raises QuerySemanticError where Kusto would refuse it."""
        lets: Lets = []
        for name, bound in query.lets:
            scope = [*(outer or []), *lets]
            lets.append((name, self.made(bound, scope) if isinstance(bound, ir.Query) else bound))
        scope = [*(outer or []), *lets]
        self._require_table(query.source, scope)
        done: list[ir.Operator] = []
        for given in query.operators:
            before = dataclasses.replace(query, operators=list(done), lets=scope)
            operator = self._nested(given, scope)
            self._require_columns(before, operator)
            self._refuse_dynamic_keys(before, operator)
            done.append(operator)
            after = dataclasses.replace(query, operators=list(done), lets=scope)
            done.extend(self._filled(before, operator, after))
        return dataclasses.replace(query, operators=done, lets=lets)

    def _nested(self, operator: ir.Operator, scope: Lets) -> ir.Operator:
        if isinstance(operator, ir.Join | ir.Lookup):
            return dataclasses.replace(operator, right=self.made(operator.right, scope))
        if isinstance(operator, ir.Union):
            return dataclasses.replace(operator, branches=tuple(self.made(each, scope) for each in operator.branches))
        for inner in _queries(operator):
            self.made(inner, scope)
        return operator

    def _require_table(self, source: ir.Source, scope: Lets) -> None:
        if isinstance(source, ir.WildcardTableRef):
            raise QuerySemanticError(f"Failed to resolve table expression named '{source.pattern}'")
        if not isinstance(source, ir.TableRef):
            return
        bound = {name for name, value in scope if isinstance(value, ir.Query)}
        if source.qualified not in self._schema and source.qualified not in bound:
            raise QuerySemanticError(f"Failed to resolve table or column expression named '{source.qualified}'")

    def _require_columns(self, before: ir.Query, operator: ir.Operator) -> None:
        """DuckDB folds the case of names, and knows columns that Kusto does not see yet."""
        columns = set(output_columns(before, self._schema))
        for name in _columns(operator):
            if name not in columns:
                raise QuerySemanticError(
                    f"'{_word(operator)}' operator: Failed to resolve column or scalar expression named '{name}'"
                )

    def _refuse_dynamic_keys(self, before: ir.Query, operator: ir.Operator) -> None:
        keys = _keys(operator)
        if not keys:
            return
        types = dict(self._types(rendered(before, self._schema))) if any(map(_plain, keys)) else {}
        for key in keys:
            if isinstance(key, ir.PathAccess) or (isinstance(key, ir.ColumnRef) and _dynamic(types.get(key.name, ""))):
                raise QuerySemanticError(
                    f"'{_word(operator)}' operator: a key is of a 'dynamic' type. Please use an explicit cast as "
                    "grouping, joining and sorting by a 'dynamic' type is not supported."
                )
        if isinstance(operator, ir.Join | ir.Lookup):
            right = dict(self._types(rendered(dataclasses.replace(operator.right, lets=before.lets), self._schema)))
            if any(_dynamic(right.get(key.right, "")) for key in operator.keys):
                raise QuerySemanticError(f"'{_word(operator)}' operator: a key is of a 'dynamic' type.")

    def _filled(self, before: ir.Query, operator: ir.Operator, after: ir.Query) -> list[ir.Operator]:
        """Strings of rows that found no partner, or of a union's other branch, are empty and not null."""
        kind = getattr(operator, "kind", "")
        outer_join = isinstance(operator, ir.Join | ir.Lookup) and kind in ("leftouter", "rightouter", "fullouter")
        if not outer_join and not (isinstance(operator, ir.Union) and kind == "outer"):
            return []
        types = self._types(rendered(after, self._schema))
        left = len(output_columns(before, self._schema))
        if kind == "leftouter":
            types = types[left:]
        strings = [name for name, duckdb_type in types if duckdb_type == "VARCHAR"]
        if not strings:
            return []
        empty = ir.Literal("", "string")
        return [
            ir.Extend(
                tuple(ir.NamedExpr(ir.FunctionCall("coalesce", (ir.ColumnRef(name), empty)), name) for name in strings)
            )
        ]


def _keys(operator: ir.Operator) -> list[ir.Expr]:
    if isinstance(operator, ir.Summarize):
        return [each.expr for each in operator.by]
    if isinstance(operator, ir.Distinct):
        return [each.expr for each in operator.expressions]
    if isinstance(operator, ir.Sort | ir.Top):
        return [each.expr for each in getattr(operator, "keys", None) or (operator.key,)]  # type: ignore[union-attr]
    if isinstance(operator, ir.Join | ir.Lookup):
        return [ir.ColumnRef(key.left) for key in operator.keys]
    return []


def _plain(key: ir.Expr) -> bool:
    return isinstance(key, ir.ColumnRef)


def _dynamic(duckdb_type: str) -> bool:
    return duckdb_type == "JSON"


def _word(operator: ir.Operator) -> str:
    return type(operator).__name__.lower()


def _columns(operator: ir.Operator) -> Iterator[str]:
    """The input columns an operator names, outside nested queries."""
    if isinstance(operator, ir.Join | ir.Lookup):
        yield from (key.left for key in operator.keys)
        return
    if isinstance(operator, ir.Union):
        return
    for node in _nodes(operator):
        if isinstance(node, ir.ColumnRef):
            yield node.name


def _queries(node: Any) -> Iterator[ir.Query]:
    """Queries inside an operator's expressions."""
    for found in _nodes(node, into_queries=False):
        if isinstance(found, ir.Query):
            yield found


def _nodes(node: Any, *, into_queries: bool = False) -> Iterator[Any]:
    yield node
    if isinstance(node, ir.Query) and not into_queries:
        return
    if isinstance(node, list | tuple):
        for each in node:
            yield from _nodes(each)
    elif dataclasses.is_dataclass(node) and not isinstance(node, type):
        for field in dataclasses.fields(node):
            value = getattr(node, field.name)
            if isinstance(value, list | tuple) or dataclasses.is_dataclass(value):
                yield from _nodes(value)
