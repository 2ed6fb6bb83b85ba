"""The function is built, and SAM packages and deploys the template."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import tools
from .failure import Failed
from .tools import ROOT

TEMPLATE = ROOT / "infra" / "template.yaml"
BUILD_SECS_MAX = 3_600
DEPLOY_SECS_MAX = 2_700


def build(arch):
    """The function's program. By the profile that its figures were measured with: `sam build` knows the release profile alone."""
    directory = tools.TARGET / "function" / arch
    processor = {"arm64": "--arm64", "x86_64": "--x86-64"}[arch]
    command = ["cargo", "lambda", "build", "--profile", "lambda", "--locked", "--package", "webhook", processor, "--lambda-dir", directory]
    path = f"{tools.cargo_lambda()}{os.pathsep}{os.environ['PATH']}"
    _run(command, {**os.environ, "PATH": path}, BUILD_SECS_MAX, "the function could not be built")
    return directory / "webhook" / "bootstrap"


def lay_out(program, built):
    """What `sam build` would leave, around a function that is built already."""
    (built / "Webhook").mkdir(parents=True)
    shutil.copy(program, built / "Webhook" / "bootstrap")
    template, count = re.subn(r"^      CodeUri: \.\.$", "      CodeUri: Webhook", TEMPLATE.read_text(), flags=re.MULTILINE)
    if count != 1:
        raise Failed("infra/template.yaml does not say once where the function's code is")
    (built / "template.yaml").write_text(template)


def package(installation, program):
    """The template with the function's code in the bucket, as text."""
    with tempfile.TemporaryDirectory(prefix="ferry-package-") as directory:
        # A place of its own: several installations may be deployed at the same time.
        packaged, built = Path(directory) / "packaged.yaml", Path(directory) / "build"
        lay_out(program, built)
        command = ["package", "--template-file", built / "template.yaml", "--resolve-s3", "--output-template-file", packaged]
        _sam(installation, command, "the function's code could not be put into SAM's bucket")
        return packaged.read_text()


def deploy(installation, template, parameters):
    """Makes the stack what the packaged template says; nothing to change is no failure. Parameters not named stay."""
    with tempfile.TemporaryDirectory(prefix="ferry-deploy-") as directory:
        packaged = Path(directory) / "packaged.yaml"
        packaged.write_text(template)
        # In JSON quotes: a value may hold commas and spaces.
        overrides = [f"{name}={json.dumps(value)}" for name, value in sorted(parameters.items())]
        command = [
            "deploy", "--template-file", packaged, "--stack-name", installation.stack_name, "--resolve-s3", "--capabilities", "CAPABILITY_IAM",
            "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--parameter-overrides", *overrides,
        ]  # fmt: skip
        what = f"the stack {installation.stack_name} could not be deployed: its events are above; nothing of the data was touched"
        _sam(installation, command, what)


def _sam(installation, arguments, otherwise):
    environment = {**installation.environment(os.environ), "SAM_CLI_TELEMETRY": "0"}
    _run([tools.sam(), *arguments, "--region", installation.region], environment, DEPLOY_SECS_MAX, otherwise)


def _run(command, environment, secs_max, otherwise):
    command = [str(part) for part in command]
    print(f"$ {Path(command[0]).name} {' '.join(command[1:])}", flush=True)
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)
    try:
        status = process.wait(timeout=secs_max)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise Failed(f"{otherwise} (still at it after {secs_max} s)") from None
    if status != 0:
        raise Failed(otherwise)
