"""What the second half of the story has shown: checked against the simulated Azure, and the files the team got."""

from collections import Counter

from demo.fleet import GAPPY, OUTGROWN
from demo.jobs_story import MISSED_VOLUME, Seen
from demo.proof import Claim
from demo.stack import Stack
from demo.team import Received

LADDER = ("", "2560Mi", "4400Mi")
"""The limits the outgrown cluster's extension must have had; empty is Azure's own 1280Mi."""


def jobs_claims(stack: Stack, messages: list[Received], seen: Seen) -> list[Claim]:
    return [
        _told_of_the_gap(messages),
        _resolved(messages),
        _climbed(stack, seen),
        _told_once(messages),
    ]


def _told_of_the_gap(messages: list[Received]) -> Claim:
    first = next((message for message in messages if GAPPY.name in message.title + message.text), None)
    missing = "no message" if first is None else "" if MISSED_VOLUME in first.text else first.title
    return Claim(
        f"The team was told which volume the backup of {GAPPY.name} missed",
        f"the message {first.file.name if first else ''} names {MISSED_VOLUME}",
        (missing,) if missing else (),
    )


def _resolved(messages: list[Received]) -> Claim:
    wrong = tuple(
        f"no message says that the alert of {member.name} is over"
        for member in (GAPPY, OUTGROWN)
        if not any(
            member.name in message.title + message.text and "resolved" in message.title.lower() for message in messages
        )
    )
    return Claim("Both alerts resolved themselves after the next clean backup", "the messages the team got", wrong)


def _climbed(stack: Stack, seen: Seen) -> Claim:
    extension = f"{OUTGROWN.arm_id(stack.subscription)}/providers/microsoft.kubernetesconfiguration/extensions/"
    changes = [
        call
        for call in stack.calls()
        if call["method"] == "PATCH" and str(call["path"]).lower().startswith(extension) and call["status"] < 300
    ]
    wrong = [] if seen.limits == LADDER else [f"the limits were {seen.limits}"]
    wrong += [] if len(changes) == len(LADDER) - 1 else [f"{len(changes)} changes of the extension"]
    failed = seen.backups[:-1]
    if len(failed) < len(changes) or set(failed) != {"Failed"} or seen.backups[-1:] != ("Completed",):
        wrong.append(f"the backups ended {', '.join(seen.backups)}")
    return Claim(
        f"The memory limit of {OUTGROWN.name} climbed exactly two rungs in {len(failed)} failed backups, and the one "
        "after them is clean",
        "the extension's settings as the operator read them, the Guard's PATCH calls, the jobs of its vault",
        tuple(wrong),
    )


def _told_once(messages: list[Received]) -> Claim:
    titles = Counter(message.title for message in messages)
    twice = tuple(f"{count} times: {title}" for title, count in titles.items() if count > 1)
    return Claim(f"Nothing was told twice in {len(messages)} messages", "compared the titles of all messages", twice)
