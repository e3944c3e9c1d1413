"""What the control endpoint says of things outside the simulated Azure: an app's code, and queues that are real."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from simulator.control.fields import BadField, Fields
from simulator.http import Response

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_NOWHERE = "http://127.0.0.1:1"
"""Where a function listens that nobody runs: a port that refuses."""
_MOST = 200


def set_functions(cloud: "Cloud", given: Fields) -> Response:
    """{site, names, url?} -> {ids}: the functions that the code of a site has now. With `url`, the address of a
    Functions host, Event Grid reaches them there."""
    site, names = given.required_text("site"), given.texts("names", most=_MOST)
    url = given.text("url")
    given.finish()
    if names is None:
        raise BadField("names", "is required")
    if url is not None:
        _require_http("url", url)
    try:
        cloud.web.set_functions(site, names)
    except ValueError as error:
        raise BadField("site", str(error)) from error
    ids = [f"{site.rstrip('/')}/functions/{name}" for name in names]
    for name, function_id in zip(names, ids, strict=True):
        webhook = f"{(url or _NOWHERE).rstrip('/')}/runtime/webhooks/eventgrid?functionName={name}"
        cloud.event_grid.map_function(function_id, webhook)
    return Response(200, {"ids": ids})


def bind_queues(cloud: "Cloud", given: Fields) -> Response:
    """{storage_account, endpoint} -> {storage_account}: where the queues of an account really are, as the URL of a
    queue service whose query is a shared access signature that may add messages. Event Grid delivers there."""
    account, endpoint = given.required_text("storage_account"), given.required_text("endpoint")
    given.finish()
    _require_http("endpoint", endpoint)
    if cloud.storage.account(account) is None:
        raise BadField("storage_account", f"there is no storage account '{account}'")
    cloud.event_grid.bind_queues(account, endpoint)
    return Response(200, {"storage_account": account})


def _require_http(field: str, url: str) -> None:
    """Only this machine is reached."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise BadField(field, "must be an http or https URL of the loopback")
