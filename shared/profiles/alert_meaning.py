"""What guard.yaml says of memory, alerts and routes: what contradicts itself there, and what it means."""

from collections.abc import Iterator
from itertools import pairwise

from shared.domain.profile import (
    Alerting,
    Notifications,
    OneTimeWindow,
    QuietHours,
    Route,
    WeeklyWindow,
)
from shared.profiles.alert_models import DAYS, AlertingModel, NotificationsModel
from shared.profiles.base_models import selector
from shared.profiles.fields import begin_of, end_of, quantity, seconds
from shared.profiles.meaning import unknown_profile
from shared.profiles.models import ConfigurationModel, ProfileModel
from shared.profiles.yaml_lines import Path, Problem

_DAY, _WEEK = 86_400, 7 * 86_400


def memory_problems(name: str, profile: ProfileModel) -> Iterator[Problem]:
    at: Path = ("profiles", name, "memory")
    memory, rungs = profile.memory, profile.memory.rungs
    for number, (lower, higher) in enumerate(pairwise(rungs), 1):
        if quantity(higher) <= quantity(lower):
            message = f"{higher} is not more than the {lower} before it; write the rungs from the lowest to the highest"
            yield Problem((*at, "rungs", number), message)
    if quantity(memory.ceiling) < quantity(rungs[0]):
        message = f"{memory.ceiling} is less than the first rung of {rungs[0]}; raise it, or lower the rung"
        yield Problem((*at, "ceiling"), message)
    elif "rungs" in memory.model_fields_set and quantity(memory.ceiling) < quantity(rungs[-1]):
        message = f"{rungs[-1]} is above the ceiling of {memory.ceiling} and never reached; raise memory.ceiling"
        yield Problem((*at, "rungs", len(rungs) - 1), message)
    cpu, raised = profile.extension.cpu_limit, memory.cpu_limit_after
    if cpu is not None and raised is not None and quantity(raised) <= quantity(cpu):
        message = f"{raised} is not more than extension.cpu_limit, which is {cpu}; raise it, or remove it"
        yield Problem((*at, "cpu_limit_after"), message)
    if memory.come_down_after is not None and seconds(memory.come_down_after) < _DAY:
        message = f"{memory.come_down_after} is too short to judge by; use P1D or more, for example P30D"
        yield Problem((*at, "come_down_after"), message)


def window_problems(name: str, profile: ProfileModel) -> Iterator[Problem]:
    at: Path = ("profiles", name, "alerts", "maintenance")
    for number, window in enumerate(profile.alerts.maintenance.weekly):
        if not 0 < seconds(window.duration) <= _WEEK:
            message = f"{window.duration} is no length for a window of every week; use up to P7D, for example PT6H"
            yield Problem((*at, "weekly", number, "duration"), message)
    for number, once in enumerate(profile.alerts.maintenance.once):
        if end_of(once.end) <= begin_of(once.start):
            message = f"{once.end} is not after the start, {once.start}; swap them, or correct one"
            yield Problem((*at, "once", number, "end"), message)


def notification_problems(configuration: ConfigurationModel) -> Iterator[Problem]:
    spelt: dict[str, str] = {}
    fallback: str | None = None
    for number, route in enumerate(configuration.notifications.routes):
        at: Path = ("notifications", "routes", number)
        if (like := spelt.setdefault(route.name.lower(), route.name)) != route.name:
            yield Problem((*at, "name"), f"differs from {like} by upper and lower case only; rename one")
        elif route.name in (other.name for other in configuration.notifications.routes[:number]):
            yield Problem((*at, "name"), f"{route.name!r} is given twice; rename one")
        for place, profile in enumerate(route.profiles):
            yield from unknown_profile((*at, "profiles", place), profile, list(configuration.profiles))
        if route.fallback and fallback is not None:
            yield Problem((*at, "fallback"), f"route {fallback!r} is the fallback already; keep one")
        elif route.fallback:
            fallback = route.name
        quiet = route.quiet_hours
        if quiet is not None and quiet.start == quiet.end:
            message = f"{quiet.end} is the start too, so nobody would know whether it is no time or the whole day; "
            yield Problem((*at, "quiet_hours", "end"), message + "correct one, or remove quiet_hours")


def alerting(model: AlertingModel) -> Alerting:
    maintenance = model.maintenance
    return Alerting(
        not_protected_after=seconds(model.not_protected_after),
        blocked_after=seconds(model.blocked_after),
        escalate_after_failures=model.escalate_after_failures,
        escalate_after=seconds(model.escalate_after),
        maintenance=(
            *(
                WeeklyWindow(
                    tuple(sorted({DAYS.index(day) for day in window.days})),
                    window.start,
                    seconds(window.duration),
                    window.time_zone,
                )
                for window in maintenance.weekly
            ),
            *(OneTimeWindow(begin_of(window.start), end_of(window.end)) for window in maintenance.once),
        ),
    )


def notifications(model: NotificationsModel) -> Notifications:
    return Notifications(
        routes=tuple(
            Route(
                name=route.name,
                selector=selector(route.match),
                profiles=tuple(route.profiles),
                least=route.least,
                channels=tuple(dict.fromkeys(route.channels)),
                quiet_hours=QuietHours(**route.quiet_hours.model_dump()) if route.quiet_hours else None,
                updates=route.updates,
                fallback=route.fallback,
            )
            for route in model.routes
        ),
        group_wait=seconds(model.group_wait),
        group_interval=seconds(model.group_interval),
        dashboard_url=model.dashboard_url,
    )
