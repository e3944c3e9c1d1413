"""Many judged clusters, or changes, as a few compressed rows. Written by hand because it is done for every cluster of
the fleet: what clusters have in common (verdicts, names of facts) stands once in a page, and clusters point at it.

Pages outlive versions of the code: a page of another version is not read.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from shared.domain.alerts import Severity
from shared.domain.compliance import JudgedCluster, Verdict, VerdictChange, VerdictStatus
from shared.record.entity import RecordTooLargeError, RecordUnreadableError

_VERSION = 1
_CLUSTERS, _CHANGES = 1000, 2000
"""In one page, unless they are too much for a row."""
_CHUNK, LARGEST = 65_536, 11 * 65_536
"""Bytes of a binary property, and of all of a row; the service takes 64 KiB and 1 MiB. The request holds a third more,
and is still sent in one piece."""
_LEVEL = 1
"""Of compression: what it leaves is a sixth or less already, and more of it costs twice the time."""


def cluster_pages(clusters: Sequence[JudgedCluster]) -> Iterator[bytes]:
    """Raises RecordTooLargeError."""
    return _pages(clusters, _CLUSTERS, _packed_clusters)


def change_pages(changes: Sequence[VerdictChange]) -> Iterator[bytes]:
    """Raises RecordTooLargeError."""
    return _pages(changes, _CHANGES, _packed_changes)


def clusters_in(page: bytes) -> Iterator[JudgedCluster]:
    """Raises RecordUnreadableError."""
    try:
        packed = _unpacked(page)
        verdicts = [_verdict(*words) for words in packed["verdicts"]]
        shapes, times = packed["shapes"], [_time(time) for time in packed["times"]]
        for id_, name, subscription, group, location, team, profile, mode, *judged in packed["clusters"]:
            its, shape, values, score, restorable, remaining, at = judged
            yield JudgedCluster(
                id_,
                name,
                subscription,
                group,
                location,
                team,
                profile,
                mode,
                tuple([verdicts[number] for number in its]),
                dict(zip(shapes[shape], [tuple(v) if v.__class__ is list else v for v in values], strict=True)),
                score,
                restorable,
                tuple(remaining),
                times[at],
            )
    except (IndexError, KeyError, TypeError, ValueError, zlib.error) as error:
        raise RecordUnreadableError(f"a page of judged clusters cannot be read: {error}") from error


def changes_in(page: bytes) -> Iterator[VerdictChange]:
    """Raises RecordUnreadableError."""
    try:
        for sweep_id, at, *words in _unpacked(page)["changes"]:
            yield VerdictChange(sweep_id, datetime.fromisoformat(at), *words)
    except (IndexError, KeyError, TypeError, ValueError, zlib.error) as error:
        raise RecordUnreadableError(f"a page of changes cannot be read: {error}") from error


def put_bytes(row: dict[str, Any], content: bytes) -> None:
    """As binary properties `data_00`, `data_01`, … Raises RecordTooLargeError."""
    if len(content) > LARGEST:
        raise RecordTooLargeError(f"{len(content)} bytes are more than the {LARGEST} of a row")
    for number, start in enumerate(range(0, len(content), _CHUNK)):
        row[f"data_{number:02}"] = content[start : start + _CHUNK]


def get_bytes(row: Any) -> bytes:
    """The inverse of `put_bytes`."""
    return b"".join(row[name] for name in sorted(name for name in row if name.startswith("data_")))


def compressed(value: object) -> bytes:
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode("ascii"), _LEVEL)


def decompressed(content: bytes) -> Any:
    """Raises ValueError and zlib.error."""
    return json.loads(zlib.decompress(content))


def _pages[T](items: Sequence[T], at_once: int, pack: Callable[[Sequence[T]], dict[str, Any]]) -> Iterator[bytes]:
    for start in range(0, len(items), at_once):
        group = items[start : start + at_once]
        page = compressed({"v": _VERSION, **pack(group)})
        if len(page) <= LARGEST:
            yield page
        elif len(group) > 1:
            yield from _pages(group, (len(group) + 1) // 2, pack)
        else:
            raise RecordTooLargeError(f"what was judged of one cluster needs {len(page)} bytes compressed")


def _packed_clusters(clusters: Sequence[JudgedCluster]) -> dict[str, Any]:
    verdicts: dict[Verdict, int] = {}
    numbers: dict[int, int] = {}
    """Of the same verdicts by identity, which is asked first: clusters share most of them."""
    shapes: dict[tuple[str, ...], int] = {}
    times: dict[datetime | None, int] = {}
    rows: list[tuple[Any, ...]] = []
    for judged in clusters:
        its = list(map(numbers.get, map(id, judged.verdicts)))
        if None in its:
            for verdict in judged.verdicts:
                if id(verdict) not in numbers:
                    numbers[id(verdict)] = verdicts.setdefault(verdict, len(verdicts))
            its = list(map(numbers.get, map(id, judged.verdicts)))
        rows.append(
            (
                judged.cluster_id,
                judged.name,
                judged.subscription_id,
                judged.resource_group,
                judged.location,
                judged.team,
                judged.profile,
                judged.mode,
                its,
                shapes.setdefault(tuple(judged.facts), len(shapes)),
                list(judged.facts.values()),
                judged.score,
                judged.restorable,
                judged.remaining,
                times.setdefault(judged.judged_at, len(times)),
            )
        )
    return {
        "verdicts": [*map(_words_of, verdicts)],
        "shapes": list(shapes),
        "times": [_written(time) for time in times],
        "clusters": rows,
    }


def _words_of(verdict: Verdict) -> tuple[Any, ...]:
    return (
        verdict.control,
        verdict.status,
        verdict.severity,
        verdict.reason,
        verdict.message,
        verdict.remedy,
        _written(verdict.since),
        _written(verdict.expires),
    )


def _packed_changes(changes: Sequence[VerdictChange]) -> dict[str, Any]:
    rows = [
        (
            change.sweep_id,
            change.at.isoformat(),
            change.cluster_id,
            change.name,
            change.team,
            change.control,
            change.before,
            change.after,
            change.reason,
            change.message,
        )
        for change in changes
    ]
    return {"changes": rows}


def _verdict(
    control: str,
    status: VerdictStatus,
    severity: Severity,
    reason: str,
    message: str,
    remedy: str,
    since: str | None,
    expires: str | None,
) -> Verdict:
    return Verdict(control, status, severity, reason, message, remedy, _time(since), _time(expires))


def _unpacked(page: bytes) -> Any:
    packed = decompressed(page)
    if packed["v"] != _VERSION:
        raise ValueError(f"it has version {packed['v']}, which is not {_VERSION}")
    return packed


def _written(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
