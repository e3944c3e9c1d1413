"""The rows of `plan`, `cost`, `alerts` and `history` in every form, read back by whoever reads it."""

import csv
import io
import json
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cli.options import Output
from cli.sheet import Sheet, show

HOSTILE = '=1+1 [red]a[/]\n<script>x()</script>|`b`\u202e\x1b[31m\x00 <!-- & "'
SHEET = Sheet(
    "A title",
    ("who", "what", "number", "amount"),
    (("one", HOSTILE, 1234, 2.5), (HOSTILE, "", None, 0.0)),
    {"rows": [HOSTILE]},
    wrong=("it is amiss " + HOSTILE, ""),
    notes=(HOSTILE,),
)


def written(output: Output, tmp_path: Path) -> str:
    show(SHEET, output, tmp_path / "out")
    return (tmp_path / "out").read_bytes().decode()


def test_a_table_is_lines_of_text(tmp_path: Path) -> None:
    text = written(Output.table, tmp_path)
    assert not {"\x1b", "\u202e", "\x00"} & set(text)
    assert "[red]a[/]" in text
    assert "1,234" in text
    assert "2.50" in text


def test_json_holds_what_is_there(tmp_path: Path) -> None:
    text = written(Output.json, tmp_path)
    assert text.isascii()
    assert json.loads(text) == {"rows": [HOSTILE]}


def test_csv_is_safe_in_a_spreadsheet(tmp_path: Path) -> None:
    rows = list(csv.reader(io.StringIO(written(Output.csv, tmp_path).removeprefix("\ufeff"))))
    assert rows[0] == ["who", "what", "number", "amount"]
    assert rows[1][0] == "one"
    assert rows[1][1].startswith("'=1+1")
    assert rows[1][2:] == ["1234", "2.5"]
    assert rows[2][0].startswith("'=")
    assert len(rows) == 3


def test_markdown_is_one_table_without_markup_of_others(tmp_path: Path) -> None:
    lines = written(Output.markdown, tmp_path).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 4
    assert {line.count("|") for line in table} == {5}
    assert "<script>" not in "".join(lines)


def test_html_runs_nothing(tmp_path: Path) -> None:
    tags: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag)

    Tags().feed(written(Output.html, tmp_path))
    assert tags.count("tr") == 3
    assert "script" not in tags


def test_junit_counts_what_is_amiss(tmp_path: Path) -> None:
    suite = ElementTree.fromstring(written(Output.junit, tmp_path)).find("testsuite")  # noqa: S314 - our own
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failing, fine = suite.findall("testcase")
    assert failing.find("failure") is not None
    assert fine.find("failure") is None


@pytest.mark.parametrize("output", list(Output))
def test_stdout_has_the_same_as_a_file(
    output: Output, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", io.TextIOWrapper(io.FileIO(1, "w", closefd=False)))
        show(SHEET, output, None)
    assert capfdbinary.readouterr().out.decode() == written(output, tmp_path)
