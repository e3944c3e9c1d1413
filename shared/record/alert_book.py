"""Alerts as people and other programs see them. The Guard's columns and people's are merged into one row."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode

from shared.domain.alerts import Alert, Word, heard
from shared.domain.ids import row_key
from shared.record.entity import (
    RecordUnreadableError,
    as_column,
    dump,
    get_json,
    load,
    put_json,
    refuse_too_large,
)
from shared.record.keys import ALERTS, RowAddress
from shared.record.retry import repeated
from shared.record.storage import Row, Storage, is_container_gone

_LONGEST_TEXT = 8_000
_PARTS = 16
"""As many as a document in a full row can have: a merge keeps what is not written, so all of them always are."""
_WORDS = tuple(field.name for field in fields(Word))


class TableAlertBook:
    """`ports.AlertBook` on the table `alerts`. Everything raises TransientError."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def show(self, alerts: Sequence[Alert]) -> None:
        """Raises RecordTooLargeError."""
        for alert in alerts:
            await repeated()(self._merge, to_alert_row(alert))

    async def _merge(self, row: dict[str, Any]) -> None:
        async with self._storage.table(ALERTS, "show an alert") as client:
            await client.upsert_entity(row, mode=UpdateMode.MERGE)

    async def words(self, subject: str) -> Mapping[str, Word]:
        columns = ["RowKey", *(f"word_{name}" for name in _WORDS)]

        async def once() -> list[Row]:
            async with self._storage.table(ALERTS, "read people's words") as client:
                rows = client.query_entities(
                    "PartitionKey eq @partition", parameters={"partition": row_key(subject)}, select=columns
                )
                return [row async for row in rows]

        rows: list[Row] = await repeated()(once)
        return {row["RowKey"]: word for row in rows if (word := from_word_row(row)) is not None}

    async def say(self, alert_id: str, subject: str, word: Word) -> None:
        row = to_word_row(alert_id, subject, word)

        async def once() -> None:
            async with self._storage.table(ALERTS, "keep a word") as client:
                try:
                    await client.update_entity(row, mode=UpdateMode.MERGE)
                except ResourceNotFoundError as error:
                    if is_container_gone(error):
                        raise
                    raise KeyError(f"{subject} has no alert {alert_id}") from error

        await repeated()(once)

    async def all_of(self, subject: str | None = None, *, open_only: bool = False) -> AsyncIterator[Alert]:
        """Brings what can be read first; raises RecordUnreadableError for the rest in the end."""
        wanted = {"PartitionKey": row_key(subject)} if subject is not None else {}
        if open_only:
            wanted["state"] = "Open"
        unreadable: list[RecordUnreadableError] = []
        async with self._storage.table(ALERTS, "list the alerts") as client:
            query = " and ".join(f"{column} eq @{column}" for column in wanted)
            rows: AsyncIterator[Row] = client.query_entities(query, parameters=wanted)
            async for row in rows:
                try:
                    alert = from_alert_row(row)
                except RecordUnreadableError as error:
                    unreadable.append(error)
                else:
                    yield alert
        if unreadable:
            raise RecordUnreadableError("; ".join(str(error) for error in unreadable[:10]))


def to_alert_row(alert: Alert) -> dict[str, Any]:
    """The Guard's columns. `resolved_at` is when it was resolved last, also while it is open again. Raises
    RecordTooLargeError."""
    cause = alert.cause
    row: dict[str, Any] = {
        **RowAddress(row_key(alert.subject), alert.id).as_columns(),
        "subject": alert.subject,
        "cluster_id": alert.subject if alert.subject.startswith("/") else "",
        "cause": cause.key,
        "code": cause.code,
        "severity": alert.severity,
        "state": alert.state,
        "title": cause.title[:_LONGEST_TEXT],
        "message": cause.message[:_LONGEST_TEXT],
        "recommended_action": cause.recommended_action[:_LONGEST_TEXT],
        "job_id": cause.job_id,
        "opened_at": as_column(alert.opened_at),
        "last_at": as_column(cause.last_at),
        "occurrences": cause.occurrences,
        "episode": alert.episode,
    }
    if alert.resolved_at is not None:
        row["resolved_at"] = as_column(alert.resolved_at)
    put_json(row, "document", dump(Alert, alert), parts=_PARTS)
    refuse_too_large(alert.id, row)
    return row


def from_alert_row(row: Row) -> Alert:
    """With the word in it that people said of it. Raises RecordUnreadableError."""
    try:
        alert: Alert = load(Alert, get_json(row, "document"))
        return heard(alert, from_word_row(row))
    except (KeyError, TypeError, ValueError) as error:
        whose = row.get("subject") or row.get("PartitionKey")
        raise RecordUnreadableError(f"the alert {row.get('RowKey')} of {whose} cannot be read: {error}") from error


def to_word_row(alert_id: str, subject: str, word: Word) -> dict[str, Any]:
    """People's columns. Every one is written, so that nothing stays of an earlier word."""
    columns = {f"word_{name}": "" if value is None else value for name, value in dump(Word, word).items()}
    return {**RowAddress(row_key(subject), alert_id).as_columns(), **columns}


def from_word_row(row: Row) -> Word | None:
    """None when nobody said anything. Raises ValueError and KeyError."""
    if not row.get("word_at"):
        return None
    columns = {name: row[f"word_{name}"] for name in _WORDS}
    word: Word = load(Word, columns | {"snoozed_until": columns["snoozed_until"] or None})
    return word
