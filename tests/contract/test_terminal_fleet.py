"""`status`, `sweep` and `cost` on a fleet of every kind: the real command as a process, over HTTP."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from simulator.cloud import FIRST_SUBSCRIPTION
from tests.contract.simulator_program import CHECKOUT, started, stopped
from tests.contract.terminal import ONLY_READS, Terminal

HOSTILE = '=HYPERLINK("http://x") [red]<script>alert(1)</script>|`@all`\u202e\x1b[31mgnp'
GUARD = """\
revision: 3
profiles:
  standard:
    mode: audit
    vault: { soft_delete: "On" }
rules:
  - profile: standard
prices:
  currency: EUR
  protected_namespace: 5
  snapshot_gib: 0.05
"""
REFUSED = """\
controls:
  - id: our-own
    title: A query of our own
    essential: true
    query: resources | where nosuchcolumn == 1 | project id
"""
"""A query that Resource Graph does not answer: what it asks is unknown of every cluster, and it is essential."""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    running = started("--port", "0", "--no-schedules", "--speed", "1000")
    terminal = Terminal(running, tmp_path_factory.mktemp("fleet"), 1000)
    terminal.control("POST", "timings", {"resource_graph_lag": 0})
    terminal.create_clusters(protected=True, overrides={"name": "aks-good", "tags": {"team": "shop"}})
    terminal.create_clusters(
        overrides={"name": "aks-bare", "settled": True, "tags": {"team": "bank"}, "contents": volumes(32, 96)}
    )
    for group in ("rg-1", "rg-2"):
        tags = {"aks-backup-guard-exempt": HOSTILE[:256]}
        terminal.create_clusters(overrides={"name": "aks-out", "resource_group": group, "settled": True, "tags": tags})
    terminal.create_clusters(overrides={"name": "aks-evil", "settled": True, "tags": {"team": HOSTILE[:256]}})
    terminal.guard_yaml(GUARD)
    terminal.listed(5)
    terminal.control("DELETE", "calls")
    yield terminal
    stopped(running)


@pytest.fixture
def terminal(fleet: Terminal) -> Iterator[Terminal]:
    """The fleet with its guard.yaml as it was."""
    fleet.guard_yaml(GUARD)
    yield fleet
    assert fleet.sent() <= ONLY_READS, "whatever is asked, nothing is changed"


def volumes(*sizes: int) -> dict[str, object]:
    """Contents of a cluster: one namespace for each size in GiB."""
    names = [f"ns-{number}" for number in range(len(sizes))]
    return {
        "namespaces": names,
        "volumes": [
            {"name": f"pvc-{name}", "namespace": name, "size_gib": size}
            for name, size in zip(names, sizes, strict=True)
        ],
    }


def only(name: str, text: str) -> str:
    """A guard.yaml whose rules match one cluster and leave every other alone."""
    rule = f"  - match: {{ names: [{name}] }}\n    profile: standard\n  - profile: null"
    return text.replace("  - profile: standard", rule)


def restorable(document: dict[str, object]) -> dict[str, str]:
    return {cluster["name"]: cluster["restorable"] for cluster in document["clusters"]}  # type: ignore[attr-defined]


def test_each_cluster_has_the_answer_it_deserves(terminal: Terminal) -> None:
    code, document = terminal.json("sweep")
    assert restorable(document) == {"aks-good": "Yes", "aks-bare": "No", "aks-out": "Exempt", "aks-evil": "No"}
    assert code == 1
    assert document["sweep"]["overall"] | {"score": 0} == {
        "clusters": 5, "yes": 1, "no": 2, "unknown": 0, "exempt": 2, "score": 0,
    }  # fmt: skip
    calls = {(call["method"], call["path"]) for call in terminal.control("GET", "calls")}
    assert ("POST", "/providers/Microsoft.ResourceGraph/resources") in calls, "else the log shows nothing"


def test_exit_codes(terminal: Terminal) -> None:
    """0: clean. 1: something as grave as --fail-on. 2: something essential is not known, which beats findings."""
    assert terminal("status", "aks-good").returncode == 0
    assert terminal("status", "aks-bare").returncode == 1
    assert terminal("sweep", "--fail-on", "critical").returncode == 1, "of aks-bare there is no instance at all"

    terminal.guard_yaml(only("aks-good", GUARD))
    assert terminal("sweep").returncode == 0

    terminal.guard_yaml(only("aks-good", GUARD) + REFUSED)
    code, document = terminal.json("sweep")
    assert restorable(document)["aks-good"] == "Unknown"
    assert code == 2
    terminal.guard_yaml(GUARD + REFUSED)
    assert terminal("sweep").returncode == 2, "what is found may not be all"


def test_fail_on_says_what_counts(terminal: Terminal) -> None:
    """A control of somebody's own that finds a warning in the good cluster."""
    own = "controls:\n  - id: our-own\n    title: T\n    query: resources | where name == 'aks-good' | project id\n"
    terminal.guard_yaml(only("aks-good", GUARD) + own)
    assert [terminal("sweep", "--fail-on", grave).returncode for grave in ("Error", "Warning")] == [0, 1]


def test_trusted_access_is_known_only_when_each_cluster_is_asked(terminal: Terminal) -> None:
    def said(*words: str) -> dict[str, str]:
        _, document = terminal.json("status", "aks-good", *words)
        [cluster] = document["clusters"]
        [verdict] = [each for each in cluster["verdicts"] if each["control"].startswith("trusted-access")]
        return dict(verdict)

    unasked = said()
    assert unasked["status"] == "Unknown"
    assert "--read-bindings" in unasked["message"]
    assert said("--read-bindings")["status"] == "Compliant"

    fault = {"match": {"path_regex": "aks-good/trustedAccess"}, "then": {"status": 403, "code": "AuthorizationFailed"}}
    fault_id = terminal.control("POST", "faults", fault)["id"]
    assert said("--read-bindings")["status"] == "Unknown", "what may not be read is never compliant"
    terminal.control("DELETE", f"faults/{fault_id}")


def test_a_person_sees_the_posture_and_one_cluster_in_detail(terminal: Terminal) -> None:
    seen = terminal("status")
    assert seen.returncode == 1
    assert "Could be restored today, of 5 clusters" in seen.stdout
    for word in ("shop", "bank", "aks-bare", "In detail: aks-backup-guard status"):
        assert word in seen.stdout
    assert seen.stderr == "", "no progress where nobody watches"

    one = terminal("status", "AKS-BARE")
    for word in ("There is no backup instance", "Why it matters:", "What to do:", "protection_state = –"):
        assert word in one.stdout
    swept = terminal("sweep").stdout
    assert "aks-bare" in swept
    assert "A backup instance protects the cluster" in swept


def test_an_id_is_never_cut(terminal: Terminal) -> None:
    """It is there to be copied."""
    [cluster] = terminal.json("status", "aks-bare")[1]["clusters"]
    for width in ("60", "200"):
        seen = terminal("status", "aks-bare", COLUMNS=width).stdout
        assert cluster["clusterId"] in "".join(seen.split())


def test_every_form_can_be_read_by_whoever_reads_it(terminal: Terminal) -> None:
    rows = list(csv.DictReader(io.StringIO(terminal("sweep", "-o", "csv").stdout.removeprefix("\ufeff"))))
    assert {row["name"] for row in rows if row["kind"] == "cluster"} == {"aks-good", "aks-bare", "aks-out", "aks-evil"}
    assert not any(cell.startswith("=") for row in rows for cell in row.values())

    suites = ElementTree.fromstring(terminal("sweep", "-o", "junit").stdout.encode())  # noqa: S314 - our own
    cases = {case.get("name"): case for case in suites.iter("testcase")}
    assert {"aks-good", "aks-bare"} <= set(cases)
    assert any(case.find("failure") is not None for case in suites.iter("testcase"))

    assert terminal("sweep", "-o", "markdown").stdout.startswith("# ")

    tags: set[str] = set()

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.add(tag)
            assert not any(name.startswith("on") for name, _ in attrs)

    page = terminal("sweep", "-o", "html").stdout
    Tags().feed(page)
    assert "table" in tags
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    ("command", "output"),
    [("status", "table"), ("cost", "table"), *(("sweep", form) for form in ("csv", "html", "markdown"))],
)
def test_hostile_tags_are_only_text(terminal: Terminal, command: str, output: str) -> None:
    """As the team, and as the reason of an exemption."""
    said = terminal(command, "--output", output).stdout
    assert said
    assert "\x1b" not in said
    assert "\u202e" not in said
    if output in ("html", "markdown"):
        assert "<script>alert" not in said


def test_json_and_junit_say_hostile_tags_as_they_are(terminal: Terminal) -> None:
    answer = terminal("sweep", "--output", "json").stdout
    assert answer.isascii()
    assert HOSTILE[:256] in {cluster["team"] for cluster in json.loads(answer)["clusters"]}
    assert "\x1b" not in terminal("sweep", "--output", "junit").stdout


def test_out_writes_the_file_and_nothing_else(terminal: Terminal) -> None:
    answer = terminal("sweep", "-o", "json", "--out", "sweep.json")
    assert answer.stdout == ""
    assert "sweep.json" in answer.stderr
    assert len(json.loads((terminal.folder / "sweep.json").read_text())["clusters"]) == 5
    assert terminal("sweep", "--out", "no/such/folder/x").returncode == 2


def test_scope_is_what_was_named(terminal: Terminal) -> None:
    assert len(terminal.json("sweep", "--subscription", FIRST_SUBSCRIPTION.upper())[1]["clusters"]) == 5
    missing = terminal("sweep", "--subscription", "11111111-1111-1111-1111-111111111111")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "Reader" in missing.stderr
    terminal.control("POST", "management-groups", {"name": "landing-zone", "subscriptions": [FIRST_SUBSCRIPTION]})
    assert len(terminal.json("sweep", "--management-group", "landing-zone")[1]["clusters"]) == 5
    assert terminal("sweep", "--management-group", "no-such-group").returncode == 2
    both = ("--subscription", FIRST_SUBSCRIPTION, "--subscription", "11111111-1111-1111-1111-111111111111")
    code, document = terminal.json("sweep", *both)
    assert code == 2, "a part could not be read"
    assert len(document["clusters"]) == 5
    assert any("11111111" in finding["subject"] for finding in document["sweep"]["findings"])


def test_what_is_not_there_is_said(terminal: Terminal) -> None:
    for words in (["plan", "nosuch"], ["cost", "nosuch"], ["status", "/nonsense"]):
        answer = terminal(*words)
        assert (answer.returncode, answer.stdout) == (2, "")
        assert "nosuch" in answer.stderr or "nonsense" in answer.stderr


@pytest.mark.parametrize("command", ["status", "plan", "cost"])
@pytest.mark.parametrize("subscription", [FIRST_SUBSCRIPTION, "00000000-0000-0000-0000-0000000000ff"])
def test_an_id_of_no_cluster_is_said(terminal: Terminal, command: str, subscription: str) -> None:
    provider = "providers/Microsoft.ContainerService/managedClusters"
    answer = terminal(command, f"/subscriptions/{subscription}/resourceGroups/rg/{provider}/nosuch")
    assert answer.returncode == 2
    assert "nosuch" in answer.stdout + answer.stderr
    assert "see no subscription" not in answer.stderr
    assert "0.00" not in answer.stdout, "what is not there has no price"


def test_two_clusters_of_one_name_are_told_apart_by_their_ids(terminal: Terminal) -> None:
    answer = terminal("status", "aks-out")
    assert (answer.returncode, answer.stdout) == (2, "")
    ids = [line for line in answer.stderr.splitlines() if line.startswith("/subscriptions/")]
    assert len(ids) == 2
    assert "exempt" in terminal("status", ids[0]).stdout.lower()


def test_signed_in_nowhere_is_said_in_words(terminal: Terminal) -> None:
    for settings in ({"IDENTITY_HEADER": "wrong"}, {"IDENTITY_ENDPOINT": None, "PATH": ""}):
        answer = terminal("status", **settings)
        assert (answer.returncode, answer.stdout) == (2, "")
        assert "not signed in" in answer.stderr
        assert "az login" in answer.stderr
        assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("command", ["status", "plan", "cost"])
def test_a_wrong_setting_is_said_in_words(terminal: Terminal, command: str) -> None:
    answer = terminal(command, AKS_BACKUP_GUARD_ARM_ENDPOINT="ftp://azure")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "AKS_BACKUP_GUARD_ARM_ENDPOINT" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(("cluster", "code"), [("aks-good", 0), ("aks-bare", 1)])
@pytest.mark.parametrize("output", ["table", "csv", "json"])
def test_who_stops_reading_changes_no_exit_code(terminal: Terminal, cluster: str, code: int, output: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        answer = terminal("status", cluster, "-o", output, stdout=writing)
    finally:
        os.close(writing)
    assert answer.returncode == code
    assert "Traceback" not in answer.stderr
    assert "Broken pipe" not in answer.stderr


def test_a_full_disk_is_said(terminal: Terminal) -> None:
    with Path("/dev/full").open("wb") as full:
        answer = terminal("status", "aks-good", stdout=full.fileno())
    assert answer.returncode == 2
    assert "cannot be written" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_an_arm_that_is_not_there_is_said(terminal: Terminal) -> None:
    answer = terminal("sweep", AKS_BACKUP_GUARD_ARM_ENDPOINT="http://127.0.0.1:9")
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr


def test_a_wrong_configuration_is_never_replaced_by_another(terminal: Terminal, tmp_path: Path) -> None:
    terminal.guard_yaml("revision: 1\nprofiels: {}\n")
    for command in ("sweep", "plan", "cost"):
        answer = terminal(command)
        assert (answer.returncode, answer.stdout) == (2, "")
        assert "profiels" in answer.stderr
    good = tmp_path / "other.yaml"
    good.write_text(GUARD, encoding="utf-8")
    assert terminal("status", "aks-good", "--config", str(good)).returncode == 0
    assert terminal("status", "--config", "nosuch.yaml").returncode == 2
    assert terminal("status", "aks-good", AKS_BACKUP_GUARD_CONFIGURATION_YAML=GUARD).returncode == 0


def test_without_any_configuration_one_profile_judges_all(terminal: Terminal) -> None:
    (terminal.folder / "guard.yaml").unlink()
    answer = terminal("sweep", "-o", "json")
    assert "built-in profile in audit mode" in answer.stderr
    document = json.loads(answer.stdout)
    assert {cluster["profile"] for cluster in document["clusters"]} == {"built-in"}
    assert restorable(document)["aks-good"] == "Yes"


def test_an_own_control_in_python_is_asked_too(terminal: Terminal) -> None:
    terminal.guard_yaml(GUARD + "control_files: [ours.py]\n")
    ours = terminal.folder / "ours.py"
    ours.write_text("this is no python", encoding="utf-8")
    broken = terminal("sweep")
    assert broken.returncode == 2
    assert "ours.py" in broken.stderr


def test_a_storage_setting_that_is_wrong_does_not_matter_here(terminal: Terminal) -> None:
    assert terminal("status", "aks-good", AzureWebJobsStorage="nonsense").returncode == 0


def test_cost_by_hand(terminal: Terminal) -> None:
    """aks-bare: two namespaces own disks, 2 × 5 = 10; 128 GiB × (1 + 0.02 × 7) = 145.92 GiB × 0.05 = 7.296."""
    code, document = terminal.json("cost", "aks-bare")
    assert code == 0
    [cluster] = document["clusters"]
    namespaces, snapshots = cluster["lines"]
    assert (namespaces["quantity"], namespaces["amount"]) == (2, 10)
    assert snapshots["quantity"] == pytest.approx(145.92)
    assert snapshots["amount"] == pytest.approx(7.296)
    assert document["amount"] == pytest.approx(17.296)
    shown = terminal("cost", "aks-bare").stdout
    assert "128 GiB in 2 disks: 128 × (1 + 0.02 × 7 days kept)" in shown
    assert "Together 17.30 EUR a month" in shown


def test_cost_says_what_it_lacks(terminal: Terminal) -> None:
    terminal.guard_yaml(GUARD[: GUARD.index("prices:")])
    answer = terminal("cost")
    assert answer.returncode == 2
    assert "price not given" in answer.stdout
    assert "No sum" in answer.stdout


def test_cost_of_what_has_prices_and_no_quantities_says_so(terminal: Terminal) -> None:
    out = "scope: { excluded_namespaces: [default, orders, payments, shop, web] }"
    terminal.guard_yaml(GUARD.replace('"On" }', f'"On" }}\n    {out}'))
    answer = terminal("cost", "aks-good")
    assert answer.returncode == 2, "how many namespaces there are is not known"
    assert "gives no prices" not in answer.stdout
    assert "several prices" not in answer.stdout
    assert "Together 0.00 EUR a month for 1 cluster (without what is not known" in answer.stdout


def test_cost_of_a_cluster_with_a_profile_nobody_knows_is_not_told(tmp_path: Path) -> None:
    """Its tag names a profile that guard.yaml does not have: what it would cost cannot be reckoned."""
    running = started("--port", "0", "--no-schedules", "--speed", "1000")
    try:
        terminal = Terminal(running, tmp_path, 1000)
        terminal.control("POST", "timings", {"resource_graph_lag": 0})
        tags = {"aks-backup-guard-profile": "nosuch"}
        terminal.create_clusters(overrides={"name": "aks-lost", "settled": True, "tags": tags})
        terminal.guard_yaml(GUARD)
        terminal.listed(1)
        answer = terminal("cost", "aks-lost")
    finally:
        stopped(running)
    assert answer.returncode == 2
    assert "nosuch" in answer.stdout


def test_cost_leaves_out_who_is_exempt(terminal: Terminal) -> None:
    _, document = terminal.json("cost")
    assert {cluster["name"] for cluster in document["clusters"]} == {"aks-good", "aks-bare", "aks-evil"}
    assert any("aks-out" in remark for remark in document["remarks"])


def test_help_is_there_at_once() -> None:
    """Nothing of Azure, rich or pydantic is imported for it."""
    code = (
        "import sys; sys.argv = ['aks-backup-guard', '--help']\n"
        "from cli.__main__ import app\n"
        "try: app()\nexcept SystemExit: pass\n"
        "print([name for name in ('azure', 'aiohttp', 'pydantic', 'rich', 'yaml', 'shared') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert "sweep" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
