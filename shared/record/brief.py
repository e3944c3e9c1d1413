"""What a record says to a sweep, as one small column of its row: a sweep reads nothing else of every cluster."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.domain.conditions import COMPLIANT, READY, Condition
from shared.domain.facts import Absent, Fact, Present, Unobserved
from shared.domain.fleet import Remembered
from shared.domain.ids import ClusterId
from shared.domain.observed import ObservedCluster, TrustedAccessBinding
from shared.domain.record import Record

BRIEF_COLUMNS = ("cluster_id", "brief", "deleted_at")
_LONGEST_COLUMN = 32_000
_LONGEST_TEXT, _MOST = 500, 50


def put_brief(row: dict[str, Any], record: Record) -> None:
    """Into the column `brief`. What is too much for one column is left out, and is then not known to a sweep."""
    ready, compliant = record.conditions.get(READY), record.conditions.get(COMPLIANT)
    brief = {
        "remaining": [step[:_LONGEST_TEXT] for step in record.remaining[:_MOST]],
        "ready": "NotLookedAt" if ready is None else "" if ready.status == "True" else ready.reason[:_LONGEST_TEXT],
        "restored": record.last_restore_at and record.last_restore_at.isoformat(),
        "exhausted": record.memory.exhausted[:_LONGEST_TEXT],
        "uid": record.resource_uid[:_LONGEST_TEXT],
        "reborn": record.reborn_at and record.reborn_at.isoformat(),
        "protected": bool(record.protected_uid),
        "profile": record.profile_digest,
        "compliant": _said(compliant, ready),
    }
    bindings = record.observed.bindings if isinstance(record.observed, ObservedCluster) else Unobserved()
    with_bindings = _written(brief | {"bindings": _packed(bindings)})
    row["brief"] = with_bindings if len(with_bindings) <= _LONGEST_COLUMN else _written(brief)


def from_brief(row: Mapping[str, Any]) -> tuple[ClusterId, Remembered] | None:
    """None when the row names no cluster. One that was written before there were briefs says only who it is."""
    try:
        cluster = ClusterId.parse(row["cluster_id"])
    except (AttributeError, KeyError, ValueError):
        return None
    deleted = row.get("deleted_at")
    deleted_at = datetime.combine(deleted.date(), deleted.timetz()).astimezone(UTC) if deleted else None
    try:
        brief = json.loads(row["brief"])
        restored, reborn = brief.get("restored"), brief.get("reborn")
        return cluster, Remembered(
            bindings=_unpacked(brief.get("bindings")),
            remaining=tuple(brief.get("remaining", ())),
            ready=brief.get("ready", ""),
            last_restore_at=datetime.fromisoformat(restored) if restored else None,
            memory_exhausted=brief.get("exhausted", ""),
            deleted_at=deleted_at,
            resource_uid=brief.get("uid", ""),
            reborn_at=datetime.fromisoformat(reborn) if reborn else None,
            protected=brief.get("protected", False),
            profile_digest=brief.get("profile", ""),
            compliant=brief.get("compliant", ""),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return cluster, Remembered(ready="NotLookedAt", deleted_at=deleted_at)


def _said(compliant: Condition | None, ready: Condition | None) -> str:
    """What a sweep said before `Ready` became what it is says nothing of today: the next sweep says it again."""
    if compliant is None:
        return ""
    outdated = ready is not None and ready.last_transition > compliant.last_transition
    return f"outdated {compliant.digest}" if outdated else compliant.digest


def _written(brief: dict[str, Any]) -> str:
    return json.dumps(brief, separators=(",", ":"))


def _packed(bindings: Fact[tuple[TrustedAccessBinding, ...]]) -> Any:
    match bindings:
        case Present(found, at):
            each = [[one.arm_id, one.name, one.source_id, one.roles, one.provisioning_state] for one in found]
            return [at.isoformat(), each]
        case Absent(at):
            return [at.isoformat()]
        case Unobserved(reason):
            return reason[:_LONGEST_TEXT]


def _unpacked(packed: Any) -> Fact[tuple[TrustedAccessBinding, ...]]:
    if not isinstance(packed, list):
        return Unobserved(str(packed)) if packed else Unobserved()
    at = datetime.fromisoformat(packed[0])
    if len(packed) == 1:
        return Absent(at)
    return Present(
        tuple(
            TrustedAccessBinding(arm_id, name, source_id, tuple(roles), state)
            for arm_id, name, source_id, roles, state in packed[1]
        ),
        at,
    )
