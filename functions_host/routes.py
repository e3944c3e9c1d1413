"""Route templates of HTTP triggers, as ASP.NET Core reads them, which the real host routes with.

`clusters/{id}`, `{name?}`, `{name=default}`, `{*rest}` and the constraints int, long, bool, guid and alpha
(https://learn.microsoft.com/aspnet/core/fundamentals/routing). Literal text is not case sensitive; `{*rest}` may be
empty.
"""

import re
from urllib.parse import unquote

from functions_host.start_error import StartError

_CONSTRAINTS = {
    "int": r"-?\d{1,10}",
    "long": r"-?\d{1,19}",
    "bool": r"[Tt]rue|[Ff]alse",
    "guid": r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
    "alpha": r"[A-Za-z]+",
}
_PARAMETER = re.compile(r"\{(\*{0,2})([^{}:=?*]+)((?::[^{}:=?]+)*)(?:=([^{}?]*))?(\?)?\}")


class Route:
    """One parsed template."""

    def __init__(self, template: str, where: str) -> None:
        self.template = template.strip("/")
        self._names: list[str] = []
        self._defaults: dict[str, str] = {}
        pattern = ""
        for segment in self.template.split("/") if self.template else []:
            text, optional = self._segment(segment, where)
            pattern += f"(?:/{text})?" if optional else f"/{text}"
        self._pattern = re.compile(pattern, re.IGNORECASE)

    def match(self, path: str) -> dict[str, str] | None:
        """The route parameters if `path` (percent-encoded, with its leading slash) fits, else None."""
        found = self._pattern.fullmatch(path.rstrip("/"))
        if found is None:
            return None
        values = dict(self._defaults)
        for name, text in zip(self._names, found.groups(), strict=True):
            if text:
                # ASP.NET Core leaves an encoded slash as it is.
                values[name] = unquote(re.sub("%2f", "%252F", text, flags=re.IGNORECASE))
        return values

    def _segment(self, segment: str, where: str) -> tuple[str, bool]:
        pattern, optional, end = "", False, 0
        for found in _PARAMETER.finditer(segment):
            stars, name, constraints, default, question = found.groups()
            pattern += self._literal(segment[end : found.start()], where)
            end = found.end()
            kinds = [kind for kind in constraints.split(":") if kind]
            if len(kinds) > 1 or any(kind not in _CONSTRAINTS for kind in kinds):
                raise StartError(f"{where}: route {self.template!r}: the constraint {constraints!r} is not imitated")
            if name in self._names:
                raise StartError(f"{where}: route {self.template!r}: the parameter {name!r} occurs twice")
            self._names.append(name)
            if default is not None:
                self._defaults[name] = default
            optional = optional or bool(question) or default is not None or bool(stars)
            pattern += "(.*)" if stars else f"({_CONSTRAINTS[kinds[0]]})" if kinds else "([^/]+?)"
        return pattern + self._literal(segment[end:], where), optional

    def _literal(self, text: str, where: str) -> str:
        if "{" in text or "}" in text:
            raise StartError(f"{where}: route {self.template!r} is not a route template")
        return re.escape(text)
