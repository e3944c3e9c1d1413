"""Messages as they really arrive: Apprise, sockets, and receivers on the loopback."""

import logging
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from apprise.plugins import pagerduty
from apprise.plugins.slack import NotifySlack

from shared.domain.errors import DeliveryError
from shared.domain.messages import Message
from shared.notify.cards import slack, teams
from shared.notify.channels import AppriseChannels
from tests.contract.receivers import MailReceiver, WebReceiver, mail_receiver, web_receiver
from tests.fakes.announcements import NOON, about, announced, cause

SECRET = "TopSecretSignature0123456789"
TITLE = "Warning: aks-shop: The backup is incomplete"


def message(*announcements: Any) -> Message:
    return Message("b" * 40, "shop", announcements or (announced(),), "https://guard.example.com/api/dashboard")


@pytest.fixture
def web() -> Iterator[WebReceiver]:
    with web_receiver() as receiver:
        yield receiver


@pytest.fixture
def secure_web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebReceiver]:
    with web_receiver(tmp_path) as receiver:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        yield receiver


@pytest.fixture
def mail() -> Iterator[MailReceiver]:
    with mail_receiver() as receiver:
        yield receiver


@pytest.fixture
def slack_web(web: WebReceiver, monkeypatch: pytest.MonkeyPatch) -> WebReceiver:
    monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{web.port}/services")
    return web


@pytest.fixture
def pagerduty_web(web: WebReceiver, monkeypatch: pytest.MonkeyPatch) -> WebReceiver:
    monkeypatch.setitem(pagerduty.PAGERDUTY_API_LOOKUP, "us", f"http://127.0.0.1:{web.port}/v2/enqueue")
    return web


def workflow(port: int) -> str:
    """As Power Automate gives it out."""
    return (
        f"https://127.0.0.1:{port}/workflows/643e69f83c8944438d68119179a10a64/triggers/manual/paths/invoke"
        f"?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={SECRET}"
    )


async def test_a_teams_workflow_gets_our_card(secure_web: WebReceiver) -> None:
    secure_web.status = 202
    await AppriseChannels({"TEAMS": workflow(secure_web.port)}).deliver("TEAMS", message())

    assert secure_web.bodies() == [teams(message())]
    assert secure_web.paths[0].startswith("/workflows/643e69f83c8944438d68119179a10a64/triggers/manual/paths/invoke?")
    assert f"sig={SECRET}" in secure_web.paths[0]


async def test_a_big_card_is_one_message(secure_web: WebReceiver) -> None:
    many = message(*(announced(who=about(f"aks-{n:03}")) for n in range(500)))
    await AppriseChannels({"TEAMS": workflow(secure_web.port)}).deliver("TEAMS", many)
    assert secure_web.bodies() == [teams(many)]


async def test_slack_gets_our_blocks(slack_web: WebReceiver) -> None:
    address = f"https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/{SECRET[:24]}"
    await AppriseChannels({"SLACK": address}).deliver("SLACK", message())

    assert slack_web.bodies() == [{"attachments": [slack(message())]}]
    assert slack_web.paths == [f"/services/T1JJ3T3L2/A1BRTD4JD/{SECRET[:24]}"]


async def test_a_webhook_gets_title_and_text(web: WebReceiver) -> None:
    await AppriseChannels({"HOOK": f"json://127.0.0.1:{web.port}/hook"}).deliver("HOOK", message())

    [body] = web.bodies()
    assert (body["title"], body["type"], body["attachments"]) == (TITLE, "warning", [])
    assert "- shop/Pod/database-0 (UserErrorHookExecutionFailed: The command returned 1.)" in body["message"]
    assert "https://portal.azure.com/#resource/subscriptions/" in body["message"]
    assert "https://guard.example.com/api/dashboard?cluster=" in body["message"]


@pytest.mark.parametrize("scheme", ["xml", "form"])
async def test_other_webhooks_too(web: WebReceiver, scheme: str) -> None:
    await AppriseChannels({"HOOK": f"{scheme}://127.0.0.1:{web.port}/hook"}).deliver("HOOK", message())
    [(_, body)] = web.requests
    assert b"aks-shop" in body


async def test_mail_is_html_with_an_honest_subject(mail: MailReceiver) -> None:
    nasty = announced(who=replace(about(), name="aks\r\nBcc: evil@example.com <script>"))
    address = f"mailto://127.0.0.1:{mail.port}?from=guard@contoso.com&to=team@contoso.com&mode=insecure"
    await AppriseChannels({"MAIL": address}).deliver("MAIL", message(nasty))

    [(recipients, received)] = mail.mails
    assert recipients == ["team@contoso.com"]
    assert received["Subject"].startswith("Warning: aks Bcc: evil@example.com <script>")
    assert received["Bcc"] is None
    body = received.get_body(("html",))
    assert body is not None
    assert "<li><b>Cluster:</b> aks Bcc: evil@example.com &lt;script&gt;</li>" in body.get_content()


async def test_pagerduty_has_an_incident_for_each_alert_and_resolves_it(pagerduty_web: WebReceiver) -> None:
    pagerduty_web.status, channels = 202, AppriseChannels({"PAGER": f"pagerduty://{SECRET}@apikey"})
    grave = announced(what=cause(severity="Critical"))
    await channels.deliver("PAGER", message(grave))
    await channels.deliver("PAGER", message(announced("Resolved", what=cause(severity="Critical"))))

    raised, resolved = pagerduty_web.bodies()
    assert (raised["event_action"], raised["dedup_key"]) == ("trigger", grave.alert.id)
    assert raised["payload"]["severity"] == "critical"
    assert raised["payload"]["source"] == "aks-shop"
    assert raised["payload"]["custom_details"]["Resource group"] == "shop"
    assert len(raised["payload"]["summary"]) <= 1024
    assert resolved == {"routing_key": SECRET, "event_action": "resolve", "dedup_key": grave.alert.id}


async def test_pagerduty_is_not_paged_five_hundred_times(pagerduty_web: WebReceiver) -> None:
    pagerduty_web.status = 202
    many = message(*(announced(who=about(f"aks-{n:03}")) for n in range(500)))
    await AppriseChannels({"PAGER": f"pagerduty://{SECRET}@apikey"}).deliver("PAGER", many)

    [raised] = pagerduty_web.bodies()
    assert raised["dedup_key"] == many.key
    assert raised["payload"]["summary"].startswith("Warning: 500 clusters: ")


async def test_pagerduty_is_not_paged_for_what_is_over(pagerduty_web: WebReceiver) -> None:
    over = message(announced(), announced("Resolved", at=NOON + timedelta(minutes=1)))
    await AppriseChannels({"PAGER": f"pagerduty://{SECRET}@apikey"}).deliver("PAGER", over)
    assert pagerduty_web.requests == []


async def test_a_refusal_is_an_error_with_its_status(web: WebReceiver) -> None:
    web.status = 503
    with pytest.raises(DeliveryError, match="AKS_BACKUP_GUARD_CHANNEL_HOOK: JSON answered HTTP 503"):
        await AppriseChannels({"HOOK": f"json://127.0.0.1:{web.port}/hook"}).deliver("HOOK", message())


async def test_a_redirect_is_not_a_success(web: WebReceiver) -> None:
    """It would be followed by a GET without the message."""
    web.status = 302
    with pytest.raises(DeliveryError, match="HTTP 302"):
        await AppriseChannels({"HOOK": f"json://127.0.0.1:{web.port}/hook"}).deliver("HOOK", message())
    assert web.paths == ["/hook"]


async def test_an_optional_channel_that_fails_is_an_error_too(web: WebReceiver) -> None:
    web.status = 500
    with pytest.raises(DeliveryError, match="HTTP 500"):
        await AppriseChannels({"HOOK": f"json://127.0.0.1:{web.port}/hook?optional=yes"}).deliver("HOOK", message())


async def test_a_mail_server_that_refuses_is_an_error(mail: MailReceiver) -> None:
    mail.takes_mail = False
    address = f"mailto://127.0.0.1:{mail.port}?from=guard@contoso.com&to=team@contoso.com&mode=insecure"
    with pytest.raises(DeliveryError, match="AKS_BACKUP_GUARD_CHANNEL_MAIL"):
        await AppriseChannels({"MAIL": address}).deliver("MAIL", message())


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", "is missing or empty"),
        ("  ", "is missing or empty"),
        (f"@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/{SECRET})", "Key Vault Secrets User"),
        (f"no address {SECRET}", "no address that Apprise knows"),
        (f"https://contoso.example/{SECRET}", "no address that Apprise knows"),
        (f"slack://{SECRET}", "no address that Apprise knows"),
        (f"nosuchservice://{SECRET}", "no address that Apprise knows"),
    ],
)
async def test_a_bad_address_is_named_by_its_setting(
    address: str, why: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(1)
    with pytest.raises(DeliveryError, match=f"AKS_BACKUP_GUARD_CHANNEL_BAD.*{why}") as raised:
        await AppriseChannels({"BAD": address}).deliver("BAD", message())
    _assert_secret(raised.value, caplog, capfd)


async def test_an_unknown_channel_is_named_by_its_setting() -> None:
    with pytest.raises(DeliveryError, match="the app setting AKS_BACKUP_GUARD_CHANNEL_OTHER is missing or empty"):
        await AppriseChannels({}).deliver("OTHER", message())


@pytest.mark.parametrize("status", [200, 401, None])
async def test_no_address_is_logged_or_raised(
    status: int | None,
    secure_web: WebReceiver,
    slack_web: WebReceiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """With every log at its loudest, and whether the service takes the message, refuses it or hangs up."""
    monkeypatch.setitem(pagerduty.PAGERDUTY_API_LOOKUP, "us", f"http://127.0.0.1:{slack_web.port}/v2/enqueue")
    for name in (None, "apprise", "urllib3", "urllib3.connectionpool", "requests"):
        caplog.set_level(1, logger=name)
    logging.getLogger().debug("the log is at its loudest")
    secure_web.status = slack_web.status = status
    channels = AppriseChannels(
        {
            "TEAMS": workflow(secure_web.port),
            "SLACK": f"https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/{SECRET[:24]}",
            "HOOK": f"json://user:{SECRET}@127.0.0.1:{slack_web.port}/{SECRET}?+Authorization={SECRET}",
            "PAGER": f"pagerduty://{SECRET}@{SECRET}",
            "MAIL": f"mailto://guard:{SECRET}@127.0.0.1:1?from=guard@contoso.com&to=team@contoso.com&mode=insecure",
        }
    )
    failures = []
    for channel in ("TEAMS", "SLACK", "HOOK", "PAGER", "MAIL"):
        try:
            await channels.deliver(channel, message())
        except DeliveryError as error:
            failures.append(error)
    assert len(secure_web.requests) == 1
    assert len(slack_web.requests) == 3
    assert len(failures) == (1 if status == 200 else 5)
    assert "the log is at its loudest" in caplog.text
    for failure in failures:
        _assert_secret(failure, caplog, capfd)
    _assert_secret(None, caplog, capfd)


def _assert_secret(
    error: BaseException | None, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    out, err = capfd.readouterr()
    told = "" if error is None else "".join(traceback.format_exception(error)) + repr(error.__context__)
    records = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    for secret in (SECRET, SECRET[:24]):
        assert secret not in told
        assert secret not in records
        assert secret not in out + err
