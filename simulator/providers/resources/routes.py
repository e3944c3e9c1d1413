"""The paths of Microsoft.Resources and who answers them."""

from simulator.arm.route import Route
from simulator.providers.resources import groups, lists, registration, subscriptions, tags

_VERSIONS = frozenset(
    {
        "2018-02-01",
        "2018-05-01",
        "2019-05-01",
        "2019-05-10",
        "2019-07-01",
        "2019-08-01",
        "2019-10-01",
        "2020-06-01",
        "2020-08-01",
        "2020-10-01",
        "2021-01-01",
        "2021-04-01",
        "2022-09-01",
        "2023-07-01",
        "2024-03-01",
        "2024-07-01",
        "2024-11-01",
        "2025-03-01",
        "2025-04-01",
    }
)
_SUBSCRIPTION_VERSIONS = frozenset(
    {"2016-06-01", "2018-06-01", "2019-06-01", "2019-11-01", "2020-01-01", "2021-01-01", "2022-12-01"}
)
_TAG_VERSIONS = frozenset(version for version in _VERSIONS if version >= "2019-10-01")
_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_SUBSCRIPTION}/resourceGroups/{{group}}"
_TAGS = "{scope*}/providers/Microsoft.Resources/tags/default"


def routes() -> list[Route]:
    everywhere = _VERSIONS | _SUBSCRIPTION_VERSIONS
    return [
        Route("GET", "/subscriptions", everywhere, subscriptions.list_all),
        Route("GET", _SUBSCRIPTION, everywhere, subscriptions.get),
        Route("GET", f"{_SUBSCRIPTION}/locations", everywhere, subscriptions.list_locations),
        Route("GET", "/tenants", everywhere, subscriptions.list_tenants),
        Route("GET", f"{_SUBSCRIPTION}/resourceGroups", _VERSIONS, groups.list_all),
        Route("GET", _GROUP, _VERSIONS, groups.get),
        Route("PUT", _GROUP, _VERSIONS, groups.put),
        Route("PATCH", _GROUP, _VERSIONS, groups.patch),
        Route("DELETE", _GROUP, _VERSIONS, groups.delete),
        Route("GET", f"{_SUBSCRIPTION}/operationresults/{{operation}}", _VERSIONS, groups.operation_result),
        Route("GET", f"{_SUBSCRIPTION}/resources", _VERSIONS, lists.in_subscription),
        Route("GET", f"{_GROUP}/resources", _VERSIONS, lists.in_group),
        Route("GET", "/providers", _VERSIONS, registration.list_for_tenant),
        Route("GET", "/providers/{namespace}", _VERSIONS, registration.get_for_tenant),
        Route("GET", f"{_SUBSCRIPTION}/providers", _VERSIONS, registration.list_all),
        Route("GET", f"{_SUBSCRIPTION}/providers/{{namespace}}", _VERSIONS, registration.get),
        Route("POST", f"{_SUBSCRIPTION}/providers/{{namespace}}/register", _VERSIONS, registration.register),
        Route("POST", f"{_SUBSCRIPTION}/providers/{{namespace}}/unregister", _VERSIONS, registration.unregister),
        Route("GET", _TAGS, _TAG_VERSIONS, tags.get),
        Route("PUT", _TAGS, _TAG_VERSIONS, tags.put),
        Route("PATCH", _TAGS, _TAG_VERSIONS, tags.patch),
        Route("DELETE", _TAGS, _TAG_VERSIONS, tags.delete),
    ]
