"""A backup that misses a volume, from Azure's job to the team's message, while the host is killed on the way."""

import time
from collections.abc import Callable
from pathlib import Path

from demo.fleet import WORKSPACE
from demo.stack import Stack
from demo.team import Team
from tests.e2e.conftest import ENFORCE, FAST, NewStack
from tests.e2e.test_e2e_protection import ready_reason

TOLD = (
    ENFORCE
    + """\
notifications:
  group_wait: PT1M
  group_interval: PT1M
  routes:
    - name: team
      channels: [TEAM]
"""
)
VOLUME = {"name": "media-files", "namespace": "default", "kind": "nfs"}


def events_taken(stack: Stack, kind: str) -> int:
    """How many invocations of the function ended well."""
    lines = [line for line in stack.host_log() if line.get("function") == kind]
    return sum(line.get("outcome") == "Succeeded" for line in lines)


def test_a_missed_volume_reaches_the_team_once_although_the_host_is_killed(
    new_stack: NewStack, until: Callable[..., None], tmp_path: Path
) -> None:
    with Team(tmp_path / "messages") as team:
        stack = new_stack(TOLD, pace=FAST, settings={"AKS_BACKUP_GUARD_CHANNEL_TEAM": team.address})
        stack.prepare_topic_and_logs(WORKSPACE)
        stack.start_host()
        stack.subscribe()
        [cluster] = stack.create_clusters("westeurope", settled=True)
        until(lambda: ready_reason(stack, cluster) == "Protected", "the cluster to be protected", stack)

        def watched(holds: Callable[[], object], what: str) -> None:
            def looked() -> object:
                stack.run_timer("job_watch")
                time.sleep(0.5)
                return holds()

            until(looked, what, stack)

        stack.control("POST", "clusters/contents", {"cluster": cluster, "volumes": [VOLUME]})
        stack.control("POST", "schedule/run", {"cluster": cluster})
        heard = events_taken(stack, "job_events")
        watched(lambda: events_taken(stack, "job_events") > heard, "the job to come back as an event")
        port = stack.kill_host()
        stack.start_host(port=port)
        watched(lambda: [m for m in team.messages() if "media-files" in m.text], "the team to be told")
        assert ready_reason(stack, cluster) == "BackupIncomplete"

        stack.control("POST", "clusters/contents", {"cluster": cluster, "volumes": []})
        stack.control("POST", "schedule/run", {"cluster": cluster})
        watched(lambda: [m for m in team.messages() if "Resolved" in m.title], "the alert to be over")
        assert ready_reason(stack, cluster) == "Protected"
        assert len(team.messages()) == 2, [message.title for message in team.messages()]
        address = team.address.removeprefix("json://").rstrip("/")
        assert address not in (stack.folder / "host.log").read_text(encoding="utf-8"), "addresses are never logged"
