"""An installation in the emulated cloud, deployed by the scripts that people use, and the world that it serves."""

import base64
import os
import subprocess
import sys
import textwrap
import time

from cloud import ROOT, Cloud, Fargate
from world import ADMIN, API_HASH, API_ID, TOKEN, World

STAGE = "test"
SCRIPT_SECS_MAX = 900
HOSTS_WITHIN_SECS = 60
SHOWN_LEN_MAX = 90
# Who looks on sees each line as it comes, through a pipe too.
sys.stdout.reconfigure(line_buffering=True)


class Deployed:
    """Cloud, world and installation; `with` hosts once a release with an image is deployed."""

    def __init__(self, programs, accounts, transfers, messages, floods=None, host_count=1):
        self.programs, self.host_count = programs, host_count
        self.cloud = Cloud(programs["emulator"])
        self.world = World(programs["simulator"], accounts, transfers, messages, floods)
        self.fargate = None

    def __enter__(self):
        self.cloud.__enter__()
        self.world.__enter__()
        self.fargate = Fargate(self.cloud, STAGE, self.programs["session-host"])
        self.fargate.__enter__()
        return self

    def __exit__(self, kind, error, _trace):
        if error is not None:
            print(f"fargate met {self.fargate.faults[-3:]}; hosts said: {self.fargate.said()}")
            print(f"the function said: {self.function_log()}")
            print(f"the emulator said: {self.cloud.log.read_text(errors='replace')[-1500:]}")
        self.fargate.__exit__()
        self.world.__exit__()
        self.cloud.__exit__()

    def function_log(self):
        """The end of what it wrote, if it ran at all."""
        try:
            events = self.cloud.client("logs").filter_log_events(logGroupName=f"/aws/lambda/ferry-{STAGE}-webhook")["events"]
        except Exception as error:  # a failure is being told already
            return repr(error)
        return "\n".join(event["message"].strip() for event in events[-20:])

    # --- scripts ---------------------------------------------------------------------------------------------------------

    def run(self, script, *arguments, environment=None, secs_max=SCRIPT_SECS_MAX):
        """Runs a script of infra/; gives its exit status and what it said. Nobody is there to be asked."""
        given = {**self.cloud.environment, **(environment or {})}
        given = {name: value for name, value in given.items() if value != ""}
        given |= {"FERRY_PROGRAM": str(self.programs["ferry"])}
        given |= {name: os.environ[name] for name in ("CARGO_TARGET_DIR",) if name in os.environ}
        # Built with the rest, in the debug profile: cargo-lambda would build everything once more for a target of its own.
        function = ["--function", str(self.programs["function"])] if script == "deploy" else []
        command = [str(ROOT / "infra" / script), "--stage", STAGE, *function, *arguments]
        done = subprocess.run(command, env=given, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=secs_max)
        return done.returncode, done.stdout

    def does(self, script, *arguments, environment=None):
        """The same, which must end well."""
        started = time.monotonic()
        status, said = self.run(script, *arguments, environment=environment)
        assert status == 0, f"infra/{script} {' '.join(arguments)} ended with {status}: {said[-4000:]}"
        shown = textwrap.shorten(f"infra/{script} {' '.join(arguments)}", SHOWN_LEN_MAX, placeholder=" ...")
        print(f"{shown}: {time.monotonic() - started:.0f} s")
        return said

    def secrets(self):
        return {"FERRY_BOT_TOKEN": TOKEN, "FERRY_API_HASH": API_HASH}

    def first_parameters(self):
        world = self.world
        named = {"BotApi": world.bot_api, "HostCount": self.host_count, "TelegramDcs": world.dcs, "TelegramKey": telegram_key(world.rsa_pem)}
        sets = [part for name, value in named.items() for part in ("--set", f"{name}={value}")]
        return ["--arch", "x86_64", "--admins", str(ADMIN), "--api-id", API_ID, *sets]

    def deploy_first(self):
        """From nothing: without hosts, because no image is there."""
        return self.does("deploy", *self.first_parameters(), "--release", "r0", "--no-image", environment=self.secrets())

    def put_image(self, tag):
        """The emulator keeps a list of images, and no layers: nothing is run from it."""
        manifest = '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[],"annotations":{"tag":"%s"}}' % tag
        self.cloud.client("ecr").put_image(repositoryName=f"ferry-{STAGE}", imageManifest=manifest, imageTag=tag)

    def deploy_release(self, release):
        self.put_image(release)
        return self.deploy_again(release)

    def deploy_again(self, release):
        """Its image stands in the registry already."""
        return self.does("deploy", "--image-tag", release, "--no-backup")

    # --- what came of it -------------------------------------------------------------------------------------------------

    def until(self, what, look, secs_max):
        return self.world.until(what, look, secs_max)

    def hosts_are_well(self, count=None):
        """Waits until so many hosts say that they may act."""
        wanted = self.host_count if count is None else count
        self.until(f"{wanted} hosts that are well", lambda: sum(host.is_well() for host in self.fargate.running()) == wanted, HOSTS_WITHIN_SECS)

    def accounts_come(self, count):
        for n in range(count):
            self.world.logs_in(n)
        self.until(f"{count} accounts in the pool", lambda: len(self.ready()) >= count, 120)

    def items(self, pk, sk):
        """The items of a partition."""
        found = self.cloud.client("dynamodb").query(
            TableName=f"ferry-{STAGE}",
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": {"S": f"BOT#0#{pk}"}, ":sk": {"S": sk}},
        )
        return found["Items"]

    def scan(self):
        pages = self.cloud.client("dynamodb").get_paginator("scan").paginate(TableName=f"ferry-{STAGE}", ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]

    def ready(self):
        return [item for item in self.scan() if item["sk"]["S"] == "ACCOUNT" and item["state"]["S"] == "ready"]

    def tasks(self):
        return [item for item in self.scan() if item["sk"]["S"] == "TASK"]


def telegram_key(pem):
    """The simulator's key as the template takes it."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    numbers = load_pem_public_key(pem.encode()).public_numbers()
    return f"{numbers.n}:{numbers.e}"
