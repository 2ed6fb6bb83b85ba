"""The session host's image, built by infra/image and run: as nobody, against an emulator of AWS. That its root is read-only in AWS is
the task definition's to say, and check.py looks at that; here it is seen that a host can do with such a root. buildah cannot mount one:
instead nothing in the image may be written by the user that it runs as, and after all runs everything is as it was.

    python image.py MINISTACK

Needs buildah. Prints `ok` lines.
"""

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "function"), str(ROOT / "infra"), str(ROOT / "tests" / "judges")]
from emulator import Emulator  # noqa: E402
from lib import key_ring, tools  # noqa: E402
from simulator import free_port  # noqa: E402

TAG = "test"
NAME = f"localhost/ferry-session-host:{TAG}"
NOBODY = 65532
STAGE = "image-test"
REGION = "us-east-1"
START_SECS_MAX = 60
STOP_SECS_MAX = 45
LOOK_SECS = 0.2
# Without an engine; what it builds lies beside the tests' other files.
BUILDAH = {**os.environ, "STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}
# The program is optimised less than the one that is delivered: minutes less to compile, and nothing here is about speed. How
# large the delivered image may be, infra/image looks at by itself each time it builds one.
LESS_OPTIMISED = {"CARGO_PROFILE_RELEASE_OPT_LEVEL": "1"}
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}


def buildah(*arguments):
    ran = subprocess.run(["buildah", *arguments], env=BUILDAH, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert ran.returncode == 0, f"buildah {' '.join(arguments)}: {ran.stderr[-2000:]}"
    return ran.stdout.strip()


def build():
    command = [ROOT / "infra" / "image", "--arch", "x86_64", "--tag", TAG, "--engine", "buildah"]
    subprocess.run(command, env={**BUILDAH, **LESS_OPTIMISED}, stdin=subprocess.DEVNULL, check=True)
    configured = json.loads(buildah("inspect", "--type", "image", NAME))["OCIv1"]["config"]
    assert configured["User"] == f"{NOBODY}:{NOBODY}" and configured["Entrypoint"] == ["/session-host"], configured
    assert configured["StopSignal"] == "SIGTERM", configured
    print("ok the image runs the session host as nobody and stops it by SIGTERM", flush=True)


class Container:
    def __enter__(self):
        self.name = buildah("from", "--name", f"ferry-image-test-{uuid.uuid4().hex[:8]}", NAME)
        return self

    def __exit__(self, *_):
        subprocess.run(["buildah", "rm", self.name], env=BUILDAH, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def files(self):
        root = Path(buildah("mount", self.name))
        files = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
        size = sum((root / path).stat().st_size for path in files)
        return files, size

    def tree(self):
        root = Path(buildah("mount", self.name))
        return {str(path.relative_to(root)): told(path.lstat()) for path in [root, *root.rglob("*")]}

    def command(self, environment, *arguments):
        named = [word for name, value in environment.items() for word in ("--env", f"{name}={value}")]
        return ["buildah", "run", "--network", "host", *named, self.name, "--", "/session-host", *arguments]

    def once(self, environment, *arguments):
        return subprocess.run(
            self.command(environment, *arguments), env=BUILDAH, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=START_SECS_MAX
        )


def told(status):
    """Owner, group and mode; size and time too of what is no directory: those of a directory change when something is mounted in it."""
    common = (status.st_uid, status.st_gid, status.st_mode)
    return common if stat.S_ISDIR(status.st_mode) else (*common, status.st_size, status.st_mtime_ns)


def closed_to_nobody(tree):
    for name, (owner, group, mode, *_) in tree.items():
        open_to_all = mode & stat.S_IWOTH and not stat.S_ISLNK(mode)
        # What one owns, one can open to oneself.
        assert owner != NOBODY and group != NOBODY and not open_to_all, f"the user {NOBODY} can write to {name}: {stat.filemode(mode)}"
    print(f"ok the user {NOBODY} can write nowhere in the image", flush=True)


def unwritten(before, after, mounted):
    """Nothing came, went or changed, but for what buildah itself makes: places where it mounts something, the directories on the way
    there, and such as `/run`, which belong to root."""
    changed = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    others = [name for name in changed if not any(f"{mount}/".startswith(f"{name}/") or name.startswith(f"{mount}/") for mount in mounted)]
    others = [name for name in others if name in before or not is_directory_of_root(after[name])]
    assert others == [], f"the runs wrote to the image's files: {others[:10]}; they mounted {sorted(mounted)}"
    print("ok no run wrote a file in the container: a read-only root is enough", flush=True)


def is_directory_of_root(about):
    owner, _group, mode, *_ = about
    return owner == 0 and stat.S_ISDIR(mode)


def mounts_of(pid):
    """Where a process sees something mounted, below its own root."""
    lines = (Path("/proc") / str(pid) / "mountinfo").read_text().splitlines()
    return {line.split()[4].lstrip("/") for line in lines} - {""}


def furnish(url):
    """Table, queue, key and ring in an emulator; gives the host's environment."""
    import boto3

    def client(service):
        return boto3.client(service, endpoint_url=url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")

    keys = [("pk", "sk"), ("due_list", "due_at"), ("list", "list_key")]

    def schema(pair):
        return [{"AttributeName": pair[0], "KeyType": "HASH"}, {"AttributeName": pair[1], "KeyType": "RANGE"}]

    client("dynamodb").create_table(
        TableName="ferry",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for pair in keys for name in pair],
        KeySchema=schema(keys[0]),
        GlobalSecondaryIndexes=[
            {"IndexName": name, "KeySchema": schema(pair), "Projection": {"ProjectionType": "KEYS_ONLY"}}
            for name, pair in zip(("due", "listed"), keys[1:])
        ],
    )
    queue = client("sqs").create_queue(QueueName="ferry.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    kms = client("kms")
    wrapping_key = kms.create_key()["KeyMetadata"]["KeyId"]
    pair = key_ring.Pair()
    environment = {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": url,
        "FERRY_TABLE": "ferry",
        "FERRY_QUEUE_URL": queue,
        "FERRY_ADMINS": "6000000001",
        "FERRY_ZONE": "Asia/Shanghai",
        "FERRY_BOT_TOKEN": "7900000001:a-token-of-the-tests",
        # Nobody is there, and nothing is to be said.
        "FERRY_BOT_API": "http://127.0.0.1:9",
        "FERRY_API_ID": "1",
        "FERRY_API_HASH": "a-hash-of-the-tests",
        "FERRY_STAGE": STAGE,
        "FERRY_RELEASE": "image-test",
        "FERRY_METRICS": "Ferry",
        "FERRY_KEYS": pair.ring(kms, wrapping_key, STAGE),
        "FERRY_HEALTH_PORT": str(free_port()),
    }
    return environment, client("dynamodb")


def hosts(table):
    found = table.scan(TableName="ferry", ConsistentRead=True)["Items"]
    return [item for item in found if item["sk"]["S"] == "HOST"]


def until(what, look, secs_max):
    ends_at = time.monotonic() + secs_max
    while time.monotonic() < ends_at:
        if found := look():
            return found
        time.sleep(LOOK_SECS)
    raise AssertionError(f"{what} did not come within {secs_max} s")


def refuses(container, environment):
    for change, words in [
        ({"FERRY_TABLE": ""}, "FERRY_TABLE is not set"),
        ({"FERRY_KEYS": "a placeholder"}, "FERRY_KEYS holds no wrapped key ring"),
        ({"FERRY_STAGE": "another"}, "cannot be unwrapped"),
        ({"FERRY_ZONE": "Atlantis"}, "FERRY_ZONE names no time zone"),
    ]:
        ended = container.once({**environment, **change})
        assert ended.returncode == 1 and words in ended.stderr, (change, ended.returncode, ended.stderr[-1000:])
    print("ok what it is told wrongly is one line each, and the wrapping key opens for its own stage alone", flush=True)


def works(container, environment, table):
    """Gives the places at which the run mounted something into the container."""
    ended = container.once(environment, "--check-health")
    assert ended.returncode == 2 and "not well" in ended.stderr, ended
    with tempfile.NamedTemporaryFile(prefix="ferry-image-", suffix=".log") as log:
        host = subprocess.Popen(
            container.command(environment), env=BUILDAH, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:
            until("the host's health", lambda: container.once(environment, "--check-health").returncode == 0, START_SECS_MAX)
            (item,) = hosts(table)
            assert item["program_version"]["S"] == "image-test" and "expires_at_epoch_secs" in item, item
            print("ok the host in the image renews its sign of life, and its health check says so", flush=True)
            program = program_of(host.pid)
            mounted = mounts_of(program)
            os.kill(program, signal.SIGTERM)
            assert host.wait(STOP_SECS_MAX) == 0
            assert hosts(table) == []
            print("ok SIGTERM stops it cleanly: status 0, nothing held", flush=True)
        except (AssertionError, subprocess.TimeoutExpired):
            print(Path(log.name).read_text(errors="replace")[-3000:])
            raise
        finally:
            if host.poll() is None:
                os.killpg(host.pid, signal.SIGKILL)
            host.wait()
        said = Path(log.name).read_text(errors="replace")
    figures = [json.loads(line) for line in said.splitlines() if '"_aws"' in line]
    assert any(figure.get("renewals", 0) > 0 and figure["stage"] == STAGE for figure in figures), said[-2000:]
    print("ok its metrics came in CloudWatch's embedded format", flush=True)
    assert "a-hash-of-the-tests" not in said and "a-token-of-the-tests" not in said
    print("ok its log holds no secret", flush=True)
    return mounted


def program_of(pid):
    """The process of /session-host below buildah's own."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
            above = ancestors(int(entry.name))
        except OSError:
            continue
        if command[0] == b"/session-host" and pid in above:
            return int(entry.name)
    raise AssertionError("there is no /session-host among the processes")


def ancestors(pid):
    found = []
    while pid > 1:
        pid = int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
        found.append(pid)
    return found


def main(ministack):
    build()
    with Container() as container, Emulator(ministack) as url:
        files, size = container.files()
        print(f"ok the image holds {size / 1e6:.1f} MB in {len(files)} files: {', '.join(files)}", flush=True)
        assert size < 30e6 and "session-host" in files and "etc/ssl/certs/ca-certificates.crt" in files
        assert not any(name.rpartition("/")[2] in ("sh", "bash", "busybox") for name in files)
        before = container.tree()
        closed_to_nobody(before)
        environment, table = furnish(url)
        refuses(container, environment)
        mounted = works(container, environment, table)
        unwritten(before, container.tree(), mounted)


tools.enter()
main(sys.argv[1])
