"""Runs the pinned sam, installing it first where it is not there yet, with nothing of AWS but a region's name.

    python sam.py ARGUMENT ...
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "infra"))
from lib import tools  # noqa: E402

environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "eu-central-1"}
sam = str(tools.sam())
os.execve(sam, [sam, *sys.argv[1:]], environment)
