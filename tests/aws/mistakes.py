"""Bad input of each script in infra/: one clear line for each mistake, exit status 2, and nothing was changed. Prints `ok` lines.

    tests/aws/mistakes.py EMULATOR_PYTHON FERRY SESSION_HOST SIMULATOR FUNCTION
"""

import hashlib
import json
import os
import sys
import tempfile

from cloud import ROOT_CREDENTIALS
from deployed import STAGE, Deployed

NO_CREDENTIALS = dict.fromkeys(ROOT_CREDENTIALS, "") | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_CONFIG_FILE": os.devnull}
WRONG_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIANOBODYKNOWSTHAT0", "AWS_SECRET_ACCESS_KEY": "x"}


def main():
    names = ["emulator", "ferry", "session-host", "simulator", "function"]
    with Deployed(dict(zip(names, sys.argv[1:])), accounts=1, transfers=1, messages=1) as here:
        before_anything(here)
        deployed(here)


def state(here):
    """What stands in the cloud, apart from items."""
    client = here.cloud.client
    return json.dumps(
        {
            "stacks": [(stack["StackName"], stack["StackStatus"], str(stack.get("LastUpdatedTime"))) for stack in client("cloudformation").describe_stacks()["Stacks"]],
            "tables": client("dynamodb").list_tables()["TableNames"],
            "secrets": [(secret["Name"], sorted(secret.get("SecretVersionsToStages", {}))) for secret in client("secretsmanager").list_secrets()["SecretList"]],
            "buckets": [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]],
            "roles": [role["RoleName"] for role in client("iam").list_roles()["Roles"]],
            "items": here.scan() if f"ferry-{STAGE}" in client("dynamodb").list_tables()["TableNames"] else [],
        },
        sort_keys=True,
    )


def refused(here, words, script, *arguments, environment=None, lines=1):
    """Exit status 2, so many lines, each of them an error, with these words; and nothing was changed."""
    before = state(here)
    status, said = here.run(script, *arguments, environment=environment)
    told = [line for line in said.splitlines() if line]
    assert status == 2 and len(told) == lines and all(line.startswith("error: ") for line in told), f"{script} {arguments}: {status} {said}"
    for word in words:
        assert word in said, f"{word!r} is not in: {said}"
    assert state(here) == before, f"infra/{script} {' '.join(arguments)} changed something"


def before_anything(here):
    first, secrets = here.first_parameters(), here.secrets()
    scripts = [("deploy", *first), ("verify",), ("rollback",), ("backup", "no-such-file"), ("restore", backup_of(1))]
    for script in scripts:
        refused(here, ["no AWS credentials"], *script, environment=NO_CREDENTIALS | secrets)
        refused(here, ["does not take the credentials"], *script, environment=WRONG_CREDENTIALS | secrets)
        refused(here, ["no AWS region nowhere-1"], *script, "--region", "nowhere-1", environment=secrets)
    print(f"ok {len(scripts)} scripts refuse no credentials, wrong ones, and a region that there is not")
    for script in scripts[1:]:
        refused(here, [f"no stack ferry-{STAGE}"], *script)
    print("ok the others refuse to work before anything is deployed")
    refused(here, ["--admins", "--api-id", "FERRY_BOT_TOKEN", "FERRY_API_HASH"], "deploy", "--arch", "x86_64", "--no-image", lines=4)
    refused(here, ["Telegram user ids"], "deploy", *first, "--admins", "@me", "--no-image", environment=secrets)
    refused(here, ["HostCount"], "deploy", *first, "--set", "Hosts=3", environment=secrets)
    refused(here, ["no time zone Atlantis"], "deploy", *first, "--set", "Zone=Atlantis", environment=secrets)
    refused(here, ["HostCount", "HostCpu"], "deploy", *first, "--set", "HostCount=99", "--set", "HostCpu=300", environment=secrets, lines=2)
    refused(here, ["BotApi is no address"], "deploy", *first, "--set", "BotApi=api.example.org", "--no-image", environment=secrets)
    refused(here, ["FERRY_BOT_TOKEN does not look like"], "deploy", *first, environment=secrets | {"FERRY_BOT_TOKEN": "abc"})
    refused(here, ["FERRY_API_HASH does not look like"], "deploy", *first, environment=secrets | {"FERRY_API_HASH": "abc"})
    unknown = secrets | {"FERRY_BOT_TOKEN": "7900000009:of-nobody-that-Telegram-knows"}
    refused(here, ["Telegram does not know the bot"], "deploy", *first, "--no-image", environment=unknown)
    refused(here, ["is no tag"], "deploy", *first, "--release", "a b", "--no-image", environment=secrets)
    refused(here, ["no image r9"], "deploy", *first, "--image-tag", "r9", environment=secrets)
    print("ok infra/deploy refuses missing parameters (a line each), wrong ones, a wrong token, an image that is not there")
    before = state(here)
    said = here.does("deploy", *first, "--no-image", "--dry-run", environment=secrets)
    assert said.startswith("would deploy release ") and secrets["FERRY_BOT_TOKEN"] not in said, said
    assert state(here) == before
    print("ok infra/deploy --dry-run says what it would do, names no secret, and changes nothing")


def deployed(here):
    webhook_refused = {"scripts": [{"method": "setWebhook", "code": 400, "description": "Bad Request: bad webhook: IP address is reserved"}]}
    here.world.control.ask("/bots/limits", webhook_refused)
    status, said = here.run("deploy", *here.first_parameters(), "--release", "r0", "--no-image", environment=here.secrets())
    assert status == 1 and said.splitlines()[-1].startswith("error: the webhook cannot be set"), said[-2000:]
    here.does("deploy", "--release", "r0", "--no-image")
    print("ok a webhook that cannot be set is one line, and the same command goes on from there")
    refused(here, ["no release was deployed before r0"], "rollback", "--yes")
    refused(here, ["release r7 was not kept"], "rollback", "--to", "r7", "--yes")
    refused(here, ["is no backup"], "restore", __file__)
    refused(here, ["cannot be read"], "restore", "/no/such/file")
    refused(here, ["is damaged"], "restore", backup_of(1, cut_off=True))
    refused(here, ["say --yes"], "restore", backup_of(1))
    refused(here, ["there already"], "backup", __file__)
    refused(here, ["schema 99"], "restore", backup_of(99))
    print("ok infra/rollback, infra/backup and infra/restore refuse releases and files that are none")
    here.does("deploy", "--release", "r0b", "--no-image")
    schema = {"pk": {"S": "BOT#0#INSTALLATION"}, "sk": {"S": "SCHEMA"}, "newest_schema": {"N": "99"}, "schema": {"N": "99"}, "version": {"N": "1"}}
    here.cloud.client("dynamodb").put_item(TableName=f"ferry-{STAGE}", Item=schema)
    refused(here, ["schema 99", "newer"], "deploy", "--release", "r1", "--no-image")
    refused(here, ["schema 99", "infra/restore"], "rollback", "--yes")
    print("ok infra/deploy and infra/rollback refuse data of a schema that their code does not know")
    before = state(here)
    for script in [("verify", "--dry-run"), ("backup", "no-such-file", "--dry-run"), ("restore", backup_of(1), "--dry-run")]:
        assert here.does(*script).startswith("would "), script
    assert state(here) == before
    print("ok the others' --dry-run changes nothing either")


def backup_of(schema, cut_off=False):
    """A backup of nothing, whole or without its last line."""
    header = json.dumps({"ferry_backup": 1, "schema": schema, "release": "r", "at": "2026-01-01T00:00:00Z", "table": "t"}) + "\n"
    trailer = json.dumps({"items": 0, "sha256": hashlib.sha256(header.encode()).hexdigest()}) + "\n"
    with tempfile.NamedTemporaryFile("w", prefix="ferry-backup-", suffix=".jsonl", delete=False) as file:
        file.write(header if cut_off else header + trailer)
    LEFT.append(file.name)
    return file.name


LEFT = []
try:
    main()
finally:
    for name in LEFT:
        os.unlink(name)
