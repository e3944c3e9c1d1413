"""The app's own job events as they come back from its topic: forged, cut and foreign ones too."""

from datetime import datetime
from typing import Any

from shared.domain.errors import MalformedEventError
from shared.domain.ids import ClusterId
from shared.domain.jobs import EndedJob, JobIssue
from shared.events.app_events import JOB_TYPES, SYNTHETIC
from shared.events.fields import count_of, flag_of, job_id_of, moment_of, object_of, parse_object, text_of

TYPES = (*dict.fromkeys(JOB_TYPES.values()), SYNTHETIC)
"""What the app listens to on its own topic."""
_LONGEST_NAME, _LONGEST_TEXT = 300, 2000
_MOST_ISSUES = 10_000


def parse_job_event(payload: str, now: datetime) -> EndedJob | None:
    """One CloudEvent in JSON; None for one of another type, out-of-memory kills among them: Azure cannot be asked about
    one again, so the Guard believes only what it has read in the logs itself. Raises MalformedEventError, naming what
    is wrong."""
    event = parse_object(payload, "the event")
    kind = text_of(event, "eventType" if "eventType" in event else "type")
    if kind not in JOB_TYPES.values():
        return None
    if event.get("specversion") != "1.0":
        raise MalformedEventError("the event is not a CloudEvent 1.0: its field specversion says otherwise")
    data = object_of(event, "data")
    job = _job(data, kind, now)
    if text_of(event, "id") != job.key:
        raise MalformedEventError("the event's id does not belong to what its data names")
    return job


def _job(data: dict[str, Any], kind: str, now: datetime) -> EndedJob:
    status = text_of(data, "status", _LONGEST_NAME).lower()
    if JOB_TYPES.get(status) != kind:
        raise MalformedEventError(f"the field status, {status!r}, does not fit the type {kind}")
    return EndedJob(
        arm_id=job_id_of(text_of(data, "jobId"), "jobId"),
        cluster=_cluster(data),
        instance_id=text_of(data, "backupInstanceId"),
        operation=text_of(data, "operation", _LONGEST_NAME),
        status=status,
        user_triggered=flag_of(data, "isUserTriggered"),
        started_at=moment_of(data, "startedAt", now),
        ended_at=moment_of(data, "endedAt", now),
        errors=_issues(data, "errors"),
        warnings=_issues(data, "warnings"),
        resources=count_of(data, "resourceCount"),
        detailed=flag_of(data, "detailed"),
        left_out=count_of(data, "leftOut") or 0,
    )


def _cluster(data: dict[str, Any]) -> ClusterId:
    try:
        return ClusterId.parse(text_of(data, "clusterId"))
    except MalformedEventError:
        raise
    except ValueError as error:
        raise MalformedEventError(f"the field clusterId is {error}") from error


def _issues(data: dict[str, Any], name: str) -> tuple[JobIssue, ...]:
    found = data.get(name)
    if not isinstance(found, list) or len(found) > _MOST_ISSUES:
        raise MalformedEventError(f"the field {name} is not a list of at most {_MOST_ISSUES}")
    if not all(isinstance(issue, dict) for issue in found):
        raise MalformedEventError(f"the field {name} holds something that is not an object")
    return tuple(
        JobIssue(
            code=text_of(issue, "code", _LONGEST_NAME),
            message=text_of(issue, "message", _LONGEST_TEXT, ""),
            recommended_action=text_of(issue, "recommendedAction", _LONGEST_TEXT, ""),
            resource=text_of(issue, "resource", _LONGEST_TEXT, ""),
        )
        for issue in found
    )
