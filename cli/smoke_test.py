"""`smoke-test`: one synthetic event on its way through the deployed app."""

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import OutFile, Output, OutputForm
from cli.run import COULD_NOT_TELL, FINDINGS, could_not_tell, remark, run

if TYPE_CHECKING:
    from cli.app_health import AppHealth
    from cli.sheet import Sheet
    from shared.notify.event_topic import EventGridTopic

_BETWEEN = 2.0
_BETWEEN_REFUSALS = 10.0
_NEWS_EVERY = 15.0
"""Seconds."""

Topic = Annotated[
    str, typer.Option("--topic", envvar="EVENT_TOPIC_ENDPOINT", help="Endpoint of the app's own Event Grid topic.")
]
App = Annotated[
    str, typer.Option("--app", envvar="FUNCTION_APP_URL", help="The app's address, https://NAME.azurewebsites.net.")
]
Timeout = Annotated[float, typer.Option("--timeout", min=1, help="Seconds until it is given up.")]
TopicId = Annotated[str, typer.Option("--topic-id", envvar="EVENT_TOPIC_ID", help="For the commands it prints.")]


@dataclass
class Attempt:
    """What came of it. `seconds` from sending to handling, as the app's clock and this one agree."""

    event_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    sent_at: datetime | None = None
    handled_at: datetime | None = None
    health: "AppHealth | None" = None
    trouble: str = ""
    """The last reason why it could not go on."""

    @property
    def exit_code(self) -> int:
        if self.handled_at is not None:
            return 0
        return FINDINGS if self.sent_at is not None and self.health is not None else COULD_NOT_TELL


def smoke_test(
    topic: Topic,
    app: App,
    timeout: Timeout = 600,
    topic_id: TopicId = "",
    output: OutputForm = Output.table,
    out: OutFile = None,
) -> None:
    """Send one synthetic event to the app's own topic and wait until the app has handled it: exit code 1 when it has
    not in time. You need the role EventGrid Data Sender on the topic."""
    from cli.app_health import checked_url
    from cli.sheet import show

    try:
        checked_url(app)
        checked_url(topic)
    except ValueError as error:
        could_not_tell(str(error), error)
    attempt = run(_try(topic, checked_url(app), timeout))
    show(_sheet(attempt, topic_id or "TOPIC_ID"), output, out)
    raise typer.Exit(attempt.exit_code)


async def _try(topic: str, app: str, timeout: float) -> Attempt:
    from cli.azure import WallClock, credential_of
    from cli.configuration import settings
    from shared.notify.event_topic import EventGridTopic

    attempt, deadline = Attempt(), time.monotonic() + timeout
    credential = credential_of(settings())
    sender = EventGridTopic(topic, credential, clock=WallClock())
    try:
        await _send(attempt, sender, deadline)
        if attempt.sent_at is not None:
            await _wait(attempt, sender, app, deadline)
    finally:
        await sender.close()
        await credential.close()
    return attempt


async def _send(attempt: Attempt, sender: "EventGridTopic", deadline: float) -> None:
    """Until the topic takes it. Raises GuardError for what waiting does not help."""
    from shared.domain.errors import TransientError
    from shared.notify.event_topic import TopicDeniedError

    remark(f"Sending the synthetic event {attempt.event_id} ...")
    while True:
        try:
            at = datetime.now(UTC)
            await sender.publish_synthetic(attempt.event_id)
            attempt.sent_at = attempt.sent_at or at
            attempt.trouble = ""
            remark("The topic has taken it.")
            return
        except TopicDeniedError as error:
            why = "you may not send to the topic (yet): a new role takes up to ten minutes to spread"
            attempt.trouble = f"{why}. {error}"
        except TransientError as error:
            if error.code == "NoToken":
                raise
            attempt.trouble = why = str(error)
        left = deadline - time.monotonic()
        if left <= 0:
            return
        remark(f"Waiting, {left:.0f} s at most: {why}.")
        await asyncio.sleep(min(_BETWEEN_REFUSALS, left))


async def _wait(attempt: Attempt, sender: "EventGridTopic", app: str, deadline: float) -> None:
    """Until the app's health shows the event. Another person's smoke test may overwrite it: then it is sent again."""
    from cli.app_health import HealthUnreadError, read_health

    assert attempt.sent_at is not None  # noqa: S101
    said_at, seen = 0.0, ""
    while True:
        try:
            health = attempt.health = await read_health(app)
            attempt.trouble = "" if health.healthy else "the app says that it is unhealthy: see /api/v1/health"
            if health.event_id == attempt.event_id:
                attempt.handled_at = health.handled_at or datetime.now(UTC)
                remark("The app has handled it.")
                return
            if health.handled_at and health.handled_at > attempt.sent_at and health.event_id != seen:
                seen = health.event_id
                remark("The event of another smoke test has arrived meanwhile; sending this one again.")
                await _send(attempt, sender, deadline)
        except HealthUnreadError as error:
            attempt.health, attempt.trouble = None, str(error)
        left = deadline - time.monotonic()
        if left <= 0:
            return
        if time.monotonic() - said_at > _NEWS_EVERY:
            said_at = time.monotonic()
            remark(f"Waiting for the app, {left:.0f} s at most" + (f": {attempt.trouble}" if attempt.trouble else "."))
        await asyncio.sleep(min(_BETWEEN, left))


def causes(topic_id: str) -> tuple[tuple[str, str], ...]:
    """What is likely the matter when an event was taken and not handled, each with the command that shows it."""
    return (
        (
            "the event subscription on the topic is missing, not Succeeded, or filters the event out",
            f"az eventgrid event-subscription list --source-resource-id {topic_id} --output table",
        ),
        (
            "Event Grid cannot deliver: a right of the topic's identity is missing, or the app does not answer",
            f"az monitor metrics list --resource {topic_id} --interval PT1M "
            "--metrics DeliveryAttemptFailCount DeadLetteredCount",
        ),
        (
            "the app fails at it: its settings, its rights on storage, or its code",
            "aks-backup-guard doctor",
        ),
    )


def _sheet(attempt: Attempt, topic_id: str) -> "Sheet":
    from cli.sheet import Sheet

    notes: tuple[str, ...] = ()
    likely = causes(topic_id) if attempt.exit_code == FINDINGS else ()
    if attempt.handled_at is not None and attempt.sent_at is not None:
        seconds = max(0.0, (attempt.handled_at - attempt.sent_at).total_seconds())
        result = f"handled after {seconds:.1f} s"
    elif attempt.exit_code == FINDINGS:
        result = "sent, and not handled in time"
        notes = ("Likely causes, and what shows them:", *(f"{cause}: {command}" for cause, command in likely))
    else:
        result = "could not tell: " + ("it was sent, " if attempt.sent_at else "it was not sent, ") + attempt.trouble
    document: dict[str, Any] = {
        "event_id": attempt.event_id,
        "handled": {0: True, FINDINGS: False}.get(attempt.exit_code),
        "sent_at": attempt.sent_at.isoformat() if attempt.sent_at else None,
        "handled_at": attempt.handled_at.isoformat() if attempt.handled_at else None,
        "app_version": attempt.health.version if attempt.health else None,
        "message": result,
        "trouble": attempt.trouble,
        "causes": [{"cause": cause, "command": command} for cause, command in likely],
    }
    row = (attempt.event_id, result)
    wrong = (result if attempt.exit_code else "",)
    return Sheet("Smoke test", ("synthetic event", "result"), (row,), document, wrong, notes)
