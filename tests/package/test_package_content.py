"""What the package holds: the app's own files and no other, its packages for Azure's machines, bytecode of it all."""

import importlib.util
import re
import shutil
import subprocess
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import pytest

from infra.package import CHECKOUT, compile_all, pack
from tests.package.built import built_package, linked_copy, packages_of

pytestmark = [pytest.mark.xdist_group("package"), pytest.mark.timeout(600)]
UNCHECKED_HASH = 1  # PEP 552: by hash, and the source is not looked at


def listed_in_git() -> set[str]:
    """What git knows (or would add), without what .funcignore names, which has git's own syntax."""

    def files(*options: str) -> set[str]:
        listed = subprocess.run(["git", "ls-files", "-z", *options], cwd=CHECKOUT, capture_output=True, check=True)
        return {name for name in listed.stdout.decode().split("\0") if name}

    everything = files("--cached", "--others", "--exclude-standard")
    ignored = files("--cached", "--ignored", "--exclude-from=.funcignore")
    ignored |= files("--others", "--ignored", "--exclude-from=.funcignore")
    return {name for name in everything - ignored if (CHECKOUT / name).is_file()}


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_it_holds_exactly_the_apps_own_files() -> None:
    package = built_package().folder
    own = {name for name in files_in(package) if not name.startswith(".python_packages/") and "__pycache__" not in name}
    beside = {"LICENSE", "requirements.txt"}  # .funcignore is also for those who have the packages made by Azure
    assert own == (listed_in_git() - beside) | {".funcignore"}
    assert {path.name for path in package.iterdir()} == {
        *(".funcignore", ".python_packages", "__pycache__"),
        *("function_app.py", "functions", "guard.yaml", "host.json", "shared"),
    }


def test_what_git_ignores_is_not_deployed_by_other_tools_either() -> None:
    """Core Tools pack the working folder: they know .funcignore, not .gitignore."""
    ignored, left_out = ({*(CHECKOUT / name).read_text().split()} for name in (".gitignore", ".funcignore"))
    assert {line.rstrip("/") for line in ignored} - {"*.pyc"} <= left_out  # those lie in __pycache__


def test_azd_leaves_nothing_of_it_out() -> None:
    """Without a .funcignore in the folder azd would leave out every __pycache__."""
    rules = (built_package().folder / ".funcignore").read_text(encoding="utf-8").splitlines()
    assert rules
    assert all(rule.startswith("#") for rule in rules)


def test_the_packages_are_the_pinned_ones_for_azures_machines() -> None:
    built = built_package()
    pins = re.findall(r"(?m)^([a-z0-9._-]+==\S+)", (CHECKOUT / "requirements.txt").read_text(encoding="utf-8"))
    there = distributions(path=[str(packages_of(built.folder))])
    assert {*pins} == {f"{re.sub(r'[-_.]+', '-', each.name).lower()}=={each.version}" for each in there}
    assert {*built.package_bytes} == {pin.split("==")[0] for pin in pins}
    libraries = [*packages_of(built.folder).rglob("*.so")]
    assert len(libraries) > 10
    for library in libraries:
        head = library.read_bytes()[:20]
        assert head[:5] == b"\x7fELF\x02", library
        assert int.from_bytes(head[18:20], "little") == 0x3E, f"{library} is not for x86-64"
        assert re.search(r"\.(cpython-313-x86_64-linux-gnu|abi3)\.so$", library.name), library


def test_nothing_is_there_that_only_developers_need() -> None:
    names = files_in(packages_of(built_package().folder))
    assert not [name for name in names if name.endswith((".pyi", ".pyx", ".c", "/RECORD", "direct_url.json"))]
    assert not [name for name in names if name.startswith("bin/") or "/tests/" in name]
    for unwanted in ("pytest", "mypy", "rich", "typer", "pip", "setuptools", "azure/cli"):
        assert not (packages_of(built_package().folder) / unwanted).exists(), unwanted
    assert [name for name in names if "LICENSE" in name], "licences ask to be kept"


def test_every_module_has_bytecode_that_is_used_wherever_it_is_unpacked() -> None:
    package = built_package().folder
    sources = [*package.rglob("*.py")]
    assert len(sources) > 1000
    for source in sources:
        code = Path(importlib.util.cache_from_source(str(source))).read_bytes()
        assert code[:4] == importlib.util.MAGIC_NUMBER, source
        assert int.from_bytes(code[4:8], "little") == UNCHECKED_HASH, source
        assert code[8:16] == importlib.util.source_hash(source.read_bytes()), source
        assert str(package).encode() not in code, f"{source}: it names a folder of the machine that built it"


def test_the_archive_is_the_folder() -> None:
    built = built_package()
    with zipfile.ZipFile(built.archive) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        assert {*names} == files_in(built.folder) - {".funcignore"}
        assert all(archive.read(name) == (built.folder / name).read_bytes() for name in names)
        assert {entry.date_time for entry in archive.infolist()} == {(2000, 1, 1, 0, 0, 0)}


def test_the_sizes_told_are_those_on_disk() -> None:
    built = built_package()
    everything = sum(path.stat().st_size for path in built.folder.rglob("*") if path.is_file())
    told = built.app_bytes + sum(built.package_bytes.values())
    assert told == everything - (built.folder / ".funcignore").stat().st_size
    assert built.archive.stat().st_size < 60e6, "half a minute to upload; more wants a thought"


def test_the_same_sources_make_the_same_bytes(tmp_path: Path) -> None:
    built = built_package()
    again = linked_copy(built.folder, tmp_path / "somewhere else" / "app")
    (again / ".funcignore").unlink()
    for folder in [*again.rglob("__pycache__")]:
        shutil.rmtree(folder)
    compile_all(again)
    pack(again, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == built.archive.read_bytes()
