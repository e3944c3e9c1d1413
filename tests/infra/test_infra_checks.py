"""infra/ as it is: what a compiler, Azure, a security scanner and the code would say of it."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.infra.bicep_deployment import deployment
from tests.infra.bicep_syntax import Text
from tests.infra.bicep_types import told_by_hand
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
from tests.infra.check_rights import RBAC_ADMINISTRATOR, custom_role_complaints, key_complaints, rights_complaints
from tests.infra.check_settings import settings_complaints
from tests.infra.check_structure import structure_complaints, syntax_complaints
from tests.infra.check_types import type_complaints
from tests.infra.code_facts import ROOT, code_facts
from tests.infra.infra_folder import InfraFolder

DOCTOR = ROOT / "cli" / "doctor"


@pytest.fixture(scope="module")
def infra() -> InfraFolder:
    return InfraFolder(ROOT / "infra")


def said(complaints: list[str]) -> str:
    return "\n".join(complaints)


def test_every_file_is_bicep(infra: InfraFolder) -> None:
    assert said(syntax_complaints(infra.path)) == ""


def test_names_modules_and_parameters_fit_together(infra: InfraFolder) -> None:
    assert said(structure_complaints(infra.files, infra.roots)) == ""


def test_a_compiler_would_refuse_nothing(infra: InfraFolder) -> None:
    assert said(compiler_complaints(infra.files)) == ""


def test_what_is_read_of_resources_is_there(infra: InfraFolder) -> None:
    assert said(reference_complaints(infra.resources, infra.files)) == ""


def test_every_resource_is_of_microsofts_own_types(infra: InfraFolder) -> None:
    assert said(type_complaints(infra.resources)) == ""


def test_checkov_reads_every_file_and_finds_nothing(infra: InfraFolder) -> None:
    assert said(checkov_complaints(infra.path)) == ""


@pytest.mark.parametrize("check", [parameter_complaints, hook_deployment_complaints])
def test_what_goes_in_and_comes_out(check: Callable[[InfraFolder], list[str]], infra: InfraFolder) -> None:
    assert said(check(infra)) == ""


@pytest.mark.parametrize("check", [variable_complaints, output_complaints])
def test_outputs_and_the_variables_that_are_read(
    check: Callable[[InfraFolder, Iterable[Path]], list[str]], infra: InfraFolder
) -> None:
    assert said(check(infra, DOCTOR.glob("*.py"))) == ""


def test_app_settings_are_those_the_code_reads(infra: InfraFolder) -> None:
    assert said(settings_complaints(infra, code_facts())) == ""


def test_queues_tables_and_containers_are_those_in_use(infra: InfraFolder) -> None:
    assert said(storage_complaints(infra, code_facts())) == ""


def test_event_subscriptions_let_through_what_the_parsers_take(infra: InfraFolder) -> None:
    assert said(event_complaints(infra, code_facts())) == ""


def test_functions_and_routes_that_are_named_are_there(infra: InfraFolder) -> None:
    assert said(endpoint_complaints(infra, code_facts())) == ""


def test_every_queue_has_its_function() -> None:
    assert set(code_facts().functions_by_queue) == code_facts().queues


@pytest.mark.parametrize("check", [rights_complaints, custom_role_complaints, key_complaints])
def test_roles_are_the_reviewed_ones_and_keys_are_off(
    check: Callable[[InfraFolder], list[str]], infra: InfraFolder
) -> None:
    assert said(check(infra)) == ""


@pytest.mark.parametrize(("mode", "administers"), [("audit", False), ("enforce", True)])
def test_only_enforce_mode_gives_the_app_the_right_to_give_rights(
    mode: str, administers: bool, infra: InfraFolder
) -> None:
    roots = [infra.files[root] for root in infra.roots if "mode" in {p.name for p in infra.files[root].parameters}]
    assert len(roots) > 1
    for root in roots:
        whole = deployment(root, infra.files, {"mode": Text((mode,), 0)})
        given = [str(each.body) for each in whole.of_type("Microsoft.Authorization/roleAssignments")]
        assert any(RBAC_ADMINISTRATOR in each for each in given) is administers, root.path


def test_host_json_is_what_decisions_rely_on() -> None:
    assert said(host_complaints(code_facts())) == ""


def test_the_deployed_python_is_the_tested_one(infra: InfraFolder) -> None:
    assert said(runtime_complaints(infra)) == ""


def test_authentication_stands_before_all_but_two_paths(infra: InfraFolder) -> None:
    assert said(access_complaints(infra, code_facts())) == ""


def test_the_checks_see_the_whole_deployment(infra: InfraFolder) -> None:
    """A reader that lost a module, a loop or a variable would find nothing wrong with it."""
    kinds = {placed.resource.type for placed in infra.resources}
    declared = {resource.type for file in infra.files.values() for resource in file.resources}
    assert kinds == declared
    assert {path for each in infra.deployments for path in each.reached} == set(infra.files)


def test_no_type_is_told_by_hand_in_vain(infra: InfraFolder) -> None:
    assert told_by_hand() <= {placed.resource.type for placed in infra.resources}
