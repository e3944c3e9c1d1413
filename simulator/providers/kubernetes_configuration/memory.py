"""Memory of the backup extension's pod: what its settings give it, and what a backup needs."""

import re
from collections.abc import Mapping

_SUFFIXES = {
    "": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip
_QUANTITY = re.compile(r"(?P<number>\d{1,15}(\.\d{1,9})?)(?P<suffix>m|k|M|G|T|Ki|Mi|Gi|Ti)?")
LIMIT, REQUEST = "resources.limits.memory", "resources.requests.memory"
# Documented defaults. Of the request the documentation has 128Mi on one page and 256Mi on another.
_DEFAULTS = {LIMIT: "1280Mi", REQUEST: "128Mi", "resources.limits.cpu": "1000m", "resources.requests.cpu": "500m"}


def memory_needed_mi(resource_count: int) -> float:
    """The memory in Mi that the pod needs to back up or restore that many resources.

    The formula is assumed. Documented is only that more than 1,000 resources may need more than the default limit
    (1280Mi) and that 4400Mi is an example of a new one: here 1,000 fit the default exactly, 3,000 need 3280Mi."""
    return 280 + resource_count


def memory_limit_mi(settings: Mapping[str, str]) -> float:
    return _amount(settings, LIMIT) / 2**20


def memory_request_mi(settings: Mapping[str, str]) -> float:
    return _amount(settings, REQUEST) / 2**20


def has_bad_quantities(settings: Mapping[str, str]) -> bool:
    """Whether Kubernetes would refuse the pod: a value that is no quantity (looked at loosely), or a request above its
    limit."""
    try:
        amounts = {key: _amount(settings, key) for key in _DEFAULTS}
    except ValueError:
        return True
    return any(
        amounts[f"resources.requests.{kind}"] > amounts[f"resources.limits.{kind}"] for kind in ("cpu", "memory")
    )


def _amount(settings: Mapping[str, str], key: str) -> float:
    """Bytes or cores. Raises ValueError."""
    text = settings.get(key, _DEFAULTS[key])
    found = _QUANTITY.fullmatch(text)
    if found is None or float(found["number"]) == 0:
        raise ValueError(f"{key} is {text!r}, which is not a quantity")
    return float(found["number"]) * _SUFFIXES[found["suffix"] or ""]
