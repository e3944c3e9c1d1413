"""What the Guard will do about a failed job, what it did, and what a person should do: in words."""

from collections.abc import Mapping, Sequence

from shared.domain.jobs import POD_RESTARTED, EndedJob
from shared.domain.profile import ProtectionProfile
from shared.domain.record import Cure, ExtensionMemory, Rung
from shared.plan.remedies import Automation, Remedy

_DOES: Mapping[Automation, str] = {
    "person": "",
    "retry": "The Guard runs the backup once more.",
    "wait_and_retry": "The Guard waits for an hour, then runs the backup once more.",
    "reconcile": "The Guard puts back what is missing, then runs the backup once more.",
    "regrant_reader": "The Guard takes the vault's Reader role on the cluster away and gives it anew, then runs the "
    "backup once more.",
    "reinstall": "The Guard reinstalls the backup extension, then runs the backup once more.",
    "when_started": "The Guard runs the backup once more when the cluster runs again.",
}
_DID = {
    "retry": "ran the backup again",
    "reinstall": "began to reinstall the backup extension",
    "put_back": "put back what was missing",
    "regrant": "took the vault's Reader role on the cluster away, to give it anew",
}
_MOVED = {
    "memory": "raised the memory limit",
    "cpu": "raised the CPU limit",
    "ahead": "raised the memory limit ahead of time",
    "down": "lowered the memory limit",
}


def will_do(remedy: Remedy, profile: ProtectionProfile, operation: str = "Backup") -> str:
    """What the Guard will do by itself, in a sentence; empty when nothing. `operation` is the job's category: a
    restore is never repeated."""
    if missing_word(remedy, profile, operation) or not _concerns(remedy, operation):
        return ""
    if remedy.automation != "memory":
        return _DOES[remedy.automation]
    raises = f"The Guard raises the extension's memory limit when memory was the reason, up to {profile.memory.ceiling}"
    if operation == "Restore":
        return f"{raises}. It does not repeat the restore."
    return f"{raises}, and runs the backup once more." if _may_retry(profile) else f"{raises}."


def missing_word(remedy: Remedy, profile: ProtectionProfile, operation: str = "Backup") -> str:
    """The setting by which the profile would let the Guard do it; empty when it may, or when nothing is to be done."""
    if not _concerns(remedy, operation):
        return ""
    if profile.mode == "audit":
        return "mode: enforce"
    if remedy.automation == "memory":
        return "" if profile.memory.automatic else "memory.automatic: true"
    if not profile.cures.automatic:
        return "cures.automatic: true"
    if remedy.automation == "reinstall" and not profile.cures.reinstall_extension:
        return "cures.reinstall_extension: true"
    return "" if profile.cures.retries_per_day else "cures.retries_per_day: 1 or more"


def recommended(
    remedy: Remedy, profile: ProtectionProfile | None, operation: str = "Backup", azure_says: str = ""
) -> str:
    """What a person should do: Azure's own advice, else the table's, and what would let the Guard do it."""
    action = azure_says.strip() or remedy.recommended_action
    word = missing_word(remedy, profile, operation) if profile else ""
    return f"{action} To let the Guard do it: {word} in the profile {profile.name!r}." if profile and word else action


def did(jobs: Sequence[EndedJob], code: str, cures: Sequence[Cure], memory: ExtensionMemory) -> tuple[str, ...]:
    """What the Guard did about jobs of one episode, oldest first."""
    done = [(cure.at, _cured(cure)) for cure in concerning(jobs, cures)]
    done += [(rung.at, _climbed(rung)) for rung in rungs_of(jobs, code, memory) if in_effect(rung, memory)]
    return tuple(f"{at:%Y-%m-%d %H:%M} UTC: {what}" for at, what in sorted(done))


def concerning(jobs: Sequence[EndedJob], cures: Sequence[Cure]) -> tuple[Cure, ...]:
    """The cures whose evidence is one of the jobs."""
    keys = {job.key for job in jobs}
    return tuple(cure for cure in cures if cure.evidence in keys)


def rungs_of(jobs: Sequence[EndedJob], code: str, memory: ExtensionMemory) -> tuple[Rung, ...]:
    """The rungs that one of the jobs led to; of jobs that lost their pod also those that a container's kill led to
    meanwhile."""
    keys, lost_pod = {job.key for job in jobs}, code.lower() in POD_RESTARTED
    since = min(job.started_at for job in jobs)
    return tuple(
        rung
        for rung in memory.rungs
        if rung.evidence in keys or (lost_pod and rung.kind in ("memory", "cpu") and rung.at >= since)
    )


def in_effect(rung: Rung, memory: ExtensionMemory) -> bool:
    """Only the newest decision may still wait for its moment."""
    return memory.in_effect or rung != memory.rungs[-1]


def step_up(rung: Rung) -> str:
    return f"from {rung.before or 'its default'} to {rung.after}"


def _climbed(rung: Rung) -> str:
    return f"{_MOVED[rung.kind]} {step_up(rung)}"


def _cured(cure: Cure) -> str:
    return f"{_DID[cure.kind]} ({cure.detail})" if cure.detail else _DID[cure.kind]


def _concerns(remedy: Remedy, operation: str) -> bool:
    wanted = ("Backup", "Restore") if remedy.automation == "memory" else ("Backup",)
    return remedy.automation != "person" and operation in wanted


def _may_retry(profile: ProtectionProfile) -> bool:
    return profile.cures.automatic and profile.cures.retries_per_day > 0
