"""The program `ferry`, which reads and writes backups: built here from the sources as they are."""

import os
import subprocess

from . import tools
from .failure import Failed

BUILD_SECS_MAX = 3_600
COPY_SECS_MAX = 7_200


def ferry(installation, *arguments):
    """Runs it against the installation's AWS; its own exit status is ours."""
    environment = installation.with_credentials(installation.environment(os.environ))
    return subprocess.run([path(), *arguments], env=environment, stdin=subprocess.DEVNULL, timeout=COPY_SECS_MAX).returncode


def path():
    """Where it is; built from these sources first, which takes minutes once, and a moment when nothing has changed."""
    if given := os.environ.get("FERRY_PROGRAM"):
        return given
    tools.need("cargo", "it builds ferry: https://rustup.rs")
    command = ["cargo", "build", "--release", "--locked", "--package", "ferry"]
    if subprocess.run(command, cwd=tools.ROOT, stdin=subprocess.DEVNULL, timeout=BUILD_SECS_MAX).returncode != 0:
        raise Failed("ferry could not be built; its errors are above")
    return tools.TARGET / "release" / "ferry"
