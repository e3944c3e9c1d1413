"""Sizes of virtual machines, a small choice of the common ones (figures of the documentation's pages on sizes)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """`memory_mb` and `resource_disk_mb` are what the API calls megabytes: 1024 x 1024 bytes."""

    name: str
    cores: int
    resource_disk_mb: int
    memory_mb: int
    data_disks: int


_SIZES = (
    Size("Standard_A2_v2", 2, 20480, 4096, 4),
    Size("Standard_B2s", 2, 8192, 4096, 4),
    Size("Standard_B2ms", 2, 16384, 8192, 4),
    Size("Standard_B4ms", 4, 32768, 16384, 8),
    Size("Standard_B8ms", 8, 65536, 32768, 16),
    Size("Standard_DS2_v2", 2, 14336, 7168, 8),
    Size("Standard_DS3_v2", 4, 28672, 14336, 16),
    Size("Standard_DS4_v2", 8, 57344, 28672, 32),
    Size("Standard_D2s_v3", 2, 16384, 8192, 4),
    Size("Standard_D4s_v3", 4, 32768, 16384, 8),
    Size("Standard_D8s_v3", 8, 65536, 32768, 16),
    Size("Standard_D16s_v3", 16, 131072, 65536, 32),
    Size("Standard_D2s_v5", 2, 0, 8192, 4),
    Size("Standard_D4s_v5", 4, 0, 16384, 8),
    Size("Standard_D8s_v5", 8, 0, 32768, 16),
    Size("Standard_D16s_v5", 16, 0, 65536, 32),
    Size("Standard_D32s_v5", 32, 0, 131072, 32),
    Size("Standard_D2as_v5", 2, 0, 8192, 4),
    Size("Standard_D4as_v5", 4, 0, 16384, 8),
    Size("Standard_D8as_v5", 8, 0, 32768, 16),
    Size("Standard_D4ds_v5", 4, 153600, 16384, 8),
    Size("Standard_D8ds_v5", 8, 307200, 32768, 16),
    Size("Standard_D4ps_v5", 4, 0, 16384, 8),
    Size("Standard_D4ps_v6", 4, 0, 16384, 12),
    Size("Standard_E2s_v5", 2, 0, 16384, 4),
    Size("Standard_E4s_v5", 4, 0, 32768, 8),
    Size("Standard_E8s_v5", 8, 0, 65536, 16),
    Size("Standard_F2s_v2", 2, 16384, 4096, 4),
    Size("Standard_F4s_v2", 4, 32768, 8192, 8),
    Size("Standard_F8s_v2", 8, 65536, 16384, 16),
)
SIZES = {size.name.lower(): size for size in _SIZES}
