"""How hard Hypothesis tries: `quick` on every `make test`, `deep` in CI."""

import os

from hypothesis import HealthCheck, settings

_ANY_SPEED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

settings.register_profile("quick", max_examples=60, derandomize=True, deadline=None, suppress_health_check=_ANY_SPEED)
settings.register_profile("deep", max_examples=400, deadline=None, suppress_health_check=_ANY_SPEED)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
