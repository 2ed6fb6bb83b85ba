"""An AWS of its own on loopback, with roles enforced: the emulator, taught what it lacks, and what ECS does with tasks.

The emulator registers task definitions, services and tasks, and starts no containers: `Fargate` does that part, a process for a
container, with the environment, the secrets and the role that the task definition names, and nothing else."""

import http.server
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "function"), str(ROOT / "tests" / "judges"), str(ROOT / "infra")]
from emulator import answers  # noqa: E402
from simulator import free_port  # noqa: E402

REGION = "us-east-1"
# Who owns the account. Whoever has other credentials has no more than the policies give.
ROOT_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAFERRYTESTSROOT00", "AWS_SECRET_ACCESS_KEY": "the-secret-of-the-tests"}
START_SECS_MAX = 60
LOOK_SECS = 0.2
# Short, so that hosts outlive several.
CREDENTIALS_SECS = 900


def clean_environment():
    """Nothing of AWS from whoever runs the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "FERRY_"))}


class Cloud:
    """Runs until the `with` block ends. `environment` is an administrator's."""

    def __init__(self, python):
        self._python = os.path.abspath(python)

    def __enter__(self):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {**clean_environment(), **ROOT_CREDENTIALS, "AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
        self.directory = tempfile.TemporaryDirectory(prefix="ferry-cloud-")
        self.log = Path(self.directory.name) / "emulator.log"
        emulator = {**self.environment, "AUTH": "true", "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "TMPDIR": self.directory.name}
        # It would listen to everybody.
        emulator["IOT_MTLS_ENABLED"] = "false"
        with self.log.open("w") as log:
            taught = Path(__file__).with_name("taught.py")
            self._process = subprocess.Popen(
                [self._python, "-B", taught], env=emulator, cwd=self.directory.name, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        ends_at = time.monotonic() + START_SECS_MAX
        while not answers(self.url):
            if self._process.poll() is not None or time.monotonic() > ends_at:
                said = self.log.read_text(errors="replace")[-2000:]
                self.__exit__()
                raise AssertionError(f"the emulator does not answer; it said: {said}")
            time.sleep(LOOK_SECS)
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        self.directory.cleanup()

    def client(self, service, credentials=None):
        """A client with the administrator's credentials, or others."""
        import boto3

        given = credentials or {"AccessKeyId": ROOT_CREDENTIALS["AWS_ACCESS_KEY_ID"], "SecretAccessKey": ROOT_CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given.get("SessionToken"),
        )

    def assumed(self, role_arn, session="ecs"):
        """Credentials of a role, as ECS takes them for a task."""
        sts = self.client("sts")
        return sts.assume_role(RoleArn=role_arn, RoleSessionName=session, DurationSeconds=CREDENTIALS_SECS)["Credentials"]


class Fargate:
    """Starts a process for each task that ECS says should run, and stops it when ECS says so, until the `with` block ends."""

    def __init__(self, cloud, stage, program):
        self._cloud, self._program = cloud, os.path.abspath(program)
        self._cluster, self._ecs = f"ferry-{stage}", cloud.client("ecs")
        self._over, self._lock = threading.Event(), threading.Lock()
        self.hosts = {}
        self.kills_at_ms = []
        self.faults = []

    def __enter__(self):
        self._credentials = Credentials(self._cloud)
        self._thread = threading.Thread(target=self._run, name="fargate")
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        for host in list(self.hosts.values()):
            host.stop()
        for host in list(self.hosts.values()):
            host.end()
        self._credentials.close()

    def _run(self):
        while not self._over.wait(LOOK_SECS):
            try:
                self._look()
            except Exception as error:  # told at the end of the story: a thread has nobody to tell
                self.faults.append(repr(error))

    def _look(self):
        try:
            wanted = set(self._ecs.list_tasks(cluster=self._cluster, desiredStatus="RUNNING")["taskArns"])
        except self._ecs.exceptions.ClusterNotFoundException:
            return
        with self._lock:
            for task, host in list(self.hosts.items()):
                if task not in wanted:
                    host.stop()
                if host.process.poll() is not None:
                    del self.hosts[task]
                    if task in wanted:
                        # The container ended by itself: ECS stops the task, and its service starts another.
                        self._ecs.stop_task(cluster=self._cluster, task=task, reason="Essential container in task exited")
            # The old one stops before the new one starts.
            stopping = any(task not in wanted for task in self.hosts)
            for task in [] if stopping else wanted - set(self.hosts):
                described = self._ecs.describe_tasks(cluster=self._cluster, tasks=[task])["tasks"]
                if described and described[0]["lastStatus"] == "RUNNING":
                    self.hosts[task] = self._started(described[0])

    def _started(self, task):
        definition = self._ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]
        [container] = definition["containerDefinitions"]
        starting = self._cloud.client("secretsmanager", self._cloud.assumed(definition["executionRoleArn"]))
        environment = {pair["name"]: pair["value"] for pair in container["environment"]}
        for secret in container["secrets"]:
            environment[secret["name"]] = starting.get_secret_value(SecretId=secret["valueFrom"])["SecretString"]
        environment |= {
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self._cloud.url,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": self._credentials.url(definition["taskRoleArn"]),
            # Each container has a network of its own, which processes share.
            "FERRY_HEALTH_PORT": str(free_port()),
        }
        log = Path(self._cloud.directory.name) / f"host-{task['taskArn'].rsplit('/', 1)[1]}.log"
        return Host(self._program, environment, log, container["stopTimeout"], definition["revision"])

    def running(self):
        with self._lock:
            return [host for host in self.hosts.values() if host.process.poll() is None]

    def kill_one(self):
        """SIGKILL to the host that was started first."""
        host = self.running()[0]
        self.kills_at_ms.append(time.time_ns() // 1_000_000)
        host.process.kill()
        return host

    def said(self):
        """The end of each host's log, for whoever looks for a failure."""
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-1500:]}" for log in self.logs())

    def logs(self):
        """The log of each host that ever ran, the one that wrote last at the end."""
        return sorted(Path(self._cloud.directory.name).glob("host-*.log"), key=lambda log: log.stat().st_mtime)


class Host:
    """One container, which is a process here."""

    def __init__(self, program, environment, log, stop_secs_max, revision):
        self.environment, self.log, self.revision = environment, log, revision
        self._stop_secs_max, self._stopped_at = stop_secs_max, None
        with log.open("w") as file:
            self.process = subprocess.Popen([program], env=environment, cwd="/", stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)

    def stop(self):
        """SIGTERM, and SIGKILL when the task's stop timeout is over."""
        if self._stopped_at is None:
            self._stopped_at = time.monotonic()
            self.process.send_signal(signal.SIGTERM)
        elif time.monotonic() > self._stopped_at + self._stop_secs_max:
            self.process.kill()

    def end(self):
        try:
            self.process.wait(max(0.0, self._stopped_at + self._stop_secs_max - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def is_well(self):
        asked = subprocess.run([self.process.args[0], "--check-health"], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True)
        return asked.returncode == 0


class Credentials:
    """The address at which a container asks for its role's credentials."""

    def __init__(self, cloud):
        assumed = cloud.assumed

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                role = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)["role"][0]
                given = assumed(role)
                expires = given["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ")
                answer = {"AccessKeyId": given["AccessKeyId"], "SecretAccessKey": given["SecretAccessKey"], "Token": given["SessionToken"], "Expiration": expires}
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="credentials")
        self._thread.start()

    def url(self, role):
        return f"http://127.0.0.1:{self._server.server_port}/credentials?{urllib.parse.urlencode({'role': role})}"

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
