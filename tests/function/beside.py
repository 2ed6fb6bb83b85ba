"""Everything that the webhook function needs around it, on loopback: a simulated Telegram with a bot, an admin and a pool, and
`ferry serve --no-webhook` with table, queue and host."""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "judges"))
from simulator import Control, Simulator, free_port  # noqa: E402

BOT, ADMIN, SOURCE, TARGET = 7_900_000_001, 6_000_000_001, -1_001_500_000_001, -1_001_500_000_002
TOKEN = f"{BOT}:a-simulated-token_of-the-tests"
SECRET = "a-secret-of-the-tests_0123456789"
ACCOUNTS = [7_000_000_001, 7_000_000_002, 7_000_000_003]
# What cannot be forwarded would stand in the ledger: that is for other tests.
OTHER_KINDS = ["album", "photo", "video", "document", "audio", "voice", "sticker", "poll", "reply", "forward", "service", "hole"]
TEXT_ONLY = dict.fromkeys(OTHER_KINDS, 0)
START_SECS_MAX = 60
STOP_SECS_MAX = 20
LOOK_SECS = 0.1


def scenario(messages):
    users = [{"id": id, "phone": f"+1000000000{n}", "first_name": f"Account {n}"} for n, id in enumerate(ACCOUNTS)]
    users.append({"id": ADMIN, "first_name": "Admin", "language_code": "en"})

    def chat(id, name, role, **rest):
        members = [{"user": account, "role": role} for account in ACCOUNTS]
        return {"id": id, "kind": "broadcast", "title": name, "username": name, "members": members, **rest}

    return {
        "seed": 7,
        "users": users,
        "bots": [{"id": BOT, "username": "ferry_bot", "token": TOKEN, "name": "Ferry"}],
        "chats": [
            chat(SOURCE, "source", "member", generate={"messages": messages, "mix": TEXT_ONLY}),
            chat(TARGET, "target", "creator"),
        ],
    }


def is_whole(configuration):
    """Whether the simulator has written it to the end, which names the last data centre."""
    return configuration.exists() and "\n5 = " in configuration.read_text()


class Beside:
    """Runs until the `with` block ends; `environment` is the function's, `control` the simulator's control API."""

    def __init__(self, ferry, webhook_url, messages=0, engines=None):
        self.ferry, self.webhook_url, self.messages, self.engines = str(ferry), webhook_url, messages, engines

    def __enter__(self):
        self.work = tempfile.TemporaryDirectory(prefix="ferry-function-")
        directory = Path(self.work.name)
        world = directory / "scenario.json"
        world.write_text(json.dumps(scenario(self.messages)))
        bot_api = free_port()
        engines = ["--engines", self.engines] if self.engines else []
        self.simulator = Simulator([self.ferry], world, ["--bot-api-port", str(bot_api), *engines])
        self.simulator.__enter__()
        self.control = Control(self.simulator.url)
        configuration = Path(self.simulator.data.name) / "ferry.toml"
        # The control API is there before the pool is.
        self.until("the simulator's configuration", lambda: is_whole(configuration), START_SECS_MAX)
        webhook = ""
        if self.webhook_url:
            webhook = f'[bot.webhook]\nurl = "{self.webhook_url}"\nlisten = "127.0.0.1:0"\nsecret = "{SECRET}"\n'
        with configuration.open("a") as file:
            api = f"http://127.0.0.1:{bot_api}"
            file.write(f'\n[bot]\ntoken = "{TOKEN}"\nadmins = [{ADMIN}]\napi = "{api}"\n{webhook}')
        self.log = Path(self.simulator.data.name) / "ferry-data" / "ferry.log"
        self.serve = subprocess.Popen(
            [self.ferry, "serve", "--no-webhook", "--config", configuration],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Unbuffered: what was read ahead would not wake the selector.
            bufsize=0,
            start_new_session=True,
        )
        exports = [line for line in self._said("is served") if line.startswith("export ")]
        # What a person would do with the lines: have a shell read them.
        script = "\n".join([*exports, "env -0"])
        told = subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, check=True).stdout
        self.environment = dict(line.split("=", 1) for line in told.decode().split("\0") if line)
        return self

    def _said(self, words):
        """The lines of `ferry serve` up to one with these words."""
        lines, ends_at = [], time.monotonic() + START_SECS_MAX
        with selectors.DefaultSelector() as selector:
            selector.register(self.serve.stdout, selectors.EVENT_READ)
            while selector.select(max(0.0, ends_at - time.monotonic())):
                line = self.serve.stdout.readline().decode()
                lines.append(line.strip())
                if words in line:
                    return lines
                if not line:
                    break
        self.__exit__()
        raise AssertionError(f"ferry serve did not say {words!r}; it said {lines}")

    def __exit__(self, *_):
        self.serve.send_signal(signal.SIGTERM)
        try:
            status = self.serve.wait(STOP_SECS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(self.serve.pid, signal.SIGKILL)
            status = self.serve.wait()
        self.stopped_with = status
        self.simulator.__exit__()
        self.work.cleanup()

    def chat(self):
        return self.control.ask(f"/bots/{BOT}/chat/{ADMIN}")

    def says(self, text):
        self.control.ask(f"/bots/{BOT}/say", {"user": ADMIN, "text": text})

    def presses(self, data, secs_max=30):
        """Presses the newest button that sends this, once there is one."""
        def button():
            for message in reversed(self.chat()):
                for row in message.get("buttons") or []:
                    if any(button.get("data") == data for button in row):
                        return message["id"]
            return None

        message = self.until(f"a button for {data}", button, secs_max)
        self.control.ask(f"/bots/{BOT}/press", {"user": ADMIN, "message": message, "data": data})

    def until(self, what, look, secs_max):
        ends_at = time.monotonic() + secs_max
        while time.monotonic() < ends_at:
            if found := look():
                return found
            time.sleep(LOOK_SECS)
        shown = json.dumps(self.chat(), ensure_ascii=False, indent=1)[-3000:]
        raise AssertionError(f"{what} did not come within {secs_max} s; the chat: {shown}")
