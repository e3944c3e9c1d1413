"""What can be told is declared, once, and the declaration says what the code says."""

import ast
import re
import typing
from pathlib import Path

import pytest

from shared.domain import conditions
from shared.domain.alerts import SEVERITIES, Kind
from shared.domain.errors import ErrorKind
from shared.domain.steps import Step
from shared.telemetry import count, measure, span
from shared.telemetry.catalogue import (
    ALERT,
    ALERTS,
    EVENTS,
    LOOK,
    METRICS,
    OTHER,
    RECONCILES,
    SPANS,
    STEP,
    STEPS_SENT,
    SWEEP_AGE,
    WAITS,
)
from shared.telemetry.described import document
from shared.telemetry.words import CONDITIONS, REASONS, RESOURCE_TYPES, STEPS

ROOT = Path(__file__).parents[2]


def values(metric: object, attribute: str) -> set[str]:
    return next(set(each.values) for each in metric.attributes if each.name == attribute)  # type: ignore[attr-defined]


def test_the_page_is_the_catalogue() -> None:
    written = (ROOT / "docs" / "telemetry.md").read_text()
    assert written == document(), "python -m shared.telemetry > docs/telemetry.md"


def test_words_of_the_domain_are_all_known() -> None:
    assert set(STEPS) == {step.__name__ for step in typing.get_args(Step)}
    named = {value for name, value in vars(conditions).items() if name.isupper() and isinstance(value, str)}
    assert set(CONDITIONS) == named - {conditions.COMPLIANT}
    assert values(ALERTS, "severity") == set(SEVERITIES)
    assert values(ALERTS, "change") == set(typing.get_args(Kind)) == set(ALERT.variants)
    assert values(STEPS_SENT, "outcome") == {"done", "accepted", "error", *typing.get_args(ErrorKind)}


def test_every_reason_the_plan_gives_is_known() -> None:
    """Found where the code says them: as an argument of what makes a condition."""
    said: set[str] = set()
    for path in [
        *(ROOT / "shared" / "plan").glob("*.py"),
        ROOT / "shared" / "look.py",
        ROOT / "shared" / "reconcile.py",
    ]:
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
                place = {"Said": 2, "waiting": 1, "Condition": 2, "Gate": 0, "Wait": 0, "NotSelected": 0}.get(
                    call.func.id
                )
                if place is not None and len(call.args) > place and isinstance(call.args[place], ast.Constant):
                    holds = call.func.id in ("Said", "Condition") and ast.unparse(call.args[1]) == "'True'"
                    said |= set() if holds else {ast.literal_eval(call.args[place])}
    assert len(said) > 40
    assert said <= set(REASONS)


def test_no_reason_is_one_that_nobody_gives() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "shared").rglob("*.py") if "telemetry" not in path.parts)
    constants = {text.lower() for text in re.findall(r'"(\w+)"', code)}
    assert not {reason for reason in REASONS if reason.lower() not in constants}


def test_words_are_in_order_and_once() -> None:
    for words in (STEPS, CONDITIONS, REASONS, RESOURCE_TYPES):
        assert list(words) == sorted(set(words))


def test_names_are_unique_and_of_the_meter() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    assert all(name.startswith("aks_backup_guard.") for name in names)
    assert len({each.name for each in SPANS}) == len(SPANS)


def test_the_number_of_series_is_bounded() -> None:
    assert WAITS.most_series == len(CONDITIONS) * (len(REASONS) + 1)
    assert SWEEP_AGE.most_series == 1
    assert sum(metric.most_series for metric in METRICS) < 1500


def test_a_foreign_word_becomes_other_where_the_list_is_open() -> None:
    assert WAITS.series({"condition": "Ready", "reason": "UserErrorOfTomorrow"})["reason"] == OTHER
    assert STEP.name_of("FormatDisk") == "step other"


@pytest.mark.parametrize(
    ("metric", "attributes"),
    [
        (RECONCILES, {"subject": "cluster", "outcome": "nice"}),
        (RECONCILES, {"subject": "cluster"}),
        (RECONCILES, {"subject": "cluster", "outcome": "acted", "cluster": "aks-1"}),
        (EVENTS, {"function": "cluster_events", "result": "taken"}),
        (WAITS, {"condition": "Sunny", "reason": "Installing"}),
    ],
)
def test_what_is_not_declared_is_refused_though_nobody_exports(metric: typing.Any, attributes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"aks_backup_guard|never"):
        count(metric, **attributes)


def test_an_attribute_of_a_span_that_is_not_declared_is_refused() -> None:
    with pytest.raises(ValueError, match="no attribute 'colour'"), span(LOOK, "cluster", colour="red"):
        pass
    with pytest.raises(ValueError, match="no attribute 'colour'"), span(LOOK, "cluster") as note:
        note.say(colour="red")
    with pytest.raises(ValueError, match="has"):
        measure(SWEEP_AGE, 1.0, cluster="aks-1")
