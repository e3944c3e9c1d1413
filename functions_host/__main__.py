"""`python -m functions_host --app DIR --port P`: host DIR's function_app.py on this machine.

Exit codes: 0 after SIGTERM or SIGINT, 1 for a fault of the host, 2 if the app, its configuration or the command line
is not fit to be hosted, 3 if a function exceeded host.json's functionTimeout.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from functions_host import host, host_json, isolation, logs, server, settings, worker
from functions_host.start_error import StartError

EXIT_CANNOT_START = 2


def main(arguments: list[str] | None = None) -> int:
    """Run the host; returns only if it does not start."""
    options = _parser().parse_args(arguments)
    app_dir = options.app.resolve()
    try:
        if not app_dir.is_dir():
            raise StartError(f"--app {options.app}: there is no such folder")
        settings.load(app_dir, options.settings.resolve() if options.settings else None)
        config = host_json.read(app_dir)
        logs.to_stderr(config.log_level)
        stdout = worker.keep_stdout_for_the_host()
        with server.bind(options.port) as listening:
            settings.announce_to_app(app_dir, listening.getsockname()[1])
            isolation.take_modules_only_from(app_dir)
            os.chdir(app_dir)
            asyncio.run(host.serve(app_dir, listening, config, stdout))
    except StartError as error:
        sys.stderr.write(f"functions_host: cannot start: {error}\n")
        return EXIT_CANNOT_START
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="functions_host", description=__doc__)
    parser.add_argument("--app", type=Path, required=True, help="the folder with function_app.py and host.json")
    parser.add_argument("--port", type=int, default=7071, help="port on 127.0.0.1; 0 takes any free one")
    parser.add_argument("--settings", type=Path, help="app settings, instead of DIR/local.settings.json")
    return parser


if __name__ == "__main__":
    sys.exit(main())
