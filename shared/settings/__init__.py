"""App settings, read once into small frozen objects. `python -m shared.settings` prints docs/settings.md.

Every setting has a default that runs locally. What is wrong is reported all at once, and an unknown setting with our
prefix is wrong too: a misspelt emergency stop that is ignored would be the worst of errors.
"""

from shared.settings.catalogue import CHANNEL_PREFIX, PREFIX, SETTINGS, documentation
from shared.settings.hosting import Hosting, read_hosting
from shared.settings.objects import (
    AzureEndpoints,
    ConfigurationSource,
    EmergencyStop,
    Identity,
    JobWatch,
    Loop,
    Quota,
    Scope,
    Settings,
    StateStorage,
    StorageByConnectionString,
    StorageByIdentity,
)
from shared.settings.read import InvalidSettingsError, read_settings

__all__ = [
    "CHANNEL_PREFIX",
    "PREFIX",
    "SETTINGS",
    "AzureEndpoints",
    "ConfigurationSource",
    "EmergencyStop",
    "Hosting",
    "Identity",
    "InvalidSettingsError",
    "JobWatch",
    "Loop",
    "Quota",
    "Scope",
    "Settings",
    "StateStorage",
    "StorageByConnectionString",
    "StorageByIdentity",
    "documentation",
    "read_hosting",
    "read_settings",
]
