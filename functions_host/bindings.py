"""Functions and their bindings, as the worker library indexes them.

The library passes on any keyword a decorator was given, so a mistyped one silently does nothing, and it accepts
bindings this host cannot serve. Both are refused here, with the name of the function.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from functions_host import settings
from functions_host.start_error import StartError

_COMMON_KEYS = {"type", "name", "direction", "dataType"}
_TRIGGER_KEYS: Mapping[str, set[str]] = {
    "httpTrigger": {"authLevel", "route", "methods"},
    "eventGridTrigger": set(),
    "queueTrigger": {"queueName", "connection"},
    "timerTrigger": {"schedule", "runOnStartup", "useMonitor"},
}
_OUTPUT_KEYS: Mapping[str, set[str]] = {"http": set(), "queue": {"queueName", "connection"}}
# Only HTTP and timers are part of the real host; the other triggers come with the extension bundle.
_NEEDS_BUNDLE = {"eventGridTrigger", "queueTrigger", "queue"}


@dataclass(frozen=True, slots=True)
class Binding:
    """One binding: its type, the parameter it fills, and its properties by their names in function.json."""

    type: str
    name: str
    direction: str
    properties: Mapping[str, Any]

    def text(self, key: str, where: str) -> str:
        """A property as text with `%SETTING%` resolved."""
        return settings.resolve(str(self.properties.get(key) or ""), f"{where}: {key}")


@dataclass(frozen=True, slots=True)
class Function:
    """One indexed function."""

    name: str
    function_id: str
    trigger: Binding
    outputs: tuple[Binding, ...]
    disabled: bool

    @property
    def bindings(self) -> tuple[Binding, ...]:
        return (self.trigger, *self.outputs)

    @property
    def where(self) -> str:
        return f"function {self.name}"


def function(name: str, function_id: str, raw_bindings: Iterable[str], *, has_bundle: bool) -> Function:
    """Read one function's raw bindings; StartError for what this host does not serve."""
    where = f"function {name}"
    triggers, outputs = [], []
    for text in raw_bindings:
        raw = json.loads(text)
        binding = Binding(raw["type"], raw["name"], raw["direction"], raw)
        if binding.type in _TRIGGER_KEYS:
            known = _TRIGGER_KEYS[binding.type]
            triggers.append(binding)
        elif binding.direction == "OUT" and binding.type in _OUTPUT_KEYS:
            known = _OUTPUT_KEYS[binding.type]
            outputs.append(binding)
        else:
            raise StartError(
                f"{where}: the local host has no {binding.direction.lower()} binding {binding.type!r}; it serves "
                f"the triggers {', '.join(_TRIGGER_KEYS)} and the outputs {', '.join(_OUTPUT_KEYS)}"
            )
        unknown = sorted(set(raw) - known - _COMMON_KEYS)
        if unknown:
            raise StartError(f"{where}: {binding.type} has no property {', '.join(unknown)}")
        if binding.type in _NEEDS_BUNDLE and not has_bundle:
            raise StartError(f"{where}: {binding.type} comes with the extension bundle, which host.json does not name")
    if len(triggers) != 1:
        raise StartError(f"{where}: it has {len(triggers)} triggers, not one")
    return Function(name, function_id, triggers[0], tuple(outputs), settings.is_disabled(name))
