"""`doctor` on what is deployed as it must be, on what may not be read, and as a command."""

import asyncio
import json
import os
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from aiohttp import web

from cli.app_health import AppHealth, HealthUnreadError
from cli.doctor import rights_files
from cli.doctor.command import exit_code
from cli.doctor.deployment import DeploymentUnknownError, deployment_of, read_env_file
from cli.doctor.function_app import FUNCTIONS
from infra.rights import ASSIGN_ROLES, GRANTS
from infra.rights.calls import custom_role
from simulator.arm.faults import Fault
from simulator.identity.models import OPERATOR
from simulator.server import start
from tests.contract.deployed_world import (
    APP,
    EVENTS,
    MANAGEMENT_GROUP,
    OPERATIONS,
    OWNER,
    ROOT,
    SECOND,
    SETTINGS_OF_APP,
    TOPIC,
    TYPES,
    URL,
    WEB,
    DeployedWorld,
)
from tests.contract.simulator_program import CHECKOUT
from tests.contract.test_doctor_breakages import RBAC, READER, SYSTEM_TOPIC, named
from tests.virtual.azure import ROLES, SUBSCRIPTION


@pytest.mark.parametrize("mode", ["audit", "enforce"])
@pytest.mark.parametrize("delivery", ["function", "queue"])
async def test_what_is_deployed_as_infra_says_is_all_well(mode: Any, delivery: str) -> None:
    world = DeployedWorld(mode, delivery, (SUBSCRIPTION, SECOND))
    await world.deploy()
    results = await world.examine()
    assert [result for result in results if result.status != "ok"] == []
    assert exit_code(results) == 0
    assert {result.group for result in results} == {
        "identity", "rights", "providers", "function app", "settings", "storage", "topic", "subscriptions",
        "authentication", "health",
    }  # fmt: skip


async def test_it_only_reads() -> None:
    world = DeployedWorld()
    await world.deploy()
    world.cloud.front_door.calls.clear()
    await world.examine()
    made = {(call.method, "" if call.method == "GET" else call.path) for call in world.cloud.front_door.calls.all()}
    questions = ("POST", "/providers/Microsoft.ResourceGraph/resources")
    assert made == {("GET", ""), questions, ("POST", f"{SETTINGS_OF_APP}/list")}


async def test_a_management_group_is_judged_where_the_rights_are_given() -> None:
    world = DeployedWorld(managed=(SECOND,))
    await world.deploy()
    results = await world.examine()
    assert [result for result in results if result.status != "ok"] == []
    subjects = {result.subject for result in results if (result.group, result.name) == ("rights", "actions")}
    assert subjects == {"landing", SUBSCRIPTION, SECOND}

    await world.grant(OWNER, MANAGEMENT_GROUP)
    assert named(await world.examine()) == {("rights", "no more", "landing")}, "said once, and not of what lies below"
    [found] = await world.assignments(MANAGEMENT_GROUP, OWNER)
    await world.done("DELETE", found["id"], ROLES)
    [found] = await world.assignments(MANAGEMENT_GROUP, RBAC)
    await world.done("DELETE", found["id"], ROLES)
    lacking = {("rights", "role administration", subject) for subject in ("landing", SECOND)}
    assert named(await world.examine()) == lacking


async def test_a_management_group_that_shows_nothing_is_not_well() -> None:
    world = DeployedWorld(given={"GUARD_MANAGEMENT_GROUPS": "landing"})
    world.cloud.management.put("landing", None, None, [])
    await world.deploy()
    found = [result for result in await world.examine() if result.name == "management group"]
    assert [(result.status, result.subject) for result in found] == [("could not tell", "landing")]


async def test_no_secret_of_the_settings_is_ever_shown() -> None:
    world = DeployedWorld()
    await world.deploy()
    secrets = {
        "AzureWebJobsStorage": "DefaultEndpointsProtocol=https;AccountKey=TOPSECRET",
        "AKS_BACKUP_GUARD_CHANNEL_PAGER": "json://hooks.example/TOPSECRET",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=TOPSECRET",
    }
    before = (await world.done("POST", f"{SETTINGS_OF_APP}/list", WEB))["properties"]
    await world.put(SETTINGS_OF_APP, WEB, {"properties": before | secrets})
    results = await world.examine()
    assert [result for result in results if result.subject == "AKS_BACKUP_GUARD_CHANNEL_PAGER"]
    assert "TOPSECRET" not in str(results)


async def test_regions_nobody_named_are_those_where_clusters_are() -> None:
    world = DeployedWorld(given={"GUARD_REGIONS": ""})
    await world.deploy()
    for location in ("westeurope", "northeurope"):
        world.cloud.container_service.create_cluster(location, SUBSCRIPTION, {"settled": True})
    await world.clock.advance(3600)
    group = f"{ROOT}/resourceGroups/AKSAzureBackupSnapshots_northeurope"
    [wrong] = [result for result in await world.examine() if result.status != "ok"]
    assert (wrong.name, wrong.subject, wrong.status) == ("snapshot group", group, "wrong")
    assert "--location northeurope" in wrong.fix


async def test_the_right_under_another_spelling_of_the_condition_is_the_same() -> None:
    world = DeployedWorld()
    await world.deploy()
    [found] = await world.assignments(ROOT, RBAC)
    told = found["properties"]
    told["condition"] = " ".join(ASSIGN_ROLES.replace("{appPrincipalId}", world.principal).split())
    kept = ("roleDefinitionId", "principalId", "principalType", "condition", "conditionVersion")
    await world.put(found["id"], ROLES, {"properties": {name: told[name] for name in kept}})
    assert named(await world.examine()) == set()


async def test_what_the_person_may_not_read_is_not_called_wrong() -> None:
    world = DeployedWorld()
    await world.deploy()
    person = world.cloud.identity.new_principal("somebody")
    world.cloud.authorization.grant(person.object_id, READER, ROOT)
    results = await world.examine(person)
    [unread] = [result for result in results if result.status != "ok"]
    assert (unread.group, unread.name, unread.status) == ("settings", "valid", "could not tell")
    assert f"You need Website Contributor on {APP}." in unread.message
    assert exit_code(results) == 2


async def test_a_role_that_cannot_be_read_may_give_too_much() -> None:
    world = DeployedWorld()
    await world.deploy()
    guid = str(uuid5(NAMESPACE_URL, "surprise"))
    role = custom_role(ROOT, guid, "Surprise", ("Microsoft.Compute/disks/delete",))
    await world.put(role.path, role.api_version, role.body)
    await world.grant(guid, ROOT)
    hidden = re.compile(f"roleDefinitions/{guid}", re.IGNORECASE)
    world.cloud.front_door.faults.add(Fault("hidden", "GET", hidden, status=403, code="AuthorizationFailed"))
    [unread] = [result for result in await world.examine() if result.status != "ok"]
    assert (unread.name, unread.subject, unread.status) == ("no more", SUBSCRIPTION, "could not tell")


async def test_nobody_learns_nothing_and_is_told_what_is_needed() -> None:
    world = DeployedWorld()
    await world.deploy()
    results = await world.examine(world.cloud.identity.new_principal("stranger"))
    assert {result.status for result in results} == {"ok", "could not tell"}
    assert {result.group for result in results if result.status == "ok"} == {"health"}
    assert all("Reader on" in result.message or "Contributor on" in result.message for result in results
               if result.status != "ok"), results  # fmt: skip


async def test_an_app_that_is_gone_leaves_the_rest_to_be_told() -> None:
    world = DeployedWorld()
    await world.deploy()
    await world.done("DELETE", APP, WEB)
    results = await world.examine()
    assert ("function app", "exists", "") in named(results)
    groups = {result.group for result in results if result.status == "could not tell"}
    assert groups == {"function app", "settings", "authentication"}
    await world.done("DELETE", TOPIC, "2025-02-15")
    assert ("topic", "exists", "") in named(await world.examine())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"FUNCTION_APP_ID": "", "DEPLOYED_MODE": ""}, "FUNCTION_APP_ID, DEPLOYED_MODE"),
        ({"MONITORED_SUBSCRIPTIONS": ""}, "MONITORED_SUBSCRIPTIONS"),
        ({"DEPLOYED_MODE": "watch"}, "use audit or enforce"),
        ({"EVENT_DELIVERY": "mail"}, "use function or queue"),
        ({"STORAGE_ACCOUNT_ID": "stguard"}, "no ARM id"),
    ],
)
async def test_a_deployment_that_is_not_known_is_said_to_be_so(changes: dict[str, str], words: str) -> None:
    world = DeployedWorld()
    await world.deploy()
    with pytest.raises(DeploymentUnknownError, match=words):
        deployment_of(world.values | changes)


def test_the_file_is_as_azd_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "guard.env"
    file.write_text(
        "# a remark\n\nFUNCTION_APP_ID=\"/subscriptions/x\"\nexport A='b c'\nBARE=plain # with a remark\n"
        'QUOTED="say \\"hi\\" \\\\ "\nEMPTY=""\n'
    )
    assert read_env_file(file) == {
        "FUNCTION_APP_ID": "/subscriptions/x", "A": "b c", "BARE": "plain", "QUOTED": 'say "hi" \\ ', "EMPTY": "",
    }  # fmt: skip
    file.write_text("A=b\nnot a line\n")
    with pytest.raises(DeploymentUnknownError, match="line 2"):
        read_env_file(file)
    with pytest.raises(DeploymentUnknownError, match="cannot be read"):
        read_env_file(tmp_path / "none")


def test_the_functions_are_those_the_app_registers() -> None:
    import function_app

    assert {function.get_function_name() for function in function_app.app.get_functions()} == FUNCTIONS


async def test_health_that_cannot_be_read_says_nothing_of_the_app() -> None:
    world = DeployedWorld()
    await world.deploy()

    async def down(url: str) -> AppHealth:
        raise HealthUnreadError(f"{url} did not answer: refused")

    world.read_health = down  # type: ignore[method-assign]
    [unread] = [result for result in await world.examine() if result.status != "ok"]
    assert (unread.group, unread.status, unread.message) == (
        "health",
        "could not tell",
        f"{URL} did not answer: refused",
    )


async def _healthy(request: web.Request) -> web.StreamResponse:
    """In pieces, as a network may bring it."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    for piece in ('{"status": "healthy", "vers', 'ion": "1.2.3", "synthetic_event": null}'):
        await answer.write(piece.encode())
        await asyncio.sleep(0.05)
    return answer


async def _doctor(folder: Path, base: str, *words: str) -> tuple[int, str, str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE", "AKS_", "IDENT"))}
    own = {
        "PYTHONPATH": str(CHECKOUT),
        "IDENTITY_ENDPOINT": f"{base}/msi/token",
        "IDENTITY_HEADER": OPERATOR.secret or "",
        "AKS_BACKUP_GUARD_ARM_ENDPOINT": base,
    }
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", "doctor", *words, cwd=folder, env=known | own, stdout=pipe, stderr=pipe
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_the_command_reads_a_real_deployment_and_ends_as_it_should(tmp_path: Path) -> None:
    world = DeployedWorld(began=datetime.now(UTC))
    await world.deploy()
    app = web.Application()
    app.router.add_get("/api/health", _healthy)
    guard = web.AppRunner(app)
    await guard.setup()
    await web.TCPSite(guard, "127.0.0.1", 0).start()
    simulator, base = await start(world.cloud)
    try:
        url = f"http://127.0.0.1:{guard.addresses[0][1]}"
        lines = [f'{name}="{value}"' for name, value in (world.values | {"FUNCTION_APP_URL": url}).items()]
        (tmp_path / "guard.env").write_text("\n".join(lines))
        code, out, err = await _doctor(tmp_path, base, "--env-file", "guard.env")
        assert (code, out.strip().endswith(" ok, 0 wrong, 0 could not tell.")) == (0, True), (out, err)
        assert out.count("\n") == 1, "what is well is not listed"

        await world.grant(OWNER, ROOT)
        code, out, err = await _doctor(tmp_path, base, "--env-file", "guard.env")
        assert code == 1, (out, err)
        assert f"WRONG  rights / no more: {SUBSCRIPTION}" in out
        assert "\n    az role assignment delete --ids /subscriptions/" in out, "whole, on a line of its own"
        code, out, err = await _doctor(tmp_path, base, "--env-file", "guard.env", "--output", "json")
        told = json.loads(out)
        assert (code, told["counts"]["wrong"]) == (1, 1)
        [wrong] = [check for check in told["checks"] if check["status"] == "wrong"]
        assert set(wrong) == {"group", "check", "subject", "status", "message", "fix"}

        code, out, err = await _doctor(
            tmp_path, base, "--env-file", "guard.env", "--set", "FUNCTION_APP_URL=http://127.0.0.1:9"
        )
        assert (code, "COULD NOT TELL  health / healthy" in out) == (2, True), (out, err)
        code, out, err = await _doctor(tmp_path, base)
        assert (code, out) == (2, "")
        assert "azd env get-values > guard.env" in err
        code, _, err = await _doctor(tmp_path, base, "--set", "COLOUR=red")
        assert (code, "FUNCTION_APP_ID" in err) == (2, True)
        code, _, err = await _doctor(tmp_path, "http://127.0.0.1:9", "--env-file", "guard.env")
        assert code == 2, err
    finally:
        await guard.cleanup()
        await simulator.cleanup()


@pytest.mark.parametrize("delivery", ["function", "queue"])
async def test_the_topic_of_a_subscription_may_be_without_an_identity(delivery: str) -> None:
    """Azure may refuse one to what is global; then there are no dead letters of its events, which is said. Only the
    queue is not reached without."""
    world = DeployedWorld("audit", delivery)
    await world.deploy()
    source = (await world.get(SYSTEM_TOPIC, EVENTS))["properties"]["source"]
    await world.done("DELETE", SYSTEM_TOPIC, EVENTS)
    properties = {"source": source, "topicType": "Microsoft.Resources.Subscriptions"}
    await world.put(SYSTEM_TOPIC, EVENTS, {"location": "global", "properties": properties})
    if delivery == "function":
        changed = {"deadLetterWithResourceIdentity": None}
        await world.subscribe(SYSTEM_TOPIC, "func-guard", "cluster_events", TYPES, OPERATIONS, **changed)
    results = await world.examine()
    [told] = [result for result in results if result.name == "system topic"]
    assert "no identity" in told.message
    if delivery == "function":
        assert named(results) == set()
    else:
        assert told.status == "wrong"
        assert told.fix.startswith("az resource update")


async def test_a_right_that_is_given_in_unknown_words_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    world = DeployedWorld()
    await world.deploy()
    reworded = tuple(replace(each, when="now and then") if each.who == "topics" else each for each in GRANTS)
    monkeypatch.setattr(rights_files, "GRANTS", reworded)
    with pytest.raises(ValueError, match="'now and then'"):
        rights_files.wanted_rights(world.deployment)
