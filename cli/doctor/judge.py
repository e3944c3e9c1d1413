"""All checks, group by group."""

from collections.abc import Iterator

from cli.doctor.app_settings import check_app_settings
from cli.doctor.authentication import check_authentication
from cli.doctor.check import Result
from cli.doctor.deployment import Deployment
from cli.doctor.events import check_events
from cli.doctor.function_app import check_function_app
from cli.doctor.health import check_health
from cli.doctor.own_rights import check_identity, check_own_rights
from cli.doctor.providers import check_providers
from cli.doctor.rights import check_rights
from cli.doctor.rights_files import WantedRights
from cli.doctor.seen import Sight
from cli.doctor.storage import check_storage


def judge(deployment: Deployment, sight: Sight, wanted: WantedRights) -> Iterator[Result]:
    """Every check, whatever could not be read too."""
    yield from check_identity(deployment, sight)
    yield from check_rights(deployment, sight, wanted)
    yield from check_own_rights(deployment, sight, wanted)
    yield from check_providers(sight)
    yield from check_function_app(deployment, sight)
    yield from check_app_settings(deployment, sight)
    yield from check_storage(deployment, sight)
    yield from check_events(deployment, sight)
    yield from check_authentication(deployment, sight)
    yield from check_health(deployment, sight)
