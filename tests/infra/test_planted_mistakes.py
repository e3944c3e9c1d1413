"""A mistake of each kind is put into a copy of infra/, and the check that is for it says so, with file and line."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.infra.check_access import access_complaints
from tests.infra.check_checkov import checkov_complaints
from tests.infra.check_compiler import compiler_complaints, reference_complaints
from tests.infra.check_host import host_complaints, runtime_complaints
from tests.infra.check_names import endpoint_complaints, event_complaints, storage_complaints
from tests.infra.check_parameters import (
    hook_deployment_complaints,
    output_complaints,
    parameter_complaints,
    variable_complaints,
)
from tests.infra.check_rights import custom_role_complaints, key_complaints, rights_complaints
from tests.infra.check_settings import settings_complaints
from tests.infra.check_structure import structure_complaints, syntax_complaints
from tests.infra.check_types import type_complaints
from tests.infra.code_facts import ROOT, CodeFacts, code_facts
from tests.infra.infra_folder import InfraFolder
from tests.infra.mistake import STORAGE
from tests.infra.mistakes_in_bicep import IN_BICEP
from tests.infra.mistakes_of_agreement import OF_AGREEMENT

MISTAKES = IN_BICEP | OF_AGREEMENT

type Check = Callable[[InfraFolder, CodeFacts], list[str]]

CHECKS: dict[str, Check] = {
    "syntax": lambda infra, _: syntax_complaints(infra.path),
    "structure": lambda infra, _: structure_complaints(infra.files, infra.roots),
    "compiler": lambda infra, _: compiler_complaints(infra.files),
    "references": lambda infra, _: reference_complaints(infra.resources, infra.files),
    "types": lambda infra, _: type_complaints(infra.resources),
    "storage": storage_complaints,
    "events": event_complaints,
    "endpoints": endpoint_complaints,
    "parameters": lambda infra, _: parameter_complaints(infra),
    "outputs": lambda infra, _: output_complaints(infra),
    "variables": lambda infra, _: variable_complaints(infra),
    "hooks": lambda infra, _: hook_deployment_complaints(infra),
    "rights": lambda infra, _: rights_complaints(infra),
    "custom roles": lambda infra, _: custom_role_complaints(infra),
    "access": access_complaints,
    "runtime": lambda infra, _: runtime_complaints(infra),
    "keys": lambda infra, _: key_complaints(infra),
    "settings": settings_complaints,
}


@cache
def complaints_of_infra_as_it_is(check: str) -> list[str]:
    """None, when all is well."""
    return CHECKS[check](InfraFolder(ROOT / "infra"), code_facts())


def copied(to: Path) -> InfraFolder:
    shutil.copytree(ROOT / "infra", to / "infra", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "azure.yaml", to)
    return InfraFolder(to / "infra")


def planted(path: Path, old: str, new: str) -> int:
    """The line of what was changed first."""
    text = path.read_text()
    found = re.search(old, text, re.MULTILINE)
    assert found, f"{path} has no {old}"
    path.write_text(re.sub(old, new, text, count=1, flags=re.MULTILINE))
    return text.count("\n", 0, found.start()) + 1


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_found(name: str, tmp_path: Path) -> None:
    mistake = MISTAKES[name]
    check, code, infra = CHECKS[mistake.check], code_facts(), copied(tmp_path)
    before = [each.replace(str(ROOT), str(tmp_path)) for each in complaints_of_infra_as_it_is(mistake.check)]
    path = infra.path / mistake.file
    line = planted(path, mistake.old, mistake.new)
    path = infra.path / (mistake.where or mistake.file)
    if mistake.at:
        line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if re.search(mistake.at, text))
    found = [each for each in check(InfraFolder(infra.path), code) if each not in before]
    right = [each for each in found if re.search(mistake.said, each)]
    assert right, found
    assert all(re.match(rf"{re.escape(str(infra.path))}/\S+:\d+: ", each) for each in right)
    assert any(each.startswith(f"{path}:{line}: ") for each in right), right


@pytest.mark.parametrize(
    ("check", "code", "said"),
    [
        (storage_complaints, lambda code: replace(code, queues=code.queues | {"more"}), "the queue more is not made"),
        (storage_complaints, lambda code: replace(code, tables=code.tables | {"more"}), "the table more is not made"),
        (storage_complaints, lambda code: replace(code, tables=code.tables - {"jobs"}), "nobody uses the table jobs"),
        (
            event_complaints,
            lambda code: replace(code, job_event_types=code.job_event_types | {"AksBackupGuard.New"}),
            "the event type AksBackupGuard.New, which",
        ),
        (
            event_complaints,
            lambda code: replace(code, operation_names=code.operation_names | {"Microsoft.New/write"}),
            "the operation name Microsoft.New/write, which",
        ),
        (
            event_complaints,
            lambda code: replace(code, event_grid_functions=frozenset({"job_events"})),
            "cluster_events",
        ),
        (endpoint_complaints, lambda code: replace(code, routes=frozenset({"v1/other"})), "answers /api/health"),
        (
            settings_complaints,
            lambda code: replace(code, settings={**code.settings, "AKS_BACKUP_GUARD_NEW": ""}),
            "AKS_BACKUP_GUARD_NEW is not deployed",
        ),
        (
            settings_complaints,
            lambda code: replace(code, local={**code.local, "AKS_BACKUP_GUARD_OLD": ""}),
            "reads no setting AKS_BACKUP_GUARD_OLD",
        ),
        (
            settings_complaints,
            lambda code: replace(code, local={**code.local, "AKS_BACKUP_GUARD_STOPPED": "true"}),
            "AKS_BACKUP_GUARD_STOPPED is 'true'",
        ),
    ],
)
def test_what_only_the_code_has_is_missed_in_infra(
    check: Check, code: Callable[[CodeFacts], CodeFacts], said: str
) -> None:
    infra, facts = InfraFolder(ROOT / "infra"), code_facts()
    found = [each for each in check(infra, code(facts)) if each not in check(infra, facts)]
    assert any(re.match(rf"{ROOT}/\S+:\d+: .*{said}", each) for each in found), found


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ({"functionTimeout": "00:03:00"}, "does not go with AKS_BACKUP_GUARD_PASS_SECONDS"),
        ({"functionTimeout": "00:10:00"}, "does not go with AKS_BACKUP_GUARD_LEASE_SECONDS"),
        ({"telemetryMode": None}, "telemetryMode"),
        ({"extensions": {"http": {"routePrefix": ""}}}, "routePrefix"),
    ],
)
def test_a_host_json_that_does_not_fit_is_found(host: dict[str, object], said: str) -> None:
    code = code_facts()
    assert any(said in each for each in host_complaints(replace(code, host={**code.host, **host})))


def test_checkov_finds_what_is_open_and_what_it_cannot_read(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    shutil.copy(ROOT / "infra" / STORAGE, tmp_path / STORAGE)
    line = planted(tmp_path / STORAGE, r"minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS1_0'")
    account = next(n for n, t in enumerate((tmp_path / STORAGE).read_text().splitlines(), 1) if "resource account" in t)
    said = "CKV_AZURE_44: Ensure Storage Account is using the latest version of TLS"
    (app / "odd.bicep").write_text("param x string?\nvar y = x.?length ?? 0\n")  # new syntax
    planted(tmp_path / STORAGE, r"(checkov:skip=CKV_AZURE_35):.*", r"\1")
    found = checkov_complaints(tmp_path)
    assert account < line
    assert any(each.startswith(f"{tmp_path / STORAGE}:{account}: {said}") for each in found), found
    assert any(re.match(rf"{app}/odd\.bicep:\d+: checkov cannot read this file", each) for each in found), found
    assert any("a suppression without a reason" in each for each in found), found
