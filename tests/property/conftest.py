"""How hard Hypothesis tries: `quick` on every `make test`, `deep` in CI. Both take the same examples every time, so
that red is red for everybody; `deep` on a developer's machine takes others each time."""

import os

from hypothesis import HealthCheck, settings

_ANY_SPEED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

settings.register_profile("quick", max_examples=60, derandomize=True, deadline=None, suppress_health_check=_ANY_SPEED)
settings.register_profile(
    "deep",
    max_examples=400,
    derandomize=bool(os.environ.get("CI")),
    deadline=None,
    suppress_health_check=_ANY_SPEED,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
