"""Api-versions as ARM checks them: there must be one, it must look like one, and the type must know it."""

import re
from collections.abc import Sequence

from simulator.arm.errors import ArmError
from simulator.arm.path import ArmPath
from simulator.arm.routing import Match

_FORM = re.compile(r"\d{4}-\d{2}-\d{2}(-[a-z]+)?", re.IGNORECASE)


def require_version(api_version: str | None) -> str:
    """The api-version that was sent. Raises ArmError 400 when there is none."""
    if not api_version:
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise ArmError(400, "MissingApiVersionParameter", message)
    return api_version


def match_for_version(matches: Sequence[Match], api_version: str, path: ArmPath) -> Match:
    """The first of `matches` (not empty) that knows the version. Raises ArmError 400 in ARM's words."""
    for match in matches:
        if api_version in match.route.api_versions:
            return match
    known = ", ".join(sorted(set[str]().union(*(match.route.api_versions for match in matches)), reverse=True))
    if path.namespace is None or not _FORM.fullmatch(api_version):
        message = f"The api-version '{api_version}' is invalid. The supported versions are '{known.replace(' ', '')}'."
        raise ArmError(400, "InvalidApiVersionParameter", message)
    kind = "/".join(path.types)
    message = (
        f"No registered resource provider found for API version '{api_version}' for type '{kind}'. "
        f"The supported api-versions are '{known}'."
    )
    raise ArmError(400, "NoRegisteredProviderFound", message)
