"""The Azure CLI, as the person at the terminal is signed in to it."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_CODE = re.compile(r"\(([A-Za-z_]+)\)|\"code\":\s*\"([A-Za-z_]+)\"")


class StepError(Exception):
    """A step that cannot be done. `remedy` is what to run; it may be several lines."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.remedy = remedy

    @classmethod
    def of(cls, failures: Sequence["StepError"], again: str) -> "StepError":
        """Several at once; `again` is what to run when each is remedied."""
        remedies = [each.remedy for each in failures if each.remedy]
        return cls("; ".join(map(str, failures)), "\n".join([*remedies, again]))


class CommandError(StepError):
    """`code` is Azure's error code, that of the cause where there are several, or empty; `said` all of its words."""

    def __init__(self, command: tuple[str, ...], said: str) -> None:
        causes = _causes(said)
        found = _CODE.search(said)
        self.code = causes[0][0] if causes else next((group for group in found.groups() if group), "") if found else ""
        self.said = said
        words = "; ".join(f"{code}: {message}" for code, message in causes) or _words(said)
        super().__init__(f"az {' '.join(command[:3])}: {words[:600] or 'no reason was given'}")


def az(*arguments: str) -> Any:
    """The JSON that the command answers, None for none. Raises StepError."""
    program = shutil.which("az")
    if program is None:
        raise StepError(
            "the Azure CLI is not installed", "https://learn.microsoft.com/cli/azure/install-azure-cli, then: az login"
        )
    ran = subprocess.run(
        [program, *arguments, "--only-show-errors", "--output", "json"], capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise CommandError(arguments, ran.stderr)
    return json.loads(ran.stdout) if ran.stdout.strip() else None


def rest(method: str, url: str, body: Mapping[str, Any] | None = None) -> Any:
    """One REST call, of ARM (the path alone) or Microsoft Graph. Raises StepError."""
    sent = [] if body is None else ["--body", json.dumps(body), "--headers", "Content-Type=application/json"]
    return az("rest", "--method", method.lower(), "--url", url, *sent)


def every(url: str, body: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """All items of a list that comes in pages: by `nextLink`, or of Resource Graph (a POST) by `$skipToken`."""
    found: list[dict[str, Any]] = []
    while True:
        page = rest("GET" if body is None else "POST", url, body) or {}
        found += page.get("value" if body is None else "data", [])
        if body is None:
            url = page.get("nextLink") or page.get("@odata.nextLink") or ""
            if not url:
                return found
        elif not page.get("$skipToken"):
            return found
        else:
            options = {"resultFormat": "objectArray", "$skipToken": page["$skipToken"]}
            body = {**body, "options": options}


def graph_rows(query: str, **scope: list[str]) -> list[dict[str, Any]]:
    """What Resource Graph answers (REST operation Resources). `scope` is subscriptions or managementGroups."""
    body = {"query": query, "options": {"resultFormat": "objectArray"}, **scope}
    return every("/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01", body)


def deploy(scope: tuple[str, ...], name: str, location: str, template: str, parameters: Mapping[str, Any]) -> None:
    """A deployment under a name of its own; the same again changes nothing. `scope` is as the CLI has it:
    ("sub", "--subscription", id) or ("mg", "--management-group-id", name). Raises StepError."""
    values = json.dumps({key: {"value": value} for key, value in parameters.items()})
    kind, *where = scope
    az(
        "deployment", kind, "create", *where, "--name", name, "--location", location,
        "--template-file", template, "--parameters", values,
    )  # fmt: skip


def _causes(said: str) -> list[tuple[str, str]]:
    """Code and message of each innermost error: a deployment of modules wraps them several times. None, when what was
    said holds no such JSON."""
    try:
        found, _ = json.JSONDecoder().raw_decode(said, said.index("{"))
    except ValueError:
        return []
    return list(dict.fromkeys(_innermost(found.get("error", found))))


def _innermost(error: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(error, dict) or not isinstance(error.get("code"), str):
        return
    inner = [cause for each in error.get("details") or () for cause in _innermost(each)]
    yield from inner or [(error["code"], " ".join(str(error.get("message", "")).split()))]


def _words(said: str) -> str:
    """Without the lines around them."""
    lines = [line.strip().removeprefix("ERROR:").strip() for line in said.splitlines()]
    return " ".join(line for line in lines if line)
