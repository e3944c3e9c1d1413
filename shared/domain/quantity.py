"""Kubernetes quantities of memory and CPU."""

import re

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
_UNITS = {
    "": 1.0,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
}


def amount(text: str) -> float | None:
    """A quantity as a number of bytes or cores; None when it is not one."""
    found = _QUANTITY.fullmatch(text.strip())
    return float(found[1]) * _UNITS[found[2] or ""] if found else None


def mebibytes(text: str) -> float | None:
    """A quantity of memory in Mi; None when it is not one."""
    value = amount(text)
    return None if value is None else value / 2.0**20
