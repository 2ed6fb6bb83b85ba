"""What the scripts need besides Python, cargo and git: installed under target/tools, pinned, the first time.

The scripts start with the standard library alone; once their arguments are read they go on in the Python of these tools, which
has boto3 and cryptography."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .failure import BadInput, Failed

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
TOOLS = TARGET / "tools"
SAM_PINS = ROOT / "infra" / "lib" / "sam.txt"
CARGO_LAMBDA_PINS = ROOT / "tests" / "function" / "cargo-lambda.txt"
INSTALL_SECS_MAX = 900


def enter():
    """Goes on in the Python that has boto3, with the same arguments."""
    python = _venv("sam", SAM_PINS) / "bin" / "python"
    if Path(sys.prefix).resolve() != (TOOLS / "sam").resolve():
        os.execv(python, [str(python), "-B", *sys.argv])


def sam():
    return _venv("sam", SAM_PINS) / "bin" / "sam"


def cargo_lambda():
    """The directory that must be in the PATH of `cargo lambda` and `sam build`."""
    return _venv("cargo-lambda", CARGO_LAMBDA_PINS) / "bin"


def need(program, why):
    if shutil.which(program) is None:
        raise BadInput(f"{program} is not installed: {why}")


def can_build_for(arch):
    """Whether the Rust toolchain has the standard library of that processor."""
    target = {"arm64": "aarch64", "x86_64": "x86_64"}[arch] + "-unknown-linux-gnu"
    told = subprocess.run(
        ["rustc", "--print", "target-libdir", "--target", target], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if told.returncode != 0 or not Path(told.stdout.strip()).is_dir():
        raise BadInput(f"the Rust toolchain cannot build for {arch}: rustup target add {target}, or name another --arch")


def _venv(name, pins):
    """An environment of its own with what a list pins; tests/run knows its own by the same mark."""
    directory, text = TOOLS / name, pins.read_text()
    mark = directory / "installed-from"
    if mark.exists() and mark.read_text() == text:
        return directory
    print(f"installing {name} under target/tools, once", file=sys.stderr, flush=True)
    shutil.rmtree(directory, ignore_errors=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    commands = [
        ([sys.executable, "-m", "venv", directory], "python3 -m venv does not work here (on Debian: apt install python3-venv)"),
        ([directory / "bin" / "pip", "install", "--quiet", "--requirement", pins], f"{name} could not be installed; is there a network?"),
    ]
    for command, otherwise in commands:
        try:
            made = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, timeout=INSTALL_SECS_MAX)
        except subprocess.TimeoutExpired:
            raise Failed(f"{name} was not installed within {INSTALL_SECS_MAX} s") from None
        if made.returncode != 0:
            raise Failed(otherwise)
    mark.write_text(text)
    return directory
