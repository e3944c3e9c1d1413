"""From text to `Configuration`, or to every error at once."""

import hashlib
import json
import types
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path as FilePath
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.domain.errors import InvalidConfigurationError
from shared.domain.profile import Configuration, Exemption, ProtectionProfile, Ring, Rollout, Rule, SweepRules
from shared.profiles.alert_meaning import (
    alerting,
    memory_problems,
    notification_problems,
    notifications,
    window_problems,
)
from shared.profiles.base_models import Model, selector
from shared.profiles.compliance_meaning import (
    compliance,
    compliance_problems,
    control_problems,
    kql_controls,
    prices,
)
from shared.profiles.fields import end_of, seconds, shown
from shared.profiles.meaning import agreement_problems, configuration_problems, profile_problems
from shared.profiles.models import ConfigurationModel, ProfileModel
from shared.profiles.yaml_lines import Document, Path, Problem, read_yaml

_MOST_ERRORS = 50
_CHANGES_NOTHING = ("memory", "cures", "alerts", "repairs", "compliance")
"""Settings of a profile that by themselves change nothing in Azure, so that no roll-out has to pace them."""
_WRITE_AS = {
    "string_type": "no text; put it in quotes",
    "int_type": "no whole number; write digits only, without quotes",
    "float_type": "no number; write it as 0.75, without quotes",
    "bool_type": "neither true nor false; write one of them without quotes",
    "list_type": "no list; write [a, b], or one line with '- ' for each",
    "dict_type": "no mapping; write lines of name: value below it",
    "model_type": "no mapping; write lines of name: value below it",
    "too_short": "empty; name at least one, or remove it",
}


def load_configuration(text: str, source: str = "guard.yaml") -> Configuration:
    """`source` is how errors name the file. Raises InvalidConfigurationError."""
    document = read_yaml(text)
    if document.value is None and not document.problems:
        document.problems.append(Problem((), "is empty; start from the example, it needs revision, profiles and rules"))
    model: ConfigurationModel | None = None
    if document.value is not None:
        try:
            model = ConfigurationModel.model_validate(document.value)
        except ValidationError as error:
            document.problems += _shape_problems(error)
        document.problems += _meaning_problems(model, document.value)
    if document.problems or model is None:
        raise InvalidConfigurationError(_sentences(document, source))
    return _configuration(model)


def load_configuration_file(path: FilePath) -> Configuration:
    """Raises InvalidConfigurationError, also when the file cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidConfigurationError((f"{path}: is not UTF-8 text; save it as UTF-8",)) from None
    except OSError as error:
        remedy = "deploy it, or correct AKS_BACKUP_GUARD_CONFIGURATION"
        raise InvalidConfigurationError((f"{path}: cannot be read: {error.strerror or error}; {remedy}",)) from error
    return load_configuration(text, path.name)


def json_schema() -> dict[str, Any]:
    """For editors: docs/guard.schema.json."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **ConfigurationModel.model_json_schema()}


def _configuration(model: ConfigurationModel) -> Configuration:
    return Configuration(
        revision=model.revision,
        profiles={name: _profile(name, profile) for name, profile in model.profiles.items()},
        rules=tuple(Rule(selector(rule.match), rule.profile) for rule in model.rules),
        exemptions=tuple(
            Exemption(selector(e.match), e.reason, end_of(e.expires) if e.expires else None) for e in model.exemptions
        ),
        rollout=Rollout(
            tuple(Ring(ring.name, selector(ring.match), seconds(ring.wait)) for ring in model.rollout.rings),
            model.rollout.clusters_per_hour,
            model.rollout.stop_after,
        ),
        subscriptions=tuple(dict.fromkeys(subscription.lower() for subscription in model.subscriptions)),
        management_groups=tuple({name.lower(): name for name in model.management_groups}.values()),
        notifications=notifications(model.notifications),
        sweep=SweepRules(**model.sweep.model_dump()),
        controls=kql_controls(model.controls),
        control_files=tuple(dict.fromkeys(model.control_files)),
        prices=prices(model.prices),
        digest=_digest(model),
    )


def _profile(name: str, model: ProfileModel) -> ProtectionProfile:
    content = model.model_dump()
    content["minimum_age"] = seconds(model.minimum_age)
    if model.memory.come_down_after is not None:
        content["memory"]["come_down_after"] = seconds(model.memory.come_down_after)
    content["alerts"] = alerting(model.alerts)
    content["compliance"] = compliance(model.compliance)
    if model.vault.soft_delete is None:
        # The vault exists, so this creates nothing. Until it has been read, On stands for what every vault accepts:
        # requests at an api-version from before AlwaysOn became compulsory (reported from 2025-09-01 on).
        content["vault"]["soft_delete"] = "On"
    content["existing"] = {key: value.rstrip("/") if value else None for key, value in content["existing"].items()}
    profile: ProtectionProfile = TypeAdapter(ProtectionProfile).validate_python(
        {**content, "name": name, "digest": _digest(model, *_CHANGES_NOTHING)}
    )
    return profile


def _digest(model: Model, *without: str) -> str:
    """SHA-256 of what is not said by default: neither comments, nor order, nor a setting that a newer version of the
    app brings along makes a profile a changed one."""
    content = model.model_dump(mode="json", exclude_defaults=True, exclude=set(without))
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _meaning_problems(model: ConfigurationModel | None, value: object) -> Iterator[Problem]:
    """When the file as a whole cannot be read, its readable profiles are judged all the same."""
    profiles = dict(model.profiles) if model else {}
    if model:
        yield from configuration_problems(model)
        yield from notification_problems(model)
        yield from control_problems(model)
    elif isinstance(value, dict) and isinstance(value.get("profiles"), dict):
        for name, content in value["profiles"].items():
            try:
                profiles[name] = ProfileModel.model_validate(content)
            except ValidationError:
                continue  # its errors are known already
    for name, profile in profiles.items():
        yield from profile_problems(name, profile)
        yield from memory_problems(name, profile)
        yield from window_problems(name, profile)
        yield from compliance_problems(name, profile)
    yield from agreement_problems(profiles)


def _shape_problems(error: ValidationError) -> Iterator[Problem]:
    for problem in error.errors(include_url=False):
        # A wrong name of a mapping's entry is reported at the entry, followed by "[key]".
        path = tuple(part for part in problem["loc"] if part != "[key]")
        kind, given, context = problem["type"], problem["input"], problem.get("ctx", {})
        if kind == "value_error":
            message = str(context["error"])
        elif kind == "missing":
            message = "is missing; add it"
        elif kind == "extra_forbidden":
            message = _unknown_setting(path)
        elif kind == "literal_error":
            message = f"{shown(given)} is not one of {context['expected']}{_close(given, context['expected'])}"
        elif kind in _WRITE_AS:
            message = f"{shown(given)} is {_WRITE_AS[kind]}"
        else:
            message = f"{shown(given)}: {problem['msg']}"
        yield Problem(path, message)


def _unknown_setting(path: Path) -> str:
    known = _settings_at(path[:-1])
    close = get_close_matches(str(path[-1]), known, 1)
    hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}"
    return f"there is no such setting here; {hint}"


def _close(given: object, expected: str) -> str:
    words = expected.replace(" or ", ", ").replace("'", "").split(", ")
    lower = {word.lower(): word for word in words}
    close = get_close_matches(str(given).lower(), list(lower), 1)
    return f"; did you mean {lower[close[0]]}?" if close else "; use one of them"


def _settings_at(path: Path) -> list[str]:
    kind: Any = ConfigurationModel
    for part in path:
        kind = _model_of(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(part)].annotation
        else:
            kind = get_args(kind)[-1]  # the items of a list or mapping
    kind = _model_of(kind)
    return list(kind.model_fields)


def _model_of(kind: Any) -> Any:
    """The kind without Annotated and `| None`."""
    while get_origin(kind) in (Annotated, Union, types.UnionType):
        kind = next(argument for argument in get_args(kind) if argument is not types.NoneType)
    return kind


def _sentences(document: Document, source: str) -> tuple[str, ...]:
    placed = sorted(
        (
            (problem.line or document.line_of(problem.path), number, problem)
            for number, problem in enumerate(document.problems)
        ),
        key=lambda place: place[:2],
    )
    lines = [
        f"{source}:{line}: {_dotted(problem.path)}{': ' if problem.path else ''}{problem.message}"
        for line, _, problem in placed
    ]
    more = [f"{source}: and {len(lines) - _MOST_ERRORS} more errors"] if len(lines) > _MOST_ERRORS else []
    return (*lines[:_MOST_ERRORS], *more)


def _dotted(path: Path) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:80]}" for part in path)
    return text.removeprefix(".")
