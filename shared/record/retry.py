"""The short repetitions inside one invocation: only of what is idempotent. The SDKs' own retries are off."""

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from shared.domain.errors import TransientError

_LONGEST_WAIT = 2.0
"""Seconds. What storage wants waited for longer than this is waited for by a later message, not by an invocation."""


def _soon_over(error: BaseException) -> bool:
    return isinstance(error, TransientError) and (error.retry_after or 0) <= _LONGEST_WAIT


def repeated() -> AsyncRetrying:
    """Call `await repeated()(operation, *arguments)`: at most three attempts, the last error raised as it is."""
    return AsyncRetrying(
        retry=retry_if_exception(_soon_over),
        stop=stop_after_attempt(3),
        wait=wait_random_exponential(multiplier=0.2, max=_LONGEST_WAIT),
        reraise=True,
    )
