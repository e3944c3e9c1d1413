"""Any port of one life of the app: its effects are numbered and can fail, and once the life is over it does nothing."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from shared.domain.errors import TransientError
from tests.virtual.effects import Life


class Mortal:
    """Wraps `port`: the methods named in `effects` happen or fail; the others only need a living process."""

    def __init__(self, port: Any, name: str, life: Life, effects: tuple[str, ...]) -> None:
        self._port, self._name, self._life, self._effects = port, name, life, effects

    def __getattr__(self, method: str) -> Any:
        wrapped = getattr(self._port, method)
        if not callable(wrapped):
            return wrapped
        if method in self._effects:
            return self._effect(method, wrapped)
        return self._read(wrapped)

    def _effect(self, method: str, wrapped: Callable[..., Any]) -> Callable[..., Any]:
        async def happen(*given: Any, **named: Any) -> Any:
            about = next((each for each in given if isinstance(each, str)), "")
            error = TransientError("StorageUnavailable", "storage did not answer")
            return await self._life.happen(
                f"{self._name}.{method} {about}".strip(), lambda: wrapped(*given, **named), error
            )

        return happen

    def _read(self, wrapped: Callable[..., Any]) -> Callable[..., Any]:
        def read(*given: Any, **named: Any) -> Any:
            self._life.breathe()
            answer = wrapped(*given, **named)
            return self._alive(answer) if isinstance(answer, AsyncIterator) else answer

        return read

    async def _alive(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for item in items:
            self._life.breathe()
            yield item
