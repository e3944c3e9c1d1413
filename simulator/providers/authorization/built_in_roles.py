"""The built-in roles that matter here, with the actions Azure publishes for them (the lists of the larger roles are
shortened to the namespaces this cloud has)."""

from simulator.providers.authorization.built_in_data_roles import DATA_ROLES
from simulator.providers.authorization.models import RoleDefinition

_BASICS = (
    "Microsoft.Authorization/*/read",
    "Microsoft.Insights/alertRules/*",
    "Microsoft.Resources/deployments/*",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Support/*",
)

BUILT_IN_ROLES = (
    RoleDefinition(
        "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        "Reader",
        "View all resources, but does not allow you to make any changes.",
        ("*/read",),
    ),
    RoleDefinition(
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Contributor",
        "Grants full access to manage all resources, but not to assign roles.",
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
        ),
    ),
    RoleDefinition(
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        "Owner",
        "Grants full access to manage all resources, including the ability to assign roles.",
        ("*",),
    ),
    RoleDefinition(
        "4a9ae827-6dc8-4573-8ac7-8239d42aa03f",
        "Tag Contributor",
        "Lets you manage tags on entities, without providing access to the entities themselves.",
        (
            *_BASICS,
            "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
            "Microsoft.Resources/subscriptions/resources/read",
            "Microsoft.Resources/tags/*",
        ),
    ),
    RoleDefinition(
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
        "Lets you manage user access to Azure resources.",
        ("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
    ),
    RoleDefinition(
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        "Role Based Access Control Administrator",
        "Manage access to Azure resources by assigning roles.",
        (
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
            "Microsoft.Support/*",
        ),
    ),
    RoleDefinition(
        "17d1049b-9a84-46fb-8f53-869881c3d3ab",
        "Storage Account Contributor",
        "Lets you manage storage accounts, including accessing storage account keys.",
        (*_BASICS, "Microsoft.Storage/storageAccounts/*"),
    ),
    RoleDefinition(
        "7efff54f-a5b4-42b5-a1c5-5411624893ce",
        "Disk Snapshot Contributor",
        "Provides permission to backup vault to manage disk snapshots.",
        (
            "Microsoft.Authorization/*/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Compute/disks/beginGetAccess/action",
            "Microsoft.Compute/snapshots/delete",
            "Microsoft.Compute/snapshots/write",
            "Microsoft.Compute/snapshots/read",
            "Microsoft.Compute/snapshots/beginGetAccess/action",
            "Microsoft.Compute/snapshots/endGetAccess/action",
            "Microsoft.Storage/storageAccounts/listkeys/action",
            "Microsoft.Storage/storageAccounts/write",
            "Microsoft.Storage/storageAccounts/read",
            "Microsoft.Storage/storageAccounts/delete",
        ),
    ),
    RoleDefinition(
        "3e5e47e6-65f7-47ef-90b5-e5dd4d455f24",
        "Disk Backup Reader",
        "Provides permission to backup vault to perform disk backup.",
        (
            "Microsoft.Authorization/*/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Compute/disks/read",
            "Microsoft.Compute/disks/beginGetAccess/action",
        ),
    ),
    RoleDefinition(
        "b50d9833-a0cb-478e-945f-707fcc997c13",
        "Disk Restore Operator",
        "Provides permission to backup vault to perform disk restore.",
        (
            "Microsoft.Authorization/*/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Compute/disks/write",
            "Microsoft.Compute/disks/read",
        ),
    ),
    RoleDefinition(
        "5e467623-bb1f-42f4-a55d-6e525e11384b",
        "Backup Contributor",
        "Lets you manage backup service, but can't create vaults and give access to others.",
        (
            *_BASICS,
            "Microsoft.DataProtection/*",
            "Microsoft.RecoveryServices/*",
            "Microsoft.Storage/storageAccounts/read",
        ),
    ),
    RoleDefinition(
        "00c29273-979b-4161-815c-10b084fb9324",
        "Backup Operator",
        "Lets you manage backup services, except removal of backup, vault creation and giving access to others.",
        (
            *_BASICS,
            "Microsoft.DataProtection/*/read",
            "Microsoft.DataProtection/backupVaults/validateForBackup/action",
            "Microsoft.DataProtection/backupVaults/backupInstances/write",
            "Microsoft.DataProtection/backupVaults/backupInstances/backup/action",
            "Microsoft.DataProtection/backupVaults/backupInstances/validateRestore/action",
            "Microsoft.DataProtection/backupVaults/backupInstances/restore/action",
        ),
    ),
    RoleDefinition(
        "a795c7a0-d4a2-40c1-ae25-d81f01202912",
        "Backup Reader",
        "Can view backup services, but can't make changes.",
        ("Microsoft.Authorization/*/read", "Microsoft.DataProtection/*/read", "Microsoft.RecoveryServices/*/read"),
    ),
    RoleDefinition(
        "c2a970b4-16a7-4a51-8c84-8a8ea6ee0bb8",
        "Backup MUA Admin",
        "Backup MultiUser-Authorization. Can create/delete ResourceGuard.",
        ("Microsoft.DataProtection/resourceGuards/*", "Microsoft.Resources/subscriptions/resourceGroups/read"),
    ),
    RoleDefinition(
        "f54b6d04-23c6-443e-b462-9c16ab7b4a52",
        "Backup MUA Operator",
        "Backup MultiUser-Authorization. Allows user to perform critical operation protected by resourceguard.",
        ("Microsoft.DataProtection/resourceGuards/*/read", "Microsoft.DataProtection/resourceGuards/*/action"),
    ),
    RoleDefinition(
        "ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8",
        "Azure Kubernetes Service Contributor Role",
        "Grants access to read and write Azure Kubernetes Service clusters.",
        (
            "Microsoft.ContainerService/locations/*",
            "Microsoft.ContainerService/managedClusters/*",
            "Microsoft.Resources/deployments/*",
        ),
    ),
    RoleDefinition(
        "85cb6faf-e071-4c9b-8136-154b5a04f717",
        "Kubernetes Extension Contributor",
        "Can create, update, get, list and delete Kubernetes Extensions, and get extension async operations.",
        (
            *_BASICS,
            "Microsoft.KubernetesConfiguration/extensions/write",
            "Microsoft.KubernetesConfiguration/extensions/read",
            "Microsoft.KubernetesConfiguration/extensions/delete",
            "Microsoft.KubernetesConfiguration/extensions/operations/read",
        ),
    ),
    RoleDefinition(
        "749f88d5-cbae-40b8-bcfc-e573ddc772fa",
        "Monitoring Contributor",
        "Can read all monitoring data and update monitoring settings.",
        (
            "*/read",
            "Microsoft.AlertsManagement/*",
            "Microsoft.Insights/*",
            "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
            "Microsoft.Support/*",
        ),
    ),
    RoleDefinition(
        "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
        "Monitoring Reader",
        "Can read all monitoring data.",
        ("*/read", "Microsoft.OperationalInsights/workspaces/search/action", "Microsoft.Support/*"),
    ),
    RoleDefinition(
        "73c42c96-874c-492b-b04d-ab87d138a893",
        "Log Analytics Reader",
        "Can view and search all monitoring data as well as view monitoring settings.",
        (
            "*/read",
            "Microsoft.OperationalInsights/workspaces/analytics/query/action",
            "Microsoft.OperationalInsights/workspaces/search/action",
            "Microsoft.Support/*",
        ),
        ("Microsoft.OperationalInsights/workspaces/sharedKeys/read",),
    ),
    RoleDefinition(
        "428e0ff0-5e57-4d9c-a221-2c70d0e0a443",
        "EventGrid EventSubscription Contributor",
        "Lets you manage EventGrid event subscription operations.",
        (*_BASICS, "Microsoft.EventGrid/eventSubscriptions/*"),
    ),
    *DATA_ROLES,
)
