"""What a message says, before it has the form of a channel: one alert in full, or many as a list."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from urllib.parse import quote

from shared.domain.alerts import SEVERITIES, THE_APP, Announcement, Severity, in_order
from shared.domain.messages import Message
from shared.notify.foreign import clean, clipped

PORTAL = "https://portal.azure.com/#resource"
"""Followed by an ARM id it opens that resource (Azure portal: links to resources)."""

_LONGEST_TITLE = 150
"""Characters: what a header of Slack takes."""
_MOST_SECTIONS = 10
_WILL_DO, _SHOULD_DO, _OTHERWISE = "What the Guard will do", "What you should do", "If that is not enough"


@dataclass(frozen=True, slots=True)
class Room:
    """How much fits: lines of a list, affected resources, characters of one text."""

    lines: int = 50
    resources: int = 20
    text: int = 1000


ROOMS = (Room(), Room(20, 10, 400), Room(8, 5, 200), Room(2, 2, 100))
"""From the largest down: a channel takes the first that is not too much for it."""


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, paragraphs, a list, and how many of the list were left out."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    left_out: int = 0

    def lines(self) -> tuple[str, ...]:
        """The list, the last line of which says what is left out."""
        return (*self.items, f"and {self.left_out} more") if self.left_out else self.items


@dataclass(frozen=True, slots=True)
class Document:
    """All texts are single lines of visible characters, not escaped for anything. `severity` is None when all that is
    told is over."""

    title: str
    severity: Severity | None
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """One alert as it is told: by its newest announcement. `first` is the first the reader hears of this episode,
    `unseen` when it was over before it was told."""

    newest: Announcement
    first: bool
    unseen: bool

    @property
    def over(self) -> bool:
        return self.newest.kind == "Resolved"

    @property
    def word(self) -> str:
        """The severity, or what became of the alert, in words: colours alone tell nobody anything."""
        severity, kind = self.newest.alert.severity, self.newest.kind
        if self.unseen:
            return "Came and went"
        if kind == "Resolved":
            return "Resolved"
        if kind == "Escalated":
            return f"{severity}, escalated"
        if self.newest.alert.episode > 1 and self.first:
            return f"{severity}, back again"
        return severity if self.first else f"{severity}, updated"


def told(message: Message) -> tuple[Told, ...]:
    """What the message tells, each alert once: what lasts before what is over, the gravest first."""
    newest: dict[str, Announcement] = {}
    opened: set[tuple[str, int]] = set()
    for announcement in in_order(message.announcements):
        newest[announcement.alert.id] = announcement
        if announcement.kind == "Opened":
            opened.add((announcement.alert.id, announcement.alert.episode))
    tellings = []
    for announcement in newest.values():
        first = (announcement.alert.id, announcement.alert.episode) in opened
        tellings.append(Told(announcement, first, first and announcement.kind == "Resolved"))
    return tuple(sorted(tellings, key=_order))


def document(message: Message, room: Room = ROOMS[0]) -> Document:
    """Raises ValueError when the message tells nothing."""
    tellings = told(message)
    if not tellings:
        raise ValueError("a message without announcements")
    if len(tellings) == 1:
        return _one(tellings[0], message.dashboard_url, room)
    return _many(tellings, message.dashboard_url, room)


def _order(one: Told) -> tuple[bool, int, str, str, str]:
    alert, about = one.newest.alert, one.newest.about
    return one.over, SEVERITIES.index(alert.severity), alert.cause.code.lower(), about.name.lower(), about.subject


# One alert


def _one(it: Told, dashboard_url: str, room: Room) -> Document:
    alert, about = it.newest.alert, it.newest.about
    cause = alert.cause
    often = f"{cause.occurrences} times" if cause.occurrences > 1 else ""
    facts = (
        ("Severity", it.word),
        (_kind_of(about.subject), clean(about.name, 100)),
        ("Subscription", clean(about.subscription_id, 64)),
        ("Resource group", clean(about.resource_group, 90)),
        ("Region", clean(about.location, 64)),
        ("Code", clean(cause.code, 150)),
        ("Since", at(cause.first_at)),
        ("Until", at(alert.resolved_at) if it.over and alert.resolved_at else ""),
        ("Last seen", at(cause.last_at) if often else ""),
        ("Seen", often),
        ("Job", clean(cause.job_id.rsplit("/", 1)[-1], 100)),
        ("Acknowledged by", clean(alert.acknowledged_by, 100)),
    )
    title = clipped(f"{it.word}: {clean(about.name, 63)}: {clean(cause.title, 120)}", _LONGEST_TITLE)
    severity = None if it.over else alert.severity
    sections = tuple(section for section in _sections_of(it, room) if section.paragraphs or section.items)
    links = _links(dashboard_url, about.subject, cause.job_id, about.vault_id)
    return Document(title, severity, tuple(fact for fact in facts if fact[1]), sections, links)


def _sections_of(it: Told, room: Room) -> tuple[Section, ...]:
    alert = it.newest.alert
    cause = alert.cause
    did = tuple(clean(line, room.text) for line in cause.did)
    newest = did[-room.resources :]
    done = Section("What the Guard did", (), newest[::-1], len(did) - len(newest))
    what = clean(cause.message, room.text)
    if it.over:
        over = f"It is over since {at(alert.resolved_at)}." if alert.resolved_at else "It is over."
        return Section("What happened", (over, what) if what else (over,)), done
    missing = tuple(clean(_resource(r.resource, r.code, r.message), 300) for r in cause.resources if r.resource)
    shown = missing[: room.resources]
    return (
        Section("What happened", (what,) if what else ()),
        Section("What is missing", (), shown, len(missing) - len(shown)),
        done if did else replace(done, paragraphs=("Nothing so far.",)),
        Section(
            _WILL_DO,
            (clean(cause.will_do, room.text) or "Nothing by itself: it needs a person.",),
        ),
        Section(
            _OTHERWISE if cause.will_do else _SHOULD_DO,
            (clean(cause.recommended_action, room.text) or "Nothing for now.",),
        ),
    )


def _resource(name: str, code: str, message: str) -> str:
    why = ": ".join(part for part in (code, message) if part)
    return f"{name} ({why})" if why else name


# Many


def _many(tellings: Sequence[Told], dashboard_url: str, room: Room) -> Document:
    lasting = [it for it in tellings if not it.over]
    word = lasting[0].newest.alert.severity if lasting else "Resolved"
    codes = dict.fromkeys(clean(it.newest.alert.cause.code, 80) for it in lasting or tellings)
    vaults = {it.newest.about.vault_id.lower() for it in tellings}
    vault = next(iter(vaults)) if len(vaults) == 1 else ""
    what = next(iter(codes)) if len(codes) == 1 else f"{len(codes)} causes"
    where = f" (vault {clean(vault.rsplit('/', 1)[-1], 50)})" if vault else ""
    title = clipped(f"{word}: {_how_many(lasting or tellings)}: {what}{where}", _LONGEST_TITLE)
    facts = (
        ("Severity", word),
        ("Subscription", _common([it.newest.about.subscription_id for it in tellings])),
        ("Resource group", _common([it.newest.about.resource_group for it in tellings])),
        ("Region", _common([it.newest.about.location for it in tellings])),
        ("Vault", clean(vault.rsplit("/", 1)[-1], 64)),
        (
            "Over",
            f"{len(tellings) - len(lasting)} of {len(tellings)}" if lasting and len(lasting) < len(tellings) else "",
        ),
    )
    return Document(
        title,
        lasting[0].newest.alert.severity if lasting else None,
        tuple(fact for fact in facts if fact[1]),
        _lists(tellings, room),
        _links(dashboard_url, "", "", vault),
    )


def _lists(tellings: Sequence[Told], room: Room) -> tuple[Section, ...]:
    """One list a code. The lines are shared out in order, but each list has at least one."""
    groups = [list(group) for _, group in groupby(tellings, key=lambda it: _order(it)[:3])]
    sections, lines = [], room.lines
    for group in groups[:_MOST_SECTIONS]:
        shown = group[: max(1, lines)]
        lines -= len(shown)
        cause = group[0].newest.alert.cause
        code = clean(cause.code, 150)
        severity, over = group[0].newest.alert.severity, group[0].over
        heading = f"{code}: {_how_many(group)} ({'over' if over else severity})"
        paragraphs = () if over else _advice(group, room)
        sections.append(Section(heading, paragraphs, tuple(_line(it) for it in shown), len(group) - len(shown)))
    if rest := groups[_MOST_SECTIONS:]:
        alerts = sum(len(group) for group in rest)
        sections.append(Section(f"And {len(rest)} more causes with {alerts} alerts: see the dashboard"))
    return tuple(sections)


def _advice(group: Sequence[Told], room: Room) -> tuple[str, ...]:
    """What holds for the whole list: what happened to the first, and what is to be done, where all agree."""
    first = group[0].newest.alert.cause
    said = [clean(first.message, room.text)] if first.message else []
    for label, texts in (
        (_WILL_DO, {it.newest.alert.cause.will_do for it in group}),
        (_OTHERWISE if first.will_do else _SHOULD_DO, {it.newest.alert.cause.recommended_action for it in group}),
    ):
        text = clean(next(iter(texts)), room.text) if len(texts) == 1 else "see each alert on the dashboard"
        if text:
            # What the Guard will do is a sentence about the Guard: it needs no label.
            said.append(text if label == _WILL_DO and len(texts) == 1 else f"{label}: {text}")
    return tuple(said)


def _line(it: Told) -> str:
    alert, about = it.newest.alert, it.newest.about
    place = ", ".join(part for part in (clean(about.resource_group, 90), clean(about.location, 64)) if part)
    name = clean(about.name, 63)
    parts = [it.word, f"since {at(alert.cause.first_at)}"]
    if it.over and alert.resolved_at:
        parts.append(f"until {at(alert.resolved_at)}")
    if alert.cause.occurrences > 1:
        parts.append(f"{alert.cause.occurrences} times")
    if missed := sum(1 for resource in alert.cause.resources if resource.resource):
        parts.append(f"{missed} resource{'s' if missed > 1 else ''} missing")
    if alert.cause.did:
        parts.append(clean(alert.cause.did[-1], 120))
    return f"{name} ({place}): {', '.join(parts)}" if place else f"{name}: {', '.join(parts)}"


def _how_many(tellings: Sequence[Told]) -> str:
    subjects = {it.newest.about.subject for it in tellings}
    if len(subjects) == 1:
        name = clean(tellings[0].newest.about.name, 63)
        return f"{name}, {len(tellings)} alerts" if len(tellings) > 1 else name
    return f"{len(subjects)} clusters" if all(s.startswith("/") for s in subjects) else f"{len(tellings)} alerts"


# Both


def at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _kind_of(subject: str) -> str:
    return "Cluster" if subject.startswith("/") else "App" if subject == THE_APP else "Shared by"


def _common(values: Sequence[str]) -> str:
    return clean(values[0], 90) if len({value.lower() for value in values}) == 1 else ""


def _links(dashboard_url: str, subject: str, job_id: str, vault_id: str) -> tuple[Link, ...]:
    """The portal has no documented address of a single job: the vault it lies in is opened, the job is named."""
    links = []
    vault = job_id.lower().partition("/backupjobs/")[0] if "/backupjobs/" in job_id.lower() else vault_id
    if subject.startswith("/"):
        links.append(Link("Cluster in the portal", PORTAL + quote(subject, safe="/")))
    if vault.startswith("/"):
        links.append(
            Link(
                "Vault with the job in the portal" if job_id else "Vault in the portal", PORTAL + quote(vault, safe="/")
            )
        )
    if dashboard_url:
        mark = "&" if "?" in dashboard_url else "?"
        query = f"{mark}cluster={quote(subject, safe='')}" if subject.startswith("/") else ""
        links.append(Link("Dashboard", dashboard_url + query))
    return tuple(links)
