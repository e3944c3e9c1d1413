"""What remains is said so that a person knows what is meant."""

from typing import get_args

import pytest

from shared.domain.observed import Grant
from shared.domain.steps import GrantRole, Step
from shared.plan import roles
from shared.plan.remaining_words import in_words


def test_a_role_is_called_as_azure_calls_it() -> None:
    step = GrantRole(Grant("3f1c", roles.READER, "/subscriptions/s/resourcegroups/g"), "name")
    assert in_words(step.key) == "give the role Reader at g to 3f1c"


@pytest.mark.parametrize("kind", [step.__name__ for step in get_args(Step)])
def test_every_step_has_words_of_its_own(kind: str) -> None:
    said = in_words(kind)
    assert said.replace(" ", "").lower() != kind.lower()
    assert "{" not in said


def test_what_is_waited_for_is_said_as_it_is() -> None:
    assert in_words("NoX86LinuxPool") == "no x86 linux pool"
    assert in_words("Read:Cluster") == "read (Cluster)"
