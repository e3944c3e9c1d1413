"""One check and what came of it."""

from dataclasses import dataclass
from typing import Literal

from cli.doctor.seen import Unread

Status = Literal["ok", "wrong", "could not tell"]


@dataclass(frozen=True, slots=True)
class Result:
    """`message` says what is wrong or why nobody knows, `fix` is the command to run."""

    group: str
    name: str
    subject: str
    status: Status
    message: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """`group` and `name` never change; `subject` is what it looks at, empty where there is but one."""

    group: str
    name: str
    subject: str = ""

    def ok(self, message: str = "") -> Result:
        return Result(self.group, self.name, self.subject, "ok", message)

    def wrong(self, message: str, fix: str) -> Result:
        return Result(self.group, self.name, self.subject, "wrong", message, fix)

    def unread(self, unread: Unread) -> Result:
        needed = f" You need {unread.right}." if unread.right else ""
        return Result(self.group, self.name, self.subject, "could not tell", unread.why + needed)

    def that(self, holds: bool, message: str, fix: str) -> Result:
        """Wrong, with the message, unless it holds."""
        return self.ok() if holds else self.wrong(message, fix)
