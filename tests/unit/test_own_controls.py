"""Controls in people's own Python files: how they are found, what is said of mistakes in them, and that a fault in one
spoils its own verdict only."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared.domain.compliance import Verdict
from shared.domain.errors import InvalidConfigurationError
from shared.domain.profile import KqlControl
from shared.own_controls import controls_of, load_controls
from shared.plan.compliance.catalogue import CONTROLS
from shared.plan.compliance.control import Control
from shared.plan.compliance.handbook import handbook
from tests.unit.controls_world import Scene, healthy

LIST = """
from dataclasses import dataclass

from shared.plan.compliance.control import COMPLIANT, Control, Outcome

@dataclass(frozen=True)
class Limits:
    most: int = 3

def judge(posture):
    pools = len(posture.cluster.node_pools)
    return COMPLIANT if pools <= Limits().most else Outcome("NonCompliant", "TooMany", f"{pools} pools.")

CONTROLS = [
    Control("few-pools", "Few pools", "Less to restore.", "Remove some.", "Warning", True, ("power_state",), judge),
    Control("two", "Two", "", "", "Error", False, (), lambda posture: None),
]
LEFT_OUT = Control("three", "Three", "", "", "Error", False, (), judge)
"""


def written(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def errors_of(*paths: Path) -> list[str]:
    with pytest.raises(InvalidConfigurationError) as caught:
        load_controls(paths)
    return list(caught.value.errors)


def judged(control: Control) -> Verdict | None:
    scene = healthy()
    scene.controls = (*CONTROLS, control)
    return scene.verdict(control.id)


def test_a_list_says_which_controls_count_and_in_which_order(tmp_path: Path) -> None:
    controls = load_controls([written(tmp_path, LIST)])
    assert [control.id for control in controls] == ["few-pools", "two"]
    assert controls[0].essential
    assert judged(controls[0]) == Verdict("few-pools", "Compliant", "Warning")
    assert judged(controls[1]) is None


def test_functions_below_the_decorator_are_controls_as_the_page_shows_it(tmp_path: Path) -> None:
    """The very example of docs/controls.md."""
    example = handbook().partition("```python\n")[2].partition("```")[0]
    (control,) = load_controls([written(tmp_path, example)])
    assert (control.id, control.severity, control.essential) == ("owner-tag", "Informational", False)
    assert judged(control) == Verdict(
        "owner-tag",
        "NonCompliant",
        "Informational",
        "NoOwner",
        "The cluster has no tag owner.",
        "Add the tag owner to the cluster.",
    )


def test_no_files_are_no_controls() -> None:
    assert load_controls([]) == ()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("x = 1\n\ndef broken(:\n", "mine.py:3: is not Python: "),
        ("import nothing_of_this_name_is_there\n", "mine.py:1: cannot be loaded: ModuleNotFoundError: "),
        ("\n\nraise SystemExit(3)\n", "mine.py:3: cannot be loaded: SystemExit: 3"),
        ("\ndef f():\n    return 1 / 0\n\nf()\n", "mine.py:3: cannot be loaded: ZeroDivisionError: "),
        ("x = 1\n", "mine.py: defines no controls; docs/controls.md shows how it is written"),
        ("CONTROLS = []\n", "mine.py: defines no controls"),
        ("CONTROLS = 3\n", "mine.py: defines no controls"),
        ("CONTROLS = ['a']\n", "mine.py: CONTROLS holds 'a', which is no control"),
    ],
)
def test_a_file_that_is_none_is_named_with_its_line(tmp_path: Path, text: str, error: str) -> None:
    (said,) = errors_of(written(tmp_path, text))
    assert said.startswith(error)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ('"Two_Words", "T", "", "", "Error"', "'Two_Words' is no id of a control"),
        ('"one", "", "", "", "Error"', "one: title, why and remedy must be text, and there must be a title"),
        ('"one", "T", 3, "", "Error"', "one: title, why and remedy must be text"),
        ('"one", "T", "", "", "Grave"', "one: 'Grave' is no severity; use Critical, Error, Warning, Informational"),
        ('"protected", "T", "", "", "Error"', "'protected' is one of the Guard's own controls; rename yours"),
        ('"orphaned-instance", "T", "", "", "Error"', "'orphaned-instance' is one of the Guard's own controls"),
    ],
)
def test_a_mistake_in_a_control_is_named(tmp_path: Path, changed: str, error: str) -> None:
    text = (
        "from shared.plan.compliance.control import Control\n"
        f"CONTROLS = [Control({changed}, False, (), lambda posture: None)]\n"
    )
    assert any(said.startswith(f"mine.py: {error}") for said in errors_of(written(tmp_path, text)))


def test_facts_and_judges_that_are_none_are_named(tmp_path: Path) -> None:
    text = (
        "from shared.plan.compliance.control import Control\n"
        "CONTROLS = [Control('one', 'One', '', '', 'Error', False, ('mood',), 'judge')]\n"
    )
    assert errors_of(written(tmp_path, text)) == [
        "mine.py: one: rests_on names 'mood', and there is no such fact; docs/controls.md has all of them",
        "mine.py: one: judge must be a function of a posture; docs/controls.md shows how it is written",
    ]


@pytest.mark.parametrize("rests_on", ["None", "('vault')", "5"])
def test_what_a_control_rests_on_is_a_tuple(tmp_path: Path, rests_on: str) -> None:
    text = (
        "from shared.plan.compliance.control import Control\n"
        f"CONTROLS = [Control('one', 'One', '', '', 'Error', False, {rests_on}, lambda posture: None)]\n"
    )
    assert errors_of(written(tmp_path, text)) == ["mine.py: one: rests_on must be a tuple of facts, as in ('vault',)"]


def test_every_mistake_of_every_file_is_said_at_once(tmp_path: Path) -> None:
    errors = errors_of(
        tmp_path / "missing.py",
        written(tmp_path, LIST, "one.py"),
        written(tmp_path, LIST, "two.py"),
        written(tmp_path, "CONTROLS = 1", "three.py"),
    )
    assert len(errors) == 4
    assert errors[0].endswith("missing.py: there is no such Python file; control_files are relative to guard.yaml")
    assert errors[1:3] == [
        "two.py: 'few-pools' is given twice; rename one",
        "two.py: 'two' is given twice; rename one",
    ]
    assert errors[3].startswith("three.py: defines no controls")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return posture.cluster.nothing", "The control itself failed: AttributeError: "),
        ("return 1 / 0", "The control itself failed: ZeroDivisionError: "),
        ("raise RecursionError('deep')", "The control itself failed: RecursionError: deep"),
        ("return 'yes'", "The control answered 'yes', which is no outcome."),
        ("return Outcome('Fine')", "The control answered Outcome(status='Fine'"),
        ("return True", "The control answered True, which is no outcome."),
        ("raise SystemExit(3)", "The control itself failed: SystemExit: 3"),
        ("return type('Odd', (), {'__repr__': lambda self: 1 / 0})()", "The control itself failed: ZeroDivisionError"),
        ("return Outcome('NonCompliant', type('Odd', (), {'__str__': lambda self: 1 / 0})())", "The control itself"),
        ("raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})()", "The control itself failed: Odd"),
    ],
)
def test_what_goes_wrong_in_a_control_is_its_own_verdict(tmp_path: Path, body: str, message: str) -> None:
    text = (
        "from shared.plan.compliance.control import Outcome, control\n"
        "@control(id='mine', title='Mine', why='', essential=True)\n"
        f"def mine(posture):\n    {body}\n"
    )
    (control,) = load_controls([written(tmp_path, text)])
    verdict = judged(control)
    assert verdict is not None
    assert (verdict.status, verdict.reason) == ("Unknown", "ControlFailed")
    assert verdict.message.startswith(message)


def test_a_control_cannot_flood_a_report(tmp_path: Path) -> None:
    text = (
        "from shared.plan.compliance.control import Outcome, control\n"
        "@control(id='mine', title='Mine', why='')\n"
        "def mine(posture):\n    return Outcome('NonCompliant', 'x' * 10**6, 'y' * 10**6, 4)\n"
    )
    (control,) = load_controls([written(tmp_path, text)])
    verdict = judged(control)
    assert verdict is not None
    assert (len(verdict.reason), len(verdict.message), verdict.remedy) == (100, 1000, "4")


def test_all_controls_are_the_guards_the_queries_and_the_files(tmp_path: Path) -> None:
    written(tmp_path, LIST)
    scene = Scene()
    scene.rule(without=("two",), severities={"private": "Error"})
    query = KqlControl("private", "Private", "resources | project id")
    configuration = replace(scene.configuration, controls=(query,), control_files=("mine.py",))
    controls = controls_of(configuration, tmp_path)
    assert [control.id for control in controls[len(CONTROLS) :]] == ["private", "few-pools", "two"]
    assert controls[: len(CONTROLS)] == CONTROLS


def test_a_profile_cannot_name_a_control_that_is_nowhere(tmp_path: Path) -> None:
    written(tmp_path, LIST)
    scene = Scene()
    scene.rule(without=("tow",), severities={"few-pool": "Error"})
    query = KqlControl("two", "Two", "resources | project id")
    configuration = replace(scene.configuration, controls=(query,), control_files=("mine.py",))
    with pytest.raises(InvalidConfigurationError) as caught:
        controls_of(configuration, tmp_path)
    assert caught.value.errors == (
        "guard.yaml: controls: 'two' is in a Python file too; rename one",
        "guard.yaml: profiles.gold.compliance.severities: there is no control 'few-pool'; "
        "docs/controls.md has all of the Guard's own",
        "guard.yaml: profiles.gold.compliance.without: there is no control 'tow'; "
        "docs/controls.md has all of the Guard's own",
    )
