"""Jobs that ended badly in the same way, up to the clean one that ended it: a function of the set of jobs."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.jobs import EndedJob, JobIssue


@dataclass(frozen=True, slots=True)
class Episode:
    """Jobs of one kind that ended with the same code and no clean one between them, oldest end first."""

    operation: str
    jobs: tuple[EndedJob, ...]
    cleaned_at: datetime | None = None
    """When the first clean job after them ended."""


def issues_of(job: EndedJob) -> tuple[JobIssue, ...]:
    """What was wrong with a job, at least one; none when it is clean or somebody cancelled it. Warnings of a failed
    job matter only when it has no error. Where Azure gives no code, the job's status is one."""
    match job.status:
        case "failed":
            found, code = job.errors or job.warnings, "Failed"
        case "completedwithwarnings":
            found, code = (*job.warnings, *job.errors), "CompletedWithWarnings"
        case _:
            return ()
    return tuple(issue if issue.code else replace(issue, code=code) for issue in found) or (JobIssue(code),)


def each_once(jobs: Iterable[EndedJob]) -> tuple[EndedJob, ...]:
    """Each job once, as it is known best, oldest end first. Of two that ended at once the clean one counts as the
    first, so that it hides nothing."""
    best: dict[str, EndedJob] = {}
    for job in jobs:
        known = best.setdefault(job.key, job)
        best[job.key] = max(known, job, key=lambda j: (j.detailed, len(j.errors) + len(j.warnings), repr(j)))
    return tuple(sorted(best.values(), key=lambda job: (job.ended_at, not job.clean, job.key)))


def episodes(jobs: Iterable[EndedJob]) -> dict[str, Episode]:
    """The newest of each kind and code, by the key of its cause."""
    newest: dict[str, Episode] = {}
    for job in each_once(jobs):
        operation = job.operation.capitalize() or "Job"
        if job.clean:
            for key, episode in newest.items():
                if episode.operation == operation and episode.cleaned_at is None:
                    newest[key] = replace(episode, cleaned_at=job.ended_at)
        for code in {issue.code.lower() for issue in issues_of(job)}:
            key = f"{operation}:{code}"
            before = newest.get(key)
            going_on = before.jobs if before is not None and before.cleaned_at is None else ()
            newest[key] = Episode(operation, (*going_on, job))
    return newest
