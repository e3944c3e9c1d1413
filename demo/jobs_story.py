"""The story goes on: a backup that misses a volume, and a cluster that has outgrown its backup extension."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from demo.fleet import GAPPY, OUTGROWN, Member
from demo.live import View
from demo.operator import DATA_PROTECTION, EXTENSIONS
from demo.scenario import StuckError
from demo.stack import Stack
from demo.team import Received, Team

MISSED_VOLUME = "media-files"
GROWN_TO = 3000
"""Kubernetes resources: more than the default memory limit is enough for, and more than the next rung."""
_LONGEST = 150.0
_WATCH_EVERY = 1.5
"""Seconds on the wall between two runs of the timer `job_watch`. Its schedule goes by the wall's clock, so the story
runs it."""
_MEMORY = "resources.limits.memory"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the story saw of the outgrown cluster: memory limits of its extension, one after the other, and what became
    of the backups since it has grown, oldest first."""

    limits: tuple[str, ...]
    backups: tuple[str, ...]


def play_jobs(stack: Stack, team: Team, view: View) -> Seen:
    """Needs a fleet at rest. Raises StuckError."""
    story = _JobsStory(stack, team, view)
    story.a_backup_misses_a_volume()
    story.the_next_backup_is_clean()
    return story.a_cluster_outgrows_its_extension()


class _JobsStory:
    def __init__(self, stack: Stack, team: Team, view: View) -> None:
        self._stack, self._team, self._view = stack, team, view
        self._watched = 0.0

    def a_backup_misses_a_volume(self) -> None:
        self._contents(GAPPY, volumes=[{"name": MISSED_VOLUME, "namespace": "default", "kind": "nfs"}])
        self._scheduled(GAPPY)
        self._view.say(
            f"[b]{GAPPY.name}[/] has got an NFS volume, which Azure Backup cannot take. Its next scheduled backup ends "
            "[yellow]Completed with Warnings[/]; Azure itself raises no alert for that."
        )
        told = self._until_told(GAPPY, "the warning to reach the team")
        self._view.say(f"The team is told: [b]{told.title}[/]")

    def the_next_backup_is_clean(self) -> None:
        self._contents(GAPPY, volumes=[])
        self._scheduled(GAPPY)
        self._view.say("The volume is moved to a disk; the next backup is clean.")
        told = self._until_told(GAPPY, "the alert to resolve itself")
        self._view.say(f"The alert resolves itself: [b]{told.title}[/]")

    def a_cluster_outgrows_its_extension(self) -> Seen:
        limits, before = [self._memory_limit()], len(self._jobs(OUTGROWN))
        self._contents(OUTGROWN, resource_count=GROWN_TO)
        self._scheduled(OUTGROWN)
        self._view.say(
            f"[b]{OUTGROWN.name}[/] has grown to {GROWN_TO:,} resources: its backup extension is [red]OOM-killed[/] "
            "during the next backup."
        )

        def recovered() -> bool:
            if (limit := self._memory_limit()) != limits[-1]:
                limits.append(limit)
                self._view.say(f"The Guard has raised the extension's memory limit to [b]{limit}[/].")
            return self._jobs(OUTGROWN)[-1] == "Completed" and any(
                "resolved" in message.title.lower() for message in self._about(OUTGROWN)
            )

        self._until(recovered, "the outgrown cluster's backup to succeed and its alert to resolve")
        self._view.say(f"The backup was run again, and is clean: {' → '.join(limit or '1280Mi' for limit in limits)}.")
        return Seen(tuple(limits), tuple(self._jobs(OUTGROWN)[before:]))

    def _contents(self, member: Member, **contents: Any) -> None:
        self._stack.control("POST", "clusters/contents", {"cluster": self._id(member), **contents})

    def _scheduled(self, member: Member) -> None:
        self._stack.control("POST", "schedule/run", {"cluster": self._id(member)})

    def _id(self, member: Member) -> str:
        return member.arm_id(self._stack.subscription)

    def _about(self, member: Member) -> list[Received]:
        return [message for message in self._team.messages() if member.name in message.title + message.text]

    def _until_told(self, member: Member, what: str) -> Received:
        before = len(self._about(member))
        self._until(lambda: len(self._about(member)) > before, what)
        return self._about(member)[-1]

    def _memory_limit(self) -> str:
        path = f"{self._id(OUTGROWN)}/providers/Microsoft.KubernetesConfiguration/extensions/azure-aks-backup"
        body = self._stack.operator.get(path, EXTENSIONS)
        return str(body["properties"]["configurationSettings"].get(_MEMORY, ""))

    def _jobs(self, member: Member) -> list[str]:
        """The status of each of its jobs, oldest first."""
        jobs = [
            job["properties"]
            for vault in self._stack.operator.list(
                f"/subscriptions/{self._stack.subscription}/providers/Microsoft.DataProtection/backupVaults",
                DATA_PROTECTION,
            )
            for job in self._stack.operator.list(f"{vault['id']}/backupJobs", DATA_PROTECTION)
            if job["properties"]["dataSourceId"].lower() == self._id(member)
        ]
        return [str(job["status"]) for job in sorted(jobs, key=lambda job: str(job["startTime"]))]

    def _until(self, happened: Callable[[], bool], what: str) -> None:
        began = time.monotonic()
        while not happened():
            if time.monotonic() - self._watched > _WATCH_EVERY:
                self._stack.run_timer("job_watch")
                self._watched = time.monotonic()
            if time.monotonic() - began > _LONGEST:
                raise StuckError(f"waited {_LONGEST:.0f} s for {what}")
            time.sleep(0.25)
