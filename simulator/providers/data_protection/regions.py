"""What Azure Backup for AKS offers where. Facts from the support matrix of 2026-01 unless said otherwise."""

OPERATIONAL_ONLY = frozenset(
    {
        "chinaeast2",
        "chinaeast3",
        "chinanorth2",
        "chinanorth3",
        "usgovarizona",
        "usgovtexas",
        "usgovvirginia",
        "israelcentral",
        "polandcentral",
        "spaincentral",
    }
)

# The region a GeoRedundant vault copies to. The first pair is recorded, the others are Azure's published pairs.
PAIRED = {
    "centraluseuap": "eastus2euap",
    "eastus2euap": "centraluseuap",
    "westeurope": "northeurope",
    "northeurope": "westeurope",
    "eastus": "westus",
    "westus": "eastus",
    "eastus2": "centralus",
    "centralus": "eastus2",
    "westus2": "westcentralus",
    "westcentralus": "westus2",
    "northcentralus": "southcentralus",
    "southcentralus": "northcentralus",
    "uksouth": "ukwest",
    "ukwest": "uksouth",
    "francecentral": "francesouth",
    "germanywestcentral": "germanynorth",
    "switzerlandnorth": "switzerlandwest",
    "norwayeast": "norwaywest",
    "southeastasia": "eastasia",
    "eastasia": "southeastasia",
    "australiaeast": "australiasoutheast",
    "australiasoutheast": "australiaeast",
    "japaneast": "japanwest",
    "japanwest": "japaneast",
    "centralindia": "southindia",
    "canadacentral": "canadaeast",
    "canadaeast": "canadacentral",
}


def region(location: str) -> str:
    """A location as ARM compares it: `West Europe` is `westeurope`."""
    return location.replace(" ", "").lower()
