"""Scopes: a right at a scope holds for everything below it."""

from collections.abc import Iterator


def normalised(scope: str) -> str:
    """Lower case, without trailing slash; the tenant's root is ""."""
    return scope.strip().rstrip("/").lower()


def with_ancestors(scope: str) -> Iterator[str]:
    """The scope and every prefix of it that ends at a slash, down to the root: what rights on it may come from."""
    scope = normalised(scope)
    while scope:
        yield scope
        scope = scope.rpartition("/")[0]
    yield ""


def is_within(scope: str, ancestor: str) -> bool:
    """Whether `scope` is `ancestor` or lies below it."""
    inner, outer = normalised(scope), normalised(ancestor)
    return inner == outer or inner.startswith(f"{outer}/")


def subscription_of(scope: str) -> str | None:
    """The subscription id a scope lies in, lower case."""
    parts = normalised(scope).split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "subscriptions" else None
