"""docs/controls.md: what a sweep holds clusters to, from the catalogue itself."""

from collections.abc import Iterable, Iterator

from shared.plan.compliance.catalogue import CONTROLS, FLEET_CONTROLS
from shared.plan.compliance.control import Control
from shared.plan.compliance.facts import FACT_SOURCES

_BEGIN = """# Controls

What a sweep asks of every cluster: could it be restored today, to the promise its profile makes? This page is made
from the code: `python -m shared.plan.compliance > docs/controls.md`.

A verdict is `Compliant`, `NonCompliant`, `Unknown` or `Exempt`. What could not be read is `Unknown` and says why; it is
never `Compliant`. A control that the profile does not ask for gives no verdict.

* `restorable` is `No` when an essential control is `NonCompliant`, else `Unknown` when one is `Unknown`, else `Yes`.
* The score, 0 to 100, is the share of verdicts that are `Compliant`, by weight: Critical 8, Error 4, Warning 2,
  Informational 1.
* A profile changes the severity of a control by `compliance.severities`, and leaves one out by `compliance.without`.
* An exempt cluster, one that a rule leaves alone, and one that is younger than its profile's minimum age are `Exempt`
  in everything, with the reason and, where there is one, the end. After its end an exemption excuses nothing.
* Without a backup instance whatever asks about the instance, its policy or its vault is `NonCompliant`.
* A stopped cluster makes no backups and changes nothing: a recovery point that became too old is `Unknown` then, and
  the message says so.
* An instance that was adopted counts as protection; the controls of policy, scope and vault say whether it is enough.
  More than the profile promises is compliant.
* Of a vault or policy that the profile names as existing it promises nothing of its own: those controls do not apply.
"""

_OWN = """
## Controls of your own

A query of Resource Graph in guard.yaml, whose rows name in the column `id` the clusters that do not comply and, if you
like, in `message` why:

```yaml
controls:
  - id: private-cluster
    title: The API server is private
    severity: Warning
    query: |
      resources
      | where type =~ 'microsoft.containerservice/managedclusters'
      | where properties.apiServerAccessProfile.enablePrivateCluster != true
      | project id, message = 'The API server has a public address.'
```

Every other cluster complies, so a row whose `id` is no cluster's ARM id is an error: the control is then `Unknown`.

Or a Python file beside guard.yaml, named in `control_files`. It sees a `Posture` (shared/plan/compliance/posture.py)
and changes nothing. An error in it makes its verdict `Unknown`, with the error's text, and touches nothing else:

```python
from shared.plan.compliance.control import COMPLIANT, Outcome, control


@control(
    id="owner-tag",
    title="The cluster says whose it is",
    why="Whoever restores it must know whom to ask.",
    remedy="Add the tag owner to the cluster.",
    severity="Informational",
)
def owner_tag(posture):
    if "owner" in posture.cluster.tags:
        return COMPLIANT
    return Outcome("NonCompliant", "NoOwner", "The cluster has no tag owner.")
```

`None` says that the control does not apply to the cluster. A list `CONTROLS` in the file, where there is one, says
which controls count and in which order.
"""


def handbook() -> str:
    return "".join(_lines())


def _lines() -> Iterator[str]:
    yield _BEGIN
    yield "\n## Of a cluster\n\n| control | severity | essential | what it asks |\n|---|---|---|---|\n"
    for control in CONTROLS:
        yes = "yes" if control.essential else ""
        yield f"| [`{control.id}`](#{control.id}) | {control.severity} | {yes} | {control.title} |\n"
    yield from _sections(CONTROLS)
    yield "\n## Of the fleet\n\nFindings, not verdicts: they are about a subscription, an instance, an exemption.\n"
    yield from _sections(FLEET_CONTROLS)
    yield _OWN
    yield "\n## Facts\n\nThe fact sheet of a cluster, and which of the sweep's questions answered each:\n\n"
    yield "| fact | from |\n|---|---|\n"
    for fact, source in FACT_SOURCES.items():
        yield f"| `{fact}` | {source} |\n"


def _sections(controls: Iterable[Control]) -> Iterator[str]:
    for control in controls:
        yield f"\n### {control.id}\n\n{control.title} ({control.severity}).\n\n"
        yield f"* Why: {control.why}\n* What to do: {control.remedy}\n"
        if control.rests_on:
            yield f"* Rests on: {', '.join(f'`{fact}`' for fact in control.rests_on)}\n"
