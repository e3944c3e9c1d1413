"""Resource providers, by subscription."""

from collections.abc import Iterator

from cli.doctor.check import Check, Result
from cli.doctor.seen import Sight, Unread
from shared.plan.region import PROVIDERS

GROUP = "providers"
NEEDED = (*PROVIDERS, "Microsoft.EventGrid", "Microsoft.Insights")
"""Those that protection needs (the app registers them when it may change something), and those of events and alerts."""


def check_providers(sight: Sight) -> Iterator[Result]:
    if isinstance(sight.monitored, Unread):
        yield Check(GROUP, "registered").unread(sight.monitored)
        return
    for each in sight.monitored:
        for namespace, state in each.providers.items():
            check = Check(GROUP, "registered", f"{namespace} in {each.id}")
            if isinstance(state, Unread):
                yield check.unread(state)
            else:
                fix = f"az provider register --namespace {namespace} --subscription {each.id}"
                yield check.that(state == "Registered", f"It is {state or 'unknown there'}.", fix)
