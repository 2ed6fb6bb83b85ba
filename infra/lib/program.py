"""The program `ferry`, which reads and writes backups: built here if it is not there."""

import os
import subprocess

from . import tools
from .failure import Failed

BUILD_SECS_MAX = 3_600
COPY_SECS_MAX = 7_200


def ferry(installation, *arguments):
    """Runs it against the installation's AWS; its own exit status is ours."""
    program = os.environ.get("FERRY_PROGRAM") or _built()
    environment = installation.with_credentials(installation.environment(os.environ))
    return subprocess.run([program, *arguments], env=environment, stdin=subprocess.DEVNULL, timeout=COPY_SECS_MAX).returncode


def _built():
    for profile in ("release", "debug"):
        program = tools.TARGET / profile / "ferry"
        if program.is_file():
            return program
    print("building ferry, once", flush=True)
    tools.need("cargo", "it builds ferry: https://rustup.rs")
    command = ["cargo", "build", "--release", "--locked", "--package", "ferry"]
    if subprocess.run(command, cwd=tools.ROOT, stdin=subprocess.DEVNULL, timeout=BUILD_SECS_MAX).returncode != 0:
        raise Failed("ferry could not be built; its errors are above")
    return tools.TARGET / "release" / "ferry"
