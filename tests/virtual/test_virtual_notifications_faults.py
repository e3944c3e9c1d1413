"""Alerts are told whatever fails meanwhile: channels, storage, messages of the queue, and hosts that die."""

import asyncio
import json
import logging
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import Any

import azure.functions as func
import pytest

from functions import poison
from functions.notifications import notifications as notifications_trigger
from shared import bootstrap
from shared.announce import own_alert, own_alert_over
from shared.deliver import deliver, deliver_later, kick
from shared.domain.alerts import THE_APP
from shared.domain.destinations import destination_of
from shared.domain.errors import TransientError
from shared.domain.messages import Message
from shared.domain.profile import Notifications
from shared.notify.channels import AppriseChannels
from shared.notify.document import document
from shared.record.messages import notify_message
from tests.fakes.announcements import about, alerts, announced, cause
from tests.virtual.post import PLATFORM, SHOP, Killed, Post

DAY = 86400.0


async def test_a_dead_channel_hinders_nobody_and_is_told_to_the_others() -> None:
    route = replace(SHOP, channels=("TEAMS_SHOP", "MAIL_SHOP"))
    post = Post(Notifications((route, PLATFORM)))
    post.channels.dead.add("TEAMS_SHOP")
    await post.announce(announced())
    await post.run(121)
    assert len(post.channels.to("MAIL_SHOP")) == 1

    await post.run(3600)  # tried after 2, 3, 5, 9, 17 and 33 minutes
    assert post.channels.attempts.count("TEAMS_SHOP") == 6
    assert len(post.channels.to("MAIL_SHOP")) == 1, "the one that arrived is not repeated"
    assert post.channels.titles("SLACK") == [
        "Error: AKS Backup Guard: Messages do not reach the channel TEAMS_SHOP of the route shop"
    ]
    assert [a.alert.subject for a in post.topic.announcements][1:] == [THE_APP]

    await post.announce(announced(who=about("aks-two"), at=post.clock.now()))
    post.channels.dead.clear()
    await post.run(7200)
    [late] = post.channels.to("TEAMS_SHOP")
    assert [a.about.name for a in late.announcements] == ["aks-shop", "aks-two"]
    assert post.title_of_last("SLACK").startswith("Resolved: AKS Backup Guard: Messages do not reach")
    assert [alert.state for alert in post.book.all_now()] == ["Resolved"]

    post.channels.dead.add("TEAMS_SHOP")
    await post.announce(announced(who=about("aks-three"), at=post.clock.now()))
    await post.run(3600)
    assert post.title_of_last("SLACK").startswith("Error, back again: AKS Backup Guard"), "dead again is news again"


async def test_delays_grow_to_an_hour() -> None:
    post = Post(Notifications((SHOP,)), has_topic=False)
    post.channels.dead.add("TEAMS_SHOP")
    await post.announce(announced())
    tries = []
    for _ in range(60 * 6):
        before = len(post.channels.attempts)
        await post.run(60)
        tries += [post.clock.now()] * (len(post.channels.attempts) - before)
    minutes = [round((b - a).total_seconds() / 60) for a, b in pairwise(tries)]
    assert minutes == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


async def test_an_announcement_is_given_up_after_three_days_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    post = Post(Notifications((SHOP, replace(PLATFORM, updates=True))))
    post.channels.dead.add("TEAMS_SHOP")
    await post.announce(announced())
    await post.run(3 * DAY - 3600)
    assert len(await post.outbox.pending(destination_of("shop", "TEAMS_SHOP"))) == 1
    await post.run(3 * 3600)

    assert await post.outbox.pending(destination_of("shop", "TEAMS_SHOP")) == ()
    assert "gave up 1 announcements after 3 days" in caplog.text
    [own] = post.book.all_now()
    assert [line.partition(": ")[2] for line in own.cause.did] == [
        "gave up 1 announcements that were older than 3 days"
    ]
    assert "gave up 1 announcements" in str(document(post.channels.to("SLACK")[-1]))


async def test_what_is_old_for_another_reason_is_still_told() -> None:
    """The app was stopped for a week."""
    post = Post(Notifications((SHOP,)))
    await post.announce(announced())
    await post.run(7 * DAY, timer=False, lose=True)
    assert post.channels.messages == []
    await post.run(600)
    assert len(post.channels.messages) == 1


async def test_a_dead_topic_is_told_to_people_and_gets_everything_later() -> None:
    post = Post()
    post.topic.dead = True
    await post.announce(announced())
    await post.run(3600)
    assert len(post.channels.to("TEAMS_SHOP")) == 1
    assert post.channels.titles("SLACK") == [
        "Error: AKS Backup Guard: Messages do not reach the app's own Event Grid topic"
    ]
    post.topic.dead = False
    await post.run(7200)
    assert [a.about.name for a in post.topic.announcements] == ["aks-shop"]
    assert post.title_of_last("SLACK").startswith("Resolved")


async def test_when_every_channel_is_dead_only_the_log_is_left(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    post = Post(Notifications((SHOP,)), has_topic=False)
    post.channels.dead.add("TEAMS_SHOP")
    await post.announce(announced())
    await post.run(DAY)
    told_of = {
        json.loads(r.getMessage().removeprefix("alert "))["cause"] for r in caplog.records if hasattr(r, "alert")
    }
    assert "Delivery:shop:TEAMS_SHOP" in told_of
    assert len(await post.outbox.pending(destination_of("shop", "TEAMS_SHOP"))) == 1, "not a growing heap about itself"


async def test_a_channel_that_guard_yaml_no_longer_has_hands_its_post_over() -> None:
    post = Post(Notifications((replace(SHOP, channels=("OLD", "MAIL_SHOP")),)))
    post.channels.dead.add("OLD")
    await post.announce(announced())
    await post.run(300)
    post.change(routes=(replace(SHOP, channels=("NEW", "MAIL_SHOP")),))
    await post.run(7200)
    assert len(post.keys_to("NEW")) == 1
    assert len(post.keys_to("MAIL_SHOP")) == 1
    assert await post.outbox.pending(destination_of("shop", "OLD")) == ()


async def test_lost_wake_ups_are_found() -> None:
    post = Post()
    await post.announce(announced(severity="Error"))
    await post.run(0, lose=True)
    await post.run(900)
    assert len(post.channels.messages) == 2
    assert len(post.topic.announcements) == 1


async def test_the_search_for_lost_wake_ups_sends_none_that_are_not_needed() -> None:
    post = Post()
    await post.announce(announced(severity="Error"))
    await post.run(600)
    assert await kick(post.host()) == 0


async def test_one_destination_in_trouble_hides_no_other() -> None:
    post = Post()
    await post.announce(announced(severity="Error"))
    await post.run(121, timer=False, lose=True)
    reading = post.outbox.pending

    async def pending(destination: str) -> Any:
        if destination == destination_of("shop", "TEAMS_SHOP"):
            raise TransientError("StorageUnavailable", "down")
        return await reading(destination)

    post.outbox.pending = pending  # type: ignore[method-assign]
    with pytest.raises(TransientError):
        await kick(post.host())
    await post.run(10, timer=False)
    assert [channel for channel, _ in post.channels.messages] == ["SLACK"]


async def test_two_hosts_with_every_message_twice_send_one_message() -> None:
    post = Post()
    await post.announce(*alerts(20, what=cause(severity="Error")))
    await post.run(3600, hosts=2)
    assert [len(post.channels.to(channel)) for channel in ("TEAMS_SHOP", "SLACK")] == [1, 1]
    assert len(post.topic.announcements) == 20


async def test_while_one_host_waits_for_a_slow_channel_no_other_sends() -> None:
    post = Post(Notifications((SHOP,)), has_topic=False)
    await post.announce(announced())
    post.clock.advance(121)
    taking, taken, arriving = asyncio.Event(), asyncio.Event(), post.channels.deliver

    async def slow(channel: str, message: Message) -> None:
        taking.set()
        await taken.wait()
        await arriving(channel, message)

    post.channels.deliver = slow  # type: ignore[method-assign]
    first = asyncio.create_task(deliver(destination_of("shop", "TEAMS_SHOP"), post.host()))
    await taking.wait()
    await post.announce(announced(who=about("aks-two")))
    await deliver(destination_of("shop", "TEAMS_SHOP"), post.host())
    taken.set()
    await first
    assert [len(m.announcements) for m in post.channels.to("TEAMS_SHOP")] == [1]
    await post.run(301, timer=False)
    assert [len(m.announcements) for m in post.channels.to("TEAMS_SHOP")] == [1, 1]


async def test_an_entry_whose_host_died_before_asking_is_asked_for_by_the_next() -> None:
    post = Post(Notifications((SHOP,)), has_topic=False)
    await post.outbox.put(destination_of("shop", "TEAMS_SHOP"), announced())
    await post.announce(announced())
    await post.run(125, timer=False)
    assert len(post.channels.messages) == 1


async def test_a_channel_that_recovered_when_its_host_died_is_found_by_the_timer() -> None:
    """All its messages are lost, and nothing is pending: only the alert about it is left."""
    post = Post(Notifications((SHOP, PLATFORM)), has_topic=False)
    name = destination_of("shop", "TEAMS_SHOP")
    post.channels.dead.add("TEAMS_SHOP")
    await post.announce(announced())
    await post.run(1900)
    [own] = post.book.all_now()
    assert own.state == "Open"
    await post.outbox.delivered(name, [announced().key], post.clock.now())
    await post.destinations.save(replace(await post.destinations.get(name), sent=(announced().key,)))
    await post.run(7200, lose=True)
    assert [alert.state for alert in post.book.all_now()] == ["Resolved"]


async def _life(post: Post) -> set[str]:
    """Two alerts and the end of one, to two channels and the topic; the keys that must arrive."""
    first = [announced(severity="Error"), announced(who=about("aks-two"), severity="Error")]
    await post.announce(*first)
    await post.run(1200)
    over = announced("Resolved", severity="Error", at=post.clock.now())
    await post.announce(over)
    await post.run(3600)
    return {a.key for a in (*first, over)}


async def test_a_kill_at_any_moment_loses_nothing_and_repeats_only_what_cannot_be_helped() -> None:
    whole = Post()
    await _life(whole)
    assert len(whole.moments) > 80
    repeated: list[list[str]] = []
    for moment in range(1, len(whole.moments) + 1):
        post = Post()
        post.kill_at = moment
        keys = await _life(post)
        assert post.died_at, "every moment is one at which a host dies"
        assert not post.errors
        arrived = [post.keys_to("TEAMS_SHOP"), post.keys_to("SLACK"), [a.key for a in post.topic.announcements]]
        for got in arrived:
            assert set(got) == keys, post.died_at
        if any(len(got) > len(keys) for got in arrived):
            repeated.append(post.died_at)
    # Between the channel's yes and the note of it, and nowhere else.
    window = ("after deliver", "before save", "after publish_announcements", "before delivered")
    assert repeated
    assert all(died[-1] in window for died in repeated), repeated


async def test_a_kill_while_a_channel_recovers_leaves_no_alert_about_it() -> None:
    async def recover(post: Post) -> None:
        post.channels.dead.add("TEAMS_SHOP")
        await post.announce(announced())
        kill, post.kill_at = post.kill_at, 0
        await post.run(1500)
        post.channels.dead.clear()
        start = len(post.moments)
        post.kill_at = start + kill if kill else 0
        await post.run(5400)
        post.kill_at = len(post.moments) - start

    whole = Post()
    await recover(whole)
    for moment in range(1, whole.kill_at + 1):
        post = Post()
        post.kill_at = moment
        await recover(post)
        assert [alert.state for alert in post.book.all_now()] == ["Resolved"], post.died_at
        assert set(post.keys_to("TEAMS_SHOP")) == {announced().key}


async def test_a_kill_while_the_guard_speaks_of_itself_leaves_nobody_with_half_a_story() -> None:
    """It is said until that was done once, and by then it may be over."""
    own = cause(key="JobSource:logs", code="SourceUnavailable", severity="Error", job_id="")

    async def speak(kill_at: int) -> Post:
        post = Post(Notifications((PLATFORM,)))
        post.kill_at = kill_at
        with suppress(Killed):
            await own_alert(own, post.host())
        for _ in range(2):
            with suppress(Killed):
                await own_alert_over(own.key, post.host())
        await post.run(3600)
        return post

    whole = await speak(0)
    assert [a.kind for a in whole.topic.announcements] == ["Opened", "Resolved"]
    begun = 0
    for moment in range(1, whole.moments.index("before get") + 1):
        post = await speak(moment)
        kinds = [a.kind for a in post.topic.announcements]
        assert kinds in ([], ["Opened", "Resolved"]), (post.died_at, kinds)
        assert {alert.state for alert in post.book.all_now()} <= {"Resolved"}
        begun += bool(kinds)
    assert begun


async def test_a_lost_answer_of_storage_is_not_a_lost_lease() -> None:
    post = Post(Notifications((SHOP,)), has_topic=False)
    saving = post.destinations.save
    lost: list[str] = []

    async def save(destination: Any) -> Any:
        answer = await saving(destination)
        if destination.lease_id and not lost:
            lost.append(destination.lease_id)
            raise TransientError("StorageUnavailable", "the answer was lost")
        return answer

    post.destinations.save = save  # type: ignore[method-assign]
    await post.announce(announced())
    await post.run(125)
    assert lost
    assert len(post.channels.messages) == 1
    assert not post.errors


async def test_an_error_nobody_expected_is_raised_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    post = Post(Notifications((SHOP,)), has_topic=False)
    secret, working = "https://hooks.example/secret", post.channels.deliver

    async def broken(channel: str, message: Message) -> None:
        raise RuntimeError(secret)

    post.channels.deliver = broken  # type: ignore[method-assign]
    await post.announce(announced())
    await post.run(200)
    assert {type(error) for error in post.errors} == {RuntimeError}
    assert secret not in caplog.text
    post.channels.deliver = working  # type: ignore[method-assign]
    await post.run(1200)
    assert len(post.channels.messages) == 1


async def test_a_poison_message_is_tried_again_in_an_hour() -> None:
    post = Post(Notifications((SHOP,)), has_topic=False)
    await post.announce(announced())
    await post.run(0, timer=False, lose=True)
    await deliver_later(destination_of("shop", "TEAMS_SHOP"), post.host())
    await post.run(3590, timer=False)
    assert post.channels.messages == []
    await post.run(20, timer=False)
    assert len(post.channels.messages) == 1


def queue_message(text: str) -> Any:
    return func.QueueMessage(body=text.encode())


async def test_the_triggers_deliver_and_drop_what_is_not_theirs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    post = Post(Notifications((SHOP,)), has_topic=False)
    monkeypatch.setattr(bootstrap, "_worlds", [post.host()])
    deliver_trigger: Any = notifications_trigger
    poison_trigger: Any = poison.notify_poison
    await post.announce(announced())
    post.clock.advance(121)

    for text in ("no JSON", "[]", '{"destination": 7}', "x" * 5000):
        await deliver_trigger(queue_message(text))
        await poison_trigger(queue_message(text))
    assert post.channels.messages == []
    assert len([record for record in caplog.records if "dropped" in record.getMessage()]) == 8

    await deliver_trigger(queue_message(notify_message(destination_of("shop", "TEAMS_SHOP"))))
    assert len(post.channels.messages) == 1
    waiting = len(post.queue)
    await poison_trigger(queue_message(notify_message(destination_of("shop", "TEAMS_SHOP"))))
    assert len(post.queue) == waiting + 1


async def test_an_address_is_in_no_table_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """A real service that cannot be reached, until the Guard says so of itself."""
    caplog.set_level(logging.DEBUG)
    post, secret = Post(Notifications((SHOP, PLATFORM))), "TopSecretSignature"
    real = AppriseChannels({"TEAMS_SHOP": f"json://user:{secret}@127.0.0.1:9/{secret}", "SLACK": f"slack://{secret}"})
    post.channels.deliver = real.deliver  # type: ignore[method-assign]
    await post.announce(announced(severity="Error"))
    await post.run(3600)
    assert {alert.cause.key for alert in post.book.all_now()} == {"Delivery:shop:TEAMS_SHOP", "Delivery:platform:SLACK"}
    tables = [vars(fake) for fake in (post.outbox, post.destinations, post.book, post.queue)]
    kept = repr([*tables, vars(post.destinations._rows)])
    assert "Nothing has reached the channel TEAMS_SHOP" in kept
    assert secret not in kept
    assert secret not in caplog.text
