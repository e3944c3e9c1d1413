"""Controls of people's own: Python files beside guard.yaml. They run inside the app, so they are trusted; that an error
in one of them spoils nothing but its own verdict is seen to here."""

import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from pathlib import Path
from types import ModuleType

from shared.domain.alerts import SEVERITIES
from shared.domain.errors import InvalidConfigurationError
from shared.domain.profile import Configuration
from shared.plan.compliance.catalogue import CONTROLS, FLEET_CONTROLS
from shared.plan.compliance.control import Control, Judge, Outcome, unknown
from shared.plan.compliance.facts import FACT_SOURCES
from shared.plan.compliance.kql import MOST_TEXT, kql_control
from shared.plan.compliance.posture import Posture

_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_STATUSES = ("Compliant", "NonCompliant", "Unknown")
_HELP = "docs/controls.md shows how it is written"
_loaded = count(1)


def controls_of(configuration: Configuration, directory: Path) -> tuple[Control, ...]:
    """All controls that the configuration asks for: the Guard's, the queries, and the Python files, whose paths are
    relative to the directory of guard.yaml. Raises InvalidConfigurationError, also for a profile that names a control
    which is in none of them."""
    queries = tuple(kql_control(query) for query in configuration.controls)
    own = load_controls([directory / name for name in configuration.control_files])
    taken = {control.id for control in queries}
    errors = [
        f"guard.yaml: controls: {control.id!r} is in a Python file too; rename one"
        for control in own
        if control.id in taken
    ]
    controls = (*CONTROLS, *queries, *own)
    known = {control.id for control in controls}
    for name, profile in configuration.profiles.items():
        for where, named in (("severities", profile.compliance.severities), ("without", profile.compliance.without)):
            errors += [
                f"guard.yaml: profiles.{name}.compliance.{where}: there is no control {control!r}; "
                "docs/controls.md has all of the Guard's own"
                for control in named
                if control not in known
            ]
    if errors:
        raise InvalidConfigurationError(tuple(errors))
    return controls


def load_controls(paths: Sequence[Path]) -> tuple[Control, ...]:
    """What the files define, in their order. Raises InvalidConfigurationError with every mistake in them, each with its
    file and, where there is one, its line."""
    errors: list[str] = []
    found: dict[str, Control] = {}
    taken = {control.id for control in (*CONTROLS, *FLEET_CONTROLS)}
    for path in paths:
        try:
            controls = _controls_in(_module(path), path)
        except InvalidConfigurationError as error:
            errors += error.errors
            continue
        for control in controls:
            if control.id in taken:
                errors.append(f"{path.name}: {control.id!r} is one of the Guard's own controls; rename yours")
            elif control.id in found:
                errors.append(f"{path.name}: {control.id!r} is given twice; rename one")
            found[control.id] = replace(control, judge=_isolated(control.judge))
    if errors:
        raise InvalidConfigurationError(tuple(errors))
    return tuple(found.values())


def _module(path: Path) -> ModuleType:
    """Raises InvalidConfigurationError."""
    name = f"aks_backup_guard_own_controls_{next(_loaded)}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise InvalidConfigurationError(
            (f"{path}: there is no such Python file; control_files are relative to guard.yaml",)
        )
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses in the file look themselves up there
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        del sys.modules[name]
        raise InvalidConfigurationError((f"{path.name}:{error.lineno or 1}: is not Python: {error.msg}",)) from error
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = lines[-1] if lines else 1
        said = f"{path.name}:{line}: cannot be loaded: {_said(error)}"
        raise InvalidConfigurationError((said,)) from error
    return module


def _controls_in(module: ModuleType, path: Path) -> tuple[Control, ...]:
    """Raises InvalidConfigurationError."""
    listed = getattr(module, "CONTROLS", None)
    if listed is None:
        listed = [value for value in vars(module).values() if isinstance(value, Control)]
    if not isinstance(listed, (list, tuple)) or not listed:
        raise InvalidConfigurationError((f"{path.name}: defines no controls; {_HELP}",))
    errors = [f"{path.name}: {mistake}" for value in listed for mistake in _mistakes(value)]
    if errors:
        raise InvalidConfigurationError(tuple(errors))
    return tuple(listed)


def _mistakes(value: object) -> Iterator[str]:
    if not isinstance(value, Control):
        yield f"CONTROLS holds {value!r:.80}, which is no control; {_HELP}"
        return
    if not isinstance(value.id, str) or not _ID.fullmatch(value.id):
        yield f"{value.id!r} is no id of a control; use words of lower-case letters and digits with hyphens"
    if not all(isinstance(text, str) for text in (value.title, value.why, value.remedy)) or not value.title:
        yield f"{value.id}: title, why and remedy must be text, and there must be a title"
    if value.severity not in SEVERITIES:
        yield f"{value.id}: {value.severity!r} is no severity; use {', '.join(SEVERITIES)}"
    listed = isinstance(value.rests_on, (list, tuple))
    if not listed:
        yield f"{value.id}: rests_on must be a tuple of facts, as in ('vault',)"
    for fact in value.rests_on if listed else ():
        if fact not in FACT_SOURCES:
            yield f"{value.id}: rests_on names {fact!r}, and there is no such fact; docs/controls.md has all of them"
    if not callable(value.judge):
        yield f"{value.id}: judge must be a function of a posture; {_HELP}"


def _isolated(judge: Judge) -> Judge:
    """What goes wrong in it is said in its verdict, and stops nothing."""

    def isolated(posture: Posture) -> Outcome | None:
        try:
            outcome: object = judge(posture)
            if outcome is None:
                return None
            if not isinstance(outcome, Outcome) or outcome.status not in _STATUSES:
                return unknown("ControlFailed", f"The control answered {outcome!r:.200}, which is no outcome.")
            texts = outcome.reason, outcome.message, outcome.remedy
            return Outcome(outcome.status, *(str(each)[:MOST_TEXT] for each in texts))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever people write must not end a sweep
            return unknown("ControlFailed", f"The control itself failed: {_said(error)}")

    return isolated


def _said(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:MOST_TEXT]
    except Exception:  # noqa: BLE001 - an error may not even be able to say what it is
        return type(error).__name__
