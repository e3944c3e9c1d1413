"""The app settings: complete, valid, and about this deployment; what is secret, resolved."""

from collections.abc import Iterator, Mapping

from cli.doctor.check import Check, Result
from cli.doctor.deployment import Deployment
from cli.doctor.seen import Sight, Unread
from shared.settings import CHANNEL_PREFIX, PREFIX, SETTINGS, InvalidSettingsError, read_settings
from shared.settings.catalogue import (
    CLIENT_ID,
    EVENT_TOPIC,
    MANAGEMENT_GROUPS,
    STOPPED,
    STORAGE,
    STORAGE_CLIENT_ID,
    STORAGE_CREDENTIAL,
    SUBSCRIPTIONS,
)

GROUP = "settings"
_REFERENCE = "@microsoft.keyvault("


def check_app_settings(deployment: Deployment, sight: Sight) -> Iterator[Result]:
    settings = sight.settings
    if isinstance(settings, Unread):
        yield Check(GROUP, "valid").unread(settings)
    else:
        yield from _valid(deployment, settings)
        yield from _as_deployed(deployment, settings)
        yield from _channels(deployment, settings)
    references = sight.references
    if isinstance(references, Unread):
        yield Check(GROUP, "secrets").unread(references)
        return
    told = {each.setting for each in references}
    for name, value in settings.items() if not isinstance(settings, Unread) else ():
        if value.lower().startswith(_REFERENCE) and name not in told:
            yield Check(GROUP, "secret", name).unread(Unread("Azure does not say whether the reference is resolved."))
    for each in references:
        fix = f"az keyvault secret list --vault-name {deployment.key_vault} --output table"
        message = f"The reference is {each.status or 'of unknown state'}: {each.details or 'no reason is given'}."
        yield Check(GROUP, "secret", each.setting).that(each.status == "Resolved", message, fix)


def _channels(deployment: Deployment, settings: Mapping[str, str]) -> Iterator[Result]:
    """Whoever may read the app's settings would read the addresses."""
    for name, value in settings.items():
        if name.startswith(CHANNEL_PREFIX) and value.strip() and not value.strip().lower().startswith(_REFERENCE):
            secret = "channel-" + name.removeprefix(CHANNEL_PREFIX).lower().replace("_", "-")
            keep = f"az keyvault secret set --vault-name {deployment.key_vault} --name {secret} --file address.txt"
            refer = f"@Microsoft.KeyVault(VaultName={deployment.key_vault};SecretName={secret})"
            message = "The address stands in the settings, and not in the key vault."
            yield Check(GROUP, "secret", name).wrong(message, f"{keep} && {_set(deployment, name, refer)}")


def _valid(deployment: Deployment, settings: Mapping[str, str]) -> Iterator[Result]:
    check = Check(GROUP, "valid")
    # What a secret is, only the app knows: any text stands for it.
    told = {name: "secret" if value.lower().startswith(_REFERENCE) else value for name, value in settings.items()}
    try:
        read_settings(told)
    except InvalidSettingsError as error:
        for wrong in error.errors:
            name = wrong.partition(":")[0]
            unknown = name.startswith(PREFIX) and name not in {setting.name for setting in SETTINGS}
            drop = f"az functionapp config appsettings delete --ids {deployment.app_id} --setting-names {name}"
            yield check.wrong(wrong + ".", drop if unknown else "azd provision")
    else:
        yield check.ok()
    needed = [setting.name for setting in SETTINGS if setting.name.startswith(PREFIX)]
    missing = [name for name in needed if name not in settings]
    message = f"Not set, so that what the code assumes holds: {', '.join(missing)}."
    yield Check(GROUP, "complete").that(not missing, message, "azd provision")


def _as_deployed(deployment: Deployment, settings: Mapping[str, str]) -> Iterator[Result]:
    """Those that this deployment decides."""

    def given(name: str) -> str:
        return settings.get(name, "").strip()

    def names(name: str) -> frozenset[str]:
        return frozenset(part.strip().lower() for part in given(name).split(",") if part.strip())

    by_key = bool(given(STORAGE.name))
    yield Check(GROUP, "storage by identity").that(
        not by_key and given(STORAGE_CREDENTIAL.name).lower() == "managedidentity",
        "The storage account is reached by a key." if by_key else f"{STORAGE_CREDENTIAL.name} is not managedidentity.",
        f"az functionapp config appsettings delete --ids {deployment.app_id} --setting-names {STORAGE.name}"
        if by_key
        else _set(deployment, STORAGE_CREDENTIAL.name, "managedidentity"),
    )
    wanted = {
        CLIENT_ID.name: deployment.client_id,
        STORAGE_CLIENT_ID.name: deployment.client_id,
        EVENT_TOPIC.name: deployment.topic_endpoint,
    }
    for name, value in wanted.items():
        same = given(name).lower().rstrip("/") == value.lower().rstrip("/")
        message = f"It is {given(name)[:200] or 'empty'}, and {value} was deployed."
        yield Check(GROUP, "as deployed", name).that(same, message, _set(deployment, name, value))
    for name, listed in (
        (SUBSCRIPTIONS.name, deployment.subscriptions),
        (MANAGEMENT_GROUPS.name, deployment.management_groups),
    ):
        same = names(name) == {each.lower() for each in listed}
        message = f"It is {given(name)[:200] or 'empty'}, and rights were given at {', '.join(listed) or 'none'}."
        yield Check(GROUP, "as deployed", name).that(same, message, _set(deployment, name, ",".join(listed)))
    stopped = given(STOPPED.name).lower() in ("true", "1")
    message = "The emergency stop is pulled: nothing is changed in Azure."
    yield Check(GROUP, "not stopped").that(not stopped, message, _set(deployment, STOPPED.name, "false"))


def _set(deployment: Deployment, name: str, value: str) -> str:
    return f'az functionapp config appsettings set --ids {deployment.app_id} --settings "{name}={value}"'
