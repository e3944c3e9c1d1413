"""Whether a subscription is the Guard's business, for who asks without a cluster in hand."""

from shared.world import World


async def is_in_scope(subscription_id: str, world: World) -> bool:
    """One that is named, or that lay in a management group of the scope at the last complete sweep. Raises
    TransientError."""
    if subscription_id.lower() in world.scope.subscriptions:
        return True
    if not world.scope.management_groups:
        return False
    latest = await world.sweeps.latest()
    return latest is not None and subscription_id.lower() in latest.subscription_names
