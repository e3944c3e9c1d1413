"""The sweeps: one row for the sweep under way, one for each finished one, and pages of what each has judged.

A page belongs to a batch of a sweep under a key that follows from both, so that a batch that is judged again after a
death overwrites itself; how many pages count, the run's row says, and in the end the summary."""

import zlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shared.domain.compliance import JudgedCluster, SweepSummary, VerdictChange
from shared.domain.facts import Fact, Present
from shared.domain.sweeps import Batch, KeptSweep, SweepRun
from shared.record.entity import as_column, as_time, dump, load
from shared.record.judged_page import (
    change_pages,
    changes_in,
    cluster_pages,
    clusters_in,
    compressed,
    decompressed,
    get_bytes,
    put_bytes,
)
from shared.record.keys import RowAddress
from shared.record.storage import Row
from shared.record.sweep_content import get_content, put_content
from shared.record.sweep_rows import SweepRows

_RUN = RowAddress("run", "run")
_DIAGNOSTICS = RowAddress("run", "diagnostics")
_SUMMARIES = "summary"
_PAGES = {"clusters": "b", "changes": "c"}
_END = "~"
"""Behind every RowKey here."""
_LATEST_SECOND = 10**11
_KEPT, _GOING, _GONE = "kept", "going", "gone"


class Sweeps:
    """`ports.SweepStore`. Everything raises TransientError, and RecordUnreadableError for rows of another version."""

    def __init__(self, rows: SweepRows) -> None:
        self._rows = rows
        self._known: KeptSweep | None = None

    async def run(self) -> SweepRun | None:
        """One that this version cannot read is done, and its pages are to be dropped unless it shows."""
        row = await self._rows.read(_RUN)
        if row is None:
            return None
        try:
            run: SweepRun = load(SweepRun, decompressed(await get_content(self._rows, row)))
        except (ValueError, zlib.error):
            at, sweep_id = datetime.fromtimestamp(0, UTC), row["sweep_id"]
            shows = await self._rows.read(_summary_address(sweep_id)) is not None
            run = SweepRun(sweep_id, at, 0, stage="done", unfinished=() if shows else (sweep_id,))
        until = row.get("lease_until")
        return replace(run, lease_id=row["lease_id"], lease_until=as_time(until) if until else None, etag=row["etag"])

    async def save_run(self, run: SweepRun) -> SweepRun:
        row: dict[str, Any] = {**_RUN.as_columns(), "sweep_id": run.sweep_id, "stage": run.stage}
        row["lease_id"] = run.lease_id
        if run.lease_until is not None:
            row["lease_until"] = as_column(run.lease_until)
        content = compressed(dump(SweepRun, replace(run, etag="", lease_id="", lease_until=None)))
        await put_content(self._rows, row, run.sweep_id, content)
        return replace(run, etag=await self._rows.write(row, run.etag))

    async def write_batch(
        self, sweep_id: str, number: int, clusters: Sequence[JudgedCluster], changes: Sequence[VerdictChange]
    ) -> tuple[int, int]:
        """Raises RecordTooLargeError."""
        return (
            await self._write(sweep_id, "clusters", number, cluster_pages(clusters)),
            await self._write(sweep_id, "changes", number, change_pages(changes)),
        )

    async def _write(self, sweep_id: str, kind: str, number: int, pages: Iterable[bytes]) -> int:
        count = 0
        for count, page in enumerate(pages, 1):
            row: dict[str, Any] = RowAddress(sweep_id, _page_key(kind, number, count - 1)).as_columns()
            put_bytes(row, page)
            await self._rows.put(row)
        return count

    async def finish(self, summary: SweepSummary, batches: Sequence[Batch]) -> None:
        row: dict[str, Any] = _summary_address(summary.sweep_id).as_columns()
        row |= {"sweep_id": summary.sweep_id, "started_at": as_column(summary.started_at), "clusters": _KEPT}
        content = compressed(dump(KeptSweep, KeptSweep(summary, tuple(batches))))
        await put_content(self._rows, row, summary.sweep_id, content)
        await self._rows.put(row)

    async def latest(self) -> SweepSummary | None:
        return next(iter(await self.summaries(1)), None)

    async def summaries(self, limit: int) -> Sequence[SweepSummary]:
        found: list[SweepSummary] = []
        async for kept in self._finished():
            if len(found) >= limit:
                break
            found.append(kept.summary)
        return found

    async def clusters(self, sweep_id: str) -> AsyncIterator[JudgedCluster]:
        kept = await self._kept(sweep_id)
        for number, batch in enumerate(kept.batches if kept else ()):
            async for page in self._pages(sweep_id, "clusters", number, batch.pages):
                for judged in clusters_in(page):
                    yield judged

    async def before(self, sweep_id: str, subscriptions: Sequence[str]) -> AsyncIterator[JudgedCluster]:
        kept, wanted = await self._kept(sweep_id), frozenset(subscriptions)
        for number, batch in enumerate(kept.batches if kept else ()):
            if wanted.isdisjoint(batch.subscriptions):
                continue
            async for page in self._pages(sweep_id, "clusters", number, batch.pages):
                for judged in clusters_in(page):
                    if judged.subscription_id.lower() in wanted:
                        yield judged

    async def changes_of(self, sweep_id: str) -> AsyncIterator[VerdictChange]:
        kept = await self._kept(sweep_id)
        for number, batch in enumerate(kept.batches if kept else ()):
            async for page in self._pages(sweep_id, "changes", number, batch.change_pages):
                for change in changes_in(page):
                    yield change

    async def changes(self, since: datetime, cluster_id: str | None = None) -> AsyncIterator[VerdictChange]:
        wanted = cluster_id.lower() if cluster_id is not None else None
        async for kept in self._finished():
            if kept.summary.started_at < since:
                return
            self._known = kept
            async for change in self.changes_of(kept.summary.sweep_id):
                if wanted is None or change.cluster_id.lower() == wanted:
                    yield change

    async def diagnostics(self) -> Mapping[str, Fact[bool]]:
        row = await self._rows.read(_DIAGNOSTICS)
        try:
            found = decompressed(get_bytes(row)) if row else {}
            return {vault: Present(sends, datetime.fromisoformat(at)) for vault, (sends, at) in found.items()}
        except (AttributeError, TypeError, ValueError, zlib.error):
            return {}  # of another version: the vaults are read again

    async def keep_diagnostics(self, diagnostics: Mapping[str, Fact[bool]]) -> None:
        known = {
            vault: (fact.value, fact.observed_at.isoformat())
            for vault, fact in diagnostics.items()
            if isinstance(fact, Present)
        }
        row: dict[str, Any] = _DIAGNOSTICS.as_columns()
        put_bytes(row, compressed(known))
        await self._rows.put(row)

    async def drop(self, sweep_id: str) -> None:
        await self._delete(sweep_id, "")

    async def forget(self, clusters_before: datetime, all_before: datetime) -> None:
        first = _summary_key(max(clusters_before, all_before))
        older = self._rows.between(_SUMMARIES, first, _END, ("RowKey", "sweep_id", "started_at", "clusters"))
        for row in [row async for row in older]:
            sweep_id, key = row["sweep_id"], row["RowKey"]
            began = as_time(row["started_at"])
            if began < all_before:
                await self._delete(sweep_id, "")
                await self._rows.delete(_SUMMARIES, [key])
            elif began < clusters_before and row["clusters"] != _GONE:
                await self._without_clusters(RowAddress(_SUMMARIES, key), sweep_id)

    async def _without_clusters(self, address: RowAddress, sweep_id: str) -> None:
        """First nobody reads them any more, then they are deleted, then nothing is left to do."""
        for mark in (_GOING, _GONE):
            row = await self._rows.read(address)
            if row is not None:
                columns = {name: value for name, value in row.items() if name != "etag"}
                await self._rows.put({**columns, "clusters": mark})
            if mark == _GOING:
                await self._delete(sweep_id, _PAGES["clusters"])

    async def _delete(self, sweep_id: str, prefix: str) -> None:
        rows = self._rows.between(sweep_id, prefix, prefix + _END, ("RowKey",))
        if keys := [row["RowKey"] async for row in rows]:
            await self._rows.delete(sweep_id, keys)

    async def _pages(self, sweep_id: str, kind: str, number: int, count: int) -> AsyncIterator[bytes]:
        if count:
            first, end = _page_key(kind, number, 0), _page_key(kind, number, count)
            async for row in self._rows.between(sweep_id, first, end):
                yield get_bytes(row)

    async def _finished(self) -> AsyncIterator[KeptSweep]:
        """Newest first. What another version wrote is left out: it is history, and nothing rests on it."""
        async for row in self._rows.between(_SUMMARIES, "", _END):
            if (kept := await self._kept_in(row)) is not None:
                yield kept

    async def _kept(self, sweep_id: str) -> KeptSweep | None:
        if self._known is not None and self._known.summary.sweep_id == sweep_id:
            return self._known
        try:
            address = _summary_address(sweep_id)
        except ValueError:
            return None
        row = await self._rows.read(address)
        self._known = await self._kept_in(row) if row else None
        return self._known

    async def _kept_in(self, row: Row) -> KeptSweep | None:
        try:
            kept: KeptSweep = load(KeptSweep, decompressed(await get_content(self._rows, row)))
        except (ValueError, zlib.error):
            return None
        if row["clusters"] == _KEPT:
            return kept
        return replace(kept, batches=tuple(replace(batch, pages=0) for batch in kept.batches))


def _page_key(kind: str, number: int, page: int) -> str:
    return f"{_PAGES[kind]}{number:05}-{page:05}"


def _summary_address(sweep_id: str) -> RowAddress:
    """Raises ValueError for what is no sweep's id."""
    began = datetime.strptime(sweep_id.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if not all(letter.isascii() and (letter.isalnum() or letter == "-") for letter in sweep_id):
        raise ValueError(f"not the id of a sweep: {sweep_id[:100]!r}")
    return RowAddress(_SUMMARIES, f"{_summary_key(began)}-{sweep_id}")


def _summary_key(began: datetime) -> str:
    """So that the newest comes first."""
    return f"{_LATEST_SECOND - int(began.timestamp()):012}"
