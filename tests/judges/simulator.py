"""The simulator as judges meet it: the program, started and ended here, and its control API."""

import json
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

START_SECS_MAX = 60
POLL_SECS = 0.1
CONTROL_SECS_MAX = 20


class SimulatorFailed(Exception):
    """The simulator did not start."""


class Simulator:
    """`ferry simulator`, running until the `with` block ends; `url` is that of its control API, which tells the rest."""

    def __init__(self, ferry, scenario, options=()):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.data = tempfile.TemporaryDirectory(prefix="ferry-judge-")
        world = ["--data", self.data.name]
        if scenario is not None:
            world += ["--scenario", str(scenario)]
        self.command = [*ferry, "simulator", *world, "--control-port", str(port), *options]

    @classmethod
    def with_bot_api(cls, program, scenario):
        """The simulator's own program, which serves the Bot API too; `bot_api` is where."""
        simulator = cls([program], None)
        control, bot_api = free_port(), free_port()
        simulator.url, simulator.bot_api = f"http://127.0.0.1:{control}", f"http://127.0.0.1:{bot_api}"
        ports = ["--control-port", str(control), "--bot-api-port", str(bot_api)]
        simulator.command = [program, str(scenario), *ports]
        return simulator

    def __enter__(self):
        self.log = tempfile.NamedTemporaryFile(prefix="ferry-simulator-", suffix=".log")
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True
        )
        ends_at = time.monotonic() + START_SECS_MAX
        while not self._is_ready():
            if self.process.poll() is not None:
                said = Path(self.log.name).read_text(errors="replace").strip()[-2000:]
                self.__exit__()
                raise SimulatorFailed(f"{' '.join(self.command)} ended with status {self.process.returncode}: {said}")
            if time.monotonic() > ends_at:
                self.__exit__()
                raise SimulatorFailed(f"{' '.join(self.command)} is not ready after {START_SECS_MAX} s")
            time.sleep(POLL_SECS)
        return self

    def _is_ready(self):
        try:
            with urllib.request.urlopen(self.url + "/health", timeout=CONTROL_SECS_MAX):
                return True
        except OSError:
            return False

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()
        self.data.cleanup()


def free_port():
    """A port that is free now; the simulator says so if somebody takes it first."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Control:
    """The control API, as far as judges need it."""

    def __init__(self, url):
        self.url = url.rstrip("/")

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=CONTROL_SECS_MAX) as reply:
                return json.loads(reply.read() or "null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"control {path}: {error.code} {error.read().decode()}") from None

    def dc(self, number):
        """Host and port of a data centre."""
        address = next(dc["address"] for dc in self.ask("/server")["dcs"] if dc["id"] == number)
        host, port = address.rsplit(":", 1)
        return host, int(port)

    def rsa_pem(self):
        return self.ask("/server")["rsa_pem"]

    def code(self, phone):
        """The newest login code of a number."""
        return [sent["code"] for sent in self.ask("/codes") if sent["phone"] == phone][-1]

    def accept_qr(self, user, token):
        self.ask("/qr/accept", {"user": user, "token": token})

    def mint(self, user):
        """Data centre and key of a session that is signed in already."""
        minted = self.ask("/sessions/mint", {"user": user})
        return minted["dc"], bytes.fromhex(minted["auth_key"])

    def script(self, account, method, code, message):
        """The next call of this method by this account is answered like this."""
        self.ask("/floods", {"scripts": [{"account": account, "method": method, "code": code, "message": message}]})

    def rotate_salts(self):
        self.ask("/salts/rotate", {})

    def protect(self, chat, on):
        self.ask("/protect", {"chat": chat, "on": on})

    def visible(self, chat):
        """What stands in a channel, oldest first."""
        return self.ask(f"/chats/{chat}/messages")

    def created(self, chat):
        """Every message that was ever sent to a channel, oldest first, deleted ones too."""
        return self.ask(f"/chats/{chat}/created")

    def audit(self):
        return self.ask("/audit")
