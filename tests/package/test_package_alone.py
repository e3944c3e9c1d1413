"""The package alone: from an empty folder, with the standard library and its own packages, it starts and answers."""

import ast
import re
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from functions_host.azurite import Azurite
from tests.package.built import built_package, linked_copy, packages_of, run_alone, said

pytestmark = [pytest.mark.xdist_group("package"), pytest.mark.timeout(600)]

CONFIGURATION = """\
revision: 1
profiles: { standard: { mode: audit, vault: { soft_delete: AlwaysOn } } }
rules: [{ profile: standard }]
"""


def imported_by(package: Path) -> set[str]:
    """Every module that the app's own code imports, anywhere in it."""
    names: set[str] = set()
    for path in [package / "function_app.py", *package.glob("functions/**/*.py"), *package.glob("shared/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
    return {name for name in names if not name.endswith("__main__")}


def test_unpacked_anywhere_it_is_indexed_and_answers(tmp_path: Path, azurite: Azurite) -> None:
    with zipfile.ZipFile(built_package().archive) as archive:
        archive.extractall(tmp_path / "app")
    settings = {
        "AzureWebJobsStorage": azurite.connection_string,
        "AKS_BACKUP_GUARD_CONFIGURATION_YAML": CONFIGURATION,
    }
    answer = said(run_alone(tmp_path / "app", "start", tmp_path / "empty", settings=settings))
    sources = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "app" / "functions").glob("*.py"))
    assert answer["functions"] == sorted(re.findall(r"\.function_name\(\"(\w+)\"\)", sources))
    assert {"health", "reconcile", "cluster_events", "job_events", "compliance_sweep"} <= {*answer["functions"]}
    assert answer["health"]["status"] == 200, answer
    assert answer["health"]["body"]["profiles"] == {"standard": "audit"}
    assert answer["outside"] == []
    assert answer["compiled"] == [], "all bytecode is used, though the files have other times now"
    assert not [*(tmp_path / "empty").iterdir()]


def test_every_import_of_the_app_resolves_inside(tmp_path: Path) -> None:
    package = built_package().folder
    names = imported_by(package)
    assert {"azure.functions", "fastapi", "pydantic", "apprise"} <= names | {name.split(".")[0] for name in names}
    answer = said(run_alone(package, "import", tmp_path / "empty", names="\n".join(sorted(names))))
    assert answer["failed"] == {}
    assert answer["outside"] == []
    own = {path.relative_to(package) for folder in ("functions", "shared") for path in (package / folder).rglob("*.py")}
    modules = {str(path.with_suffix("")).replace("/", ".").removesuffix(".__init__") for path in own}
    assert {name for name in modules if not name.endswith("__main__")} | {"function_app"} == {*answer["modules"]}


@pytest.mark.parametrize(
    ("lacking", "verb", "told"),
    [
        ("azure/functions", "start", "azure.functions"),
        ("azure_functions_runtime", "start", "azure_functions_runtime"),
        ("pydantic_core", "import", "pydantic_core"),
        ("azure/identity", "import", "azure.identity"),
        ("fastapi", "import", "fastapi"),
    ],
)
def test_without_one_of_its_packages_it_does_not_work(lacking: str, verb: str, told: str, tmp_path: Path) -> None:
    package = linked_copy(built_package().folder, tmp_path / "app")
    shutil.rmtree(packages_of(package) / lacking)
    ran = run_alone(package, verb, tmp_path / "empty", names="\n".join(sorted(imported_by(package))))
    if verb == "start":
        assert ran.returncode != 0
        assert told in ran.stderr
    else:
        assert any(told in why for why in said(ran)["failed"].values())


def test_a_module_from_elsewhere_would_be_told(tmp_path: Path) -> None:
    package = linked_copy(built_package().folder, tmp_path / "app")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "stranger.py").touch()
    (package / "shared" / "stray.py").write_text(f"import sys\nsys.path.append({str(elsewhere)!r})\nimport stranger\n")
    answer = said(run_alone(package, "import", tmp_path / "empty"))
    assert answer["outside"] == [str(elsewhere / "stranger.py")]
    assert str(package / "shared" / "stray.py") in answer["compiled"]


def test_the_program_that_looks_sees_nothing_of_this_environment(tmp_path: Path) -> None:
    ran = run_alone(built_package().folder, "import", tmp_path / "empty", names="pytest simulator cli rich")
    assert {*said(ran)["failed"]} == {"pytest", "simulator", "cli", "rich"}
    assert "pytest" in sys.modules
