"""What the Guard wrote down, read from its own tables."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient


@dataclass(frozen=True, slots=True)
class Said:
    """One condition of a cluster."""

    status: str
    reason: str
    message: str
    recommended_action: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the audit trail."""

    at: datetime
    subject: str
    step: str
    target: str
    outcome: str


class GuardTables:
    """The tables `clusters` and `actions`."""

    def __init__(self, connection_string: str) -> None:
        self._connection_string = connection_string

    def conditions(self) -> dict[str, dict[str, Said]]:
        """By lower-case ARM id of the cluster, by type of condition."""
        rows = self._rows("clusters", ["cluster_id", "conditions", "conditions_1", "conditions_2"])
        return {str(row["cluster_id"]): _conditions(_document(row, "conditions")) for row in rows}

    def actions(self) -> list[Line]:
        """The audit trail, oldest first."""
        columns = ("subject", "step", "target", "outcome")
        rows = sorted(self._rows("actions", ["RowKey", "at", *columns]), key=lambda row: str(row["RowKey"]))
        return [Line(_time(row["at"]), *(str(row[name]) for name in columns)) for row in rows]

    def _rows(self, table: str, columns: list[str]) -> Iterator[Mapping[str, object]]:
        with TableServiceClient.from_connection_string(self._connection_string) as service:
            try:
                yield from service.get_table_client(table).list_entities(select=columns)
            except ResourceNotFoundError:
                return


def _document(row: Mapping[str, object], name: str) -> str:
    """A long document goes on in the columns name_1, name_2 and so on."""
    parts = [str(row.get(name, "{}"))]
    while row.get(f"{name}_{len(parts)}"):
        parts.append(str(row[f"{name}_{len(parts)}"]))
    return "".join(parts)


def _conditions(text: str) -> dict[str, Said]:
    return {
        name: Said(said["status"], said["reason"], said["message"], said["recommended_action"])
        for name, said in json.loads(text).items()
    }


def _time(value: object) -> datetime:
    assert isinstance(value, datetime)  # noqa: S101 - a DateTime column
    return value
