"""What would make a wrong package is refused, with a text that says what to do; what was built before stays."""

import zipfile
from pathlib import Path

import pytest

from infra.package import CannotPackageError, build, copy_app, install

FILES = ("function_app.py", "guard.yaml", "host.json", "functions/__init__.py", "shared/__init__.py")
CONFIGURATION = """\
revision: 1
profiles: { standard: { mode: audit, vault: { soft_delete: AlwaysOn } } }
rules: [{ profile: standard }]
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The least that is an app."""
    for name in (*FILES, "shared/templates/page.html", "simulator/__init__.py", "shared/__pycache__/x.cpython-313.pyc"):
        (tmp_path / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "checkout" / name).write_text(CONFIGURATION if name == "guard.yaml" else "")
    return tmp_path / "checkout"


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes packages from, and from nowhere else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def wheel(folder: Path, name: str, tag: str = "py3-none-any", requires: str = "") -> None:
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n" + (
        f"Requires-Dist: {requires}\n" if requires else ""
    )
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-{tag}.whl", "w") as archive:
        archive.writestr(f"{name}/__init__.py", "")
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(
            f"{info}/RECORD", f"{name}/__init__.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"
        )


def test_the_apps_own_files_are_copied_and_nothing_beside_them(checkout: Path, tmp_path: Path) -> None:
    copy_app(checkout, tmp_path / "app")
    copied = {path.relative_to(tmp_path / "app").as_posix() for path in (tmp_path / "app").rglob("*") if path.is_file()}
    assert copied == {*FILES, "shared/templates/page.html"}


@pytest.mark.parametrize("missing", FILES)
def test_a_missing_file_is_named(missing: str, checkout: Path, tmp_path: Path) -> None:
    (checkout / missing).unlink()
    with pytest.raises(CannotPackageError, match=missing):
        copy_app(checkout, tmp_path / "app")


@pytest.mark.parametrize(
    "stray", ["shared/settings.py.orig", "functions/.env", "shared/backup.db", "shared/.hidden.py"]
)
def test_a_file_that_somebody_left_there_is_named(stray: str, checkout: Path, tmp_path: Path) -> None:
    (checkout / stray).write_text("secret")
    with pytest.raises(CannotPackageError, match=rf"{stray} is no file of the app"):
        copy_app(checkout, tmp_path / "app")


def test_a_link_to_elsewhere_is_not_followed(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text("secret")
    (checkout / "shared" / "linked.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(CannotPackageError, match=r"shared/linked\.py"):
        copy_app(checkout, tmp_path / "app")


@pytest.mark.parametrize(
    "line", ["needed", "needed>=1.0", "-e .", "needed @ https://example.org/needed.whl", "-r more.txt"]
)
def test_a_requirement_that_is_not_pinned_is_refused(line: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(f"# pins\nother==1.0\n{line}\n")
    with pytest.raises(CannotPackageError, match=r"no pinned version: run `make lock`"):
        install(tmp_path / "requirements.txt", tmp_path / "packages")


@pytest.mark.parametrize(
    "tag", ["cp313-cp313-macosx_11_0_arm64", "cp312-cp312-manylinux2014_x86_64", "py3-none-win_amd64"]
)
def test_a_package_without_a_wheel_for_azures_machines_is_named(tag: str, wheels: Path, tmp_path: Path) -> None:
    wheel(wheels, "needed", tag)
    (tmp_path / "requirements.txt").write_text("needed==1.0\n")
    with pytest.raises(CannotPackageError, match=r"needed==1\.0 has no wheel for Linux x86-64"):
        install(tmp_path / "requirements.txt", tmp_path / "packages")


@pytest.mark.parametrize(
    "tag",
    [
        "py3-none-any",
        "cp313-cp313-manylinux_2_28_x86_64",
        "cp311-abi3-manylinux2014_x86_64",
        "py3-none-manylinux1_x86_64",
    ],
)
def test_wheels_for_azures_machines_are_taken(tag: str, wheels: Path, tmp_path: Path) -> None:
    wheel(wheels, "needed", tag)
    (tmp_path / "requirements.txt").write_text("needed==1.0\n")
    owners = install(tmp_path / "requirements.txt", tmp_path / "packages")
    assert owners["needed/__init__.py"] == "needed"


def test_a_package_that_is_needed_but_not_pinned_is_named(wheels: Path, tmp_path: Path) -> None:
    wheel(wheels, "needed", requires="surprise")
    wheel(wheels, "surprise")
    (tmp_path / "requirements.txt").write_text("needed==1.0\n")
    with pytest.raises(CannotPackageError, match="surprise: needed, but not pinned"):
        install(tmp_path / "requirements.txt", tmp_path / "packages")


def test_an_index_that_does_not_answer_is_not_taken_for_a_missing_wheel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": "http://127.0.0.1:1/",
        "PIP_RETRIES": "1",
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "requirements.txt").write_text("needed==1.0\n")
    with pytest.raises(CannotPackageError, match="the package index cannot be reached"):
        install(tmp_path / "requirements.txt", tmp_path / "packages")


def test_whatever_lies_there_is_replaced(checkout: Path, wheels: Path, tmp_path: Path) -> None:
    wheel(wheels, "needed")
    (checkout / "requirements.txt").write_text("needed==1.0\n")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "app").write_text("a file")
    (tmp_path / "dist" / "app.zip").mkdir()
    (tmp_path / "dist" / "app.zip" / "stray").touch()
    built = build(tmp_path / "dist", checkout=checkout)
    assert zipfile.is_zipfile(built.archive)
    assert (built.folder / "host.json").is_file()
    assert {path.name for path in (tmp_path / "dist").iterdir()} == {"app", "app.zip"}


def test_what_was_built_before_stays_when_the_next_is_refused(checkout: Path, wheels: Path, tmp_path: Path) -> None:
    wheel(wheels, "needed")
    (checkout / "requirements.txt").write_text("needed==1.0\n")
    first = build(tmp_path / "dist", checkout=checkout)
    before = first.archive.read_bytes()
    (checkout / "shared" / "broken.py").write_text("def\n")
    with pytest.raises(CannotPackageError, match=r"does not compile[\s\S]*broken\.py"):
        build(tmp_path / "dist", checkout=checkout)
    assert first.archive.read_bytes() == before
    assert {path.name for path in (tmp_path / "dist").iterdir()} == {"app", "app.zip"}
    (checkout / "shared" / "broken.py").unlink()
    assert build(tmp_path / "dist", checkout=checkout).archive.read_bytes() == before
