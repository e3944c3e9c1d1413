"""guard.yaml -> `Configuration`: every mistake named with its line, its field and what to do about it."""

from shared.domain.errors import InvalidConfigurationError
from shared.profiles.load import json_schema, load_configuration, load_configuration_file

__all__ = ["InvalidConfigurationError", "json_schema", "load_configuration", "load_configuration_file"]
