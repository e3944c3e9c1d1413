"""guard.yaml on compliance, repairs, sweeps, controls and prices: what it means, and which mistakes are named."""

import dataclasses

import pytest
from pydantic import BaseModel

from shared.domain import profile as domain
from shared.plan.compliance.catalogue import CONTROLS
from shared.profiles import InvalidConfigurationError, compliance_models, load_configuration

SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a"
WORKSPACE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/backups"
)
SMALLEST = """revision: 1
profiles:
  gold:
    vault: {soft_delete: On}
rules: []
"""


def with_profile(*lines: str) -> str:
    """A configuration whose profile `gold` goes on in line 5."""
    return (
        "\n".join(
            ["revision: 1", "profiles:", "  gold:", "    vault: {soft_delete: On}", *(f"    {line}" for line in lines)]
        )
        + "\nrules: []\n"
    )


def errors_of(text: str) -> list[str]:
    with pytest.raises(InvalidConfigurationError) as caught:
        load_configuration(text)
    return list(caught.value.errors)


def test_what_is_not_said_is_as_the_domain_has_it() -> None:
    configuration = load_configuration(SMALLEST)
    profile = configuration.profiles["gold"]
    assert profile.repairs == domain.Repairs()
    assert profile.compliance == domain.ComplianceRules()
    assert profile.vault.diagnostics_workspace_id is None
    assert configuration.sweep == domain.SweepRules()
    assert configuration.prices == domain.Prices()
    assert (configuration.controls, configuration.control_files, configuration.management_groups) == ((), (), ())


def test_everything_said_reaches_the_domain() -> None:
    configuration = load_configuration(f"""
revision: 1
management_groups: [Platform, platform, Land.Zones]
profiles:
  gold:
    vault: {{soft_delete: On, diagnostics_workspace_id: {WORKSPACE}}}
    repairs: {{resume_suspended: false, resume_stopped: true, vault_settings: false, one_way: true}}
    compliance:
      recovery_point_within: P2D
      no_out_of_memory_within: P7D
      restored_within: P90D
      multi_user_authorisation: true
      diagnostics: true
      severities: {{extension-current: Informational, private-cluster: Critical}}
      without: [volumes-supported]
      alert_from: null
rules: []
sweep: {{team_tag: owner, repairs_per_sweep: 7, stop_above: 0.5, stop_least: 3, keep_days: 30}}
controls:
  - id: private-cluster
    title: The API server is private
    query: |
      resources // id is named here too
      | where properties.public == 'https://a/' | project id, message = 'It is public.'
    severity: Error
    remedy: Make it private.
    essential: true
control_files: [mine.py, more/ours.py]
prices:
  currency: EUR
  protected_namespace: 12
  snapshot_gib: 0.05
  vault_gib: {{GeoRedundant: 0.04, LocallyRedundant: 0.02}}
  daily_change: 0.1
  namespaces: 20
  volume_gib: 500
""")
    profile = configuration.profiles["gold"]
    assert profile.vault.diagnostics_workspace_id == WORKSPACE
    assert profile.repairs == domain.Repairs(False, True, False, True)
    assert profile.compliance == domain.ComplianceRules(
        recovery_point_within=2 * 86400.0,
        no_out_of_memory_within=7 * 86400.0,
        restored_within=90 * 86400.0,
        multi_user_authorisation=True,
        diagnostics=True,
        severities={"extension-current": "Informational", "private-cluster": "Critical"},
        without=("volumes-supported",),
        alert_from=None,
    )
    assert configuration.management_groups == ("platform", "Land.Zones")
    assert configuration.sweep == domain.SweepRules("owner", 7, 0.5, 3, 30)
    assert configuration.controls == (
        domain.KqlControl(
            "private-cluster",
            "The API server is private",
            "resources // id is named here too\n"
            "| where properties.public == 'https://a/' | project id, message = 'It is public.'\n",
            "Error",
            "Make it private.",
            True,
        ),
    )
    assert configuration.control_files == ("mine.py", "more/ours.py")
    assert configuration.prices == domain.Prices(
        "EUR", 12, 0.05, {"GeoRedundant": 0.04, "LocallyRedundant": 0.02}, 0.1, 20, 500
    )


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (compliance_models.RepairsModel, domain.Repairs),
        (compliance_models.ComplianceModel, domain.ComplianceRules),
        (compliance_models.SweepModel, domain.SweepRules),
        (compliance_models.KqlControlModel, domain.KqlControl),
        (compliance_models.PricesModel, domain.Prices),
    ],
)
def test_no_setting_is_lost_between_file_and_domain(model: type[BaseModel], kind: type) -> None:
    assert set(model.model_fields) == {field.name for field in dataclasses.fields(kind)}


def test_what_changes_nothing_in_azure_makes_no_other_profile() -> None:
    """The roll-out would pace it through the fleet."""
    plain = load_configuration(SMALLEST)
    said = load_configuration(with_profile("repairs: {one_way: true}", "compliance: {diagnostics: true}"))
    assert said.profiles["gold"].digest == plain.profiles["gold"].digest
    assert said.digest != plain.digest
    sends = load_configuration(SMALLEST.replace("{soft_delete: On}", f"{{soft_delete: On, {_WORKSPACE}}}"))
    assert sends.profiles["gold"].digest != plain.profiles["gold"].digest


_WORKSPACE = f"diagnostics_workspace_id: {WORKSPACE}"


@pytest.mark.parametrize(
    ("lines", "line", "error"),
    [
        (["compliance:", "  recovery_point_within: PT12H"], 6, "recovery_point_within: PT12H is shorter than schedule"),
        (["compliance: {recovery_point_within: 12h}"], 5, "recovery_point_within: '12h' is no ISO 8601 duration"),
        (
            ["compliance: {no_out_of_memory_within: P15D}"],
            5,
            "no_out_of_memory_within: P15D: Azure Resource Graph keeps",
        ),
        (
            ["compliance: {no_out_of_memory_within: PT0S}"],
            5,
            "no_out_of_memory_within: PT0S: Azure Resource Graph keeps",
        ),
        (["compliance: {restored_within: PT1H}"], 5, "restored_within: PT1H is shorter than from sweep to sweep"),
        (
            ["compliance:", "  severities:", "    roles-presnt: Error"],
            7,
            "severities.roles-presnt: there is no control 'roles-presnt'; did you mean roles-present?",
        ),
        (
            ["compliance:", "  without:", "    - protected", "    - zzz"],
            8,
            "without[1]: there is no control 'zzz'; docs/controls.md has all of them",
        ),
        (
            ["compliance: {without: [orphaned-instance]}"],
            5,
            "without[0]: 'orphaned-instance' is about the fleet, not about a cluster",
        ),
        (["compliance: {without: [Protected]}"], 5, "without[0]: 'Protected' is no id of a control"),
        (
            ["compliance: {severities: {protected: Grave}}"],
            5,
            "severities.protected: 'Grave' is not one of 'Critical', 'Error', 'Warning' or 'Informational'",
        ),
        (
            ["compliance: {severities: {protected: Error}, without: [protected]}"],
            5,
            "severities.protected: compliance.without leaves this control out",
        ),
        (["compliance: {alert_from: error}"], 5, "alert_from: 'error' is not one of"),
        (["compliance: {diagnostic: true}"], 5, "diagnostic: there is no such setting here; did you mean diagnostics?"),
    ],
)
def test_a_mistake_about_compliance_is_named(lines: list[str], line: int, error: str) -> None:
    errors = errors_of(with_profile(*lines))
    assert any(e.startswith(f"guard.yaml:{line}: profiles.gold.compliance.{error}") for e in errors), errors


@pytest.mark.parametrize(
    ("lines", "line", "error"),
    [
        (["controls: [{id: protected, title: a, query: x | project id}]"], 6, "controls[0].id: 'protected' is one of"),
        (["controls: [{id: scope-complete, title: a, query: id}]"], 6, "controls[0].id: 'scope-complete' is one of"),
        (
            ["controls:", "- {id: a, title: a, query: id}", "- {id: a, title: a, query: id}"],
            8,
            "controls[1].id: 'a' is given twice; rename one",
        ),
        (["controls: [{id: A, title: a, query: id}]"], 6, "controls[0].id: 'A' is no id of a control"),
        (["controls: [{id: a, title: a}]"], 6, "controls[0].query: is missing; add it"),
        (["controls: [{id: a, title: a, query: ''}]"], 6, "controls[0].query: '' is no text; say something"),
        (
            ["controls: [{id: a, title: a, query: 'resources | project clusterid'}]"],
            6,
            "controls[0].query: does not mention id",
        ),
        (["controls: [{id: a, title: a, query: 'resources // id'}]"], 6, "controls[0].query: does not mention id"),
        (
            ["controls: [{id: a, title: a, query: 'resources | project id | take 5'}]"],
            6,
            "controls[0].query: take would leave",
        ),
        (["control_files: [/etc/mine.py]"], 6, "control_files[0]: '/etc/mine.py' is no Python file"),
        (["control_files: [mine.txt]"], 6, "control_files[0]: 'mine.txt' is no Python file"),
        (
            ["management_groups: ['Land Zones']"],
            6,
            "management_groups[0]: 'Land Zones' is no name of a management group",
        ),
        (["sweep: {stop_above: 1.5}"], 6, "sweep.stop_above: 1.5 is more than all of them; use 0 to 1"),
        (["sweep: {keep_days: 0}"], 6, "sweep.keep_days: 0 is less than a day"),
        (["prices: {currency: euro}"], 6, "prices.currency: 'euro' is no currency; write it as USD or EUR"),
        (["prices: {snapshot_gib: -1}"], 6, "prices.snapshot_gib: -1.0 is less than nothing"),
        (["prices: {vault_gib: {Geo: 1}}"], 6, "prices.vault_gib.Geo: 'Geo' is not one of 'GeoRedundant'"),
    ],
)
def test_a_mistake_beside_the_profiles_is_named(lines: list[str], line: int, error: str) -> None:
    errors = errors_of("\n".join([*SMALLEST.splitlines(), *lines]))
    assert any(e.startswith(f"guard.yaml:{line}: {error}") for e in errors), errors


def test_a_workspace_is_named_by_its_arm_id() -> None:
    (error,) = errors_of(SMALLEST.replace("On}", "On, diagnostics_workspace_id: backups}"))
    assert error.startswith(
        "guard.yaml:4: profiles.gold.vault.diagnostics_workspace_id: 'backups' is no ARM id of a Log"
    )


def test_profiles_of_one_vault_send_its_jobs_to_one_workspace() -> None:
    other = f"  silver:\n    vault: {{soft_delete: On, {_WORKSPACE}}}\nrules"
    (error,) = errors_of(SMALLEST.replace("rules", other))
    assert "differs from profile gold in vault.diagnostics_workspace_id" in error
    spelt = SMALLEST.replace("On}", f"On, {_WORKSPACE.upper().replace(_WORKSPACE.upper()[:24], _WORKSPACE[:24])}}}")
    assert set(load_configuration(spelt.replace("rules", other)).profiles) == {"gold", "silver"}


def test_python_files_may_bring_controls_that_a_profile_names() -> None:
    """What is in them shows when they are loaded; only what looks like a typing error is refused here."""
    text = with_profile("compliance: {without: [owner-tag], severities: {few-pools: Error}}")
    configuration = load_configuration(f"{text}control_files: [mine.py]\n")
    assert configuration.profiles["gold"].compliance.without == ("owner-tag",)
    assert len(errors_of(text)) == 2
    typed = with_profile("compliance: {without: [role-present]}") + "control_files: [mine.py]\n"
    (error,) = errors_of(typed)
    assert error.endswith("there is no control 'role-present'; did you mean roles-present?")


def test_every_control_can_be_left_out_and_given_another_severity() -> None:
    for control in CONTROLS:
        load_configuration(with_profile(f"compliance: {{without: [{control.id}]}}"))
        load_configuration(with_profile(f"compliance: {{severities: {{{control.id}: Critical}}}}"))
