"""What messages look like: each form of each case is a file in tests/golden, written anew with UPDATE_GOLDEN=1."""

import json
import os
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from shared.domain.alerts import THE_APP, About, Announcement, Cause
from shared.domain.jobs import JobIssue
from shared.domain.messages import Message
from shared.notify.cards import slack, teams
from shared.notify.document import document
from shared.notify.foreign import clean
from shared.notify.text import as_html, markdown, plain
from tests.fakes.announcements import NOON, VAULT, about, alerts, announced, cause

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
DASHBOARD = "https://guard.example.com/api/dashboard"
FORMS = ("txt", "md", "html", "teams.json", "slack.json")

OUT_OF_MEMORY = cause(
    "UserErrorBackupPluginPodRestartedDuringBackup",
    severity="Error",
    title="Backups fail: the extension's pod was restarted",
    message="The backup plugin pod restarted during the backup, most likely because it ran out of memory.",
    recommended_action="Nothing, unless it happens at the ceiling of the profile's memory ladder.",
    occurrences=2,
    resources=(),
    will_do="The Guard raises the extension's memory limit from 2560Mi to 4400Mi when no backup or restore runs.",
    did=(
        "2026-03-01 10:05 UTC: raised the memory limit from 1280Mi to 2560Mi",
        "2026-03-01 10:12 UTC: ran the backup again",
    ),
)
SNAPSHOTS = cause(
    "UserErrorPVSnapshotLimitReached",
    severity="Error",
    title="Backups fail: a disk has too many snapshots",
    message="The limit of snapshots of a disk is reached.",
    recommended_action="Lower retention.operational_days of the profile, or delete snapshots.",
    resources=(),
    will_do="",
)
UNTOLD = replace(OUT_OF_MEMORY, resolved_at=NOON)

NASTY = (
    "<script>alert(1)</script> *bold* [click](https://evil.example) `x` @everyone <!here> <@U123> <at>All</at>\n"
    "# heading\r\n1. list \u202eesrever\u202c \u200bzero \x1b[31mred | ~~gone~~ &lt;b&gt; __under__ {{DATE(1)}} ${x} "
)
HOSTILE = cause(
    f"Code{NASTY}",
    title=f"{NASTY * 3}",
    message=f"1. {NASTY * 40}",
    recommended_action=f"# {NASTY}",
    will_do=f"- {NASTY}",
    did=(NASTY, NASTY * 9),
    resources=tuple(JobIssue(NASTY, NASTY, NASTY, f"{number} {NASTY}") for number in range(300)),
    job_id=f"{VAULT}/backupJobs/'\"><script>",
)
NASTY_CLUSTER = replace(about(), name=f"aks{NASTY}", resource_group=f"g{NASTY}", vault_id=f'{VAULT}"><script>alert(1)')


CASES: dict[str, tuple[Announcement, ...]] = {
    "warnings": (announced(),),
    "out-of-memory": (announced(what=OUT_OF_MEMORY),),
    "updated": (announced("Updated", what=OUT_OF_MEMORY),),
    "escalated": (announced("Escalated", what=OUT_OF_MEMORY, severity="Critical"),),
    "resolved": (announced("Resolved", what=OUT_OF_MEMORY),),
    "came-and-went": (
        announced(what=UNTOLD),
        announced("Resolved", what=UNTOLD, at=NOON + timedelta(minutes=1)),
    ),
    "the-app": (
        announced(
            who=About(THE_APP, "AKS Backup Guard"),
            what=Cause(
                "Delivery:shop:TEAMS_SHOP",
                "DeliveryFailed",
                "Error",
                "Messages do not reach the channel TEAMS_SHOP of the route shop",
                "Nothing has reached it since 2026-03-01 10:00 UTC. The last attempt: answered HTTP 404",
                "Check the app setting AKS_BACKUP_GUARD_CHANNEL_TEAMS_SHOP.",
                NOON,
                NOON,
                will_do="The Guard tries again at least once an hour; what is older than 3 days is given up.",
            ),
        ),
    ),
    "twelve-clusters": tuple(alerts(12, what=SNAPSHOTS)),
    "many-causes": (
        *alerts(3, what=SNAPSHOTS),
        *alerts(2),
        announced(who=about("aks-elsewhere", resource_group="other", location="northeurope", vault_id="")),
        announced("Resolved", who=about("aks-done"), what=replace(OUT_OF_MEMORY, resolved_at=NOON)),
    ),
    "five-hundred-clusters": tuple(alerts(500, what=SNAPSHOTS)),
    "hostile": (announced(who=NASTY_CLUSTER, what=HOSTILE),),
    "hostile-many": tuple(announced(who=replace(NASTY_CLUSTER, subject=f"/x/{n}"), what=HOSTILE) for n in range(60)),
}


def message_of(case: str) -> Message:
    return Message("a" * 40, "shop", CASES[case], DASHBOARD)


def rendered(case: str, form: str) -> str:
    message = message_of(case)
    if form.endswith(".json"):
        card = teams(message) if form == "teams.json" else slack(message)
        return json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    title, text = {"txt": plain, "md": markdown, "html": as_html}[form](message, 32_000)
    return f"{title}\n{'=' * len(title)}\n\n{text}\n"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES)
def test_a_message_looks_as_it_did(case: str, form: str) -> None:
    text, file = rendered(case, form), GOLDEN / f"{case}.{form}"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_every_golden_file_is_of_a_case() -> None:
    assert {file.name for file in GOLDEN.iterdir()} == {f"{case}.{form}" for case in CASES for form in FORMS}


@pytest.mark.parametrize("case", CASES)
def test_cards_keep_the_limits_of_their_services(case: str) -> None:
    message = message_of(case)
    assert len(json.dumps(teams(message)).encode()) <= 28 * 1024
    blocks = slack(message)["blocks"]
    assert len(blocks) <= 50
    for block in blocks:
        assert len(block.get("text", {"text": ""})["text"]) <= (150 if block["type"] == "header" else 3000)
        assert len(block.get("fields", ())) <= 10
        assert all(len(field["text"]) <= 2000 for field in block.get("fields", ()))


@pytest.mark.parametrize("most", [100, 500, 1000, 2000, 30_000])
@pytest.mark.parametrize("case", CASES)
def test_a_text_is_never_longer_than_its_service_takes(case: str, most: int) -> None:
    for form in (plain, markdown, as_html):
        title, text = form(message_of(case), most)
        assert 0 < len(text) <= most
        assert 0 < len(title) <= 150
        assert "\n" not in title


@pytest.mark.parametrize("case", CASES)
def test_severity_or_end_is_a_word_in_the_title(case: str) -> None:
    words = ("Critical", "Error", "Warning", "Informational", "Resolved", "Came and went")
    assert document(message_of(case)).title.startswith(words)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.targets += [value or "" for name, value in attrs if name == "href"]


@pytest.mark.parametrize("case", ["hostile", "hostile-many"])
def test_hostile_text_becomes_no_markup_in_html(case: str) -> None:
    parser = _Tags()
    parser.feed(as_html(message_of(case), 32_000)[1])
    assert parser.seen <= {"ul", "li", "b", "h3", "p", "a"}
    assert all(url.startswith(("https://portal.azure.com/#resource/", DASHBOARD)) for url in parser.targets)


@pytest.mark.parametrize("case", ["hostile", "hostile-many"])
def test_hostile_text_becomes_no_markup_in_markdown(case: str) -> None:
    from markdown import markdown as to_html  # type: ignore[import-untyped]  # with it Apprise reads Markdown

    parser = _Tags()
    parser.feed(to_html(markdown(message_of(case), 32_000)[1]))
    assert parser.seen <= {"ul", "li", "strong", "p", "a"}
    assert all(url.startswith(("https://portal.azure.com/#resource/", DASHBOARD)) for url in parser.targets)


@pytest.mark.parametrize("case", ["hostile", "hostile-many"])
def test_hostile_text_stands_in_cards_where_there_is_no_markup(case: str) -> None:
    card = teams(message_of(case))["attachments"][0]["content"]
    assert {element["type"] for element in card["body"]} == {"RichTextBlock"}
    assert {run["type"] for element in card["body"] for run in element["inlines"]} == {"TextRun"}
    assert all(
        action["url"].startswith(("https://portal.azure.com/#resource/", DASHBOARD)) for action in card["actions"]
    )
    assert "entities" not in card["msteams"], "nobody is mentioned"

    texts = [block["text"] for block in slack(message_of(case))["blocks"] if "text" in block]
    written = [text["text"] for text in texts if text["type"] == "mrkdwn"]
    assert all(re.fullmatch(r"(<https://[^<>|\"\s]+\|[A-Z][a-z ]+>( \| )?)+", text) for text in written)
    assert not any(re.search(r"[<>]|&(?!amp;|lt;|gt;)", text["text"]) for text in texts if text["type"] == "plain_text")


@pytest.mark.parametrize("form", [plain, markdown, as_html])
def test_nobody_is_mentioned_and_writing_keeps_its_direction(form: Any) -> None:
    for case in ("hostile", "hostile-many"):
        text = "\n".join(form(message_of(case), 32_000))
        assert not re.search(r"@(everyone|here|U123)", text)
        assert not set(text) & set("\u202e\u202c\x1b\r")


def test_an_address_of_a_person_stays_readable() -> None:
    assert clean("ask jane@contoso.com") == "ask jane@contoso.com"


def test_long_text_is_cut_and_says_so() -> None:
    assert clean("x" * 400, 300) == "x" * 299 + "…"


def test_what_is_left_out_of_a_list_is_counted() -> None:
    title, text = plain(message_of("five-hundred-clusters"), 32_000)
    assert title == "Error: 500 clusters: UserErrorPVSnapshotLimitReached (vault kv-westeurope)"
    assert text.count("\n- aks-") == 50
    assert "\n- and 450 more" in text


def test_the_newest_of_an_alert_is_told_and_each_alert_once() -> None:
    opened, updated = announced(), announced("Updated", at=NOON + timedelta(minutes=3), what=cause(occurrences=4))
    title, text = plain(Message("k", "shop", (updated, opened)), 32_000)
    assert title == "Warning: aks-shop: The backup is incomplete", "to a reader who never heard of it, it is new"
    assert "Seen: 4 times" in text


def test_one_that_came_back_is_not_over() -> None:
    first = announced("Resolved", at=NOON)
    again = announced("Opened", at=NOON, episode=2)
    assert plain(Message("k", "shop", (again, first)), 9000)[0].startswith("Warning, back again: aks-shop")


def test_a_message_about_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="without announcements"):
        document(Message("k", "shop", ()))
