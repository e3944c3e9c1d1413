"""Which guard.yaml a command goes by."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.run import could_not_tell, remark

if TYPE_CHECKING:
    from shared.domain.fleet import Scope
    from shared.domain.profile import Configuration
    from shared.settings import Settings

BUILT_IN = "built-in"
"""Name of the profile that is there without any guard.yaml."""


@dataclass(frozen=True, slots=True)
class Configured:
    """The configuration, where it came from, and the folder that its control files are relative to."""

    configuration: "Configuration"
    source: str
    folder: Path


def settings() -> "Settings":
    """The app settings of this process's environment, without those of storage: what needs none shall not stumble over
    it. Ends the command with exit code 2 when they are wrong."""
    from shared.settings import InvalidSettingsError, read_settings

    try:
        return read_settings({name: value for name, value in os.environ.items() if not name.startswith("AzureWebJobs")})
    except InvalidSettingsError as error:
        could_not_tell(str(error), error)


def configured(given: Path | None, environ: Mapping[str, str] = os.environ) -> Configured:
    """Ends the command with exit code 2 when the configuration cannot be read: another would judge by other rules."""
    text = environ.get("AKS_BACKUP_GUARD_CONFIGURATION_YAML", "").strip()
    setting = environ.get("AKS_BACKUP_GUARD_CONFIGURATION", "").strip()
    here = Path("guard.yaml")
    if given is not None and not given.is_file():
        could_not_tell(f"--config {given}: there is no such file.")
    if given is None and not text and not setting and not here.exists():
        remark("No guard.yaml here: judged by one built-in profile in audit mode (--config names another).")
        return Configured(_built_in(), BUILT_IN, Path())
    from shared.domain.errors import InvalidConfigurationError
    from shared.profiles import load_configuration, load_configuration_file

    path = given or (Path(setting) if setting else here)
    try:
        if given is None and text:
            source = "AKS_BACKUP_GUARD_CONFIGURATION_YAML"
            return Configured(load_configuration(text, source), source, Path())
        return Configured(load_configuration_file(path), str(path), path.parent)
    except InvalidConfigurationError as error:
        could_not_tell(f"The configuration is wrong:\n{error}", error)


def scope_of(known: "Configured", subscriptions: list[str] | None, management_groups: list[str] | None) -> "Scope":
    """What the options name, else what the configuration and the settings name, else (empty) all that the caller may
    read."""
    from shared.domain.fleet import Scope

    if subscriptions or management_groups:
        named = tuple(dict.fromkeys(name.strip().lower() for name in subscriptions or ()))
        return Scope(named, tuple(dict.fromkeys(name.strip() for name in management_groups or ())))
    configuration = known.configuration
    named = tuple(dict.fromkeys((*configuration.subscriptions, *settings().scope.subscriptions)))
    return Scope(named, configuration.management_groups)


def _built_in() -> "Configuration":
    """Daily backups kept for a week, as Azure's own default policy has it, judged and never acted on."""
    from shared.domain.profile import Configuration, ProtectionProfile, Rule, Selector, VaultSettings

    profile = ProtectionProfile(BUILT_IN, VaultSettings("On"), mode="audit", digest=BUILT_IN)
    return Configuration(1, {BUILT_IN: profile}, (Rule(Selector(), BUILT_IN),), digest=BUILT_IN)
