"""A run of the tests fails for a right that is used and not granted, and for one that is granted and not used."""

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from infra.rights import ACTIONS, WORKSPACE_ACTIONS, actions, called
from infra.rights.document import document
from tests.used_rights import differences

CHECKOUT = Path(__file__).parents[2]

NAMED = {each.action.lower() for each in called((*ACTIONS, *WORKSPACE_ACTIONS))}
UNLOCK = "microsoft.authorization/locks/delete"


def test_what_is_used_and_named_is_fine() -> None:
    assert differences(NAMED, whole=True) == []
    assert differences(NAMED | {"microsoft.authorization/roleassignments/write"}, whole=True) == []
    assert differences(set(), whole=False) == [], "a part of the tests needs a part of the rights"


@pytest.mark.parametrize("action", [UNLOCK, "microsoft.dataprotection/resourceguards/read"])
def test_a_right_that_is_used_and_not_named_is_told(action: str) -> None:
    """Also one that a pattern lets through, but does not name."""
    for whole in (True, False):
        (line,) = differences(NAMED | {action}, whole=whole)
        assert action in line


def test_a_right_that_nobody_needs_is_told() -> None:
    for missing in (each.action.lower() for each in called(ACTIONS)):
        (line,) = differences(NAMED - {missing}, whole=True)
        assert missing in line


def test_the_lists_are_in_order_and_name_each_action_once() -> None:
    for rights in (ACTIONS, *(each.covers for each in ACTIONS), WORKSPACE_ACTIONS):
        named = [each.action for each in rights]
        assert named == sorted(set(named), key=str.lower)
        assert all(each.why for each in rights)
    named = [each.action for each in called(ACTIONS)]
    assert len(named) == len(set(named))


def test_the_one_pattern_gives_reads_of_azure_backup_and_each_of_them_has_its_reason() -> None:
    assert not [each.action for each in called((*ACTIONS, *WORKSPACE_ACTIONS)) if "*" in each.action]
    (pattern,) = [each for each in (*ACTIONS, *WORKSPACE_ACTIONS) if each.covers]
    assert pattern.action == "Microsoft.DataProtection/*/read"
    wanted = [each.action for each in called(ACTIONS) if fnmatchcase(each.action, pattern.action)]
    assert wanted == [each.action for each in pattern.covers], "nothing stands beside it that it gives"
    assert pattern.audit == any(each.audit for each in pattern.covers)


def test_an_app_that_only_looks_is_given_reads_alone() -> None:
    assert [action for action in actions("audit") if not action.endswith("/read")] == []


def test_the_page_for_reviewers_is_made_from_the_lists() -> None:
    assert (CHECKOUT / "docs" / "rights.md").read_text() == document(), "run: python -m infra.rights > docs/rights.md"
