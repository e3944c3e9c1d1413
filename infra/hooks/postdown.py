"""After `azd down`: says again what remains, as `predown` found it."""

from collections.abc import Callable, Mapping

from infra.hooks.predown import remains_file


def run(environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Says where to look when nothing was kept."""
    kept = remains_file(environment)
    if not kept.is_file():
        say("azd down takes away the app alone; Backup vaults, backup instances and snapshots remain (docs/deploy.md)")
        return
    for line in kept.read_text(encoding="utf-8").splitlines():
        say(line)
