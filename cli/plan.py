"""`plan`: what the Guard would do, by its own look at the real Azure and without changing anything in it."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import ClusterName, ConfigFile, ManagementGroups, OutFile, Output, OutputForm, Subscriptions
from cli.run import COULD_NOT_TELL, FINDINGS, run

if TYPE_CHECKING:
    from cli.configuration import Configured
    from cli.rehearsal import Rehearsed
    from cli.sheet import Sheet
    from shared.domain.fleet import Scope
    from shared.domain.ids import RegionId

_MOST_SHOWN = 50
"""Clusters that are told of in the form for people."""
_AT_ONCE = 6
"""Clusters looked at together; each look has up to eight reads under way."""


def plan(
    cluster: ClusterName = None,
    config: ConfigFile = None,
    subscription: Subscriptions = None,
    management_group: ManagementGroups = None,
    all_: Annotated[bool, typer.Option("--all", help="The compliant clusters too.")] = False,
    output: OutputForm = Output.table,
    out: OutFile = None,
) -> None:
    """What the Guard would do, step by step; nothing is changed.

    Exit code 0: nothing is to be done. 1: steps are left, or a person is needed. 2: something could not be read."""
    from cli.configuration import configured, scope_of
    from cli.sheet import show, write

    known = configured(config)
    planned, regions, unread = run(_planned(known, scope_of(known, subscription, management_group), cluster, all_))
    sheet = _sheet(planned, regions, unread)
    if output is Output.table:
        write([_text(sheet, [*regions.values(), *planned], out is not None)], out)
    else:
        show(sheet, output, out)
    if unread or any(each.unread for each in planned):
        raise typer.Exit(COULD_NOT_TELL)
    if any(sheet.wrong):
        raise typer.Exit(FINDINGS)


async def _planned(
    known: "Configured", scope: "Scope", name: str | None, everything: bool
) -> tuple[Sequence["Rehearsed"], Mapping[tuple[str, "RegionId"], "Rehearsed"], Sequence[str]]:
    from cli.azure import signed_in
    from cli.configuration import settings
    from cli.fleet import not_there
    from cli.judged import clusters_to_plan
    from cli.rehearsal import Rehearsals
    from cli.table import progress

    async with signed_in() as arm:
        chosen, unread = await clusters_to_plan(arm, known, scope, name, everything)
        rehearsals = Rehearsals(arm, known.configuration, scale=settings().loop.time_scale)
        slots, done = asyncio.Semaphore(_AT_ONCE), 0

        with progress("Clusters looked at") as tell:

            async def one(cluster: Any) -> "Rehearsed":
                nonlocal done
                async with slots:
                    found = await rehearsals.cluster(cluster)
                done += 1
                tell(done, len(chosen))
                return found

            planned = await asyncio.gather(*map(one, chosen))
        if name is not None and planned[0].gone:
            not_there(chosen[0])
        return planned, await rehearsals.regions(), unread


def _sheet(
    planned: Sequence["Rehearsed"], regions: Mapping[tuple[str, "RegionId"], "Rehearsed"], unread: Sequence[str]
) -> "Sheet":
    from cli.sheet import Sheet

    shared = list(regions.values())
    rows = [row for each in (*shared, *planned) for row in _rows(each)]
    todo = [each for each in planned if each.steps]
    alone = [each for each in planned if each.left_alone]
    notes = [
        f"{len(planned)} cluster{'' if len(planned) == 1 else 's'} looked at: {len(todo)} with steps to do, "
        f"{len(alone)} left alone, {sum(bool(each.unread) for each in planned)} could not be read.",
        *(f"{each.name}: {each.left_alone}" for each in alone[:20]),
        *([f"and {len(alone) - 20} more left alone"] if len(alone) > 20 else []),
        *unread,
    ]
    if any(each.mode == "audit" and each.steps for each in (*shared, *planned)):
        notes.append("'would' is a profile in audit mode: the deployed Guard does it once the profile says enforce.")
    document = {
        "regions": [_document(each) for each in shared],
        "clusters": [_document(each) for each in planned],
        "unread": list(unread),
    }
    return Sheet(
        "What the Guard would do",
        ("subject", "of", "will", "what", "target"),
        tuple(row[:5] for row in rows),
        document,
        tuple(row[5] for row in rows),
        tuple(notes),
        group=1,
    )


def _text(sheet: "Sheet", found: Sequence["Rehearsed"], to_file: bool) -> str:
    """Under each name what would be done, in order."""
    from rich.text import Text

    from cli.table import printed
    from shared.notify.foreign import clean

    lines: list[Text] = []
    busy = [each for each in found if each.steps or each.in_the_way or each.unread]
    for each in busy[:_MOST_SHOWN]:
        head = Text.assemble(("\n" if lines else ""), (clean(each.name), "bold"))
        lines.append(head.append(f"  {each.profile}, {each.mode}" if each.profile else "", "dim"))
        for number, (_, _, will, said, _, amiss) in enumerate(_rows(each), 1):
            what = f"{number:>4}. {will} " if each.steps and will in ("will", "would") else f"      {will}: "
            lines.append(Text(f"{what}{_lower(said) if will in ('will', 'would') else clean(said, 1000)}"))
            lines[-1].stylize("yellow" if will not in ("will", "would") and amiss else "")
    if len(busy) > _MOST_SHOWN:
        lines.append(Text(f"\nand {len(busy) - _MOST_SHOWN:,} more clusters (--output csv has all)"))
    lines += [Text("")] if lines else []
    return printed(*lines, *(Text(clean(note, 1000)) for note in sheet.notes), to_file=to_file)


def _lower(said: str) -> str:
    return said[:1].lower() + said[1:]


def _rows(found: "Rehearsed") -> list[tuple[str, str, str, str, str, str]]:
    """The last is what is amiss about the row."""
    from cli.step_words import target_of, words
    from shared.domain.ids import ClusterId

    about = ("cluster" if isinstance(found.subject, ClusterId) else "region", found.name)
    will = "will" if found.mode == "enforce" else "would"
    rows = [
        (*about, will, said := words(step, found.identities), target_of(step), f"not done yet: {said}")
        for step in found.steps
    ]
    if found.unread:
        return [*rows, (*about, "unknown", found.unread, "", f"could not be read: {found.unread}")]
    for condition in found.in_the_way:
        said = f"{condition.message} {condition.recommended_action}".strip()
        rows.append((*about, "person" if condition.recommended_action else "waits", said, condition.type, said))
    return rows


def _document(found: "Rehearsed") -> dict[str, Any]:
    from cli.step_words import kind_of, target_of, words

    return {
        "id": found.subject.key,
        "name": found.name,
        "profile": found.profile,
        "mode": found.mode,
        "steps": [
            {"kind": kind_of(step), "words": words(step, found.identities), "target": target_of(step)}
            for step in found.steps
        ],
        "kinds": dict(Counter(kind_of(step) for step in found.steps)),
        "in_the_way": [
            {
                "condition": condition.type,
                "reason": condition.reason,
                "message": condition.message,
                "recommended_action": condition.recommended_action,
            }
            for condition in found.in_the_way
        ],
        "left_alone": found.left_alone,
        "unread": found.unread,
    }
