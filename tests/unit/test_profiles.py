"""guard.yaml: what it says reaches the domain, and its digests name its content."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from shared.domain import profile as domain
from shared.profiles import (
    InvalidConfigurationError,
    alert_models,
    base_models,
    json_schema,
    load_configuration,
    load_configuration_file,
    models,
)
from shared.profiles.yaml_lines import read_yaml

ROOT = Path(__file__).resolve().parents[2]
SUBSCRIPTION = "00000000-0000-0000-0000-00000000000A"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-backup"
VAULT = f"{GROUP}/providers/Microsoft.DataProtection/backupVaults/vault"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/account"
SMALLEST = """revision: 1
profiles:
  gold:
    vault: {soft_delete: AlwaysOn}
rules:
  - profile: gold
"""


def gold(text: str) -> domain.ProtectionProfile:
    return load_configuration(text).profiles["gold"]


def test_the_smallest_configuration_audits_with_azures_defaults() -> None:
    configuration = load_configuration(SMALLEST)
    assert configuration.revision == 1
    assert configuration.rules == (domain.Rule(domain.Selector(), "gold"),)
    assert (configuration.exemptions, configuration.rollout, configuration.subscriptions) == ((), domain.Rollout(), ())
    profile = configuration.profiles["gold"]
    expected = domain.ProtectionProfile("gold", domain.VaultSettings("AlwaysOn"), digest=profile.digest)
    assert profile == expected
    assert profile.mode == "audit"
    assert len(profile.digest) == len(configuration.digest) == 64


def test_everything_said_reaches_the_domain() -> None:
    configuration = load_configuration(f"""
revision: 20260301001
subscriptions: [{SUBSCRIPTION}, {SUBSCRIPTION.lower()}]
profiles:
  gold:
    mode: enforce
    vault: {{soft_delete: On, vault_class: gold, soft_delete_days: 30, redundancy: GeoRedundant,
             immutability: Locked, cross_region_restore: true, cross_subscription_restore: false}}
    schedule: {{interval: PT6H, start: 12:30}}
    retention: {{operational_days: 30, vault_days: 365}}
    scope:
      included_namespaces: [web]
      excluded_namespaces: [db]
      included_resource_types: [v1/Pod]
      excluded_resource_types: [v1/Secret]
      label_selectors: [app=web]
      include_cluster_scoped_resources: false
      snapshot_volumes: false
      volume_types: [AzureDisk]
      hooks: [{{name: freeze, namespace: web}}]
    first_backup: false
    isolation: shared-account
    extension: {{memory_limit: 2Gi, memory_request: 512Mi, cpu_limit: "1.5", cpu_request: 500m}}
    tags: {{cost-center: "4711", owner: true-team}}
    customer_managed_key:
      key_uri: https://kv.vault.azure.net/keys/backup
      identity_id: {GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/me
    network:
      default_action: Deny
      ip_rules: [203.0.113.0/24, 198.51.100.7]
      subnet_ids: [{GROUP}/providers/Microsoft.Network/virtualNetworks/v/subnets/s]
    existing: {{backup_group_id: {GROUP}/}}
    minimum_age: P1DT2H
rules:
  - match: {{subscriptions: [0000*], resource_groups: [rg-*], locations: [westeurope], names: ['a?'],
             tags: {{env: p*}}}}
    profile: gold
  - match: {{names: [ci-*]}}
    profile: null
exemptions:
  - match: {{names: [old]}}
    reason: retired
    expires: 2026-12-31
  - match: {{names: [older]}}
    reason: retired
    expires: 2026-12-31T18:00:00+02:00
  - match: {{names: [oldest]}}
    reason: retired
rollout:
  rings: [{{name: canary, match: {{tags: {{ring: canary}}}}}}, {{name: rest, wait: PT24H}}]
  clusters_per_hour: 7
  stop_after: 9
""")
    assert configuration == domain.Configuration(
        revision=20260301001,
        subscriptions=(SUBSCRIPTION.lower(),),
        profiles={
            "gold": domain.ProtectionProfile(
                name="gold",
                vault=domain.VaultSettings("On", "gold", 30, "GeoRedundant", "Locked", True, False),
                mode="enforce",
                schedule=domain.BackupSchedule("PT6H", "12:30"),
                retention=domain.Retention(30, 365),
                scope=domain.BackupScope(
                    ("web",),
                    ("db",),
                    ("v1/Pod",),
                    ("v1/Secret",),
                    ("app=web",),
                    False,
                    False,
                    ("AzureDisk",),
                    (domain.HookReference("freeze", "web"),),
                ),
                first_backup=False,
                extension=domain.ExtensionResources("2Gi", "1.5", "512Mi", "500m"),
                tags={"cost-center": "4711", "owner": "true-team"},
                customer_managed_key=domain.CustomerManagedKey(
                    "https://kv.vault.azure.net/keys/backup",
                    f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/me",
                ),
                network=domain.NetworkRules(
                    "Deny",
                    ("203.0.113.0/24", "198.51.100.7"),
                    (f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v/subnets/s",),
                ),
                existing=domain.ExistingResources(backup_group_id=GROUP),
                minimum_age=26 * 3600,
                digest=configuration.profiles["gold"].digest,
            )
        },
        rules=(
            domain.Rule(domain.Selector(("0000*",), ("rg-*",), ("westeurope",), ("a?",), {"env": "p*"}), "gold"),
            domain.Rule(domain.Selector(names=("ci-*",)), None),
        ),
        exemptions=(
            domain.Exemption(domain.Selector(names=("old",)), "retired", datetime(2027, 1, 1, tzinfo=UTC)),
            domain.Exemption(domain.Selector(names=("older",)), "retired", datetime(2026, 12, 31, 16, tzinfo=UTC)),
            domain.Exemption(domain.Selector(names=("oldest",)), "retired"),
        ),
        rollout=domain.Rollout(
            (
                domain.Ring("canary", domain.Selector(tags={"ring": "canary"})),
                domain.Ring("rest", domain.Selector(), 24 * 3600),
            ),
            7,
            9,
        ),
        digest=configuration.digest,
    )


def test_yaml_means_what_it_says() -> None:
    """Words that older YAML rules turn into something else."""
    said = "{soft_delete: On}\n    schedule: {start: 20:30}\n    tags: {a: yes, b: 2026-03-01}"
    profile = gold(SMALLEST.replace("{soft_delete: AlwaysOn}", said))
    assert profile.vault.soft_delete == "On"
    assert profile.schedule.start == "20:30"
    assert profile.tags == {"a": "yes", "b": "2026-03-01"}


def test_an_existing_vault_and_policy_need_no_vault_settings() -> None:
    existing = f"    existing: {{vault_id: {VAULT}/, policy_id: {VAULT}/backupPolicies/p}}"
    profile = gold(SMALLEST.replace("    vault: {soft_delete: AlwaysOn}", existing))
    assert profile.existing == domain.ExistingResources(vault_id=VAULT, policy_id=f"{VAULT}/backupPolicies/p")


def test_profiles_of_one_vault_class_may_differ_in_what_is_their_own() -> None:
    text = """revision: 1
profiles:
  one: {vault: {soft_delete: On}, mode: enforce, retention: {operational_days: 3}, isolation: account-per-cluster}
  two: {vault: {soft_delete: On, soft_delete_days: 14}, schedule: {interval: PT4H}, minimum_age: PT1H}
  three: {vault: {soft_delete: AlwaysOn, vault_class: other}}
rules: []
"""
    assert set(load_configuration(text).profiles) == {"one", "two", "three"}


def test_a_digest_names_the_content_only() -> None:
    one = load_configuration(SMALLEST)
    said = SMALLEST.replace("AlwaysOn}", "AlwaysOn, soft_delete_days: 14} # said\n    mode: audit")
    assert load_configuration(said).digest == one.digest
    assert gold(said).digest == one.profiles["gold"].digest
    renamed = load_configuration(SMALLEST.replace("gold", "silver"))
    assert renamed.profiles["silver"].digest == one.profiles["gold"].digest
    assert renamed.digest != one.digest
    for changed in ("AlwaysOn}\n    mode: enforce", "On}", "AlwaysOn, soft_delete_days: 15}"):
        other = load_configuration(SMALLEST.replace("AlwaysOn}", changed))
        assert other.profiles["gold"].digest != one.profiles["gold"].digest
        assert other.digest != one.digest


def test_a_digest_stays_the_same_from_version_to_version() -> None:
    """Another digest is another content to the roll-out: it would move the fleet."""
    assert gold(SMALLEST).digest == "7f6b2b88ccfcf61e91390fe19c63dcb45f1d6bd44169c52c699eb01bc533a3fc"


def test_a_file_that_cannot_be_read_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigurationError, match="cannot be read: No such file or directory; deploy it"):
        load_configuration_file(tmp_path / "guard.yaml")
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("revision: 1 # für alle".encode("latin-1"))
    with pytest.raises(InvalidConfigurationError, match="is not UTF-8 text; save it as UTF-8"):
        load_configuration_file(latin)
    marked = tmp_path / "marked.yaml"
    marked.write_bytes(b"\xef\xbb\xbf" + SMALLEST.replace("\n", "\r\n").encode())
    assert load_configuration_file(marked).revision == 1


def test_the_example_is_valid_and_changes_nothing() -> None:
    configuration = load_configuration_file(ROOT / "guard.yaml")
    assert set(configuration.profiles) == {"standard", "critical", "sandbox"}
    assert {profile.mode for profile in configuration.profiles.values()} == {"audit"}
    assert configuration.rules[-1] == domain.Rule(domain.Selector(), "standard")


def test_the_exported_schema_is_the_one_of_the_code_and_fits_the_example() -> None:
    schema = json.loads((ROOT / "docs" / "guard.schema.json").read_text())
    assert schema == json_schema(), "run: python -m shared.profiles > docs/guard.schema.json"
    example = (ROOT / "guard.yaml").read_text()
    assert example.splitlines()[0] == "# yaml-language-server: $schema=docs/guard.schema.json"
    jsonschema.Draft202012Validator(schema).validate(read_yaml(example).value)


def test_the_schema_accepts_what_the_code_accepts() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = yaml.safe_load(SMALLEST)
    assert validator.is_valid(good)
    vault = good["profiles"]["gold"]["vault"]
    for wrong in ({"soft_delete": "Off"}, {"soft_delete_days": 3}, {"vault_class": "A"}, {"unknown": 1}):
        bad = {**good, "profiles": {"gold": {"vault": {**vault, **wrong}}}}
        assert not validator.is_valid(bad), wrong


@pytest.mark.parametrize(
    ("model", "kind", "apart"),
    [
        (models.ProfileModel, domain.ProtectionProfile, {"name", "digest"}),
        (models.VaultModel, domain.VaultSettings, set()),
        (models.ScheduleModel, domain.BackupSchedule, set()),
        (models.RetentionModel, domain.Retention, set()),
        (models.ScopeModel, domain.BackupScope, set()),
        (models.HookModel, domain.HookReference, set()),
        (models.ExtensionModel, domain.ExtensionResources, set()),
        (models.KeyModel, domain.CustomerManagedKey, set()),
        (models.NetworkModel, domain.NetworkRules, set()),
        (models.ExistingModel, domain.ExistingResources, set()),
        (base_models.SelectorModel, domain.Selector, set()),
        (alert_models.MemoryModel, domain.MemoryLadder, set()),
        (alert_models.CuresModel, domain.Cures, set()),
        (alert_models.AlertingModel, domain.Alerting, set()),
        (alert_models.WeeklyWindowModel, domain.WeeklyWindow, set()),
        (alert_models.OneTimeWindowModel, domain.OneTimeWindow, set()),
        (alert_models.QuietHoursModel, domain.QuietHours, set()),
        (alert_models.RouteModel, domain.Route, set()),
        (alert_models.NotificationsModel, domain.Notifications, set()),
        (models.RolloutModel, domain.Rollout, set()),
        (models.ConfigurationModel, domain.Configuration, {"digest"}),
    ],
)
def test_no_setting_is_lost_between_file_and_domain(model: type[BaseModel], kind: type, apart: set[str]) -> None:
    called = {"match": "selector"} | ({"duration": "seconds"} if kind is domain.WeeklyWindow else {})
    fields = {field.name for field in dataclasses.fields(kind)} - apart
    assert {called.get(name, name) for name in model.model_fields} == fields
