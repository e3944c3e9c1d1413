"""The hooks of azure.yaml: `python -m infra.hooks NAME`, from the root of the checkout. Each can be run again at any
time (`azd hooks run NAME`): it says what it does, a line for each step, and what to run where it cannot."""

import importlib
import os
import sys

from infra.hooks.azure_cli import StepError

HOOKS = ("preprovision", "postprovision", "postdeploy", "predown", "postdown")


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in HOOKS:
        print(f"usage: python -m infra.hooks {'|'.join(HOOKS)}", file=sys.stderr)
        return 2
    hook = importlib.import_module(f"infra.hooks.{arguments[0]}")
    try:
        hook.run(os.environ, say)
    except StepError as failed:
        tell_failure(failed)
        return 1
    return 0


def say(line: str) -> None:
    print(f"  {line}", flush=True)


def tell_failure(failed: StepError) -> None:
    print(f"  FAILED: {failed}", file=sys.stderr, flush=True)
    for line in failed.remedy.splitlines():
        print(f"    run: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
