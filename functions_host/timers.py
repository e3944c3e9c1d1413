"""The timer trigger: NCRONTAB schedules in UTC, one run of a timer at a time.

The next run is computed from the moment the last one was due, and a run that is due while the last one still lasts
follows right after it, once, however many were missed (TimerListener in azure-webjobs-sdk-extensions). The real
host keeps the last run in a blob and reports `past_due` for one missed while the app was down; this one keeps
nothing between starts.
"""

import asyncio
import json
from datetime import UTC, datetime

from functions_host import worker
from functions_host.bindings import Function
from functions_host.invocations import Invocations
from functions_host.ncrontab import NCrontab
from functions_host.start_error import StartError
from functions_host.worker import Result

# The wall clock may be set, and a laptop may sleep: look again at least this often.
_LONGEST_SLEEP_SECONDS = 30.0
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


class Timer:
    """One timer function and its schedule."""

    def __init__(self, function: Function, invocations: Invocations) -> None:
        expression = function.trigger.text("schedule", function.where)
        try:
            self._schedule = NCrontab(expression)
        except ValueError as error:
            raise StartError(f"{function.where}: the schedule {expression!r} is not NCRONTAB: {error}") from error
        self._function = function
        self._invocations = invocations
        self._run_on_startup = bool(function.trigger.properties.get("runOnStartup"))
        self._alone = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._last = _NEVER

    def stop(self) -> None:
        """Start no more runs."""
        self._stopping.set()

    async def run(self) -> None:
        """Fire on schedule until stopped."""
        if self._run_on_startup:
            await self.fire()
        due = self._schedule.next_after(datetime.now(UTC))
        while await self._is_time(due):
            began = datetime.now(UTC)
            await self.fire()
            due = self._schedule.next_after(max(began, due))

    async def fire(self) -> Result:
        """Run once, after a run that lasts still."""
        async with self._alone:
            now = datetime.now(UTC)
            request = {
                "Schedule": {"AdjustForDST": True},
                "ScheduleStatus": {
                    "Last": self._last.isoformat(),
                    "LastUpdated": self._last.isoformat(),
                    "Next": self._schedule.next_after(now).isoformat(),
                },
                "IsPastDue": False,
            }
            result = await self._invocations.run(self._function, worker.json_datum(json.dumps(request)))
            self._last = now
            return result

    async def _is_time(self, due: datetime) -> bool:
        while not self._stopping.is_set():
            seconds = (due - datetime.now(UTC)).total_seconds()
            if seconds <= 0:
                return True
            try:
                async with asyncio.timeout(min(seconds, _LONGEST_SLEEP_SECONDS)):
                    await self._stopping.wait()
            except TimeoutError:
                continue
        return False
