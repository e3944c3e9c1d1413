"""The regions this cloud knows: programmatic name, display name, and paired region (facts of public Azure)."""

REGIONS: dict[str, tuple[str, str | None]] = {
    "australiaeast": ("Australia East", "australiasoutheast"),
    "australiasoutheast": ("Australia Southeast", "australiaeast"),
    "brazilsouth": ("Brazil South", "southcentralus"),
    "canadacentral": ("Canada Central", "canadaeast"),
    "canadaeast": ("Canada East", "canadacentral"),
    "centralindia": ("Central India", "southindia"),
    "centralus": ("Central US", "eastus2"),
    "eastasia": ("East Asia", "southeastasia"),
    "eastus": ("East US", "westus"),
    "eastus2": ("East US 2", "centralus"),
    "eastus2euap": ("East US 2 EUAP", "centraluseuap"),
    "centraluseuap": ("Central US EUAP", "eastus2euap"),
    "francecentral": ("France Central", "francesouth"),
    "germanywestcentral": ("Germany West Central", "germanynorth"),
    "italynorth": ("Italy North", None),
    "japaneast": ("Japan East", "japanwest"),
    "japanwest": ("Japan West", "japaneast"),
    "koreacentral": ("Korea Central", "koreasouth"),
    "northcentralus": ("North Central US", "southcentralus"),
    "northeurope": ("North Europe", "westeurope"),
    "norwayeast": ("Norway East", "norwaywest"),
    "polandcentral": ("Poland Central", None),
    "southafricanorth": ("South Africa North", "southafricawest"),
    "southcentralus": ("South Central US", "northcentralus"),
    "southeastasia": ("Southeast Asia", "eastasia"),
    "southindia": ("South India", "centralindia"),
    "swedencentral": ("Sweden Central", "swedensouth"),
    "switzerlandnorth": ("Switzerland North", "switzerlandwest"),
    "uaenorth": ("UAE North", "uaecentral"),
    "uksouth": ("UK South", "ukwest"),
    "ukwest": ("UK West", "uksouth"),
    "westcentralus": ("West Central US", "westus2"),
    "westeurope": ("West Europe", "northeurope"),
    "westus": ("West US", "eastus"),
    "westus2": ("West US 2", "westcentralus"),
    "westus3": ("West US 3", "eastus"),
}


def region_name(location: str) -> str | None:
    """The programmatic name of a region given in either spelling ("West Europe", "westeurope"); None if unknown."""
    name = location.replace(" ", "").lower()
    return name if name in REGIONS else None
