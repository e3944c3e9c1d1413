"""What remains to be done about a cluster or region, as a person would say it."""

import re

from shared.plan import roles

_NAMED = {
    "RegisterProvider": "register the resource provider {}",
    "CreateResourceGroup": "create the resource group {}",
    "CreateStorageAccount": "create the storage account {}",
    "CreateVault": "create the backup vault {}",
    "CreateBackupPolicy": "create the backup policy {}",
    "CreateDiagnosticSetting": "send the vault's jobs to the workspace",
    "UpdateVault": "raise settings of the vault",
    "CreateContainer": "create the blob container",
    "InstallExtension": "install the backup extension",
    "UpdateExtension": "change the backup extension",
    "DeleteExtension": "delete the backup extension, to install it again",
    "CreateTrustedAccessBinding": "let the vault reach the cluster",
    "GrantRole": "give the roles that are missing",
    "RevokeRole": "take a role away, to give it anew",
    "ValidateForBackup": "let Azure validate that the cluster can be backed up",
    "CreateBackupInstance": "put the backup instance as the profile says",
    "UndeleteBackupInstance": "bring the deleted backup instance back",
    "ResumeBackups": "resume the backups",
    "ResumeProtection": "resume the protection",
    "StartBackup": "take a backup",
    "Region": "make what the region shares",
}
_GRANT = re.compile(r"(?P<principal>[^|]*)\|(?P<role>[^|]*)\|(?P<scope>.*)", re.DOTALL)


def in_words(remaining: str) -> str:
    """`remaining` is the key of a step (`GrantRole:<principal>|<role>|<scope>`), or the name of what is waited for."""
    kind, _, about = remaining.partition(":")
    if kind in ("GrantRole", "RevokeRole") and (grant := _GRANT.fullmatch(about)):
        role = roles.NAMES.get(grant["role"].lower(), grant["role"])
        scope = grant["scope"].rstrip("/").rsplit("/", 1)[-1]
        doing = "give" if kind == "GrantRole" else "take away, to give it anew,"
        return f"{doing} the role {role} at {scope} to {grant['principal']}"
    if kind in _NAMED:
        return _NAMED[kind].format(about).rstrip()
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", kind).lower() + (f" ({about})" if about else "")
