"""Text of others (names, tags, what Azure says) made harmless for whatever shows it."""

import re
import unicodedata

_MENTION = re.compile(r"@(?=everyone|here|channel|all|room|team)|(?<!\w)@(?=\w)", re.IGNORECASE)
_UNSEEN = frozenset({"Cf", "Cs", "Co", "Cn"})
"""Unicode categories without a shape of their own: among them the marks that turn the direction of writing round."""


def clean(text: str, most: int = 300) -> str:
    """One line of at most `most` visible characters. Nobody is called by it: a zero-width space follows an at sign that
    would otherwise mention somebody."""
    seen = (
        " " if unicodedata.category(letter) == "Cc" else letter
        for letter in text[: most * 4]
        if unicodedata.category(letter) not in _UNSEEN
    )
    return clipped(_MENTION.sub("@\u200b", " ".join("".join(seen).split())), most)


def clipped(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
