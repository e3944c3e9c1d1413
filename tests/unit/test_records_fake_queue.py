"""The queue of virtual time redelivers and gives up as Queue Storage and the host together do."""

from datetime import timedelta

import pytest

from shared.domain.ids import ClusterId
from shared.domain.record import ReconcileRequest
from shared.record.messages import parse_request
from tests.fakes.clock import VirtualClock
from tests.fakes.queue import FakeQueue

REQUEST = ReconcileRequest(ClusterId("00000000-0000-0000-0000-000000000001", "rg", "aks-1"), "w")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def queue(clock: VirtualClock) -> FakeQueue:
    return FakeQueue(clock, retry_delay=30, max_dequeue_count=3, hidden_for=600)


async def test_a_delay_is_kept(clock: VirtualClock, queue: FakeQueue) -> None:
    assert queue.next_visible_at() is None
    await queue.send(REQUEST, delay=59.5)
    assert queue.next_visible_at() == clock.now() + timedelta(seconds=60)
    clock.advance(59)
    assert queue.receive() is None
    clock.advance(1)
    message = queue.receive()
    assert message is not None
    assert parse_request(message.text) == REQUEST


async def test_messages_come_in_the_order_they_become_visible(clock: VirtualClock, queue: FakeQueue) -> None:
    for text, delay in (("late", 20), ("first", 0), ("second", 0), ("early", 10)):
        queue.put(text, delay)
    clock.advance(30)
    received = [queue.receive() for _ in range(5)]
    assert [message.text if message else None for message in received] == ["first", "second", "early", "late", None]


async def test_a_message_whose_receiver_died_comes_back(clock: VirtualClock, queue: FakeQueue) -> None:
    queue.put("text")
    first = queue.receive()
    assert first is not None
    assert queue.receive() is None
    assert queue.next_visible_at() == clock.now() + timedelta(seconds=600)
    clock.advance(600)
    second = queue.receive()
    assert second is not None
    assert (second.text, second.dequeue_count) == ("text", 2)
    queue.delete(first)
    assert len(queue) == 1, "the receipt of the first delivery is stale"
    queue.delete(second)
    assert len(queue) == 0


async def test_a_failing_message_is_tried_again_and_then_poison(clock: VirtualClock, queue: FakeQueue) -> None:
    queue.put("bad")
    for _ in range(3):
        message = queue.receive()
        assert message is not None
        assert queue.poison == []
        queue.fail(message)
        assert queue.receive() is None
        clock.advance(30)
    assert queue.poison == ["bad"]
    assert len(queue) == 0


async def test_a_message_that_kills_its_receivers_is_poison_too(clock: VirtualClock, queue: FakeQueue) -> None:
    queue.put("deadly")
    queue.put("harmless")
    for _ in range(3):
        assert {message.text for message in (queue.receive(), queue.receive()) if message} == {"deadly", "harmless"}
        clock.advance(600)
    assert queue.receive() is None
    assert queue.poison == ["deadly", "harmless"]


async def test_failing_late_changes_nothing(clock: VirtualClock, queue: FakeQueue) -> None:
    queue.put("text")
    first = queue.receive()
    clock.advance(600)
    second = queue.receive()
    assert first is not None
    assert second is not None
    queue.fail(first)
    assert queue.next_visible_at() == second.visible_at


async def test_time_never_runs_backwards(clock: VirtualClock) -> None:
    before = clock.now()
    clock.advance_to(before - timedelta(hours=1))
    assert clock.now() == before
