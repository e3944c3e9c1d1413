"""`python -m infra.package` (`make package`): builds dist/app, which azd deploys, and dist/app.zip, the same packed.

The package is whole: the app's own files, its packages as Linux x86-64 wheels for CPython 3.13 whatever machine builds
it, all of it compiled. Nothing is built in Azure. The same input and the same Python make
the same bytes.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path

from shared.domain.errors import InvalidConfigurationError
from shared.profiles import load_configuration_file

CHECKOUT = Path(__file__).resolve().parent.parent
FILES = ("function_app.py", "host.json")
FOLDERS = ("functions", "shared")
SUFFIXES = frozenset({".css", ".html", ".js", ".json", ".py", ".svg", ".txt", ".typed"})
"""What the app's folders hold. Anything else was left there by somebody, or is new and wants a thought."""
PACKAGES = Path(".python_packages/lib/site-packages")
"""Where the Python worker looks for packages (learn.microsoft.com/azure/azure-functions/python-build-options)."""
IGNORE_FILE = ".funcignore"
IGNORES_NOTHING = (
    "# Nothing is left out. Without this file azd would leave out __pycache__, and with it the bytecode.\n"
)
"""learn.microsoft.com/azure/developer/azure-developer-cli/service-packaging-ignore-files"""
GLIBC_MINOR = 28
"""Wheels may ask for glibc 2.28 at most: Azure's image for Python 3.13 is newer."""
NOT_AT_RUN_TIME = frozenset({".c", ".h", ".md", ".pxd", ".pyi", ".pyx", ".rst"})
"""For compilers, type checkers and readers. Licences stay, in *.dist-info."""
INSTALLERS_NOTES = frozenset({"INSTALLER", "RECORD", "REQUESTED", "direct_url.json"})
"""What pip notes about an installation; it would differ from machine to machine, or no longer be true."""
FILE_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""Of every file. ZIP knows none before 1980."""


class CannotPackageError(Exception):
    """The package would not be what it must be; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Built:
    """What was built. Sizes are in bytes, unpacked, with the bytecode."""

    folder: Path
    archive: Path
    app_bytes: int
    package_bytes: dict[str, int]


def build(target: Path, *, checkout: Path = CHECKOUT, configuration: str = "guard.yaml") -> Built:
    """Build `target`/app and `target`/app.zip anew, with that configuration and the files of controls it names. Raises
    CannotPackageError, and then leaves what was there."""
    if sys.version_info[:2] != (3, 13):
        raise CannotPackageError("bytecode must be of Python 3.13: run .venv/bin/python -m infra.package")
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target, prefix="building-") as scratch:
        folder, archive = Path(scratch) / "app", Path(scratch) / "app.zip"
        copy_app(checkout, folder, configuration)
        owners = install(checkout / "requirements.txt", folder / PACKAGES)
        strip(folder / PACKAGES)
        compile_all(folder)
        sizes = _sizes(folder, owners)
        pack(folder, archive)
        (folder / IGNORE_FILE).write_text(IGNORES_NOTHING, encoding="utf-8")
        for made in (folder, archive):
            if (target / made.name).exists():
                (target / made.name).replace(Path(scratch) / f"former-{made.name}")
            made.replace(target / made.name)
    return Built(target / "app", target / "app.zip", sizes.pop(""), sizes)


def copy_app(checkout: Path, folder: Path, configuration: str = "guard.yaml") -> None:
    """Copy the app's own files, and nothing that lies beside them."""
    named = (*FILES, *_configured(checkout, configuration))
    for needed in (*named, *(f"{name}/__init__.py" for name in FOLDERS)):
        if not (checkout / needed).is_file():
            raise CannotPackageError(f"{needed} is missing in {checkout}")
    within = [path for name in FOLDERS for path in _files(checkout / name) if "__pycache__" not in path.parts]
    for path in within:
        if path.is_symlink() or path.suffix not in SUFFIXES or path.name.startswith("."):
            stray = path.relative_to(checkout)
            raise CannotPackageError(f"{stray} is no file of the app: remove it, or add its kind to infra/package.py")
    for path in (*(checkout / name for name in named), *within):
        copy = folder / path.relative_to(checkout)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def _configured(checkout: Path, configuration: str) -> list[str]:
    """The configuration, and the Python files that it names, which lie relative to it; read as the app will."""
    try:
        controls = load_configuration_file(checkout / configuration).control_files
    except InvalidConfigurationError as error:
        raise CannotPackageError(f"{configuration} is wrong:\n{error}") from error
    named = [configuration, *((Path(configuration).parent / name).as_posix() for name in controls)]
    for name in named:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise CannotPackageError(f"{name} lies outside the checkout")
    return named


def install(requirements: Path, packages: Path) -> dict[str, str]:
    """Install what is pinned, and just that. Returns the distribution of each file, by its path in `packages`."""
    pinned = _pinned(requirements)
    platforms = [f"manylinux_2_{minor}_x86_64" for minor in range(GLIBC_MINOR, 4, -1)]
    platforms += ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-input"]
    pip += ["--implementation=cp", "--python-version=3.13", "--abi=cp313", "--abi=abi3", "--abi=none"]
    pip += [f"--platform={platform}" for platform in platforms]
    pip += ["--only-binary=:all:", "--no-compile", f"--target={packages}", f"--requirement={requirements}"]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("WARNING"))
        missing = re.search(r"No matching distribution found for (\S+)", said)
        why = f"{missing[1]} has no wheel for Linux x86-64 and CPython 3.13" if missing else "pip could not install"
        if "Retrying (" in done.stderr:  # and then pip knows of no version of anything
            why = "the package index cannot be reached"
        raise CannotPackageError(f"{why}; pip said:\n{said}")
    found = {_normal(each.name): each for each in distributions(path=[str(packages)])}
    if unpinned := sorted(found.keys() - pinned):
        raise CannotPackageError(f"{', '.join(unpinned)}: needed, but not pinned in requirements.txt: run `make lock`")
    return {str(file): name for name, each in found.items() for file in each.files or ()}


def strip(packages: Path) -> None:
    """Take away what is not needed at run time, and scripts, which name the machine's own Python."""
    for path in _files(packages):
        name = path.relative_to(packages)
        notes = name.parts[0].endswith(".dist-info")
        if (
            (path.name in INSTALLERS_NOTES if notes else path.suffix in NOT_AT_RUN_TIME)
            or name.parts[0] == "bin"
            or name.parts[0].endswith("-stubs")
            or "tests" in name.parts[:-1]
        ):
            path.unlink()
    for folder in sorted((path for path in packages.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def compile_all(folder: Path, mode: str = "unchecked-hash") -> None:
    """Compile every module. The bytecode is not compared with its source at import: unpacking the archive gives the
    sources other times, and bytecode of another time is not used. In a process of its own, since what a process has
    compiled before shows in the bytes."""
    compileall = [sys.executable, "-I", "-m", "compileall", "-q", "--invalidation-mode", mode]
    done = subprocess.run([*compileall, "-s", str(folder), str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotPackageError(f"a module does not compile:\n{done.stdout}{done.stderr}")


def pack(folder: Path, archive: Path) -> None:
    """Write the archive: files only, in the order of their names, with one time and one mode."""
    times = (FILE_TIME.timestamp(),) * 2
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped:
        for path in _files(folder):
            os.utime(path, times)
            path.chmod(0o644)
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), FILE_TIME.timetuple()[:6])
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            zipped.writestr(entry, path.read_bytes())


def main() -> int:
    """Build, and say what was built."""
    try:
        built = build(CHECKOUT / "dist", configuration=os.environ.get("GUARD_CONFIGURATION") or "guard.yaml")
    except CannotPackageError as error:
        print(f"cannot package: {error}", file=sys.stderr)
        return 1
    largest = sorted(built.package_bytes.items(), key=lambda item: (-item[1], item[0]))[:10]
    digest = hashlib.sha256(built.archive.read_bytes()).hexdigest()
    packages = f"{len(built.package_bytes)} packages {_mb(sum(built.package_bytes.values()))}"
    print(f"{built.folder.relative_to(CHECKOUT)}      the app {_mb(built.app_bytes)}, {packages}, with bytecode")
    print(f"{built.archive.relative_to(CHECKOUT)}  {_mb(built.archive.stat().st_size)}, SHA-256 {digest}")
    print(f"largest       {', '.join(f'{name} {_mb(size)}' for name, size in largest)}")
    return 0


def _files(folder: Path) -> Iterator[Path]:
    found = (path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    return iter(sorted(found, key=Path.as_posix))


def _pinned(requirements: Path) -> set[str]:
    pins = set()
    for line in requirements.read_text(encoding="utf-8").splitlines():
        words = line.split("#")[0].strip().removesuffix("\\").strip()
        if not words or words.startswith("--hash="):
            continue
        pin = re.fullmatch(r"([A-Za-z0-9._-]+)==[^\s;]+", words)
        if pin is None:
            raise CannotPackageError(f"requirements.txt: `{words}` is no pinned version: run `make lock`")
        pins.add(_normal(pin[1]))
    return pins


def _normal(name: str) -> str:
    """As PyPI compares names (packaging.python.org, names and normalization)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _sizes(folder: Path, owners: dict[str, str]) -> Counter[str]:
    """Bytes by distribution; the app's own are under ''."""
    sizes: Counter[str] = Counter()
    for path in _files(folder):
        source = Path(importlib.util.source_from_cache(str(path))) if path.suffix == ".pyc" else path
        owner = ""
        if source.is_relative_to(folder / PACKAGES):
            owner = owners[str(source.relative_to(folder / PACKAGES))]
        sizes[owner] += path.stat().st_size
    return sizes


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


if __name__ == "__main__":
    sys.exit(main())
