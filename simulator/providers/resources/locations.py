"""The regions this cloud knows: programmatic name, display name, and paired region (facts of public Azure)."""

from collections.abc import Mapping
from typing import Any

from simulator.arm.errors import ArmError, location_required

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
    "israelcentral": ("Israel Central", None),
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
    "spaincentral": ("Spain Central", None),
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


def required_location(body: Mapping[str, Any], resource_type: str) -> str:
    """The programmatic name of the region a PUT asks for. Raises ArmError 400."""
    location = body.get("location")
    if not isinstance(location, str) or not location:
        raise location_required()
    name = region_name(location)
    if name is None:
        message = f"The provided location '{location}' is not available for resource type '{resource_type}'."
        raise ArmError(400, "LocationNotAvailableForResourceType", message)
    return name
