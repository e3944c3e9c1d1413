"""Alerts are told once, together, to the right people, at the right time."""

import json
import logging
from dataclasses import replace

import pytest

from shared.announce import own_alert, own_alert_over
from shared.deliver import deliver
from shared.domain.destinations import TOPIC, destination_of
from shared.domain.profile import Notifications, QuietHours, Route
from shared.notify.document import document, told
from tests.fakes.announcements import about, alerts, announced, cause
from tests.virtual.post import SHOP, Post

DAY = 86400.0


async def test_five_hundred_alerts_are_one_message_to_each_channel() -> None:
    post = Post()
    grave = alerts(500, what=cause(severity="Error"))
    await post.announce(*grave)
    await post.run(3600)

    for channel in ("TEAMS_SHOP", "SLACK"):
        [message] = post.channels.to(channel)
        assert len(told(message)) == 500
        assert document(message).title.startswith("Error: 500 clusters: ")
    assert sorted(a.key for a in post.topic.announcements) == sorted(a.key for a in grave), "programs get every one"
    assert not post.errors


async def test_nothing_is_read_again_and_again_while_others_come_along() -> None:
    post = Post(Notifications((SHOP,)), has_topic=False)
    await post.announce(*alerts(100))
    await post.run(119)
    assert post.channels.messages == []
    assert post.moments.count("before pending") <= 3, "the rest found that it was not time yet"


async def test_messages_of_a_route_keep_their_distance() -> None:
    post = Post(Notifications((SHOP,), group_wait=60, group_interval=600))
    await post.announce(announced())
    await post.run(61)
    assert len(post.channels.messages) == 1
    await post.announce(announced(who=about("aks-two"), at=post.clock.now()))
    await post.announce(announced(who=about("aks-three"), at=post.clock.now()))
    await post.run(598)
    assert len(post.channels.messages) == 1
    await post.run(5)
    assert [len(m.announcements) for m in post.channels.to("TEAMS_SHOP")] == [1, 2]


async def test_waits_are_in_azures_seconds() -> None:
    post = Post(Notifications((SHOP,)), time_scale=60)
    await post.announce(announced())
    await post.run(4)
    assert len(post.channels.messages) == 1


async def test_what_came_and_went_is_one_line() -> None:
    post = Post(Notifications((SHOP,)))
    await post.announce(announced())
    await post.run(30)
    await post.announce(announced("Resolved", at=post.clock.now()))
    await post.run(600)
    assert post.channels.titles("TEAMS_SHOP") == ["Came and went: aks-shop: The backup is incomplete"]


async def test_quiet_hours_postpone_and_lose_nothing() -> None:
    """Quiet from 11:00 to 15:00; it is noon."""
    quiet = replace(SHOP, quiet_hours=QuietHours("11:00", "15:00"))
    post = Post(Notifications((quiet,)))
    await post.announce(*alerts(3))
    await post.announce(announced(who=about("aks-grave"), what=cause(severity="Critical")))
    await post.run(600)
    [urgent] = post.channels.to("TEAMS_SHOP")
    assert [a.about.name for a in urgent.announcements] == ["aks-grave"]

    await post.run(3 * 3600 - 601)
    assert len(post.channels.messages) == 1
    await post.run(5, timer=False)
    [_, morning] = post.channels.to("TEAMS_SHOP")
    assert [a.about.name for a in morning.announcements] == ["aks-000", "aks-001", "aks-002"]


async def test_however_much_is_quiet_what_is_urgent_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.deliver._MOST_AT_ONCE", 3)
    quiet = replace(SHOP, quiet_hours=QuietHours("11:00", "15:00"))
    post = Post(Notifications((quiet,)))
    await post.announce(*alerts(4))
    await post.announce(announced(who=about("aks-grave"), what=cause(severity="Critical"), at=post.clock.now()))
    await post.run(600)
    assert [a.about.name for a in post.channels.to("TEAMS_SHOP")[0].announcements] == ["aks-grave"]
    await post.run(4 * 3600)
    assert len(post.keys_to("TEAMS_SHOP")) == 5, "and all the rest afterwards"


async def test_what_waited_for_others_when_quiet_hours_began_is_told_at_their_end() -> None:
    quiet = replace(SHOP, quiet_hours=QuietHours("12:01", "13:00"))
    post = Post(Notifications((quiet,), group_wait=120))
    await post.announce(announced())
    await post.run(3599, timer=False)
    assert post.channels.messages == []
    await post.run(5, timer=False)
    assert len(post.channels.messages) == 1


async def test_announcing_twice_tells_once() -> None:
    post = Post()
    for _ in range(3):
        await post.announce(announced(severity="Error"))
    await post.run(DAY)
    await post.announce(announced(severity="Error"))
    await post.run(DAY)
    assert len(post.keys_to("TEAMS_SHOP")) == len(post.keys_to("SLACK")) == len(post.topic.announcements) == 1


async def test_what_was_delivered_is_forgotten_after_a_week() -> None:
    post = Post(Notifications((SHOP,)), has_topic=False)
    await post.announce(announced())
    await post.run(6 * DAY)
    assert not await post.outbox.put(destination_of("shop", "TEAMS_SHOP"), announced()), "still known"
    await post.run(2 * DAY)
    assert await post.outbox.put(destination_of("shop", "TEAMS_SHOP"), announced())


@pytest.mark.parametrize("name", ["route:nobody|X", "nonsense", TOPIC])
async def test_a_message_for_an_unknown_destination_does_nothing(name: str) -> None:
    post = Post(Notifications((SHOP,)), has_topic=False)
    await deliver(name, post.host())
    assert post.channels.messages == []


async def test_the_log_line_is_what_an_azure_monitor_rule_can_match(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="shared.announce")
    await Post().announce(announced(who=replace(about(), name="aks\nshop")))
    [record] = [record for record in caplog.records if record.name == "shared.announce"]
    line = record.getMessage()
    assert "\n" not in line
    assert line.startswith("alert {")
    assert json.loads(line.removeprefix("alert ")) == {
        "kind": "Opened",
        "alert_id": announced().alert.id,
        "episode": 1,
        "severity": "Warning",
        "state": "Open",
        "subject": about().subject,
        "name": "aks\nshop",
        "subscription_id": about().subscription_id,
        "resource_group": "shop",
        "location": "westeurope",
        "profile": "standard",
        "vault_id": about().vault_id,
        "cause": "Backup:usererrorhookexecutionfailed",
        "code": "UserErrorHookExecutionFailed",
        "title": "The backup is incomplete",
        "occurrences": 1,
        "job_id": cause().job_id,
        "first_at": "2026-03-01T10:00:00+00:00",
        "last_at": "2026-03-01T11:40:00+00:00",
    }


async def test_what_the_guard_says_of_itself_is_told_once_and_is_over_once() -> None:
    post = Post(Notifications((Route("all", channels=("MAIL",)),)))
    own = cause(key="Source:logs", code="SourceUnavailable", severity="Error", title="Jobs cannot be read", job_id="")
    for _ in range(3):
        await own_alert(replace(own, last_at=post.clock.now()), post.host())
        await post.run(600)
    for _ in range(3):
        await own_alert_over("Source:logs", post.host())
        await post.run(600)
    await own_alert_over("Source:never", post.host())
    await post.run(600)
    assert post.channels.titles("MAIL") == [
        "Error: AKS Backup Guard: Jobs cannot be read",
        "Resolved: AKS Backup Guard: Jobs cannot be read",
    ]


async def test_one_of_its_own_alerts_leaves_the_others_alone() -> None:
    post = Post(Notifications((Route("all", channels=("MAIL",)),)))
    for key in ("Delivery:shop:MAIL", "Delivery:shop:MAIL_2"):
        await own_alert(cause(key=key, severity="Error"), post.host())
    await own_alert_over("Delivery:shop:MAIL", post.host())
    states = {alert.cause.key: alert.state for alert in post.book.all_now()}
    assert states == {"Delivery:shop:MAIL": "Resolved", "Delivery:shop:MAIL_2": "Open"}


async def test_dashboard_and_route_are_in_the_message() -> None:
    post = Post(Notifications((SHOP,), dashboard_url="https://guard.example.com/api/dashboard"))
    await post.announce(announced())
    await post.run(200)
    [message] = post.channels.to("TEAMS_SHOP")
    assert message.route == "shop"
    assert (
        document(message).links[-1].url.startswith("https://guard.example.com/api/dashboard?cluster=%2Fsubscriptions")
    )


async def test_the_life_of_an_alert_is_told_in_order() -> None:
    post = Post(Notifications((SHOP,)))
    for kind in ("Opened", "Escalated", "Resolved"):
        await post.announce(announced(kind, at=post.clock.now()))
        await post.run(3600)
    assert post.channels.titles("TEAMS_SHOP") == [
        "Warning: aks-shop: The backup is incomplete",
        "Warning, escalated: aks-shop: The backup is incomplete",
        "Resolved: aks-shop: The backup is incomplete",
    ]
