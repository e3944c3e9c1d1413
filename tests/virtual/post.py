"""The telling of alerts in virtual time: the real loop of announcing and delivering over storage and channels that
behave, hosts that die, and queue messages that come twice."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

from shared.announce import announce
from shared.deliver import deliver, kick
from shared.domain.alerts import Announcement
from shared.domain.errors import TransientError
from shared.domain.fleet import Scope
from shared.domain.profile import Configuration, Notifications, Route, Selector
from shared.notify.document import document
from shared.ports import EventTopic
from shared.record.messages import parse_notification
from shared.world import World
from tests.fakes.channels import FakeChannels
from tests.fakes.clock import VirtualClock
from tests.fakes.queue import FakeNotifyQueue
from tests.fakes.storage import FakeAlertBook, FakeDestinations, FakeOutbox

SHOP = Route("shop", Selector(tags={"team": "shop"}), channels=("TEAMS_SHOP",))
PLATFORM = Route("platform", least="Error", channels=("SLACK",))


class Killed(BaseException):
    """The process died: nothing it would still have done is done."""


class FakeTopic:
    """`ports.EventTopic` for announcements."""

    def __init__(self) -> None:
        self.announcements: list[Announcement] = []
        self.dead = False

    async def publish_announcements(self, announcements: Sequence[Announcement]) -> None:
        if self.dead:
            raise TransientError("EventGridUnavailable", "the topic does not answer")
        self.announcements.extend(announcements)


class Mortal:
    """What a host does to the world outside, with a moment before and after each call at which it can die, and at which
    other hosts have their turn."""

    def __init__(self, inner: object, at: Callable[[str], None]) -> None:
        self._inner, self._at = inner, at

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name == "all_of":
            return method

        async def mortal(*arguments: Any, **options: Any) -> Any:
            self._at(f"before {name}")
            await asyncio.sleep(0)
            answer = await method(*arguments, **options)
            self._at(f"after {name}")
            await asyncio.sleep(0)
            return answer

        return mortal


@dataclass
class Post:
    """One storage account, its channels, and the hosts that serve it. `kill_at` is the number of the moment (from 1) at
    which the host dies, once."""

    notifications: Notifications = field(default_factory=lambda: Notifications((SHOP, PLATFORM)))
    time_scale: float = 1.0
    has_topic: bool = True

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.outbox, self.destinations, self.book = FakeOutbox(), FakeDestinations(), FakeAlertBook()
        self.queue, self.channels, self.topic = FakeNotifyQueue(self.clock), FakeChannels(), FakeTopic()
        self.kill_at = 0
        self.moments: list[str] = []
        self.died_at: list[str] = []
        self.errors: list[Exception] = []
        self._ids = 0

    def host(self) -> World:
        nothing = cast(Any, None)
        return World(
            clock=self.clock,
            reader=nothing,
            actor=nothing,
            records=nothing,
            rollouts=nothing,
            queue=nothing,
            history=nothing,
            alert_book=cast(Any, Mortal(self.book, self._moment)),
            outbox=cast(Any, Mortal(self.outbox, self._moment)),
            destinations=cast(Any, Mortal(self.destinations, self._moment)),
            notify_queue=cast(Any, Mortal(self.queue, self._moment)),
            channels=cast(Any, Mortal(self.channels, self._moment)),
            watermarks=nothing,
            job_sources=(),
            job_reader=nothing,
            topic=cast(EventTopic, Mortal(self.topic, self._moment)) if self.has_topic else None,
            fleet=nothing,
            sweeps=nothing,
            breaker=nothing,
            audit=nothing,
            scope=Scope(),
            controls=(),
            configuration=Configuration(1, {}, (), notifications=self.notifications),
            jitter=lambda: 0.0,
            new_id=self._new_id,
            time_scale=self.time_scale,
        )

    async def announce(self, *announcements: Announcement) -> None:
        """As the loop does: again and again until it was done once."""
        while True:
            try:
                await announce(announcements, self.host())
                return
            except Killed:
                continue

    async def run(self, seconds: float, *, timer: bool = True, hosts: int = 1, lose: bool = False) -> None:
        """Let that much time pass. With a `timer` lost wake-ups are looked for every five minutes; `hosts` work at
        the same time, and get every message each; `lose` loses the messages that are there now."""
        end = self.clock.now() + timedelta(seconds=seconds)
        if lose:
            while (message := self.queue.receive(end + timedelta(days=30))) is not None:
                self.queue.delete(message)
        next_kick = self.clock.now() + timedelta(seconds=300)
        while True:
            visible = self.queue.next_visible_at()
            moments = [moment for moment in (visible, next_kick if timer else None) if moment is not None]
            if not moments or min(moments) > end:
                break
            self.clock.advance_to(min(moments))
            if timer and next_kick <= self.clock.now():
                next_kick += timedelta(seconds=300)
                await self._survive(kick(self.host()))
                continue
            await self._work(hosts)
        self.clock.advance_to(end)

    async def _work(self, hosts: int) -> None:
        if (message := self.queue.receive()) is None:
            return
        name = parse_notification(message.text)
        outcomes = (
            [await self._survive(deliver(name, self.host()))]
            if hosts == 1
            else await asyncio.gather(*(self._survive(deliver(name, self.host())) for _ in range(hosts)))
        )
        if all(outcome == "done" for outcome in outcomes):
            self.queue.delete(message)
        elif "raised" in outcomes:
            self.queue.fail(message)

    async def _survive(self, work: Any) -> str:
        try:
            await work
        except Killed:
            return "died"
        except Exception as error:  # noqa: BLE001 - the host goes on, and the message comes back
            self.errors.append(error)
            return "raised"
        return "done"

    def _moment(self, point: str) -> None:
        self.moments.append(point)
        if len(self.moments) == self.kill_at:
            self.died_at = [*self.moments[-3:]]
            raise Killed(point)

    def _new_id(self) -> str:
        self._ids += 1
        return f"id-{self._ids}"

    def keys_to(self, channel: str) -> list[str]:
        """Keys of the announcements that arrived there, in order."""
        return [a.key for message in self.channels.to(channel) for a in message.announcements]

    def title_of_last(self, channel: str) -> str:
        return document(self.channels.to(channel)[-1]).title

    def change(self, **changes: Any) -> None:
        """guard.yaml is another from now on."""
        self.notifications = replace(self.notifications, **changes)
