"""One setting's text to its value. Each raises ValueError that says what the text is instead, and what to do."""

from pathlib import Path
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Storage emulator: the account and key are published by Microsoft, the same on every machine
# (https://learn.microsoft.com/azure/storage/common/storage-connect-azurite). The SDKs do not know the short form.
_DEVELOPMENT_STORAGE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;"
)


def any_text(text: str) -> str:
    return text


def text(text: str) -> str:
    if not text or any(letter.isspace() or letter == "/" for letter in text):
        raise ValueError("no domain; use for example core.windows.net")
    return text


def url(text: str) -> str:
    parts = urlsplit(text)
    local = parts.hostname in LOOPBACK
    if not parts.hostname or parts.scheme not in (("http", "https") if local else ("https",)) or parts.query:
        raise ValueError("no https URL (http is for loopback only); use for example https://management.azure.com")
    return text.rstrip("/")


def url_or_empty(text: str) -> str:
    return url(text) if text else ""


def guid_or_empty(text: str) -> str:
    shape = [len(part) for part in text.split("-")]
    if text and (shape != [8, 4, 4, 4, 12] or not set(text.lower()) <= set("0123456789abcdef-")):
        raise ValueError("no id like 00000000-0000-0000-0000-000000000000; copy it from Azure")
    return text.lower()


def guids(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(guid_or_empty(part.strip()) for part in text.split(",") if part.strip()))


def group_names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for name in names:
        if len(name) > 90 or not all(letter.isalnum() or letter in "-_.()" for letter in name):
            raise ValueError("no list of names (not display names) of management groups; copy them from the portal")
    return names


def positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise ValueError("no number above 0 (and below a million)")
    return number


def not_negative(text: str) -> int:
    if not text.isdecimal() or len(text) > 6:
        raise ValueError("no whole number from 0 to 999999")
    return int(text)


def at_least_one(text: str) -> int:
    if (number := not_negative(text)) < 1:
        raise ValueError("less than 1; use at least 1")
    return number


def boolean(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError("neither true nor false; use one of them")
    return text.lower() in ("true", "1")


def app_path(text: str) -> Path:
    return Path(__file__).resolve().parent.parent.parent / text


def connection_string(text: str) -> str:
    if text.replace(" ", "").rstrip(";").lower() == "usedevelopmentstorage=true":
        return _DEVELOPMENT_STORAGE
    names = {part.partition("=")[0].strip().lower() for part in text.split(";")}
    if not {"accountname", "accountkey"} <= names and "sharedaccesssignature" not in names:
        raise ValueError("no connection string: it has neither AccountName and AccountKey nor SharedAccessSignature")
    return text
