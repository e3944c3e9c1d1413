"""Why a query is not answered. Each service says it in its own envelope."""


class QueryError(Exception):
    """Any of the three below."""


class QuerySyntaxError(QueryError):
    """The text is not KQL. `line` counts from 1, `column` from 0; `token` is what stood there, `<EOF>` at the end."""

    def __init__(self, message: str, line: int, column: int, token: str) -> None:
        super().__init__(message)
        self.message, self.line, self.column, self.token = message, line, column, token


class QuerySemanticError(QueryError):
    """It is KQL, but Kusto would refuse it: a name nobody knows, types that do not fit."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotAnswerable(QueryError):  # noqa: N818 - a limit of the simulator, not the caller's error
    """Kusto would answer, the simulator cannot: better none than a wrong answer. `what` names the operator."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The simulator cannot answer this query: {what}.")
        self.what = what
