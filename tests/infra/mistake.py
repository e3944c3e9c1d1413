"""One mistake to be planted into a copy of infra/."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """`old`, a pattern found in `file`, becomes `new`. `said`: what the complaint is about. `at`: a pattern of the line
    it names, when that is not the changed one; `where`: its file, when that is not the changed one."""

    check: str
    file: str
    old: str
    new: str
    said: str
    at: str = ""
    where: str = ""


STORAGE, SITE, MAIN = "app/storage.bicep", "app/function-app.bicep", "main.bicep"
CLUSTERS, JOBS, TOPIC = "events/cluster-events.bicep", "events/job-events.bicep", "app/topic.bicep"
