"""What the terminal shows: rich, on stdout as wide as it is, in a file or a pipe without colours and uncut."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

_PIPE_WIDTH = 200


def printed(*parts: "RenderableType", to_file: bool = False) -> str:
    """As text, with colours only where somebody sees them."""
    from rich.console import Console

    seen = not to_file and sys.stdout.isatty()
    width = None if seen or "COLUMNS" in os.environ else _PIPE_WIDTH
    text = StringIO()
    console = Console(
        file=text,
        width=Console().width if seen else width,
        force_terminal=seen,
        no_color=not seen or "NO_COLOR" in os.environ,
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.print(*parts, sep="\n")
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yields a function that is told how many of how many are done; it shows on stderr, when that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _of: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns: Sequence[object] = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:  # type: ignore[arg-type]
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
