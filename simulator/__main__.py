"""`python -m simulator --port P [--speed X] [--seed N] [--tls DIR] [--no-schedules]`."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from simulator.server import serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m simulator", description="Azure in a box, on the loopback.")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port (default)")
    parser.add_argument("--speed", type=float, default=1.0, help="durations are divided by this (default 1)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same ids (default 0)")
    parser.add_argument("--tls", type=Path, metavar="DIR", help="serve https; the CA is written to DIR/ca.pem")
    parser.add_argument("--no-schedules", action="store_true", help="backup policies start no backups by themselves")
    given = parser.parse_args()
    if not given.speed > 0:
        parser.error("--speed must be above 0")
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
    try:
        asyncio.run(
            serve(given.port, speed=given.speed, seed=given.seed, tls=given.tls, schedules=not given.no_schedules)
        )
    except OSError as error:
        parser.exit(1, f"cannot serve on port {given.port}: {error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
