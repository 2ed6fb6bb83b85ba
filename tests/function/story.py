"""A transfer asked for in chat, through the real function: `cargo lambda watch` runs it, the simulator delivers updates to it by
webhook, and `ferry serve --no-webhook` carries. With an emulator of AWS that nobody here wrote, table and queue are in that
instead of the embedded engines. Prints `ok` lines.

    tests/function/story.py FERRY CARGO_LAMBDA [--emulator MINISTACK] [options of cargo lambda watch]
"""

import os
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from beside import ROOT, SECRET, SOURCE, TARGET, Beside, free_port
from emulator import Emulator

MESSAGES = 300
# Its first request builds the function.
BUILD_SECS_MAX = 900
CARRIED_SECS_MAX = 120
# Everything from @source to @target, and nothing in between but the offers.
STEPS = ["range:all", "next", "skip", "author:keep", "offered", "none", "pace:none", "batch:0", "done", "confirm"]


def post(url, secret, body):
    headers = {"content-type": "application/json"}
    if secret is not None:
        headers["x-telegram-bot-api-secret-token"] = secret
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=BUILD_SECS_MAX) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        return error.code


def main():
    ferry, cargo_lambda, *options = sys.argv[1:]
    if options[:1] == ["--emulator"]:
        with Emulator(options[1]) as engines:
            told(ferry, cargo_lambda, options[2:], engines)
    else:
        told(ferry, cargo_lambda, options, None)


def told(ferry, cargo_lambda, options, engines):
    port = free_port()
    url = f"http://127.0.0.1:{port}/lambda-url/webhook/"
    around = Beside(ferry, url, MESSAGES, engines)
    with tempfile.NamedTemporaryFile(prefix="ferry-watch-", suffix=".log") as log, around:
        path = f"{Path(cargo_lambda).parent}{os.pathsep}{os.environ['PATH']}"
        watch = subprocess.Popen(
            [cargo_lambda, "lambda", "watch", "-A", "127.0.0.1", "-P", str(port), "--ignore-changes", *options],
            # Where every package is meant: so it is built with the same features as everything else.
            cwd=ROOT,
            env={**os.environ, **around.environment, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            play(around, url)
        except AssertionError:
            print(Path(log.name).read_text(errors="replace")[-3000:])
            raise
        finally:
            os.killpg(watch.pid, signal.SIGKILL)
            watch.wait()


def play(around, url):
    def is_up():
        try:
            return post(url, SECRET, b'{"update_id":1}') == 200
        except OSError:
            return False

    around.until("the function", is_up, BUILD_SECS_MAX)
    print("ok the function answers under cargo lambda watch", flush=True)
    assert post(url, None, b'{"update_id":2}') == 401
    assert post(url, "wrong", b"{") == 401
    assert post(url, SECRET, b"{") == 400
    print("ok the function refuses strangers before it reads, and what is no update", flush=True)
    around.says("/start")
    around.presses("new")
    around.until("the question for the source", lambda: len(around.chat()) >= 2, 30)
    around.says("@source")
    around.until("the question for the target", lambda: len(around.chat()) >= 4, 30)
    around.says("https://t.me/target")
    for step in STEPS:
        around.presses(f"w:{step}", 60)
    print("ok a transfer was asked for and confirmed in chat", flush=True)

    def visible(chat):
        return around.control.visible(chat)

    source = visible(SOURCE)
    carried = around.until(
        "all messages in the target", lambda: (lambda t: t if len(t) >= len(source) else None)(visible(TARGET)), CARRIED_SECS_MAX
    )
    assert [message.get("text") for message in carried] == [message.get("text") for message in source]
    print(f"ok {len(carried)} messages arrived once and in order", flush=True)
    around.until("the end in chat", lambda: "· done" in around.chat()[-1]["text"], 30)
    print("ok the admin was told that it is done", flush=True)


main()
