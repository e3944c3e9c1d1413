"""What guard.yaml says of compliance and controls: what contradicts itself there, and what it means."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from shared.domain.profile import ComplianceRules, KqlControl, Prices
from shared.plan.compliance.catalogue import CONTROLS, FLEET_CONTROLS
from shared.profiles.compliance_models import ComplianceModel, KqlControlModel, PricesModel
from shared.profiles.fields import seconds
from shared.profiles.models import ConfigurationModel, ProfileModel
from shared.profiles.yaml_lines import Path, Problem

_DAY = 86_400
_GRAPH_KEEPS = 14 * _DAY
"""Resource Graph keeps jobs for so long (Azure Backup: query jobs by Resource Graph page)."""
_KNOWN = tuple(control.id for control in CONTROLS)
_OF_THE_FLEET = frozenset(control.id for control in FLEET_CONTROLS)
_COMMENT = re.compile(r"(?<!:)//[^\n]*")
"""An address in a text has a colon before its slashes."""
_NAMES_ID = re.compile(r"\bid\b")
_CUTS_OFF = re.compile(r"\|\s*(take|limit|sample)\b")
_ALIKE = 0.85
"""How like a known id an unknown one must be to be a mistake, where Python files may bring ids of their own."""


def compliance_problems(name: str, profile: ProfileModel) -> Iterator[Problem]:
    at: Path = ("profiles", name, "compliance")
    rules = profile.compliance
    if rules.recovery_point_within is not None and profile.existing.policy_id is None:
        within, interval = rules.recovery_point_within, profile.schedule.interval
        if seconds(within) < seconds(interval):
            message = (
                f"{within} is shorter than schedule.interval, which is {interval}: every recovery point would be too "
                "old before the next; raise it, or shorten the interval"
            )
            yield Problem((*at, "recovery_point_within"), message)
    if not 0 < seconds(rules.no_out_of_memory_within) <= _GRAPH_KEEPS:
        message = f"{rules.no_out_of_memory_within}: Azure Resource Graph keeps fourteen days of jobs; use up to P14D"
        yield Problem((*at, "no_out_of_memory_within"), message)
    if rules.restored_within is not None and seconds(rules.restored_within) < _DAY:
        message = f"{rules.restored_within} is shorter than from sweep to sweep; use P1D or more, for example P90D"
        yield Problem((*at, "restored_within"), message)
    for control in rules.severities:
        if control in rules.without:
            message = "compliance.without leaves this control out, so it has no severity; remove it from one of them"
            yield Problem((*at, "severities", control), message)


def control_problems(configuration: ConfigurationModel) -> Iterator[Problem]:
    """Of controls of people's own, and of ids that nothing has; needs the whole file to be readable."""
    own: list[str] = []
    for number, query in enumerate(configuration.controls):
        at: Path = ("controls", number)
        if query.id in _KNOWN or query.id in _OF_THE_FLEET:
            yield Problem((*at, "id"), f"{query.id!r} is one of the Guard's own controls; rename yours")
        elif query.id in own:
            yield Problem((*at, "id"), f"{query.id!r} is given twice; rename one")
        own.append(query.id)
        yield from _query_problems((*at, "query"), query.query)
    known = (*_KNOWN, *own)
    for name, profile in configuration.profiles.items():
        rules = profile.compliance
        named: list[tuple[Path, str]] = [(("severities", control), control) for control in rules.severities]
        named += [(("without", number), control) for number, control in enumerate(rules.without)]
        for place, control in named:
            at = ("profiles", name, "compliance", *place)
            yield from _unknown_control(at, control, known, open_ended=bool(configuration.control_files))


def _query_problems(at: Path, query: str) -> Iterator[Problem]:
    said = _COMMENT.sub("", query)
    if not _NAMES_ID.search(said):
        yield Problem(
            at, "does not mention id, by which its rows must name the clusters; let its last operator project it"
        )
    if cuts := _CUTS_OFF.search(said):
        yield Problem(at, f"{cuts[1]} would leave out clusters that do not comply; remove it")


def _unknown_control(at: Path, control: str, known: Iterable[str], *, open_ended: bool) -> Iterator[Problem]:
    """What a Python file brings along is known only when it is loaded."""
    if control in known:
        return
    if control in _OF_THE_FLEET:
        yield Problem(at, f"{control!r} is about the fleet, not about a cluster; no profile says anything of it")
        return
    close = get_close_matches(control, list(known), 1, _ALIKE if open_ended else 0.5)
    if close:
        yield Problem(at, f"there is no control {control!r}; did you mean {close[0]}?")
    elif not open_ended:
        yield Problem(at, f"there is no control {control!r}; docs/controls.md has all of them")


def compliance(model: ComplianceModel) -> ComplianceRules:
    def length(text: str | None) -> float | None:
        return None if text is None else seconds(text)

    return ComplianceRules(
        recovery_point_within=length(model.recovery_point_within),
        no_out_of_memory_within=seconds(model.no_out_of_memory_within),
        restored_within=length(model.restored_within),
        multi_user_authorisation=model.multi_user_authorisation,
        diagnostics=model.diagnostics,
        severities=dict(model.severities),
        without=tuple(dict.fromkeys(model.without)),
        alert_from=model.alert_from,
    )


def kql_controls(models: Iterable[KqlControlModel]) -> tuple[KqlControl, ...]:
    return tuple(KqlControl(**model.model_dump()) for model in models)


def prices(model: PricesModel) -> Prices:
    return Prices(**model.model_dump())
