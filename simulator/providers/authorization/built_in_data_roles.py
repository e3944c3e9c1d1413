"""The built-in roles that give rights to data, with the actions Azure publishes for them."""

from simulator.providers.authorization.models import RoleDefinition

_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
_DELEGATION_KEY = "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action"
_QUEUES = "Microsoft.Storage/storageAccounts/queueServices/queues"
_TABLES = "Microsoft.Storage/storageAccounts/tableServices/tables"
_SECRETS = "Microsoft.KeyVault/vaults/secrets"
_SHARES = "Microsoft.Storage/storageAccounts/fileServices"

DATA_ROLES = (
    RoleDefinition(
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        "Storage Blob Data Contributor",
        "Allows for read, write and delete access to Azure Storage blob containers and data.",
        (f"{_CONTAINERS}/delete", f"{_CONTAINERS}/read", f"{_CONTAINERS}/write", _DELEGATION_KEY),
        data_actions=tuple(
            f"{_CONTAINERS}/blobs/{verb}" for verb in ("delete", "read", "write", "move/action", "add/action")
        ),
    ),
    RoleDefinition(
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        "Storage Blob Data Owner",
        "Allows for full access to Azure Storage blob containers and data.",
        (f"{_CONTAINERS}/*", _DELEGATION_KEY),
        data_actions=(f"{_CONTAINERS}/blobs/*",),
    ),
    RoleDefinition(
        "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
        "Storage Blob Data Reader",
        "Allows for read access to Azure Storage blob containers and data.",
        (f"{_CONTAINERS}/read", _DELEGATION_KEY),
        data_actions=(f"{_CONTAINERS}/blobs/read",),
    ),
    RoleDefinition(
        "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
        "Storage Table Data Contributor",
        "Allows for read, write and delete access to Azure Storage tables and entities.",
        (f"{_TABLES}/read", f"{_TABLES}/write", f"{_TABLES}/delete"),
        data_actions=tuple(
            f"{_TABLES}/entities/{verb}" for verb in ("read", "write", "delete", "add/action", "update/action")
        ),
    ),
    RoleDefinition(
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        "Storage Queue Data Contributor",
        "Allows for read, write, and delete access to Azure Storage queues and queue messages.",
        (f"{_QUEUES}/delete", f"{_QUEUES}/read", f"{_QUEUES}/write"),
        data_actions=tuple(f"{_QUEUES}/messages/{verb}" for verb in ("delete", "read", "write", "process/action")),
    ),
    RoleDefinition(
        "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
        "Storage Queue Data Message Sender",
        "Allows for sending of Azure Storage queue messages.",
        data_actions=(f"{_QUEUES}/messages/add/action",),
    ),
    RoleDefinition(
        "8a0f0c08-91a1-4084-bc3d-661d67233fed",
        "Storage Queue Data Message Processor",
        "Allows for peek, receive, and delete access to Azure Storage queue messages.",
        data_actions=(f"{_QUEUES}/messages/read", f"{_QUEUES}/messages/process/action"),
    ),
    RoleDefinition(
        "4633458b-17de-408a-b874-0445c86b69e6",
        "Key Vault Secrets User",
        "Read secret contents. Only works for key vaults that use the role-based access control permission model.",
        data_actions=(f"{_SECRETS}/getSecret/action", f"{_SECRETS}/readMetadata/action"),
    ),
    RoleDefinition(
        "3913510d-42f4-4e42-8a64-420c390055eb",
        "Monitoring Metrics Publisher",
        "Enables publishing metrics against Azure resources.",
        (
            "Microsoft.Insights/Register/Action",
            "Microsoft.Support/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ),
        data_actions=("Microsoft.Insights/Metrics/Write", "Microsoft.Insights/Telemetry/Write"),
    ),
    RoleDefinition(
        "69566ab7-960f-475b-8e7c-b3118f30c6bd",
        "Storage File Data Privileged Contributor",
        "Read, write, delete and change access control lists on files and directories in Azure file shares.",
        data_actions=tuple(
            f"{_SHARES}/{verb}"
            for verb in (
                "fileshares/files/read",
                "fileshares/files/write",
                "fileshares/files/delete",
                "fileshares/files/modifypermissions/action",
                "readFileBackupSemantics/action",
                "writeFileBackupSemantics/action",
            )
        ),
    ),
    RoleDefinition(
        "959f8984-c045-4866-89c7-12bf9737be2e",
        "Data Operator for Managed Disks",
        "Provides permissions to upload data to empty managed disks, read, or export data of managed disks.",
        data_actions=(
            "Microsoft.Compute/disks/download/action",
            "Microsoft.Compute/disks/upload/action",
            "Microsoft.Compute/snapshots/download/action",
            "Microsoft.Compute/snapshots/upload/action",
        ),
    ),
    RoleDefinition(
        "d5a91429-5739-47e2-a06b-3470a27159e7",
        "EventGrid Data Sender",
        "Allows send access to event grid events.",
        (
            "Microsoft.Authorization/*/read",
            "Microsoft.EventGrid/topics/read",
            "Microsoft.EventGrid/domains/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ),
        data_actions=("Microsoft.EventGrid/events/send/action",),
    ),
)
