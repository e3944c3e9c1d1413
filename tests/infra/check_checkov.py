"""checkov over infra/: its findings, and the files it could not read, which it would count as clean."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

_BIN = Path(__file__).parents[2] / ".tools" / "checkov" / "bin"
_SUPPRESSION = re.compile(r"//\s*checkov:skip=\S*?(?P<reason>:.*)?$")
_SHORTEST_REASON = 15
"""Letters."""

_PARSE = """
import json, sys
from pathlib import Path
from pycep import BicepParser
said = []
for path in sorted(Path(sys.argv[1]).rglob("*.bicep")):
    try:
        BicepParser(add_line_numbers=True).parse(text=path.read_text())
    except Exception as error:
        said.append(f"{path}:{getattr(error, 'line', 1)}: checkov cannot read this file: {str(error).splitlines()[0]}")
print(json.dumps(said))
"""


def checkov_complaints(folder: Path) -> list[str]:
    """Without network. Raises OSError when checkov is not installed, ValueError when it does not answer."""
    unread = _unread(folder)
    report = _report(folder)
    if report["summary"]["parsing_errors"] and not unread:
        raise ValueError("checkov could not read a file, and does not say which")
    said = [
        f"{folder}{each['file_path']}:{each['file_line_range'][0]}: {each['check_id']}: {each['check_name']}"
        for each in report["results"]["failed_checks"]
    ]
    return [*unread, *said, *_unexplained(folder)]


def _report(folder: Path) -> dict[str, Any]:
    command = [str(_BIN / "checkov"), "--directory", str(folder), "--framework", "bicep", "--compact", "--quiet"]
    # An unreachable network would cost it half a minute.
    alone = {**os.environ, "BC_SKIP_MAPPING": "TRUE"}
    ran = subprocess.run(
        [*command, "--output", "json", "--skip-download"], capture_output=True, text=True, check=False, env=alone
    )
    try:
        report: dict[str, Any] = json.loads(ran.stdout)
    except ValueError as error:
        raise ValueError(f"checkov: {ran.stderr.strip()[-1000:]}") from error
    if "results" not in report:  # it counts what it cannot read among what is not there
        report = {"results": {"failed_checks": []}, "summary": report}
    return report


def _unread(folder: Path) -> list[str]:
    ran = subprocess.run([_BIN / "python", "-c", _PARSE, folder], capture_output=True, text=True, check=True)
    found: list[str] = json.loads(ran.stdout)
    return found


def _unexplained(folder: Path) -> list[str]:
    said = []
    for path in sorted(folder.rglob("*.bicep")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if (found := _SUPPRESSION.search(line)) and len(found["reason"] or "") <= _SHORTEST_REASON:
                said.append(f"{path}:{number}: a suppression without a reason")
    return said
