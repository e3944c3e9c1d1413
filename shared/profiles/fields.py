"""The kinds of values guard.yaml holds. Each refuses with the remedy in the same sentence."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from typing import Annotated, Any

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

_DURATION = re.compile(r"P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?")
_QUANTITY = re.compile(r"([0-9]+(?:\.\d+)?)(m|Mi|Gi)?")
_UNITS = {None: 1.0, "m": 0.001, "Mi": 2.0**20, "Gi": 2.0**30}


@dataclass(frozen=True, slots=True)
class Within:
    """A whole number. `most` and `least` say whose limit it is, for the error."""

    low: int
    high: int
    most: str = ""
    least: str = ""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "minimum": self.low, "maximum": self.high}

    def _checked(self, value: int) -> int:
        if value > self.high:
            raise ValueError(f"{value} is more than {self.most or self.high}; use {self.low} to {self.high}")
        if value < self.low:
            raise ValueError(f"{value} is less than {self.least or self.low}; use {self.low} to {self.high}")
        return value


@dataclass(frozen=True, slots=True)
class Matching:
    """A text. `pattern` must fit the whole of it; `what` completes "… is no"."""

    pattern: str
    what: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$"}

    def _checked(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value, re.ASCII):
            raise ValueError(f"{shown(value)} is no {self.what}")
        return value


def shown(value: object) -> str:
    """A value as an error repeats it."""
    text = "empty" if value is None else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def seconds(duration: str) -> float:
    """An ISO 8601 duration of weeks, days, hours, minutes and seconds. Raises ValueError."""
    found = _DURATION.fullmatch(duration)
    if found is None or not any(found.groups()) or duration.endswith("T"):
        raise ValueError(f"{shown(duration)} is no ISO 8601 duration; write for example PT30M, PT24H or P7D")
    weeks, days, hours, minutes, secs = (int(part or 0) for part in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=secs).total_seconds()


def end_of(expires: str) -> datetime:
    """A day lasts to its end in UTC; a time needs a zone. Raises ValueError."""
    remedy = "write a day as 2027-01-31, or a time with its zone as 2027-01-31T18:00:00Z"
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", expires):
            return datetime.fromisoformat(expires).replace(tzinfo=UTC) + timedelta(days=1)
        moment = datetime.fromisoformat(expires)
    except (ValueError, OverflowError):
        raise ValueError(f"{shown(expires)} is no day or time; {remedy}") from None
    if moment.tzinfo is None:
        raise ValueError(f"{shown(expires)} has no time zone; {remedy}")
    return moment.astimezone(UTC)


def quantity(text: str) -> float:
    """A Kubernetes quantity as a number of bytes or cores."""
    found = _QUANTITY.fullmatch(text)
    return float(found[1]) * _UNITS[found[2]] if found else 0.0


def _arm_id(resource_type: str, what: str) -> Matching:
    def any_case(word: str) -> str:
        # Spelt out instead of a flag, so that editors can use the pattern too.
        return "".join(f"[{c.upper()}{c.lower()}]" if c.isalpha() else re.escape(c) for c in word)

    steps = "/".join(f"{any_case(step)}/[^/]+" for step in resource_type.split("/")[1:])
    provider = f"/{any_case('providers')}/{any_case(resource_type.split('/')[0])}/{steps}" if steps else ""
    scope = f"/{any_case('subscriptions')}/[0-9a-fA-F-]{{36}}/{any_case('resourceGroups')}/[^/]+"
    middle = f"providers/{resource_type}/..." if steps else ""
    shape = f"/subscriptions/.../resourceGroups/.../{middle}".rstrip("/")
    return Matching(f"{scope}{provider}/?", f"ARM id of {what}; copy it from Azure, it looks like {shape}")


def _checked_duration(text: str) -> str:
    seconds(text)
    return text


def _checked_expiry(text: str) -> str:
    end_of(text)
    return text


def _checked_address(text: str) -> str:
    remedy = "use public IPv4 addresses or ranges up to /30, for example 203.0.113.0/24"
    try:
        network = IPv4Network(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is no IPv4 address or range; {remedy}") from None
    if "/" in text and network.prefixlen > 30:
        raise ValueError(f"{shown(text)} is a range of one or two addresses, which Azure Storage refuses; {remedy}")
    if any(network.overlaps(IPv4Network(private)) for private in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")):
        raise ValueError(f"{shown(text)} is private, and Azure Storage takes public addresses only; {remedy}")
    return text


Guid = Annotated[
    str,
    Matching(
        r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
        "subscription id; it looks like 00000000-0000-0000-0000-000000000000",
    ),
]
GuidPattern = Annotated[
    str, Matching(r"[0-9a-fA-F*?-]{1,36}", "subscription id or pattern; names of subscriptions are not known here")
]
LocationPattern = Annotated[
    str, Matching(r"[A-Za-z0-9*?]{1,40}", "region; use Azure's name without spaces, for example westeurope")
]
NamePattern = Annotated[str, Matching(r"[\w.()*?-]{1,90}", "name or pattern; use letters, digits, - _ . ( ) * and ?")]
ProfileName = Annotated[
    str, Matching(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", "name of a profile; use letters, digits, - _ and .")
]
VaultClass = Annotated[
    str,
    Matching(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?", "vault class; use up to 20 lower-case letters, digits and hyphens"),
]
TimeOfDay = Annotated[str, Matching(r"([01]\d|2[0-3]):[0-5]\d", "time of day in UTC; write it as 02:00")]
Memory = Annotated[str, Matching(r"[1-9]\d{0,6}(Mi|Gi)", "amount of memory; write it as 1536Mi or 2Gi")]
Cpu = Annotated[
    str, Matching(r"[1-9]\d{0,5}m|[1-9]\d{0,2}(\.\d{1,3})?", 'amount of CPU; write it as 500m or, in quotes, "2"')
]
Namespace = Annotated[
    str, Matching(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "Kubernetes namespace; patterns are not understood by Azure")
]
LabelSelector = Annotated[
    str, Matching(r"[\w./-]{1,317}=[\w.-]{0,63}", "label selector; write it as name=value, for example app=web")
]
NonEmpty = Annotated[str, Matching(r"[\s\S]*\S[\s\S]*", "text; say something")]
TagName = Annotated[str, Matching(r"[^<>%&\\?/]{1,128}", "tag name; use up to 128 characters without < > % & \\ ? /")]
TagValue = Annotated[str, Matching(r"[\s\S]{0,256}", "tag value; use up to 256 characters")]
KeyUri = Annotated[
    str,
    Matching(
        r"https://[A-Za-z0-9.-]+/keys/[A-Za-z0-9-]+(/[0-9a-f]{32})?/?",
        "key of a key vault; it looks like https://myvault.vault.azure.net/keys/mykey",
    ),
]
Duration = Annotated[str, AfterValidator(_checked_duration)]
Expiry = Annotated[str, AfterValidator(_checked_expiry)]
PublicAddress = Annotated[str, AfterValidator(_checked_address)]
ResourceGroupId = Annotated[str, _arm_id("", "a resource group")]
StorageAccountId = Annotated[str, _arm_id("Microsoft.Storage/storageAccounts", "a storage account")]
VaultId = Annotated[
    str, _arm_id("Microsoft.DataProtection/backupVaults", "a Backup vault (not a Recovery Services vault)")
]
PolicyId = Annotated[str, _arm_id("Microsoft.DataProtection/backupVaults/backupPolicies", "a backup policy")]
IdentityId = Annotated[
    str, _arm_id("Microsoft.ManagedIdentity/userAssignedIdentities", "a user-assigned managed identity")
]
SubnetId = Annotated[str, _arm_id("Microsoft.Network/virtualNetworks/subnets", "a subnet")]
