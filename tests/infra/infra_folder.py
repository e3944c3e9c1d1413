"""The folder infra/, read once for all checks; a copy of it with a planted mistake is read the same way."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.infra.bicep_deployment import Deployment, Placed, deployment
from tests.infra.bicep_files import bicep_files
from tests.infra.bicep_syntax import File


@dataclass(frozen=True)
class InfraFolder:
    """`path`: the folder; azure.yaml lies beside it. Reading raises BicepError."""

    path: Path

    @cached_property
    def files(self) -> dict[Path, File]:
        return bicep_files(self.path)

    @cached_property
    def main(self) -> File:
        return self.files[(self.path / "main.bicep").resolve()]

    @cached_property
    def deployment(self) -> Deployment:
        """Stage one."""
        return deployment(self.main, self.files)

    @cached_property
    def roots(self) -> tuple[Path, ...]:
        """main.bicep and the templates that the hooks deploy, in the order of their first use."""
        named = (template for _, text in self.hook_texts for template in re.findall(r"infra/(\S+\.bicep)", text))
        return tuple(dict.fromkeys((self.path / each).resolve() for each in ("main.bicep", *named)))

    @cached_property
    def deployments(self) -> tuple[Deployment, ...]:
        return tuple(deployment(self.files[root], self.files) for root in self.roots if root in self.files)

    @cached_property
    def resources(self) -> tuple[Placed, ...]:
        return tuple(placed for each in self.deployments for placed in each.resources)

    def of_type(self, type_: str) -> tuple[Placed, ...]:
        return tuple(placed for each in self.deployments for placed in each.of_type(type_))

    @cached_property
    def hook_trees(self) -> dict[Path, ast.Module]:
        return {path: ast.parse(path.read_text()) for path in sorted((self.path / "hooks").glob("*.py"))}

    @property
    def hook_texts(self) -> Iterator[tuple[str, str]]:
        """Every string of the hooks, with its place."""
        for path, tree in self.hook_trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield f"{path}:{node.lineno}", node.value
