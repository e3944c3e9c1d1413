"""The api-versions that Microsoft.ContainerService/managedClusters answers to: the one of the oldest recorded exchange
(2019-04-01) up to the SDK 41.8.0's default (2026-08-01). Some of the months between are assumed."""

_YEARS = {
    "2019": "04",
    "2021": "03",
    "2022": "03 09 11",
    "2023": "01 02 03 04 05 06 07 08 09 10 11",
    "2024": "01 02 05 06 07 08 09 10",
    "2025": "01 02 03 04 05 06 07 08 09 10",
    "2026": "01 02 03 04 05 06 07 08",
}
CLUSTERS = frozenset(f"{year}-{month}-01" for year, months in _YEARS.items() for month in months.split())

# Generally available since 2024-02; the preview is the recorded one.
TRUSTED_ACCESS = frozenset(version for version in CLUSTERS if version >= "2024-02") | {"2024-07-02-preview"}
