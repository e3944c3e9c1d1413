"""What Resource Graph refuses although it is KQL ("Understanding the Azure Resource Graph query language").

Pure: the text of a query in; the refusal, or the tables it reads, out."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from simulator.kql.errors import QuerySyntaxError
from simulator.kql.syntax import Used, used

# Operators of the grammar -> how Resource Graph calls them. Documented; what is missing here is refused.
_OPERATORS = {
    "CountOperator": "count",
    "DistinctOperator": "distinct",
    "ExtendOperator": "extend",
    "JoinOperator": "join",
    "MvexpandOperator": "mv-expand",
    "ParseOperator": "parse",
    "ProjectOperator": "project",
    "ProjectAwayOperator": "project-away",
    "SortOperator": "order",
    "SummarizeOperator": "summarize",
    "TakeOperator": "take",
    "TopOperator": "top",
    "UnionOperator": "union",
    "WhereOperator": "where",
}
_JOINS = ("innerunique", "inner", "leftouter", "fullouter")
_MOST = {"join": 3, "mv-expand": 3, "union": 3}  # documented, by default, in a query through the SDKs
_OPERATOR_SIGN = ("|",)
_LIMITING = ("take", "top")
_SHAPES = ("PipedOperator", "AfterPipeOperator", "BeforeOrAfterPipeOperator", "ForkPipeOperator")
_STATEMENTS = ("LetStatement", "SetStatement", "DeclarePatternStatement", "DeclareQueryParametersStatement")
# Assumed: what is not documented to be supported is not.
_EXPRESSIONS = (
    "DataTableExpression",
    "ExternalDataExpression",
    "RangeExpression",
    "ToScalarExpression",
    "ToTableExpression",
)
_FUNCTIONS = ("materialize", "externaldata", "database", "cluster", "workspace", "app")
_STARTS = re.compile(
    r"\s*(where|project|project-away|extend|summarize|count|distinct|order|sort|take|limit|top|join|union|mv-expand|"
    r"mvexpand|parse)\b(?!\s*\|)",
    re.IGNORECASE,
)


class Refused(Exception):  # noqa: N818 - the caller's error, worded by the caller's service
    """An InvalidQuery with one more detail: its code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Understood:
    """`text` is KQL with tables in lower case; `limits_itself` says that it has a take or top, after which Resource
    Graph gives no pages; `ordered` that it sorts."""

    text: str
    tables: frozenset[str]
    limits_itself: bool
    ordered: bool


@lru_cache(maxsize=256)
def understood(text: str, tables: frozenset[str]) -> Understood:
    """Raises Refused for what Resource Graph does not do, QuerySyntaxError for what is no KQL. `tables` are the names
    Resource Graph knows, in lower case; a query compares them without regard to case, and without one it is of
    `resources` (both documented)."""
    start = "resources | " if _STARTS.match(text) else ""
    try:
        rules = used(start + text)
    except QuerySyntaxError as error:
        raise _at_the_callers(error, len(start), text) from error
    _refuse_statements(rules)
    operators = [_OPERATORS[each.rule] for each in _operators(rules)]
    for name, most in _MOST.items():
        if operators.count(name) > most:
            raise Refused(
                "DisallowedMaxNumberOfOperators",  # assumed
                f"The query has {operators.count(name)} {name} operators; at most {most} are allowed.",
            )
    for join in (each for each in rules if each.rule == "JoinOperator"):
        _refuse_join(join)
    lowered, named = _tables_lowered(start + text, tables)
    return Understood(
        lowered,
        frozenset(named),
        any(name in _LIMITING for name in operators),
        "order" in operators or "top" in operators,
    )


def _operators(rules: list[Used]) -> list[Used]:
    found = [each for each in rules if each.rule.endswith("Operator") and each.rule not in _SHAPES]
    tabular = [each for each in found if not each.rule.startswith(("StringBinary", "Entity", "Contextual", "Legacy"))]
    for each in tabular:
        if each.rule not in _OPERATORS:
            name = re.sub(r"(?<!^)(?=[A-Z])", "-", each.rule.removesuffix("Operator")).lower()
            raise Refused("UnsupportedOperator", f'The operator "{name}" is not supported or not allowed.')  # assumed
    return tabular


def _refuse_statements(rules: list[Used]) -> None:
    for each in rules:
        if each.rule in _STATEMENTS:  # let: Microsoft's answer in azure-docs issue 104044
            raise Refused("ParserFailure", f"'{each.text[:20]}': only one query and no other statement is supported.")
        called = each.text.partition("(")[0].strip().lower() if each.rule == "FunctionCallExpression" else ""
        if each.rule in _EXPRESSIONS or called in _FUNCTIONS:
            raise Refused("UnsupportedFunction", f"'{each.text[:20]}' is not supported or not allowed.")  # assumed


def _refuse_join(join: Used) -> None:
    kind = re.match(r"join\s+kind\s*=\s*(\w+)", join.text, re.IGNORECASE)
    if kind is not None and kind.group(1).lower() not in _JOINS:
        # the words of azure-docs issue 45495
        message = f'The join kind "{kind.group(1)}" is not supported or not allowed.'
        raise Refused("UnsupportedJoinFlavor", message)
    if re.match(r"join\s+(kind\s*=\s*\w+\s+)?hint\.", join.text, re.IGNORECASE):
        raise Refused("UnsupportedJoinStrategy", "Custom join strategies are not allowed.")  # assumed


def _tables_lowered(text: str, tables: Collection[str]) -> tuple[str, set[str]]:
    """Names of tables stand at the beginning, after `(`, after `union` and after `join`."""
    named: set[str] = set()

    def lower(found: re.Match[str]) -> str:
        name = found.group("name")
        if name.lower() not in tables:
            return found.group()
        named.add(name.lower())
        return found.group("before") + name.lower()

    pattern = r"(?P<before>^\s*|\(\s*|\bunion\b[^|(]*?[\s,]|\bjoin\b(?:\s+kind\s*=\s*\w+)?\s+)(?P<name>[A-Za-z_]+)\b"
    return re.sub(pattern, lower, text, flags=re.IGNORECASE), named


def _at_the_callers(error: QuerySyntaxError, offset: int, text: str) -> QuerySyntaxError:
    """Where the caller's own text breaks: what was put before it does not count."""
    column = error.column - offset if error.line == 1 else error.column
    if column < 0 or error.token in _OPERATOR_SIGN:
        # the parser names the operator it gave up in; the real one the place where it misses something (recorded: the
        # end, when something is missing there)
        return QuerySyntaxError(error.message, text.count("\n") + 1, len(text.split("\n")[-1]), "<EOF>")
    return QuerySyntaxError(error.message, error.line, column, error.token)
