"""The one place that repeats a call to ARM within an invocation: shortly, and only what is idempotent. What is longer
is the loop's business, which comes back later. Storage has its own: `shared/record/retry.py`."""

from collections.abc import Awaitable, Callable

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from shared.arm.errors import Hiccup

Sleep = Callable[[float], Awaitable[None]]

TRIES = 3
_FIRST_PAUSE, _FACTOR, _LONGEST_PAUSE = 0.05, 6, 1.0


async def repeated[T](call: Callable[[], Awaitable[T]], sleep: Sleep) -> T:
    """Run `call`, again after 50 ms and 300 ms while it raises Hiccup. `sleep` takes seconds on the wall."""
    tries = AsyncRetrying(
        sleep=sleep,
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential(multiplier=_FIRST_PAUSE, exp_base=_FACTOR, max=_LONGEST_PAUSE),
        retry=retry_if_exception_type(Hiccup),
        reraise=True,
    )
    async for attempt in tries:
        with attempt:
            return await call()
    raise AssertionError("unreachable: the last attempt raises")
