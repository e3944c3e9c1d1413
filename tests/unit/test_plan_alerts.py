"""The life of an alert, step by step."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.alerts import About, Alert, Cause, Hold, Word, alert_id
from shared.domain.conditions import EXTENSION_READY, READY, Condition
from shared.domain.profile import Alerting
from shared.domain.time import Moment
from shared.plan.alerts import RESOLVED_KEPT, announcements, next_change_in, settle

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALERTING = Alerting(escalate_after_failures=3, escalate_after=86400)
SUBJECT = "/subscriptions/s/resourcegroups/apps/providers/microsoft.containerservice/managedclusters/shop"
ABOUT = About(SUBJECT, "shop")
KEY = "Backup:code"
ID = alert_id(SUBJECT, KEY)
STOPPED = Hold("The cluster is stopped.")


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def cause(key: str = KEY, *, first: float = 0, last: float | None = None, occurrences: int = 1) -> Cause:
    code = key.partition(":")[2]
    last = first if last is None else last
    return Cause(key, code, "Error", "title", "message", "action", at(first), at(last), occurrences)


def over(found: Cause, minutes: float) -> Cause:
    return replace(found, resolved_at=at(minutes))


def look(
    old: dict[str, Alert],
    minutes: float,
    *causes: Cause,
    word: Word | None = None,
    hold: Hold | None = None,
    judged: frozenset[str] | None = None,
) -> tuple[list[str], dict[str, Alert]]:
    """What is told, by episode, and the alerts afterwards."""
    alerts = settle(
        SUBJECT,
        old,
        causes,
        words={ID: word} if word else {},
        hold=hold,
        alerting=ALERTING,
        moment=Moment(at(minutes)),
        judged=judged,
    )
    news, after = announcements(alerts, ABOUT, Moment(at(minutes)))
    return [f"{announcement.alert.episode}:{announcement.kind.lower()}" for announcement in news], after


def test_opened_once_refreshed_and_resolved_once() -> None:
    told, alerts = look({}, 5, cause())
    assert told == ["1:opened"]
    told, alerts = look(alerts, 6, cause())
    assert told == []
    told, alerts = look(alerts, 70, cause(last=60, occurrences=2))
    assert told == ["1:updated"]
    told, alerts = look(alerts, 130, over(cause(last=60, occurrences=2), 120))
    assert told == ["1:resolved"]
    assert (alerts[KEY].state, alerts[KEY].resolved_at) == ("Resolved", at(120))
    told, alerts = look(alerts, 140, over(cause(last=60, occurrences=2), 120))
    assert told == []


def test_an_episode_never_gets_less_grave() -> None:
    """A route that takes errors only would never hear of its end."""
    _, alerts = look({}, 5, cause())
    told, alerts = look(alerts, 65, replace(cause(last=60, occurrences=2), severity="Warning"))
    assert (told, alerts[KEY].severity) == (["1:updated"], "Error")
    _, alerts = look(alerts, 125, over(replace(cause(last=60, occurrences=2), severity="Warning"), 120))
    assert alerts[KEY].severity == "Error"
    _, alerts = look(alerts, 205, replace(cause(first=200), severity="Warning"))
    assert (alerts[KEY].episode, alerts[KEY].severity) == (2, "Warning")


def test_what_comes_back_is_a_new_episode() -> None:
    _, alerts = look({}, 5, cause())
    _, alerts = look(alerts, 15, over(cause(), 10))
    told, alerts = look(alerts, 25, cause(first=20))
    assert told == ["2:opened"]
    assert (alerts[KEY].opened_at, alerts[KEY].resolved_at) == (at(25), None)


def test_an_end_and_a_return_between_two_looks_are_a_new_episode_too() -> None:
    """An acknowledgement of the old one says nothing about it."""
    _, alerts = look({}, 5, cause())
    _, alerts = look(alerts, 6, cause(), word=Word("anna", at(5.5), acknowledged=True))
    assert alerts[KEY].acknowledged_by == "anna"
    told, alerts = look(alerts, 25, cause(first=20), word=Word("anna", at(5.5), acknowledged=True))
    assert told == ["2:opened"]
    assert alerts[KEY].acknowledged_by == ""


def test_a_late_clean_job_amid_known_failures_changes_the_count_only() -> None:
    _, alerts = look({}, 25, cause(last=20, occurrences=2))
    told, alerts = look(alerts, 26, cause(first=20))
    assert told == ["1:updated"]
    assert alerts[KEY].cause.occurrences == 1


def test_what_came_and_went_unseen_is_kept_and_never_told() -> None:
    told, alerts = look({}, 30, over(cause(), 10))
    assert (told, alerts[KEY].state) == ([], "Resolved")
    assert look(alerts, 40, over(cause(), 10))[0] == []
    assert look(alerts, 40, cause(first=35))[0] == ["2:opened"]


def test_resolved_alerts_are_forgotten_and_an_old_job_opens_none() -> None:
    _, alerts = look({}, 5, cause())
    _, alerts = look(alerts, 15, over(cause(), 10))
    kept = RESOLVED_KEPT.total_seconds() / 60
    assert KEY in look(alerts, 10 + kept, over(cause(), 10))[1]
    told, later = look(alerts, 10.1 + kept, over(cause(), 10))
    assert (told, later) == ([], {})
    assert look(later, 11 + kept, over(cause(), 10)) == ([], {})


def test_an_end_that_is_learned_very_late_is_told_all_the_same() -> None:
    _, alerts = look({}, 5, cause())
    months = 60 * 24 * 60
    told, alerts = look(alerts, months, over(cause(), 10))
    assert told == ["1:resolved"]
    assert look(alerts, months + 1, over(cause(), 10)) == ([], {})


def test_held_alerts_wait_and_are_told_afterwards() -> None:
    told, alerts = look({}, 5, cause(), hold=STOPPED)
    assert (told, alerts[KEY].held) == ([], STOPPED.reason)
    told, alerts = look(alerts, 60, cause(last=50, occurrences=5), hold=STOPPED)
    assert (told, alerts[KEY].escalated_at) == ([], None)
    told, alerts = look(alerts, 61, cause(last=50, occurrences=5))
    assert told == ["1:opened"], "as grave as it has become: not told twice"
    assert (alerts[KEY].severity, alerts[KEY].held) == ("Critical", "")
    assert look(alerts, 62, cause(last=50, occurrences=5))[0] == []


def test_what_ended_while_it_was_held_was_never_there_for_the_team() -> None:
    _, alerts = look({}, 5, cause(), hold=STOPPED)
    told, alerts = look(alerts, 15, over(cause(), 10), hold=STOPPED)
    assert told == []
    assert look(alerts, 16, over(cause(), 10))[0] == []


def test_the_end_of_what_was_told_is_told_during_a_hold() -> None:
    _, alerts = look({}, 5, cause())
    told, alerts = look(alerts, 15, over(cause(), 10), hold=STOPPED)
    assert (told, alerts[KEY].held) == (["1:resolved"], "")


def test_escalated_once_by_failures_in_a_row() -> None:
    _, alerts = look({}, 5, cause())
    told, alerts = look(alerts, 15, cause(last=10, occurrences=2))
    assert alerts[KEY].severity == "Error"
    told, alerts = look(alerts, 25, cause(last=20, occurrences=3))
    assert (told, alerts[KEY].severity, alerts[KEY].escalated_at) == (["1:escalated"], "Critical", at(25))
    told, alerts = look(alerts, 35, cause(last=30, occurrences=4))
    assert (told, alerts[KEY].severity, alerts[KEY].escalated_at) == (["1:updated"], "Critical", at(25))


def test_escalated_by_time_in_azures_seconds() -> None:
    _, alerts = look({}, 0, cause())
    assert look(alerts, 60 * 24 - 1, cause())[0] == []
    assert look(alerts, 60 * 24, cause())[0] == ["1:escalated"]


def test_acknowledged_it_does_not_escalate_but_what_escalated_stays_so() -> None:
    said = Word("anna", at(6), acknowledged=True)
    _, alerts = look({}, 5, cause())
    told, kept = look(alerts, 60 * 24 * 3, cause(occurrences=9), word=said)
    assert (told, kept[KEY].escalated_at, kept[KEY].acknowledged_by) == (["1:updated"], None, "anna")
    _, graver = look(alerts, 60 * 24 * 3, cause(occurrences=9))
    _, graver = look(graver, 60 * 24 * 3 + 1, cause(occurrences=9), word=Word("anna", at(60 * 24 * 3 + 1), True))
    assert (graver[KEY].severity, graver[KEY].acknowledged_by) == ("Critical", "anna")


def test_a_snooze_holds_until_its_time() -> None:
    snooze = Word("anna", at(6), snoozed_until=at(60))
    _, alerts = look({}, 5, cause())
    told, alerts = look(alerts, 15, cause(last=10, occurrences=4), word=snooze)
    assert (told, alerts[KEY].held) == ([], "Snoozed until 2026-03-01 13:00 UTC.")
    told, alerts = look(alerts, 60, cause(last=10, occurrences=4), word=snooze)
    assert (told, alerts[KEY].held, alerts[KEY].severity) == (["1:escalated"], "", "Critical")


def test_kinds_that_were_not_judged_are_carried_over() -> None:
    _, alerts = look({}, 5, cause(), cause("Condition:ExtensionReady"))
    only_conditions = frozenset({"Condition:"})
    told, after = look(alerts, 15, judged=only_conditions)
    assert told == ["1:resolved"]
    assert (after[KEY].state, after["Condition:ExtensionReady"].state) == ("Open", "Resolved")
    _, after = look(after, 16, hold=STOPPED, judged=only_conditions)
    assert after[KEY].held == STOPPED.reason
    assert look(after, 17, judged=None)[1][KEY].state == "Resolved", "its job is known otherwise now, or forgotten"


def test_a_condition_opens_when_it_is_due_and_stays_until_it_is_true() -> None:
    key = "Condition:ExtensionReady"
    not_yet = replace(cause(key), due=False)
    assert look({}, 5, not_yet) == ([], {})
    told, alerts = look({}, 40, cause(key))
    assert told == ["1:opened"]
    unknown = replace(cause(key, first=50), due=False, code="Unobserved")
    told, alerts = look(alerts, 55, unknown)
    assert (told, alerts[key].cause.code) == ([], "ExtensionReady"), "why it opened is not lost"
    told, alerts = look(alerts, 90, cause(key, first=80))
    assert (told, alerts[key].episode, alerts[key].cause.first_at) == ([], 1, at(0))
    told, alerts = look(alerts, 100)
    assert (told, alerts[key].resolved_at) == (["1:resolved"], at(100))


@pytest.mark.parametrize("kind", ["Backup", "Restore"])
def test_a_condition_that_says_what_a_new_job_says_opens_no_alert(kind: str) -> None:
    same = replace(cause("Condition:ExtensionReady"), code="CODE")
    assert list(look({}, 5, same, cause(f"{kind}:code"))[1]) == [f"{kind}:code"]


@pytest.mark.parametrize("reason", ["OutOfMemory", "OutOfMemoryOnce", "Raising", "RemediationExhausted"])
def test_of_a_lost_pod_the_condition_is_an_alert_only_when_nothing_more_can_be_done(reason: str) -> None:
    lost = replace(cause("Backup:pod"), code="UserErrorBackupPluginPodRestartedDuringBackup")
    memory = replace(cause("Condition:ExtensionMemorySufficient"), code=reason)
    assert (memory.key in look({}, 5, memory, lost)[1]) == (reason == "RemediationExhausted")
    assert memory.key in look({}, 5, memory)[1], "a container's sign alone has no job that says it"


def test_a_condition_that_says_what_a_job_says_opens_no_second_alert() -> None:
    same = replace(cause("Condition:BackupHealthy"), code="CODE")
    told, alerts = look({}, 5, same, cause())
    assert (told, list(alerts)) == (["1:opened"], [KEY])
    told, alerts = look(alerts, 15, same, over(cause(), 10))
    assert sorted(told) == ["1:opened", "1:resolved"]
    assert look(alerts, 16, same, cause(first=14))[0] == ["2:opened"]


def test_keys_are_made_of_alert_episode_and_kind() -> None:
    _, alerts = look({}, 5, cause())
    settled = settle(
        SUBJECT, alerts, [over(cause(), 10)], words={}, hold=None, alerting=ALERTING, moment=Moment(at(15))
    )
    (resolved,), _ = announcements(settled, ABOUT, Moment(at(15)))
    assert (resolved.key, resolved.kind, resolved.at) == (f"{ID}:1:resolved", "Resolved", at(15))
    assert (resolved.about, resolved.alert.state) == (ABOUT, "Resolved")


def test_the_digest_of_an_update_is_of_occurrences_and_deeds() -> None:
    found = cause()
    keys = set()
    for changed in (replace(found, occurrences=2), replace(found, did=("raised",)), replace(found, message="other")):
        alerts = look({}, 5, found)[1]
        settled = settle(SUBJECT, alerts, [changed], words={}, hold=None, alerting=ALERTING, moment=Moment(at(6)))
        keys |= {announcement.key for announcement in announcements(settled, ABOUT, Moment(at(6)))[0]}
    assert len(keys) == 2
    assert all(key.startswith(f"{ID}:1:updated:") for key in keys)


@pytest.mark.parametrize(
    ("hold", "snoozed", "wait"),
    [
        (None, None, (24 * 60 - 5) * 60),
        (STOPPED, None, None),
        (Hold("Maintenance.", at(60)), None, 55 * 60),
        (None, at(30), 25 * 60),
    ],
)
def test_the_next_change_by_time(hold: Hold | None, snoozed: datetime | None, wait: float | None) -> None:
    word = Word("anna", at(1), snoozed_until=snoozed) if snoozed else None
    _, alerts = look({}, 0, cause())
    _, alerts = look(alerts, 5, cause(), hold=hold, word=word)
    assert next_change_in(alerts, {}, ALERTING, hold, Moment(at(5))) == wait


def test_the_next_change_is_in_azures_seconds() -> None:
    alerts = look({}, 0, cause())[1]
    assert next_change_in(alerts, {}, ALERTING, None, Moment(at(0), 60)) == 86400
    window = Hold("Maintenance.", at(60))
    held = look({}, 0, cause(), hold=window)[1]
    moment = Moment(at(0), 60)
    wait = next_change_in(held, {}, ALERTING, window, moment)
    assert wait is not None
    assert moment.after(wait) == at(60)


def test_nothing_more_changes_by_time_alone() -> None:
    _, alerts = look({}, 0, cause(occurrences=3))
    assert next_change_in(alerts, {}, ALERTING, None, Moment(at(5))) is None
    _, alerts = look(alerts, 15, over(cause(), 10))
    assert next_change_in(alerts, {}, ALERTING, None, Moment(at(20))) is None


def test_what_came_due_since_the_look_is_not_missed() -> None:
    held = look({}, 0, cause(), hold=Hold("Maintenance.", at(5)))[1]
    assert next_change_in(held, {}, ALERTING, None, Moment(at(5))) == 1.0
    blocked = Condition(EXTENSION_READY, "False", "NoX86LinuxPool", "None.", at(0), "Add one.")
    conditions = {EXTENSION_READY: blocked}
    assert next_change_in({}, conditions, ALERTING, None, Moment(at(20))) == 600
    assert next_change_in({}, conditions, ALERTING, None, Moment(at(30))) == 1.0
    opened = look({}, 30, cause(f"Condition:{EXTENSION_READY}"))[1]
    assert next_change_in(opened, conditions, ALERTING, STOPPED, Moment(at(30))) is None


def test_a_summary_that_another_alert_explains_wakes_nobody() -> None:
    blocked = Condition(EXTENSION_READY, "False", "NoX86LinuxPool", "None.", at(0), "Add one.")
    conditions = {EXTENSION_READY: blocked, READY: replace(blocked, type=READY)}
    opened = look({}, 30, cause(f"Condition:{EXTENSION_READY}", occurrences=3))[1]
    assert next_change_in(opened, conditions, ALERTING, None, Moment(at(500))) is None
