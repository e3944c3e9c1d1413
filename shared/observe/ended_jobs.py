"""A job that has ended, as the jobs API and Resource Graph describe it (Jobs REST, AzureBackupJob)."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from shared.domain.ids import ClusterId
from shared.domain.jobs import EndedJob, JobIssue
from shared.events.fields import is_job_id
from shared.observe.fields import JsonObject, UnreadableBodyError, at, moment, needed_text, text

_ENDED = {
    "completed": "completed",
    "completedwithwarnings": "completedwithwarnings",
    "failed": "failed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
}
_RUNNING = frozenset({"inprogress", "started", "notstarted", "cancelling", "canceling", "paused"})
_ISO_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.IGNORECASE)
_CLOCK_DURATION = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d+)?)")
_RESOURCE_COUNT = re.compile(
    r"(?!.*(fail|skip|warn|exclu|miss))(?=.*resource)(?=.*(count|number|total))", re.IGNORECASE
)
_NUMBER = re.compile(r"[0-9]{1,7}")
_DEEPEST = 5


def parse_ended_job(arm_id: str, properties: JsonObject, *, detailed: bool = False) -> EndedJob | None:
    """None when it has not ended. `detailed` says that the properties are the jobs API's own, errors and warnings
    included. Raises UnreadableBodyError."""
    status = ended_status(text(properties, "status"))
    ended_at = moment(properties, "endTime")
    if status is None:
        if ended_at is not None and _word(text(properties, "status")) not in _RUNNING:
            raise UnreadableBodyError(
                f"status {text(properties, 'status')[:60]!r} is not known, and the job has an end"
            )
        return None
    if not is_job_id(arm_id):
        raise UnreadableBodyError(f"not the ARM id of a Backup vault's job: {arm_id[:300]!r}")
    took = duration(text(properties, "duration"))
    started_at = moment(properties, "startTime")
    ended_at = ended_at or (_apart(started_at, took) if started_at and took else None)
    if ended_at is None:
        raise UnreadableBodyError("the job has ended, and does not say when")
    return EndedJob(
        arm_id=arm_id,
        cluster=cluster_of(needed_text(properties, "dataSourceId")),
        instance_id=text(properties, "backupInstanceId"),
        operation=text(properties, "operationCategory") or needed_text(properties, "operation").partition(":")[0],
        status=status,
        user_triggered=str(at(properties, "isUserTriggered")).lower() == "true",
        started_at=started_at or (_apart(ended_at, -took) if took else None) or ended_at,
        ended_at=ended_at,
        errors=_distinct(issue for error in _objects(at(properties, "errorDetails")) for issue in _issues(error)),
        warnings=_distinct(_warnings(at(properties, "extendedInfo", "warningDetails"))),
        resources=_resources(properties),
        detailed=detailed,
    )


def ended_status(status: str) -> str | None:
    """A status that is an end, as `EndedJob.status` has it, however it is written. None for every other."""
    return _ENDED.get(_word(status))


def cluster_of(arm_id: str) -> ClusterId:
    """Raises UnreadableBodyError when it is not a cluster's ARM id."""
    try:
        return ClusterId.parse(arm_id)
    except ValueError as error:
        raise UnreadableBodyError(str(error)) from error


def duration(written: str) -> timedelta | None:
    """ISO 8601 with seven decimals (recorded), or .NET's d.hh:mm:ss (the API's example). None for anything else."""
    written = written.strip()
    if not (found := _ISO_DURATION.fullmatch(written) or _CLOCK_DURATION.fullmatch(written)):
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    try:
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return None


def _apart(then: datetime, by: timedelta) -> datetime | None:
    try:
        return then + by
    except OverflowError:
        return None


def _word(status: str) -> str:
    return "".join(letter for letter in status.lower() if letter.isalpha())


def _issues(error: JsonObject, resource: str = "", depth: int = 0) -> Iterator[JobIssue]:
    """The error and those in it: the one that says what went wrong may be any of them."""
    issue = JobIssue(
        _said(error.get("code")),
        _said(error.get("message")),
        _said(error.get("recommendedAction")),
        resource or _said(error.get("target")),
    )
    if issue.code or issue.message:
        yield issue
    for name in ("details", "innerError", "embeddedInnerError") if depth < _DEEPEST else ():
        for inner in _objects(error.get(name)):
            yield from _issues(inner, issue.resource, depth + 1)


def _warnings(details: Any) -> Iterator[JobIssue]:
    """One for each resource: of a warning within a warning only the outermost counts."""
    for detail in _objects(details):
        warning = detail.get("warning")
        resource = _said(detail.get("resourceName"))
        issues = list(_issues(warning, resource)) if isinstance(warning, dict) else []
        # A warning that does not say what it is still names what is missing from the backup.
        unnamed = issues[0] if issues else JobIssue("", _said(warning), "", resource)
        yield next((issue for issue in issues if issue.code), unnamed)


def _distinct(issues: Iterator[JobIssue]) -> tuple[JobIssue, ...]:
    """Of each code and resource the first; Azure repeats an error's code inside it."""
    first: dict[tuple[str, str], JobIssue] = {}
    for issue in issues:
        first.setdefault((issue.code.lower() or issue.message, issue.resource.lower()), issue)
    return tuple(first.values())


def _resources(properties: JsonObject) -> int | None:
    """Which key holds the number of resources is not documented: any of the additional details that reads like one
    counts, and the largest number."""
    extended = at(properties, "extendedInfo")
    if not isinstance(extended, dict):
        return None
    numbers = [
        int(str(value))
        for holder in (extended, *_objects(extended.get("subTasks")))
        for details in _objects(holder.get("additionalDetails"))
        for name, value in details.items()
        if _RESOURCE_COUNT.match(name) and _NUMBER.fullmatch(str(value))
    ]
    return max(numbers, default=None)


def _objects(value: Any) -> Iterator[JsonObject]:
    """The objects of a list, or the one object; none of anything else."""
    yield from (item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict))


def _said(value: Any) -> str:
    """Text, or lines of text, which is how recommended actions come."""
    if isinstance(value, list):
        return " ".join(line.strip() for line in value if isinstance(line, str)).strip()
    return value.strip() if isinstance(value, str) else ""
