"""Every action that the app's identity was allowed in a virtual world, gathered from the whole run: one that
infra/rights does not name, or, when every virtual world ran, one that it names and nobody asked for, fails it. What a
pattern would let through beside what it covers by name counts as not named."""

import sys
from pathlib import Path
from typing import Any

import pytest

from infra.rights import ACTIONS, WORKSPACE_ACTIONS, called

_TESTS = Path(__file__).parent
_VIRTUAL = {*_TESTS.glob("virtual/test_*.py"), *_TESTS.glob("property/test_*.py"), *_TESTS.glob("rights/test_*.py")}
_NAMED = {each.action.lower() for each in called((*ACTIONS, *WORKSPACE_ACTIONS))}
_UNDER_CONDITIONS = {f"microsoft.authorization/roleassignments/{verb}" for verb in ("write", "delete")}
_NEVER_ASKED = {each.action.lower() for each in called((*ACTIONS, *WORKSPACE_ACTIONS)) if each.shown_by is None}


class UsedRights:
    """A plugin of pytest, in the one process of a run or, with pytest-xdist, in each worker and above them."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._each_whole: list[bool] = []
        self._wrong: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        chosen = session.config.getoption("keyword") or any("::" in each for each in session.config.args)
        whole = not chosen and {item.path for item in session.items} >= _VIRTUAL
        self._each_whole.append(whole)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        told = getattr(node, "workeroutput", {}).get(
            "rights", {"used": (), "whole": False}
        )  # a killed one says nothing
        self._used.update(told["used"])
        self._each_whole.append(told["whole"])

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        worlds = sys.modules.get("tests.virtual.rights")
        self._used.update(worlds.USED if worlds else ())
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["rights"] = {"used": sorted(self._used), "whole": all(self._each_whole)}
            return
        whole = bool(self._each_whole) and all(self._each_whole)
        self._wrong = differences(self._used, whole=whole and not session.testsfailed and not session.shouldstop)
        if self._wrong:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self._wrong:
            terminalreporter.write_line(line, red=True)


def differences(used: set[str], *, whole: bool) -> list[str]:
    """What is used or named only, in words; `whole`: everything that could use one has run."""
    more = [f"The app used {each}, which infra/rights does not name." for each in used - _NAMED - _UNDER_CONDITIONS]
    never = _NAMED - used - _NEVER_ASKED if whole else ()
    return sorted(more) + [f"infra/rights names {each}, which no test in virtual time needs." for each in sorted(never)]
