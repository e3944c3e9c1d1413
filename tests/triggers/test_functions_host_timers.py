"""Timers on schedule, the function time-out, and NCRONTAB itself."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from croniter import croniter

from functions_host.ncrontab import NCrontab
from tests.conftest import StartHost
from tests.triggers.conftest import Call, WriteApp

FUNCTIONS = """
runs = 0


@app.timer_trigger(arg_name="timer", schedule="* * * * * *")
async def every_second(timer: func.TimerRequest) -> None:
    global runs
    runs += 1
    record("every_second", at="begin")
    if runs == 1:
        await asyncio.sleep(1.2)  # The next one is due meanwhile.
    record("every_second", at="end")


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True)
def at_start(timer: func.TimerRequest) -> None:
    record("at_start", past_due=timer.past_due)
"""
ENDLESS = """
@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True)
async def endless(timer: func.TimerRequest) -> None:
    time.sleep(600)
"""


def test_timer_fires_on_schedule_and_never_overlaps_itself(
    write_app: WriteApp, start_functions_host: StartHost, eventually: Callable[..., Any], call: Call
) -> None:
    app = write_app(FUNCTIONS)
    host = start_functions_host(app.folder, app.settings)

    call("POST", f"{host.api}/admin/functions/every_second", "{}")
    runs = eventually(lambda: len(r := app.recorded("every_second")) >= 6 and r, "three runs")

    assert [run["at"] for run in runs[:6]] == ["begin", "end"] * 3
    assert app.recorded("at_start") == [{"past_due": False}]
    assert host.stop() == 0


def test_function_that_exceeds_the_timeout_ends_the_process(
    write_app: WriteApp, start_functions_host: StartHost
) -> None:
    app = write_app(ENDLESS, {"functionTimeout": "00:00:01"})
    host = start_functions_host(app.folder, app.settings)

    assert host.wait() == 3
    assert [line["function"] for line in host.logs() if line.get("outcome") == "TimedOut"] == ["endless"]


@pytest.mark.parametrize(
    ("expression", "moment", "expected"),
    [
        ("0 */5 * * * *", "2026-03-01T10:04:59", "2026-03-01T10:05:00"),
        ("0 */5 * * * *", "2026-03-01T10:05:00", "2026-03-01T10:10:00"),
        ("*/5 * * * *", "2026-03-01T10:05:00", "2026-03-01T10:10:00"),
        ("30 10/20 * * * *", "2026-03-01T10:31:00", "2026-03-01T10:50:30"),
        ("0 0 6 * * MON-FRI", "2026-03-06T07:00:00", "2026-03-09T06:00:00"),
        ("0 0 0 1 January,jul *", "2026-03-06T07:00:00", "2026-07-01T00:00:00"),
        # Day and day-of-week must both match: the next Friday the 13th.
        ("0 0 0 13 * 5", "2026-03-13T00:00:00", "2026-11-13T00:00:00"),
        ("0 0 0 29 2 *", "2026-03-01T00:00:00", "2028-02-29T00:00:00"),
        ("59 59 23 31 12 *", "2026-12-31T23:59:59", "2027-12-31T23:59:59"),
        ("* * * * * *", "2026-12-31T23:59:59.500", "2027-01-01T00:00:00"),
    ],
)
def test_next_occurrence(expression: str, moment: str, expected: str) -> None:
    following = NCrontab(expression).next_after(datetime.fromisoformat(moment).replace(tzinfo=UTC))

    assert following == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "expression", ["0 */7 2-5 * * 1,3", "15,45 30 4 */3 * *", "0 0 12 1-7 5,6 *", "*/25 59 */9 * 2 *"]
)
def test_occurrences_agree_with_croniter(expression: str) -> None:
    moment = datetime(2027, 2, 25, 3, 30, tzinfo=UTC)
    peer = croniter(expression, moment, second_at_beginning=True)
    own = NCrontab(expression)

    for _ in range(50):
        moment = own.next_after(moment)
        assert moment == peer.get_next(datetime)


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("every minute", "2 fields"),
        ("60 * * * * *", "second: 60"),
        ("0 0 0 * * 7", "day-of-week: 7"),
        ("0 0 0 31 2 *", "never fires"),
        ("0 5-1 * * * *", "backwards"),
        ("0 */0 * * * *", "step"),
        ("0 0 0 * Smarch *", "'Smarch'"),
        ("0 ? * * * *", "minute"),
        ("00:05:00", "App Service"),
        ("", "0 fields"),
    ],
)
def test_bad_expression_is_refused(expression: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        NCrontab(expression)


def test_next_occurrence_is_quick_even_for_every_second() -> None:
    own = NCrontab("* * * * * *")
    moment = datetime(2026, 1, 1, tzinfo=UTC)

    for _ in range(1000):
        following = own.next_after(moment)
        assert following - moment == timedelta(seconds=1)
        moment = following
