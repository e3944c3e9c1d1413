"""A run of the tests fails for a right that is used and not granted, and for one that is granted and not used."""

from pathlib import Path

from infra.rights import ACTIONS, WORKSPACE_ACTIONS
from infra.rights.document import document
from tests.used_rights import differences

CHECKOUT = Path(__file__).parents[2]

GRANTED = {each.action.lower() for each in (*ACTIONS, *WORKSPACE_ACTIONS)}
UNLOCK = "microsoft.authorization/locks/delete"


def test_what_is_used_and_granted_is_fine() -> None:
    assert differences(GRANTED, whole=True) == []
    assert differences(GRANTED | {"microsoft.authorization/roleassignments/write"}, whole=True) == []
    assert differences(set(), whole=False) == [], "a part of the tests needs a part of the rights"


def test_a_right_that_is_used_and_not_granted_is_named() -> None:
    for whole in (True, False):
        (line,) = differences(GRANTED | {UNLOCK}, whole=whole)
        assert UNLOCK in line


def test_a_right_that_nobody_needs_is_named() -> None:
    for missing in (each.action.lower() for each in ACTIONS):
        (line,) = differences(GRANTED - {missing}, whole=True)
        assert missing in line


def test_the_lists_are_in_order_and_name_each_action_once() -> None:
    for rights in (ACTIONS, WORKSPACE_ACTIONS):
        named = [each.action for each in rights]
        assert named == sorted(set(named), key=str.lower)
        assert not [action for action in named if "*" in action]
        assert all(each.why for each in rights)


def test_an_app_that_only_looks_is_given_reads_alone() -> None:
    assert [each.action for each in ACTIONS if each.audit and not each.action.endswith("/read")] == []


def test_the_page_for_reviewers_is_made_from_the_lists() -> None:
    assert (CHECKOUT / "docs" / "rights.md").read_text() == document(), "run: python -m infra.rights > docs/rights.md"
