"""The words of every control a verdict or a finding can be of, by its id."""

from collections.abc import Mapping

from shared.plan.compliance.control import Control

type Words = Mapping[str, Control]


def title_of(words: Words, control: str) -> str:
    """A control of the user's own may be gone since the sweep; its id then says what it was."""
    return words[control].title if control in words else control
