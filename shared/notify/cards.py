"""A message as a card: an Adaptive Card for Teams, blocks for Slack.

Text of others stands only in elements that know no markup (`TextRun`, `plain_text`), so nothing in it can become a
link, a mention or a heading.
"""

import html
import json
from typing import Any

from shared.domain.alerts import Severity
from shared.domain.messages import Message
from shared.notify.document import ROOMS, Document, Section, document
from shared.notify.foreign import clipped

type JsonObject = dict[str, Any]

_TEAMS_BYTES = 26_000
"""Teams takes 28 KB for a message (Teams: create incoming webhooks, limits); some is left to what goes around it."""
_SLACK_HEADER, _SLACK_TEXT, _SLACK_FIELD, _SLACK_FIELDS, _SLACK_BLOCKS = 150, 3000, 2000, 10, 50
"""Characters and counts (Slack API: Block Kit, reference of blocks)."""

_TEAMS_COLOURS: dict[Severity | None, str] = {
    "Critical": "Attention",
    "Error": "Attention",
    "Warning": "Warning",
    "Informational": "Accent",
    None: "Good",
}
_SLACK_COLOURS: dict[Severity | None, str] = {
    "Critical": "#8B0000",
    "Error": "#D13438",
    "Warning": "#CA8500",
    "Informational": "#0078D4",
    None: "#107C10",
}


def teams(message: Message) -> JsonObject:
    """What a Teams workflow (Power Automate) takes: a message with one Adaptive Card 1.4."""
    payload: JsonObject = {}
    for room in ROOMS:
        payload = _teams(document(message, room))
        if len(json.dumps(payload)) <= _TEAMS_BYTES:
            break
    return payload


def slack(message: Message) -> JsonObject:
    """What Slack takes as one attachment: its colour, its blocks, and a text for notifications."""
    attachment: JsonObject = {}
    for room in ROOMS:
        attachment = _slack(document(message, room))
        if len(attachment["blocks"]) <= _SLACK_BLOCKS:
            break
    return attachment


def _teams(said: Document) -> JsonObject:
    body = [
        _runs((said.title, {"weight": "Bolder", "size": "Large", "color": _TEAMS_COLOURS[said.severity]})),
        *(_runs((f"{label}: ", {"weight": "Bolder"}), (value, {}), spacing="Small") for label, value in said.facts),
    ]
    for section in said.sections:
        body.append(_runs((section.heading, {"weight": "Bolder"}), spacing="Medium", separator=True))
        body += [_runs((paragraph, {}), spacing="Small") for paragraph in section.paragraphs]
        body += [_runs((f"• {line}", {}), spacing="Small") for line in section.lines()]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": said.title,
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": link.label, "url": link.url} for link in said.links],
        "msteams": {"width": "Full"},
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _runs(*runs: tuple[str, JsonObject], **block: Any) -> JsonObject:
    return {
        "type": "RichTextBlock",
        **block,
        "inlines": [{"type": "TextRun", "text": text, **style} for text, style in runs],
    }


def _slack(said: Document) -> JsonObject:
    blocks: list[JsonObject] = [{"type": "header", "text": _literal(said.title, _SLACK_HEADER)}]
    facts = [_literal(f"{label}\n{value}", _SLACK_FIELD) for label, value in said.facts]
    for start in range(0, len(facts), _SLACK_FIELDS):
        blocks.append({"type": "section", "fields": facts[start : start + _SLACK_FIELDS]})
    for section in said.sections:
        blocks += _slack_section(section)
    if said.links:
        links = " | ".join(f"<{link.url}|{link.label}>" for link in said.links)
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": links}})
    return {"color": _SLACK_COLOURS[said.severity], "fallback": _escaped(said.title), "blocks": blocks}


def _slack_section(section: Section) -> list[JsonObject]:
    """The heading and its lines, in as many blocks as their length needs."""
    blocks: list[JsonObject] = [{"type": "header", "text": _literal(section.heading, _SLACK_HEADER)}]
    text = ""
    for line in (*section.paragraphs, *(f"• {line}" for line in section.lines())):
        if text and len(_escaped(f"{text}\n{line}")) > _SLACK_TEXT:
            blocks.append({"type": "section", "text": _literal(text, _SLACK_TEXT)})
            text = ""
        text = f"{text}\n{line}" if text else line
    if text:
        blocks.append({"type": "section", "text": _literal(text, _SLACK_TEXT)})
    return blocks


def _literal(text: str, most: int) -> JsonObject:
    """Slack's three control characters are written as it wants them, and the limit counts what is written."""
    length = most
    while len(written := _escaped(clipped(text, length))) > most:
        length = length * 3 // 4
    return {"type": "plain_text", "text": written, "emoji": False}


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)
