"""A message as plain text, Markdown and HTML."""

import html
import re
from collections.abc import Callable

from shared.domain.messages import Message
from shared.notify.document import ROOMS, Document, document
from shared.notify.foreign import clipped

_INLINE = re.compile(r"([\\`*_\[\]<>~&|])")
_AT_THE_START = re.compile(r"^([#+\-=]|[0-9]+(?=[.)]))")
"""What would begin a heading or a list."""


def plain(message: Message, most: int) -> tuple[str, str]:
    """Title and text, the text of at most `most` characters."""
    return _fitting(message, most, _plain)


def markdown(message: Message, most: int) -> tuple[str, str]:
    """Title (not escaped) and CommonMark."""
    return _fitting(message, most, _markdown)


def as_html(message: Message, most: int) -> tuple[str, str]:
    """Title (not escaped) and HTML."""
    return _fitting(message, most, _html)


def _fitting(message: Message, most: int, form: Callable[[Document], str]) -> tuple[str, str]:
    """The fullest that fits. When even the shortest does not, the title is the text: half a link leads nowhere."""
    said = document(message)
    for room in ROOMS:
        if len(text := form(document(message, room))) <= most:
            return said.title, text
    bare = Document(said.title, said.severity, (), (), ())
    return said.title, clipped(form(bare) or said.title, most)


def _plain(said: Document) -> str:
    parts = ["\n".join(f"{label}: {value}" for label, value in said.facts)]
    for section in said.sections:
        items = [f"- {line}" for line in section.lines()]
        parts.append("\n".join([section.heading, "-" * len(section.heading), *section.paragraphs, *items]))
    parts.append("\n".join(f"{link.label}: {link.url}" for link in said.links))
    return "\n\n".join(part for part in parts if part)


def _markdown(said: Document) -> str:
    parts = ["\n".join(f"- **{label}:** {_escaped(value)}" for label, value in said.facts)]
    for section in said.sections:
        parts.append(f"**{_escaped(section.heading)}**")
        parts += [_escaped(paragraph) for paragraph in section.paragraphs]
        parts.append("\n".join(f"- {_escaped(line)}" for line in section.lines()))
    parts.append("\n".join(f"- [{link.label}]({link.url})" for link in said.links))
    return "\n\n".join(part for part in parts if part)


def _html(said: Document) -> str:
    rows = "".join(f"<li><b>{label}:</b> {html.escape(value)}</li>\n" for label, value in said.facts)
    parts = [f"<ul>\n{rows}</ul>" if rows else ""]
    for section in said.sections:
        items = "".join(f"<li>{html.escape(line)}</li>\n" for line in section.lines())
        parts.append(f"<h3>{html.escape(section.heading)}</h3>")
        parts += [f"<p>{html.escape(paragraph)}</p>" for paragraph in section.paragraphs]
        parts.append(f"<ul>\n{items}</ul>" if items else "")
    links = " | ".join(f'<a href="{html.escape(link.url)}">{link.label}</a>' for link in said.links)
    parts.append(f"<p>{links}</p>" if links else "")
    return "\n".join(part for part in parts if part)


def _escaped(text: str) -> str:
    return _AT_THE_START.sub(lambda found: _literal(found[1]), _INLINE.sub(r"\\\1", text))


def _literal(start: str) -> str:
    """A number is kept from numbering a list by a backslash behind it, every other mark by one before it."""
    return f"{start}\\" if start.isdigit() else f"\\{start}"
