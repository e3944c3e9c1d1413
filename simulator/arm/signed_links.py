"""Links to operations look signed: `t` (ticks), `c` (a certificate), `s` and `h`, together more than 1.5 KB (recorded
of Azure Backup and AKS). The signature is not checked when the link is followed."""

import base64
import hashlib

from simulator.arm.operations import Operation

_EPOCH_TICKS = 621355968000000000  # .NET ticks (100 ns) at 1970-01-01
_SIZES = (("c", 1449), ("s", 256), ("h", 32))


def signature(operation: Operation) -> str:
    """The query that follows the api-version."""
    ticks = _EPOCH_TICKS + int(operation.started.timestamp() * 10_000_000)
    return f"&t={ticks}" + "".join(f"&{name}={_filler(name, operation.id, size)}" for name, size in _SIZES)


def _filler(name: str, operation_id: str, size: int) -> str:
    content = hashlib.shake_128(f"{name}{operation_id}".encode()).digest(size)
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
