"""Delivery by Apprise: every service it knows, each with a message in the form it shows best.

Addresses are secrets. Apprise, requests and urllib3 put them into their log lines, so those go nowhere, and nothing
Apprise says is repeated but a status code.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from shared.domain.alerts import Severity
from shared.domain.errors import DeliveryError
from shared.domain.messages import Message
from shared.notify.cards import slack, teams
from shared.notify.document import Told, document, told
from shared.notify.foreign import clean, clipped
from shared.notify.text import as_html, markdown, plain

if TYPE_CHECKING:
    from apprise import NotifyBase, NotifyType
    from apprise.plugins.pagerduty import NotifyPagerDuty

SETTING = "AKS_BACKUP_GUARD_CHANNEL_"
"""Prefix of the app settings that hold addresses."""

_KEY_VAULT = "@microsoft.keyvault("
_STATUS = re.compile(r"\berror=([1-5][0-9]{2})\b")
_NAME_ADDRESSES = (
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.response",
    "urllib3.util.retry",
)
"""Loggers. Nothing else of the app goes through them: the Azure SDKs here speak through aiohttp."""
_CARD_PREVIEW = 500
"""Characters of the text beside a card; Apprise would cut a longer one in two and send the card twice."""
_MOST_INCIDENTS = 10
"""Alerts of one message that become PagerDuty incidents of their own; more become one for all of them."""
_PAGERDUTY_SUMMARY = 1024
"""Characters (PagerDuty Events API v2)."""
_PAGERDUTY_SEVERITY: Mapping[Severity, str] = {
    "Critical": "critical",
    "Error": "error",
    "Warning": "warning",
    "Informational": "info",
}


class AppriseChannels:
    """`ports.Channels`. `addresses` are Apprise URLs, or the URLs Teams and Slack themselves give out, by channel name;
    `seconds` is how long a service may take."""

    def __init__(self, addresses: Mapping[str, str], *, seconds: float = 30.0) -> None:
        self._addresses, self._seconds = dict(addresses), seconds

    async def deliver(self, channel: str, message: Message) -> None:
        """Raises DeliveryError."""
        _keep_logs_silent()
        from apprise.plugins.pagerduty import NotifyPagerDuty

        plugin = self._plugin(channel)
        if isinstance(plugin, NotifyPagerDuty) and not plugin.dedup:
            await self._incidents(channel, message)
            return
        title, body = _dressed(plugin, message)
        await self._send(channel, plugin, title, body, _kind(document(message).severity))

    async def _incidents(self, channel: str, message: Message) -> None:
        """An incident an alert, under the alert's id: raised again it stays one, and it resolves by itself. Of many at
        once only the resolved are told one by one."""
        from apprise.plugins.pagerduty import NotifyPagerDuty

        tellings = told(message)
        lasting = [it for it in tellings if not it.over]
        groups = [[it] for it in tellings if it.over and not it.unseen]
        groups += [[it] for it in lasting] if len(lasting) <= _MOST_INCIDENTS else [lasting]
        for group in groups:
            plugin = self._plugin(channel)
            if isinstance(plugin, NotifyPagerDuty):
                summary = _as_incident(plugin, group, message)
                await self._send(channel, plugin, "", summary, _kind(group[0].newest.alert.severity))

    def _plugin(self, channel: str) -> "NotifyBase":
        """A fresh one for every message: what it holds of the last one, and its pause between two, are of no use."""
        from apprise import Apprise, AppriseAsset, OverflowMode

        setting = f"{SETTING}{channel}"
        address = self._addresses.get(channel, "").strip()
        if not address:
            raise DeliveryError(f"the app setting {setting} is missing or empty")
        if address.lower().startswith(_KEY_VAULT):
            raise DeliveryError(
                f"the Key Vault reference in the app setting {setting} was not resolved; the app's identity needs "
                "Key Vault Secrets User on the vault, and the vault must let the app in"
            )
        asset = AppriseAsset(
            app_id="AKS Backup Guard",
            app_desc="AKS Backup Guard",
            app_url="",
            image_url_mask="",
            image_url_logo="",
            http_redirects=False,  # a redirected POST arrives as a GET, without the message
            service_timeout=self._seconds,
        )
        plugin = Apprise.instantiate(address, asset=asset)
        if plugin is None:
            raise DeliveryError(f"the app setting {setting} holds no address that Apprise knows")
        plugin.optional = False  # else a failure would pass for a success
        plugin.overflow_mode = OverflowMode.TRUNCATE
        return plugin

    async def _send(self, channel: str, plugin: "NotifyBase", title: str, body: str, kind: "NotifyType") -> None:
        from apprise import Apprise

        sender = Apprise(asset=plugin.asset)
        sender.add(plugin)
        form = plugin.resolve_format()
        try:
            with await sender.async_notify(body=body, title=title, notify_type=kind, body_format=form) as result:
                status = next((found[1] for line in result.logs() if (found := _STATUS.search(line.message))), "")
                arrived = bool(result)
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises, its text may hold the address
            raise DeliveryError(f"{SETTING}{channel}: {plugin.service_name}: {type(error).__name__}") from None
        if not arrived:
            silent = f"could not be reached, or did not answer within {self._seconds:g} s"
            why = f"answered HTTP {status}" if status else silent
            raise DeliveryError(f"{SETTING}{channel}: {plugin.service_name} {why}")


class _StatusOnly(logging.Filter):
    """Of all that is logged, lets through the status of an answer."""

    def filter(self, record: logging.LogRecord) -> bool:
        found = _STATUS.search(record.getMessage())
        record.msg, record.args, record.exc_info = (found[0] if found else ""), (), None
        return found is not None


_STATUS_ONLY = _StatusOnly()


def _keep_logs_silent() -> None:
    """Whatever the level: an address is in Apprise's warnings as well as in urllib3's debugging."""
    apprise = logging.getLogger("apprise")
    apprise.addFilter(_STATUS_ONLY)  # once, however often
    apprise.propagate = False
    for name in _NAME_ADDRESSES:
        logging.getLogger(name).disabled = True


def _dressed(plugin: "NotifyBase", message: Message) -> tuple[str, str]:
    """Title and body. A service that has cards gets one, unless its address asks for a template of its owner. Apprise
    takes cards from template files only; so here its own function that would read one gives ours."""
    from apprise import NotifyFormat
    from apprise.plugins.slack import NotifySlack, SlackMode
    from apprise.plugins.workflows import NotifyWorkflows

    if isinstance(plugin, NotifyWorkflows) and not plugin.template:
        card = teams(message)
        plugin.gen_payload = lambda *_args, **_options: card  # type: ignore[method-assign]
        return plain(message, _CARD_PREVIEW)
    workflows = (SlackMode.WORKFLOW, SlackMode.WORKFLOW_TRIGGER)
    if isinstance(plugin, NotifySlack) and not plugin.template and plugin.mode not in workflows:
        attachment = slack(message)
        plugin.gen_payload = lambda *_args, **_options: attachment  # type: ignore[method-assign]
        plugin.template = plugin.use_blocks = True  # type: ignore[assignment]
        return plain(message, _CARD_PREVIEW)
    forms = {NotifyFormat.TEXT: plain, NotifyFormat.MARKDOWN: markdown, NotifyFormat.HTML: as_html}
    return forms[plugin.resolve_format()](message, plugin.body_maxlen)


def _as_incident(plugin: "NotifyPagerDuty", tellings: Sequence[Told], message: Message) -> str:
    """The event's summary; everything else of the event is set."""
    first = tellings[0].newest
    one = len(tellings) == 1
    said = document(replace(message, announcements=(first,)) if one else message)
    plugin.action = "resolve" if tellings[0].over else "trigger"
    plugin.dedup = first.alert.id if one else message.key
    plugin.severity = _PAGERDUTY_SEVERITY[first.alert.severity]
    plugin.source = clean(first.about.name, 63) if one else "AKS Backup Guard"
    plugin.component = "AKS backup"
    plugin.class_id = clean(first.alert.cause.code, 150)
    plugin.details = dict(said.facts) | {
        section.heading: "\n".join((*section.paragraphs, *section.lines())) for section in said.sections
    }
    plugin.click = next((link.url for link in reversed(said.links)), None)
    return clipped(said.title, _PAGERDUTY_SUMMARY)


def _kind(severity: Severity | None) -> "NotifyType":
    """As Apprise has it; None: it is over."""
    from apprise import NotifyType

    if severity is None:
        return NotifyType.SUCCESS
    kinds = {"Warning": NotifyType.WARNING, "Informational": NotifyType.INFO}
    return kinds.get(severity, NotifyType.FAILURE)
