"""Reading a control request: every field by name and type, and nothing left over."""

from collections.abc import Mapping
from typing import Any

_LONGEST = 4096  # characters of a text: an ARM id fits, a flood does not


class BadField(Exception):  # noqa: N818 - an answer to the caller
    """A field that cannot be used, and why."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


class Fields:
    """The fields of an object. Each is read once; `finish` refuses those nobody asked for."""

    def __init__(self, values: Mapping[str, Any], prefix: str = "") -> None:
        self._values, self._prefix, self._read = values, prefix, set[str]()

    def named(self, name: str) -> str:
        return f"{self._prefix}{name}"

    def raw(self, name: str) -> Any:
        self._read.add(name)
        return self._values.get(name)

    def text(self, name: str, *, among: tuple[str, ...] | None = None) -> str | None:
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value:
            raise BadField(self.named(name), "must be text")
        if len(value) > _LONGEST:
            raise BadField(self.named(name), f"must have no more than {_LONGEST} characters")
        if among is not None and value not in among:
            raise BadField(self.named(name), f"must be one of {', '.join(among)}, not '{value}'")
        return value

    def required_text(self, name: str, *, among: tuple[str, ...] | None = None) -> str:
        value = self.text(name, among=among)
        if value is None:
            raise BadField(self.named(name), "is required")
        return value

    def whole(self, name: str, *, least: int, most: int) -> int | None:
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise BadField(self.named(name), f"must be a whole number from {least} to {most}")
        return value

    def seconds(self, name: str) -> float | None:
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < float("inf"):
            raise BadField(self.named(name), "must be seconds, 0 or more")
        return float(value)

    def flag(self, name: str) -> bool | None:
        value = self.raw(name)
        if value is not None and not isinstance(value, bool):
            raise BadField(self.named(name), "must be true or false")
        return value

    def chance(self, name: str) -> bool | float | None:
        value = self.raw(name)
        if value is None or isinstance(value, bool):
            return value
        if not isinstance(value, int | float) or not 0 <= value <= 1:
            raise BadField(self.named(name), "must be true, false or a probability from 0 to 1")
        return float(value)

    def mapping(self, name: str) -> dict[str, Any]:
        value = self.raw(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise BadField(self.named(name), "must be an object")
        return value

    def sub(self, name: str) -> "Fields":
        return Fields(self.mapping(name), f"{self.named(name)}.")

    def items(self, name: str, *, most: int) -> list["Fields"] | None:
        """A list of objects, None when it is not given."""
        found = self._list(name, most)
        if found is None:
            return None
        if not all(isinstance(one, dict) for one in found):
            raise BadField(self.named(name), "must be a list of objects")
        return [Fields(one, f"{self.named(name)}[{number}].") for number, one in enumerate(found)]

    def texts(self, name: str, *, most: int) -> list[str] | None:
        """A list of texts, None when it is not given."""
        found = self._list(name, most)
        if found is not None and not all(isinstance(one, str) and 0 < len(one) <= _LONGEST for one in found):
            raise BadField(self.named(name), "must be a list of texts")
        return found

    def _list(self, name: str, most: int) -> list[Any] | None:
        value = self.raw(name)
        if value is not None and (not isinstance(value, list) or len(value) > most):
            raise BadField(self.named(name), f"must be a list of at most {most}")
        return value

    def names(self) -> set[str]:
        return set(self._values)

    def finish(self) -> None:
        """Raises BadField for the first field that is not known."""
        for name in sorted(set(self._values) - self._read):
            raise BadField(self.named(name), "is not known")
