"""Modules of the app come from the app's folder and from nowhere else.

Started as `python -m functions_host`, Python puts the current folder on sys.path: an app folder without `shared/`
would be indexed with the checkout's copy and the host would test the wrong code. The real worker's path is the app's
folder, its `.python_packages`, and the interpreter's own folders.
"""

import importlib.util
import site
import sys
import sysconfig
from pathlib import Path

from functions_host.start_error import StartError

_APP_PACKAGES = ("function_app", "functions", "shared")


def take_modules_only_from(app_dir: Path) -> None:
    """Reduce sys.path to the app's folder and the interpreter's own folders."""
    paths = sysconfig.get_paths()
    own = [Path(paths[key]).resolve() for key in ("stdlib", "platstdlib", "purelib", "platlib")]
    own += [Path(folder).resolve() for folder in site.getsitepackages()]
    kept = [
        entry for entry in sys.path if entry and any(Path(entry).resolve().is_relative_to(folder) for folder in own)
    ]
    deployed = app_dir / ".python_packages" / "lib" / "site-packages"
    sys.path[:] = [str(app_dir), *([str(deployed)] if deployed.is_dir() else []), *kept]
    sys.path_importer_cache.clear()


def check_origin(app_dir: Path) -> None:
    """Fail if a package of the app was, or would be, taken from outside the app's folder."""
    for name in _APP_PACKAGES:
        module = sys.modules.get(name)
        spec = module.__spec__ if module is not None else importlib.util.find_spec(name)
        if spec is None:
            continue
        places = list(spec.submodule_search_locations or []) + ([spec.origin] if spec.has_location else [])
        for place in places:
            if place is not None and not Path(place).resolve().is_relative_to(app_dir):
                raise StartError(f"module {name!r} comes from {place}, which lies outside the app's folder {app_dir}")
