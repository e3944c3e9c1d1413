"""Sets the extension's decided limits as soon as that disturbs nobody, and says how its memory stands."""

from shared.domain.conditions import EXTENSION_MEMORY_SUFFICIENT
from shared.domain.facts import value_of
from shared.domain.jobs import ClusterHistory
from shared.domain.observed import Extension
from shared.domain.quantity import mebibytes
from shared.domain.record import ExtensionMemory
from shared.domain.steps import UpdateExtension
from shared.plan.evidence import DEFAULT_LIMIT, of_this_life, settled_since, unsolved
from shared.plan.extension_memory import CPU_LIMIT, LIMIT, awaits_change, decides, missing, question, succeeded
from shared.plan.extension_place import misplaced
from shared.plan.freshness import extension_look_in
from shared.plan.parts import Part, Said, attempted
from shared.plan.subject import Subject, waiting
from shared.plan.under_way import nothing_runs, own_backup, start_is_near

REQUEST = "resources.requests.memory"


def memory_part(subject: Subject) -> Part:
    """Sends what was decided as soon as it disturbs nobody, and says how the memory stands."""
    memory, extension = subject.record.memory, value_of(subject.observed.extension)
    old = subject.record.conditions.get(EXTENSION_MEMORY_SUFFICIENT)
    if extension is None:
        if old is None or old.status == "True":
            return Part()
        message = "The memory of the extension is judged once it is there."
        return Part((Said(EXTENSION_MEMORY_SUFFICIENT, "Unknown", "WaitingForExtension", message),))
    if awaits_change(subject):
        return _change(subject, memory, extension)
    if memory.exhausted:
        return Part((_exhausted(memory),))
    if subject.history is None:
        known = old if old is not None and old.reason in ("OutOfMemory", "OutOfMemoryOnce") else None
        if known is not None:
            return Part((Said(known.type, known.status, known.reason, known.message, known.recommended_action),))
        return Part((_sufficient(memory, extension),))
    return _trouble(subject, memory, extension) or Part((_sufficient(memory, extension),))


def wants_quiet(subject: Subject) -> bool:
    """Whether a change of the extension waits for nothing but the proof that no backup runs."""
    extension = value_of(subject.observed.extension)
    if extension is None or not awaits_change(subject) or not succeeded(extension) or subject.profile.mode == "audit":
        return False
    if misplaced(subject.record, extension):
        return False
    attempt = subject.record.steps.attempts.get("UpdateExtension")
    ready = attempt is None or attempt.not_before <= subject.moment.now
    return ready and not own_backup(subject) and start_is_near(subject) is None


def _change(subject: Subject, memory: ExtensionMemory, extension: Extension) -> Part:
    settings = _settings(subject, memory, extension)
    step = UpdateExtension(extension.arm_id, settings)
    what = f"The extension's {'CPU' if LIMIT not in settings and CPU_LIMIT in settings else 'memory'} limit becomes "
    what += settings.get(LIMIT) or settings.get(CPU_LIMIT) or memory.limit
    if misplaced(subject.record, extension):
        message = f"{what} once its storage settings are set back."
        return waiting(EXTENSION_MEMORY_SUFFICIENT, "Raising", message, None, step.key)
    if not succeeded(extension) or not settings:
        failed = extension.provisioning_state.lower() in ("failed", "canceled")
        seconds = None if failed else max(15.0, extension_look_in(subject.record, subject.moment))
        message = f"{what}; the extension is {extension.provisioning_state}."
        return waiting(EXTENSION_MEMORY_SUFFICIENT, "Raising", message, seconds, step.key)
    ready = Said(EXTENSION_MEMORY_SUFFICIENT, "False", "Raising", f"{what}.")
    attempt = subject.record.steps.attempts.get(step.key)
    if attempt is not None and attempt.not_before > subject.moment.now:
        return attempted(EXTENSION_MEMORY_SUFFICIENT, step, subject.record.steps, subject.moment, ready)
    near, quiet = start_is_near(subject), nothing_runs(subject)
    if near is not None:
        message = f"{what} a little later: the schedule starts a backup about now."
        return waiting(EXTENSION_MEMORY_SUFFICIENT, "Raising", message, near, step.key)
    if own_backup(subject) or quiet is False:
        message = f"{what} when no backup or restore runs any more: the change would cut it."
        return waiting(EXTENSION_MEMORY_SUFFICIENT, "Raising", message, 120, step.key)
    if quiet is None and subject.profile.mode == "enforce":
        message = f"{what} when it is known that no backup or restore runs."
        return waiting(EXTENSION_MEMORY_SUFFICIENT, "Raising", message, 30, step.key)
    return attempted(EXTENSION_MEMORY_SUFFICIENT, step, subject.record.steps, subject.moment, ready)


def _settings(subject: Subject, memory: ExtensionMemory, extension: Extension) -> dict[str, str]:
    """Only what changes. A request above the limit would be refused, so it follows the limit down."""
    settings = missing(memory, extension)
    limit, request = settings.get(LIMIT), mebibytes(extension.memory_request) or 0.0
    if limit and (subject.profile.memory.raise_request or request > (mebibytes(limit) or 0.0)):
        settings[REQUEST] = limit
    return settings


def _trouble(subject: Subject, memory: ExtensionMemory, extension: Extension) -> Part | None:
    since = settled_since(memory, extension, subject.moment)
    history = of_this_life(subject.history or ClusterHistory(), subject.record)
    newest = None if since is None else unsolved(history, since)
    if newest is None:
        return None
    limit = extension.memory_limit or DEFAULT_LIMIT
    if not decides(subject.profile):
        message = f"The backup extension runs out of its memory ({limit})."
        action = "Raise resources.limits.memory of the extension, or let the profile do it (memory.automatic, mode)."
        said = Said(EXTENSION_MEMORY_SUFFICIENT, "False", "OutOfMemory", message, action)
        return Part((said,), (), ("UpdateExtension",) if subject.profile.memory.automatic else ())
    if newest.key in memory.nodes:
        message = (
            f"The extension's pod restarted once during a job, with a limit of {limit}; its node may be the cause."
        )
        return Part((Said(EXTENSION_MEMORY_SUFFICIENT, "False", "OutOfMemoryOnce", message),))
    if question(subject) is None:
        return None
    message = f"The backup extension seems to run out of its memory ({limit}); Azure is asked about it."
    return waiting(EXTENSION_MEMORY_SUFFICIENT, "OutOfMemory", message, 15, "Read:Evidence")


def _exhausted(memory: ExtensionMemory) -> Said:
    climbed = ", ".join(f"{rung.before} to {rung.after} on {rung.at:%Y-%m-%d %H:%M} UTC" for rung in memory.rungs)
    message = f"The backup extension still runs out of memory, and {memory.exhausted}."
    action = "Raise memory.ceiling and memory.rungs of the profile, or back up fewer resources (scope)."
    if "node" in memory.exhausted:
        action = "Give the cluster a node pool with larger nodes, or back up fewer resources (scope)."
    said = f"{message} So far: {climbed or 'nothing was raised'}."
    return Said(EXTENSION_MEMORY_SUFFICIENT, "False", "RemediationExhausted", said, action)


def _sufficient(memory: ExtensionMemory, extension: Extension) -> Said:
    limit = f"{extension.memory_limit or DEFAULT_LIMIT}{'' if extension.memory_limit else ' by default'}"
    raised = f", since {memory.rungs[-1].at:%Y-%m-%d %H:%M} UTC" if memory.rungs and memory.limit else ""
    message = f"No kill for want of memory is known under the limit of {limit}{raised}."
    return Said(EXTENSION_MEMORY_SUFFICIENT, "True", "Sufficient", message)
