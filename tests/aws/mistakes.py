"""Bad input of each script in infra/: one clear line for each mistake, exit status 2, and nothing was changed. Prints `ok` lines.

    tests/aws/mistakes.py EMULATOR_PYTHON FERRY SESSION_HOST SIMULATOR FUNCTION
"""

import functools
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from cloud import REGION, ROOT, ROOT_CREDENTIALS
from deployed import STAGE, Deployed

NO_CREDENTIALS = dict.fromkeys(ROOT_CREDENTIALS, "") | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_CONFIG_FILE": os.devnull}
WRONG_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIANOBODYKNOWSTHAT0", "AWS_SECRET_ACCESS_KEY": "x"}
STACK = f"ferry-{STAGE}"
# Nothing but somebody's word ends it.
WAITING_STACK = {"Resources": {"Word": {"Type": "AWS::CloudFormation::WaitCondition", "CreationPolicy": {"ResourceSignal": {"Timeout": "PT1H"}}}}}
STACK_SECS_MAX = 30
HOSTS_STOP_SECS_MAX = 120
IMAGE_SECS_MAX = 60
# So much of an account's concurrency AWS lets nobody reserve.
UNRESERVED_MIN = 100


def main():
    names = ["emulator", "ferry", "session-host", "simulator", "function"]
    with Deployed(dict(zip(names, sys.argv[1:])), accounts=1, transfers=1, messages=1) as here:
        with tempfile.TemporaryDirectory(prefix="ferry-mistakes-") as directory:
            image(here, Path(directory) / "machine")
            before_anything(here)
            not_at_rest(here)
            first_release(here)
            with_hosts(here, Path(directory) / "before.jsonl")
            without_hosts(here)
            other_schema(here)


@functools.cache
def client(here, service):
    return here.cloud.client(service)


def state(here):
    """What stands in the cloud."""
    tables = client(here, "dynamodb").list_tables()["TableNames"]
    return json.dumps(
        {
            "stacks": [(stack["StackName"], stack["StackStatus"], str(stack.get("LastUpdatedTime"))) for stack in stacks(here)],
            "tables": tables,
            "secrets": [(secret["Name"], sorted(secret.get("SecretVersionsToStages", {}))) for secret in client(here, "secretsmanager").list_secrets()["SecretList"]],
            "buckets": [bucket["Name"] for bucket in client(here, "s3").list_buckets()["Buckets"]],
            "roles": [role["RoleName"] for role in client(here, "iam").list_roles()["Roles"]],
            "items": items(here) if f"ferry-{STAGE}" in tables else [],
        },
        sort_keys=True,
    )


def stacks(here):
    return client(here, "cloudformation").describe_stacks()["Stacks"]


def items(here):
    """Hosts at work write by themselves; but what each puts down as it begins stays, and a restore would write that anew."""
    at_work = bool(here.fargate.running())
    return [item for item in here.scan() if not at_work or item["sk"]["S"] == "SCHEMA"]


def refused(here, words, script, *arguments, environment=None, lines=1, run=None):
    """Exit status 2, so many lines, each of them an error, with these words; and nothing was changed."""
    before = state(here)
    status, said = (run or here.run)(script, *arguments, environment=environment)
    told = [line for line in said.splitlines() if line]
    assert status == 2 and len(told) == lines and all(line.startswith("error: ") for line in told), f"{script} {arguments}: {status} {said}"
    for word in words:
        assert word in said, f"{word!r} is not in: {said}"
    assert state(here) == before, f"infra/{script} {' '.join(arguments)} changed something"


def by_itself(here):
    """Runs a script with the arguments that are named and no others: of no stage, and without a function that is built already."""

    def run(script, *arguments, environment=None):
        command = [sys.executable, "-B", str(ROOT / "infra" / script), *arguments]
        given = {**here.cloud.environment, **(environment or {})}
        done = subprocess.run(command, env=given, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=IMAGE_SECS_MAX)
        return done.returncode, done.stdout

    return run


def machine(directory, **programs):
    """A PATH with these programs and no others, each a line of shell."""
    directory.mkdir()
    for name, does in programs.items():
        (directory / name).write_text(f"#!/bin/sh\n{does}\n")
        (directory / name).chmod(0o755)
    return {"PATH": str(directory)}


def image(here, directory):
    """On machines that lack something: infra/image, and infra/deploy where it builds the function itself."""
    run = by_itself(here)
    directory.mkdir()
    bare, without_rust = machine(directory / "bare"), machine(directory / "without-rust", buildah="exit 1")
    # The toolchain names a directory for any target, whether it has it or not.
    without_target = machine(directory / "without-target", buildah="exit 1", rustc="echo /no/such/directory")
    whole = machine(directory / "whole", buildah="exit 1", rustc="echo /")
    refused(here, ["'a b' is no tag"], "image", "--tag", "a b", environment=whole, run=run)
    refused(here, ["one of buildah, podman, docker"], "image", environment=bare, run=run)
    refused(here, ["one of buildah, podman, docker"], "image", "--engine", "docker", environment=whole, run=run)
    refused(here, ["Rust toolchain is not installed"], "image", environment=without_rust, run=run)
    for arch, target in [("arm64", "aarch64"), ("x86_64", "x86_64")]:
        missing = [f"cannot build for {arch} here", f"rustup target add {target}-unknown-linux-musl"]
        refused(here, missing, "image", "--arch", arch, environment=without_target, run=run)
    missing = ["cannot build for arm64:", "rustup target add aarch64-unknown-linux-gnu"]
    given = ["--stage", STAGE, *here.first_parameters(), "--arch", "arm64", "--no-image"]
    in_front = {"PATH": f"{without_target['PATH']}{os.pathsep}{os.environ['PATH']}"}
    refused(here, missing, "deploy", *given, environment=here.secrets() | in_front, run=run)
    status, said = run("image", "--push", "registry.example.org/ferry", "--dry-run", environment=whole)
    assert status == 0 and said.count("would ") == len(said.splitlines()) == 2, (status, said)
    print("ok infra/image refuses a wrong tag, a missing engine and a missing toolchain, infra/deploy that too; infra/image --dry-run builds nothing")


def without_service(service, directory):
    """Which service is where, as the SDK knows it, but for one: today each region of AWS has all that Ferry needs."""
    import botocore

    known = json.loads((Path(botocore.__file__).parent / "data" / "endpoints.json").read_text())
    del next(partition for partition in known["partitions"] if partition["partition"] == "aws")["services"][service]["endpoints"][REGION]
    (directory / "endpoints.json").write_text(json.dumps(known))


def before_anything(here):
    first, secrets = here.first_parameters(), here.secrets()
    scripts = [("deploy", *first), ("verify",), ("rollback",), ("backup", "no-such-file"), ("restore", backup_of(1))]
    for script in scripts:
        refused(here, ["no AWS credentials"], *script, environment=NO_CREDENTIALS | secrets)
        refused(here, ["does not take the credentials"], *script, environment=WRONG_CREDENTIALS | secrets)
        refused(here, ["no AWS region nowhere-1"], *script, "--region", "nowhere-1", environment=secrets)
    print(f"ok {len(scripts)} scripts refuse no credentials, wrong ones, and a region that there is not")
    with tempfile.TemporaryDirectory(prefix="ferry-regions-") as directory:
        without_service("ecs", Path(directory))
        refused(here, [f"the region {REGION} has no ecs"], "deploy", *first, environment=secrets | {"AWS_DATA_PATH": directory})
    print("ok infra/deploy refuses a region without a service that it needs")
    for script in scripts[1:]:
        refused(here, [f"no stack {STACK}"], *script)
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


def not_at_rest(here):
    """What an earlier stack left, a stack that somebody else makes at this moment, and one whose making failed."""
    deploy, secrets = ["deploy", *here.first_parameters(), "--no-image"], here.secrets()
    key_ring, registry = f"ferry/{STAGE}/keys", f"ferry-{STAGE}"
    held = client(here, "secretsmanager")
    held.create_secret(Name=key_ring, SecretString="of an earlier stack")
    # Its name stays taken for weeks.
    held.delete_secret(SecretId=key_ring)
    client(here, "ecr").create_repository(repositoryName=registry)
    refused(here, [f"the secret {key_ring}, the registry {registry} of an earlier stack {STACK}"], *deploy, environment=secrets)
    held.delete_secret(SecretId=key_ring, ForceDeleteWithoutRecovery=True)
    client(here, "ecr").delete_repository(repositoryName=registry)
    formation = client(here, "cloudformation")
    formation.create_stack(StackName=STACK, TemplateBody=json.dumps(WAITING_STACK))
    refused(here, [f"the stack {STACK} is at work (CREATE_IN_PROGRESS)"], *deploy, environment=secrets)
    formation.signal_resource(StackName=STACK, LogicalResourceId="Word", UniqueId="somebody", Status="FAILURE")
    becomes(here, "ROLLBACK_COMPLETE")
    refused(here, [f"the stack {STACK} was never up (ROLLBACK_COMPLETE)"], *deploy, environment=secrets)
    formation.delete_stack(StackName=STACK)
    becomes(here, None)
    print("ok infra/deploy refuses what an earlier stack left behind, a stack at work, and one that was never up")


def becomes(here, status):
    def look():
        return next((stack["StackStatus"] for stack in stacks(here) if stack["StackName"] == STACK), None) == status

    here.until(f"the stack's status {status}", look, STACK_SECS_MAX)


def first_release(here):
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


def with_hosts(here, backup):
    """A host is at work, and the table has data: what it wrote down as it began."""
    here.deploy_release("r1")
    here.hosts_are_well()
    refused(here, ["1 hosts run", "say --stop-hosts"], "restore", backup_of(1), "--yes")
    print("ok infra/restore refuses while hosts run")
    said = here.does("deploy", "--release", "r2", "--no-image", "--backup", str(backup))
    header, *kept, trailer = backup.read_text().splitlines()
    assert json.loads(header)["table"] == f"ferry-{STAGE}" and json.loads(trailer)["items"] == len(kept) > 0, (header, trailer)
    assert said.index(f"{backup}: {len(kept)} items") < said.index("$ sam package"), said
    refused(here, ["there already"], "deploy", "--release", "r3", "--no-image", "--backup", str(backup))
    print("ok infra/deploy --backup writes the file before it deploys, and refuses one that is there")


def without_hosts(here):
    """As somebody stops them by hand: nobody but the scripts changes anything from now on."""
    client(here, "ecs").update_service(cluster=f"ferry-{STAGE}", service=f"ferry-{STAGE}", desiredCount=0)
    here.until("no host", lambda: not here.fargate.running(), HOSTS_STOP_SECS_MAX)
    refused(here, ["say --yes"], "rollback")
    before = state(here)
    listed = here.does("rollback", "--list").splitlines()
    assert [line.split()[0] for line in listed] == ["r2", "r1", "r0"] and ["deployed now" in line for line in listed] == [True, False, False], listed
    for script in [("rollback", "--dry-run"), ("verify", "--dry-run"), ("backup", "no-such-file", "--dry-run"), ("restore", backup_of(1), "--dry-run")]:
        assert here.does(*script).startswith("would "), script
    assert state(here) == before
    print("ok infra/rollback --list names what was kept and asks before it goes back; the others' --dry-run changes nothing either")
    # The registry keeps the last ten.
    client(here, "ecr").batch_delete_image(repositoryName=f"ferry-{STAGE}", imageIds=[{"imageTag": "r1"}])
    refused(here, ["the registry has no image r1 any more"], "rollback", "--yes")
    print("ok infra/rollback refuses a release whose image is gone")
    other_ring(here)
    too_much_concurrency(here)


def other_ring(here):
    """Somebody wrote over the private keys: what is sealed could not be opened by new ones."""
    held, name = client(here, "secretsmanager"), f"ferry/{STAGE}/keys"
    ring = held.get_secret_value(SecretId=name)["SecretString"]
    other = json.dumps({"schema": 1, "current": "of-nobody", "keys": [{"id": "of-nobody", "wrapped_key": "AA=="}]})
    for put, words in [("gone", "holds no key ring although hosts were deployed"), (other, "cannot open what the stack's SealingKey seals")]:
        held.put_secret_value(SecretId=name, SecretString=put)
        refused(here, [name, words], "deploy", "--release", "r3", "--no-image")
    held.put_secret_value(SecretId=name, SecretString=ring)
    print("ok infra/deploy makes no new key ring where the old one is lost, or is another's")


def too_much_concurrency(here):
    """Another function has reserved as much as AWS lets anybody."""
    functions, name = client(here, "lambda"), "of-somebody-else"
    role = functions.get_function_configuration(FunctionName=f"ferry-{STAGE}-webhook")["Role"]
    functions.create_function(FunctionName=name, Role=role, PackageType="Image", Code={"ImageUri": "registry.example.org/another:1"})
    free = functions.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=max(0, free - UNRESERVED_MIN))
    refused(here, ["the AWS account lets functions run", "and 100 cannot be reserved"], "deploy", "--set", "ReservedConcurrency=100", "--release", "r3", "--no-image")
    functions.delete_function(FunctionName=name)
    print("ok infra/deploy refuses to reserve concurrency that the AWS account does not have")


def other_schema(here):
    schema = {"pk": {"S": "BOT#0#INSTALLATION"}, "sk": {"S": "SCHEMA"}, "newest_schema": {"N": "99"}, "schema": {"N": "99"}, "version": {"N": "1"}}
    client(here, "dynamodb").put_item(TableName=f"ferry-{STAGE}", Item=schema)
    refused(here, ["schema 99", "newer"], "deploy", "--release", "r3", "--no-image")
    refused(here, ["schema 99", "infra/restore"], "rollback", "--yes")
    print("ok infra/deploy and infra/rollback refuse data of a schema that their code does not know")


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
