"""The kinds of values guard.yaml holds. Each refuses with the remedy in the same sentence."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from ipaddress import IPv4Network
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from shared.domain.quantity import amount

_DURATION = re.compile(r"P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?")


@dataclass(frozen=True, slots=True)
class Within:
    """A number. `most` and `least` say whose limit it is, for the error."""

    low: float
    high: float
    most: str = ""
    least: str = ""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "minimum": self.low, "maximum": self.high}

    def _checked(self, value: float) -> float:
        if value > self.high:
            raise ValueError(f"{value} is more than {self.most or self.high}; use {self.low} to {self.high}")
        if value < self.low:
            raise ValueError(f"{value} is less than {self.least or self.low}; use {self.low} to {self.high}")
        return value


@dataclass(frozen=True, slots=True)
class Matching:
    """A text. `pattern` must fit the whole of it; `what` completes "… is no". The error does not repeat what may be
    `secret`."""

    pattern: str
    what: str
    secret: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$"}

    def _checked(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value, re.ASCII):
            raise ValueError(f"{'this' if self.secret else shown(value)} is no {self.what}")
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


def begin_of(text: str) -> datetime:
    """A day begins at midnight in UTC; a time needs a zone. Raises ValueError."""
    return _moment(text, timedelta(0))


def end_of(text: str) -> datetime:
    """A day lasts to its end in UTC; a time needs a zone. Raises ValueError."""
    return _moment(text, timedelta(days=1))


def _moment(text: str, of_the_day: timedelta) -> datetime:
    remedy = "write a day as 2027-01-31, or a time with its zone as 2027-01-31T18:00:00Z"
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC) + of_the_day
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{shown(text)} is no day or time; {remedy}") from None
    raise ValueError(f"{shown(text)} has no time zone; {remedy}")


def quantity(text: str) -> float:
    """A Kubernetes quantity that was checked already, as a number of bytes or cores."""
    return amount(text) or 0.0


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


def _checked_moment(text: str) -> str:
    end_of(text)
    return text


def _checked_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ValueError, OSError, LookupError):
        # A closer look costs a walk through the whole database, so it is left to the error.
        close = get_close_matches(text.lower(), known := {name.lower(): name for name in available_timezones()}, 1)
        hint = f"did you mean {known[close[0]]}?" if close else "write it as Europe/Berlin, or UTC"
        raise ValueError(f"{shown(text)} is no time zone of the IANA database; {hint}") from None
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
RouteName = Annotated[
    str, Matching(r"\w[\w .-]{0,61}\w|\w", "name of a route; use up to 63 letters, digits, spaces, - _ and .")
]
ChannelName = Annotated[
    str,
    Matching(
        r"[A-Z][A-Z0-9_]{0,62}",
        "name of a channel; use the end of its app setting AKS_BACKUP_GUARD_CHANNEL_<NAME>: upper-case letters, "
        "digits and underscores",
        secret=True,  # somebody will write an address here
    ),
]
WebAddress = Annotated[
    str, Matching(r"https://[^\s<>\"'|\\]{1,500}", "https address; it looks like https://myapp.azurewebsites.net/...")
]
VaultClass = Annotated[
    str,
    Matching(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?", "vault class; use up to 20 lower-case letters, digits and hyphens"),
]
LocalTime = Annotated[str, Matching(r"([01]\d|2[0-3]):[0-5]\d", "time of day; write it as 22:00")]
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
ManagementGroup = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9_.()-]{1,90}",
        "name of a management group; use its id, not its display name: letters, digits, - _ . ( and )",
    ),
]
ControlId = Annotated[
    str,
    Matching(
        r"[a-z][a-z0-9]*(-[a-z0-9]+)*",
        "id of a control; use words of lower-case letters and digits with hyphens, for example private-cluster",
    ),
]
PythonFile = Annotated[
    str,
    Matching(
        r"[^\\:*?\"<>|\s/][^\\:*?\"<>|]{0,250}\.py", "Python file; name it relative to guard.yaml, as my_controls.py"
    ),
]
Currency = Annotated[str, Matching(r"[A-Z]{3}", "currency; write it as USD or EUR")]
Duration = Annotated[str, AfterValidator(_checked_duration)]
DayOrTime = Annotated[str, AfterValidator(_checked_moment)]
TimeZone = Annotated[str, AfterValidator(_checked_zone)]
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
WorkspaceId = Annotated[str, _arm_id("Microsoft.OperationalInsights/workspaces", "a Log Analytics workspace")]
SubnetId = Annotated[str, _arm_id("Microsoft.Network/virtualNetworks/subnets", "a subnet")]
