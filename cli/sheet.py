"""Rows of a command in the form that was asked for. Every text in them may be somebody else's."""

import html
import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cli.options import Output
from cli.run import could_not_tell, remark
from shared.notify.foreign import clean

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """`document` is the JSON, which says more than the rows. `wrong` says for each row what is amiss with it (empty:
    nothing); `group` is the column that names what a row is about."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    document: Mapping[str, Any]
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    group: int = 0


def show(sheet: Sheet, output: Output, out: Path | None) -> None:
    """To stdout, or into the file."""
    write([_table(sheet, out) if output is Output.table else _FORMS[output](sheet)], out)


def write(pieces: Iterable[str], out: Path | None) -> None:
    """UTF-8, whatever the terminal's own encoding is, ended by a line feed. Ends the command with exit code 2 when it
    cannot be written; but whoever has read enough of it (`| head`) takes nothing from what was found."""
    if out is None:
        try:
            sys.stdout.flush()
            _written(pieces, sys.stdout.buffer)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python stumbles over it at the end
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            could_not_tell(f"stdout cannot be written: {error.strerror or error}", error)
        return
    try:
        with out.open("wb") as file:
            _written(pieces, file)
    except OSError as error:
        could_not_tell(f"{out}: cannot be written: {error.strerror or error}", error)
    remark(f"Written: {out}")


def _written(pieces: Iterable[str], file: BinaryIO) -> None:
    last = ""
    for piece in pieces:
        file.write(piece.encode("utf-8", "replace"))
        last = piece or last
    if not last.endswith("\n"):
        file.write(b"\n")
    file.flush()


def _table(sheet: Sheet, out: Path | None) -> str:
    from rich.table import Table
    from rich.text import Text

    from cli.table import printed

    table = Table(box=None, padding=(0, 1), header_style="bold dim")
    for number, title in enumerate(sheet.columns):
        figures = bool(sheet.rows) and all(isinstance(row[number], int | float | None) for row in sheet.rows)
        table.add_column(title, justify="right" if figures else "left", overflow="fold")
    for row in sheet.rows:
        table.add_row(*(Text(shown(value)) for value in row))
    return printed(table, *(Text(clean(note, 1000)) for note in sheet.notes), to_file=out is not None)


def shown(value: Cell) -> str:
    """A figure with two digits, text as one harmless line."""
    if value is None:
        return "–"
    return (
        f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else clean(value, 1000)
    )


def _json(sheet: Sheet) -> str:
    return json.dumps(sheet.document, indent=2, ensure_ascii=True)


def _csv(sheet: Sheet) -> str:
    import csv
    from io import StringIO

    from shared.report.csv_export import cell

    text = StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(sheet.columns)
    writer.writerows([cell(value) for value in row] for row in sheet.rows)
    return "\ufeff" + text.getvalue()


def _markdown(sheet: Sheet) -> str:
    from shared.report.markdown import text

    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(text(cell) for cell in cells) + " |"

    lines = [f"# {text(sheet.title)}", "", line(sheet.columns), "|" + "---|" * len(sheet.columns)]
    lines += [line(map(shown, row)) for row in sheet.rows]
    lines += ["", *(f"- {text(note)}" for note in sheet.notes)] if sheet.notes else []
    return "\n".join(lines)


def _html(sheet: Sheet) -> str:
    def cells(tag: str, values: Any) -> str:
        return "".join(f"<{tag}>{html.escape(clean(str(value), 1000))}</{tag}>" for value in values)

    rows = "\n".join(f"<tr>{cells('td', map(shown, row))}</tr>" for row in sheet.rows)
    notes = "".join(f"<li>{html.escape(clean(note, 1000))}</li>" for note in sheet.notes)
    title = html.escape(clean(sheet.title))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>body{{font:15px/1.5 system-ui,sans-serif;margin:2rem}}table{{border-collapse:collapse}}
td,th{{padding:.3rem .8rem;border-bottom:1px solid #8884;text-align:left;vertical-align:top}}</style></head>
<body><h1>{title}</h1><table><thead><tr>{cells("th", sheet.columns)}</tr></thead><tbody>
{rows}
</tbody></table><ul>{notes}</ul></body></html>"""


def _junit(sheet: Sheet) -> str:
    from xml.etree import ElementTree

    wrong = sheet.wrong or ("",) * len(sheet.rows)
    failures = sum(bool(each) for each in wrong)
    suite = ElementTree.Element(
        "testsuite", name=clean(sheet.title), tests=str(len(sheet.rows)), failures=str(failures)
    )
    for row, amiss in zip(sheet.rows, wrong, strict=True):
        name = " ".join(shown(value) for value in row)
        case = ElementTree.SubElement(suite, "testcase", classname=shown(row[sheet.group]), name=clean(name))
        if amiss:
            ElementTree.SubElement(case, "failure", message=clean(amiss, 500)).text = clean(amiss, 2000)
    whole = ElementTree.Element("testsuites")
    whole.append(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(whole, encoding="unicode")


_FORMS = {
    Output.json: _json,
    Output.csv: _csv,
    Output.markdown: _markdown,
    Output.html: _html,
    Output.junit: _junit,
}
