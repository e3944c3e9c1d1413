"""Mistakes in guard.yaml: each is named with its line, its field and what to do about it."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shared.profiles import InvalidConfigurationError, load_configuration

SUBSCRIPTION = "00000000-0000-0000-0000-00000000000A"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-backup"
VAULT = f"{GROUP}/providers/Microsoft.DataProtection/backupVaults/vault"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/account"


def with_profile(*lines: str) -> str:
    """A configuration whose profile `gold` begins in line 4."""
    return "\n".join(["revision: 1", "profiles:", "  gold:", *(f"    {line}" for line in lines), "rules: []", ""])


def errors_of(text: str) -> list[str]:
    with pytest.raises(InvalidConfigurationError) as caught:
        load_configuration(text)
    assert str(caught.value) == "\n".join(caught.value.errors)
    return list(caught.value.errors)


@pytest.mark.parametrize(
    ("lines", "line", "error"),
    [
        (["mode: enforced"], 4, "mode: 'enforced' is not one of 'audit' or 'enforce'; did you mean enforce?"),
        (["mode:"], 4, "mode: empty is not one of 'audit' or 'enforce'; use one of them"),
        (["mdoe: audit"], 4, "mdoe: there is no such setting here; did you mean mode?"),
        (
            ["retention:", "  zzz: 1"],
            5,
            "retention.zzz: there is no such setting here; there are: operational_days, vault_days",
        ),
        (
            ["customer_managed_key: {key: a}"],
            4,
            "customer_managed_key.key: there is no such setting here; did you mean key_uri?",
        ),
        (
            ["scope: {hooks: [{name: a, space: b}]}"],
            4,
            "scope.hooks[0].space: there is no such setting here; did you mean namespace?",
        ),
        (
            ["retention:", "  operational_days: 400"],
            5,
            "retention.operational_days: 400 is more than Azure's 360 days; use 1 to 360",
        ),
        (["retention:", "  operational_days: 0"], 5, "retention.operational_days: 0 is less than a day; use 1 to 360"),
        (
            ["retention: {operational_days: '7'}"],
            4,
            "retention.operational_days: '7' is no whole number; write digits only",
        ),
        (["retention: {operational_days: 7.5}"], 4, "retention.operational_days: 7.5 is no whole number"),
        (["retention: {vault_days: 3651}"], 4, "retention.vault_days: 3651 is more than Azure's ten years"),
        (["schedule: {interval: PT1H}"], 4, "schedule.interval: 'PT1H' is not one of 'PT4H'"),
        (["schedule: {start: 2:00}"], 4, "schedule.start: '2:00' is no time of day in UTC; write it as 02:00"),
        (["schedule: {start: 24:00}"], 4, "schedule.start: '24:00' is no time of day"),
        (
            ["vault: {soft_delete_days: 13}"],
            4,
            "vault.soft_delete_days: 13 is less than Azure's 14 days; use 14 to 180",
        ),
        (["vault: {soft_delete_days: 181}"], 4, "vault.soft_delete_days: 181 is more than Azure's 180 days"),
        (["vault: {vault_class: A|b}"], 4, "vault.vault_class: 'A|b' is no vault class; use up to 20 lower-case"),
        (["vault:"], 4, "vault: empty is no mapping; write lines of name: value below it"),
        (["first_backup: 1"], 4, "first_backup: 1 is neither true nor false"),
        (["tags: {cost: 7}"], 4, "tags.cost: 7 is no text; put it in quotes"),
        (["tags: {'a?b': x}"], 4, "tags.a?b: 'a?b' is no tag name"),
        (["scope: {included_namespaces: web}"], 4, "scope.included_namespaces: 'web' is no list; write [a, b]"),
        (["scope: {included_namespaces: [Web]}"], 4, "scope.included_namespaces[0]: 'Web' is no Kubernetes namespace"),
        (["scope: {volume_types: []}"], 4, "scope.volume_types: [] is empty; name at least one, or remove it"),
        (["scope: {label_selectors: [app]}"], 4, "scope.label_selectors[0]: 'app' is no label selector"),
        (
            ["extension: {memory_limit: 2GB}"],
            4,
            "extension.memory_limit: '2GB' is no amount of memory; write it as 1536Mi or 2Gi",
        ),
        (["extension: {cpu_limit: 0.5 cores}"], 4, "extension.cpu_limit: '0.5 cores' is no amount of CPU"),
        (["extension: {cpu_limit: 2}"], 4, "extension.cpu_limit: 2 is no text; put it in quotes"),
        (["minimum_age: 30m"], 4, "minimum_age: '30m' is no ISO 8601 duration; write for example PT30M, PT24H or P7D"),
        (["minimum_age: P"], 4, "minimum_age: 'P' is no ISO 8601 duration"),
        (["minimum_age: P1DT"], 4, "minimum_age: 'P1DT' is no ISO 8601 duration"),
        (["network: {ip_rules: [10.1.2.3]}"], 4, "network.ip_rules[0]: '10.1.2.3' is private"),
        (
            ["network: {ip_rules: [203.0.113.4/31]}"],
            4,
            "network.ip_rules[0]: '203.0.113.4/31' is a range of one or two",
        ),
        (["network: {ip_rules: ['::1']}"], 4, "network.ip_rules[0]: '::1' is no IPv4 address or range"),
        ([f"existing: {{vault_id: {ACCOUNT}}}"], 4, "existing.vault_id: "),
        ([f"existing: {{backup_group_id: {VAULT}}}"], 4, "existing.backup_group_id: "),
        (["existing: {snapshot_group_id: rg}"], 4, "existing.snapshot_group_id: 'rg' is no ARM id of a resource group"),
        (["customer_managed_key: {key_uri: 'http://kv/keys/a', identity_id: x}"], 4, "customer_managed_key.key_uri: "),
    ],
)
def test_a_wrong_field_is_named_with_its_line_and_remedy(lines: list[str], line: int, error: str) -> None:
    errors = errors_of(with_profile(*lines))
    assert any(e.startswith(f"guard.yaml:{line}: profiles.gold.{error}") for e in errors), errors


ON = "vault: {soft_delete: On}"


@pytest.mark.parametrize(
    ("lines", "line", "error"),
    [
        (["mode: audit"], 3, "vault.soft_delete: is missing, and a created vault needs it said"),
        (["vault:", "  redundancy: ZoneRedundant"], 4, "vault.soft_delete: is missing"),
        (
            ["vault: {soft_delete: On, redundancy: ZoneRedundant,", "  cross_region_restore: true}"],
            5,
            "vault.cross_region_restore: needs redundancy GeoRedundant, which is ZoneRedundant; change one of them",
        ),
        (
            [ON, "schedule: {interval: PT4H}", "retention:", "  operational_days: 84"],
            7,
            "retention.operational_days: 6 backups a day kept for 84 days are 504 snapshots of each disk, "
            "and Azure keeps 500; use at most 83 days",
        ),
        (
            [ON, "extension: {memory_limit: 1Gi,", " memory_request: 1025Mi}"],
            6,
            "extension.memory_request: 1025Mi is more",
        ),
        (
            [ON, "extension: {cpu_limit: 500m, cpu_request: '1'}"],
            5,
            "extension.cpu_request: 1 is more than the limit of 500m",
        ),
        ([ON, "tags: {AKSAzureBackup: westeurope}"], 5, "tags.AKSAzureBackup: is set by the Guard itself"),
        ([ON, f"tags: {json.dumps({f't{n}': '' for n in range(50)})}"], 5, "tags: 50 tags are more than Azure takes"),
        (
            [ON, f"scope: {{included_namespaces: [{', '.join(f'n{n}' for n in range(801))}]}}"],
            5,
            "scope.included_namespaces: 801 namespaces are more than Azure's 800; name fewer",
        ),
        (
            [ON, "scope: {included_namespaces: [a, b], excluded_namespaces: [b]}"],
            5,
            "scope.excluded_namespaces: b included and",
        ),
        (
            [ON, "scope: {included_namespaces: [kube-system]}"],
            5,
            "scope.included_namespaces[0]: Azure Backup never includes",
        ),
        (
            [ON, "scope: {volume_types: [AzureFileShareSMB]}", "retention: {operational_days: 31}"],
            5,
            "scope.volume_types: backups",
        ),
        (
            [ON, "scope: {volume_types: [AzureFileShareSMB]}", "retention: {vault_days: 7}"],
            5,
            "scope.volume_types: file shares",
        ),
        (
            [f"existing: {{vault_id: {VAULT}}}", "vault:", "  redundancy: ZoneRedundant"],
            6,
            "vault.redundancy: the vault of existing",
        ),
        (
            [ON, f"existing: {{policy_id: {VAULT}/backupPolicies/p}}"],
            5,
            "existing.policy_id: a policy belongs to a vault",
        ),
        (
            [f"existing: {{vault_id: {VAULT}, policy_id: {VAULT}2/backupPolicies/p}}"],
            4,
            "existing.policy_id: is not a policy of existing.vault_id",
        ),
        (
            [
                f"existing: {{vault_id: {VAULT}, policy_id: {VAULT}/backupPolicies/p}}",
                "retention: {operational_days: 3}",
            ],
            5,
            "retention: the policy of existing.policy_id has its own; remove this",
        ),
        (
            [ON, "isolation: account-per-cluster", f"existing: {{storage_account_id: {ACCOUNT}}}"],
            6,
            "existing.storage_account_id: one",
        ),
        (
            [ON, f"existing: {{storage_account_id: {ACCOUNT}}}", "network: {default_action: Deny}"],
            6,
            "network: the account of",
        ),
        ([ON, f"existing: {{backup_group_id: {GROUP}, snapshot_group_id: {GROUP.upper()}}}"], 5, ""),
        (
            [f"existing: {{vault_id: {VAULT}, snapshot_group_id: {GROUP}}}"],
            4,
            "existing.snapshot_group_id: is the group of existing.vault_id",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_named(lines: list[str], line: int, error: str) -> None:
    (only,) = errors_of(with_profile(*lines))
    assert only.startswith(f"guard.yaml:{line}: profiles.gold.{error}"), only


def test_a_key_for_what_exists_already_is_refused() -> None:
    identity = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
    key = f"{{key_uri: https://kv.vault.azure.net/keys/a, identity_id: {identity}}}"
    existing = f"existing: {{vault_id: {VAULT}, storage_account_id: {ACCOUNT}}}"
    (error,) = errors_of(with_profile(existing, f"customer_managed_key: {key}"))
    assert "profiles.gold.customer_managed_key: vault and storage account are there already" in error


@pytest.mark.parametrize(
    ("difference", "named"),
    [
        ("vault: {soft_delete: On, vault_class: shared}", "vault.soft_delete"),
        ("tags: {a: b}", "tags"),
        ("network: {default_action: Deny}", "network"),
        (f"existing: {{storage_account_id: {ACCOUNT}}}", "existing.storage_account_id"),
        (f"existing: {{snapshot_group_id: {GROUP}}}", "existing.snapshot_group_id"),
    ],
)
def test_profiles_of_one_vault_class_must_agree_on_what_they_share(difference: str, named: str) -> None:
    vault = [] if difference.startswith("vault") else ["    vault: {soft_delete: AlwaysOn, vault_class: shared}"]
    text = "\n".join(
        [
            "revision: 1",
            "profiles:",
            "  one:",
            "    vault: {soft_delete: AlwaysOn, vault_class: shared}",
            "  two:",
            *vault,
            f"    {difference}",
            "rules: []",
        ]
    )
    (error,) = errors_of(text)
    assert error.startswith(
        f"guard.yaml:5: profiles.two: differs from profile one in {named}, but both have the vault class"
    )


@pytest.mark.parametrize(
    ("rest", "error"),
    [
        ("rules: [{profile: glod}]", "guard.yaml:5: rules[0].profile: there is no profile 'glod'; did you mean gold?"),
        ("rules: [{profile: x}]", "guard.yaml:5: rules[0].profile: there is no profile 'x'; the profiles are: gold"),
        ("rules: [{match: {names: [a]}}]", "guard.yaml:5: rules[0].profile: is missing; add it"),
        (
            "rules:\n- profile: null\n- profile: gold",
            "guard.yaml:7: rules[1]: is never reached: rules[0] matches every",
        ),
        ("rules: [{match: {locations: [West Europe]}, profile: gold}]", "guard.yaml:5: rules[0].match.locations[0]: "),
        ("rules: [{match: {subscriptions: [prod]}, profile: gold}]", "guard.yaml:5: rules[0].match.subscriptions[0]: "),
        ("rules: []\nexemptions: [{match: {names: [a]}}]", "guard.yaml:6: exemptions[0].reason: is missing; add it"),
        (
            "rules: []\nexemptions: [{match: {names: [a]}, reason: ' '}]",
            "guard.yaml:6: exemptions[0].reason: ' ' is no text",
        ),
        (
            "rules: []\nexemptions: [{match: {}, reason: a}]",
            "guard.yaml:6: exemptions[0].match: would exempt every cluster",
        ),
        (
            "rules: []\nexemptions: [{match: {names: [a]}, reason: a, expires: soon}]",
            "guard.yaml:6: exemptions[0].expires: 'soon' is no day or time; write",
        ),
        (
            "rules: []\nexemptions: [{match: {names: [a]}, reason: a, expires: 2026-02-30}]",
            "guard.yaml:6: exemptions[0].expires: '2026-02-30' is no day",
        ),
        (
            "rules: []\nexemptions: [{match: {names: [a]}, reason: a, expires: 2026-01-01T10:00:00}]",
            "guard.yaml:6: exemptions[0].expires: '2026-01-01T10:00:00' has no time zone",
        ),
        (
            "rules: []\nexemptions: [{match: {names: [a]}, reason: a, expires: 9999-12-31}]",
            "guard.yaml:6: exemptions[0].expires: '9999-12-31' is no day",
        ),
        (
            "rules: []\nrollout: {rings: [{name: a}, {name: a}]}",
            "guard.yaml:6: rollout.rings[1].name: 'a' is given twice; rename one",
        ),
        ("rules: []\nrollout: {stop_after: 0}", "guard.yaml:6: rollout.stop_after: 0 is less than one cluster"),
        ("rules: []\nsubscriptions: [prod]", "guard.yaml:6: subscriptions[0]: 'prod' is no subscription id"),
        ("rules: []\nrevision: 2", "guard.yaml:6: revision: given twice, first in line 1; keep one"),
        ("rulez: []", "guard.yaml:5: rulez: there is no such setting here; did you mean rules?"),
    ],
)
def test_mistakes_beside_the_profiles(rest: str, error: str) -> None:
    errors = errors_of("\n".join(["revision: 1", "profiles:", "  gold:", f"    {ON}", rest]))
    assert any(e.startswith(error) for e in errors), errors


def test_profile_names() -> None:
    (error,) = errors_of("revision: 1\nprofiles:\n  'a b': {vault: {soft_delete: On}}\nrules: []")
    assert error.startswith("guard.yaml:3: profiles.a b: 'a b' is no name of a profile")
    two = "revision: 1\nprofiles:\n  gold: {vault: {soft_delete: On}}\n  Gold: {vault: {soft_delete: On}}\nrules: []"
    assert errors_of(two) == ["guard.yaml:4: profiles.Gold: differs from gold by upper and lower case only; rename one"]


def test_all_mistakes_are_named_at_once_in_the_order_of_the_file() -> None:
    errors = errors_of("""revision: one
profiles:
  gold:
    mode: on
    retention: {operational_days: 400}
  silver:
    vault: {redundancy: ZoneRedundant, cross_region_restore: true}
rules:
  - profil: gold
""")
    assert [error.split(": ")[:2] for error in errors] == [
        ["guard.yaml:1", "revision"],
        ["guard.yaml:4", "profiles.gold.mode"],
        ["guard.yaml:5", "profiles.gold.retention.operational_days"],
        ["guard.yaml:7", "profiles.silver.vault.soft_delete"],
        ["guard.yaml:7", "profiles.silver.vault.cross_region_restore"],
        ["guard.yaml:9", "rules[0].profile"],
        ["guard.yaml:9", "rules[0].profil"],
    ]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "guard.yaml:1: is empty; start from the example"),
        ("# nothing\n", "guard.yaml:1: is empty"),
        ("- a\n", "guard.yaml:1: "),
        ("just text", "guard.yaml:1: "),
        (
            "revision: 1\nprofiles:\n\tgold: {}\n",
            "guard.yaml:3: cannot be read as YAML: found character '\\t' that cannot start any token; indent",
        ),
        ("revision: 1\nprofiles: [\n", "guard.yaml:3: cannot be read as YAML: "),
        ("a: b: c", "guard.yaml:1: cannot be read as YAML: mapping values are not allowed here"),
        (
            "revision: !!python/object/apply:os.system [ls]",
            "guard.yaml:1: the tag tag:yaml.org,2002:python/object/apply:os.system is not read",
        ),
        ("revision: !secret 1", "guard.yaml:1: the tag !secret is not read; remove it"),
        ("a: &a [x]\nb: [*a, *a]", "guard.yaml:1: anchors and aliases are not read"),
        (
            "names: [*]",
            "guard.yaml:1: cannot be read as YAML: expected alphabetic or numeric character, but found ']'; "
            "put a text that begins with * or & in quotes",
        ),
        ("revision: 1\n---\nrevision: 2\n", "guard.yaml:2: a second document starts here; keep one"),
        ("[" * 5_000 + "]" * 5_000, "guard.yaml:1: nested more than 20 deep"),
        ("{" * 50, "guard.yaml:1: nested more than 20 deep"),
        ("a: 'x", "guard.yaml:1: cannot be read as YAML: "),
        ("revision: \x00", "guard.yaml:1: cannot be read as YAML: "),
        ("? [a, b]\n: c\n", "guard.yaml:1: a name must be one word, not a list or mapping"),
        (
            "x" * 10_000_000,
            "guard.yaml:1: 10000000 characters are too many for a configuration; at most 500000 are read",
        ),
        ("revision: " + "9" * 5_000, "guard.yaml:1: revision: '99999"),
    ],
    ids=lambda value: value[:20] if value else "empty",
)
def test_hostile_or_broken_yaml_is_a_clear_error(text: str, error: str) -> None:
    errors = errors_of(text)
    assert any(e.startswith(error) for e in errors), errors
    assert all(len(e) < 1_000 for e in errors)


def test_many_mistakes_are_counted_not_listed() -> None:
    errors = errors_of("revision: 1\nprofiles: {}\nrules:\n" + "- {profil: x}\n" * 200)
    assert len(errors) == 51
    assert errors[-1] == "guard.yaml: and 350 more errors"


@given(st.text(max_size=60))
def test_no_text_raises_anything_else(text: str) -> None:
    with pytest.raises(InvalidConfigurationError):
        load_configuration(text)


words = st.sampled_from(["gold", "x", "On", "AlwaysOn", "PT4H", "", "enforce", "*"])
trees: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 500) | st.floats() | words,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["vault", "match", "profile", "existing", "retention", "rules", "profiles", "gold", "tags"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(st.fixed_dictionaries({"revision": trees, "profiles": trees, "rules": trees, "rollout": trees, "odd": trees}))
def test_no_tree_raises_anything_else(tree: dict[str, Any]) -> None:
    assert errors_of(yaml.safe_dump(tree))
