"""Bots that nobody here wrote the libraries of judge the Bot API: an echo bot, once by polling and once by webhook.

    bot_judge.py CONTROL_URL BOT_API_URL COMMAND...

COMMAND starts the bot; what it has to do follows as JSON. A person is played through the control API, and what stands in the
chat is read from there. One line per check; ends with status 1 at the first that fails.
"""

import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request
import zlib
from pathlib import Path

from simulator import Control, free_port

ADA, BEN, BOT = 7000000001, 7000000002, 7900000001
SOURCE = -1001500000001
SECRET = "a_Secret-of-the-judges"
WAIT_SECS_MAX = 40
POLL_SECS = 0.05


def png(width, height, grey):
    """A picture."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes([grey]) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PICTURES = {"one.png": png(320, 200, 60), "two.png": png(200, 320, 200)}


def same(found, expected, what):
    if found != expected:
        raise AssertionError(f"{what}: found {str(found)[:600]}, expected {str(expected)[:600]}")


class Person:
    """Somebody who has a chat with the bot."""

    def __init__(self, control, user):
        self.control, self.user = control, user

    def say(self, text, **more):
        return self.control.ask(f"/bots/{BOT}/say", {"user": self.user, "text": text, **more})["id"]

    def forward(self, chat, message):
        body = {"user": self.user, "forward_from": {"chat": chat, "message": message}}
        return self.control.ask(f"/bots/{BOT}/say", body)["id"]

    def press(self, button):
        return self.control.ask(f"/bots/{BOT}/press", {"user": self.user, "button": button})

    def chat(self):
        return self.control.ask(f"/bots/{BOT}/chat/{self.user}")

    def answers(self, after, count=1):
        """The first `count` messages of the bot after this one, as soon as they are there."""
        ends_at = time.monotonic() + WAIT_SECS_MAX
        while True:
            chat = self.chat()
            answers = [line for line in chat if line["from"] == "bot" and line["id"] > after]
            if len(answers) >= count:
                return answers[:count]
            if time.monotonic() > ends_at:
                raise AssertionError(f"{len(answers)} of {count} answers within {WAIT_SECS_MAX} s: {chat[-5:]}")
            time.sleep(POLL_SECS)

    def asks(self, text, **more):
        return self.answers(self.say(text, **more))[0]

    def photo(self, message):
        with urllib.request.urlopen(f"{self.control.url}/bots/{BOT}/chat/{self.user}/photo/{message}") as reply:
            return reply.read()


class Story:
    """What a person does with the echo bot."""

    def __init__(self, control, bot_api, mode, user):
        self.control, self.bot_api, self.mode = control, bot_api, mode
        self.person = Person(control, user)

    def greets_with_buttons(self):
        hello = self.person.asks("/start")
        same(hello["html"], "<b>Hello</b>, <i>press</i> &amp; see", "greeting")
        names = ["Count", "Alert", "Same"]
        same(hello["buttons"], [[{"text": name, "data": name.lower()}] for name in names], "buttons")

    def sets_its_commands(self):
        commands = self.control.ask("/bots")[0]["commands"][0]["commands"]
        same([line["command"] for line in commands], ["start", "photo"], "commands")

    def echoes(self):
        for text in ["plain words", "⛴ <b>&amp;</b> 渡轮", "x" * 4000]:
            same(self.person.asks(text)["text"], "echo: " + text, "echo")

    def edits_and_answers_presses(self):
        asked = self.person.asks("/start")["id"]
        same(self.person.press("Count"), {"text": "counted 1", "alert": False, "url": None}, "first press")
        same(self.person.press("Count")["text"], "counted 2", "second press")
        line = next(line for line in self.person.chat() if line["id"] == asked)
        same((line["html"], line["edits"], len(line["buttons"])), ("<b>2</b> so far", 2, 3), "edited message")

    def shows_an_alert(self):
        same(self.person.press("Alert"), {"text": "look here", "alert": True, "url": None}, "alert")

    def hears_that_nothing_changed(self):
        same(self.person.press("Same")["text"].lower(), "message is not modified: speci", "what the library said")

    def sends_and_replaces_a_photo(self):
        sent = self.person.asks("/photo")
        same((sent["text"], self.person.photo(sent["id"])), ("one", PICTURES["one.png"]), "photo")
        self.person.press("Another")
        line = next(line for line in self.person.chat() if line["id"] == sent["id"])
        same((line["text"], line["edits"], line["buttons"]), ("two", 1, []), "edited photo")
        same((line["photo"]["width"], line["photo"]["height"]), (200, 320), "size")
        same(self.person.photo(sent["id"]), PICTURES["two.png"], "other photo")

    def hears_of_bad_html(self):
        words = 'an\'t parse entities: unmatched end tag at byte offset 18, expected "</i>", found "</b>"'
        same(self.person.asks("/bad")["text"].lower()[1:], words, "what the library said")

    def knows_the_language(self):
        same(self.person.asks("/lang", language_code="zh-hans")["text"], "you speak zh-hans", "language")

    def reads_a_forwarded_post(self):
        same(self.person.answers(self.person.forward(SOURCE, 2))[0]["text"], "from source 2", "origin")

    def hears_that_it_is_blocked(self):
        user = self.person.user
        seen = len(self.calls(403))
        self.control.ask(f"/bots/{BOT}/block", {"user": user})
        ends_at = time.monotonic() + WAIT_SECS_MAX
        while len(self.calls(403)) == seen and time.monotonic() < ends_at:
            time.sleep(POLL_SECS)
        same(self.person.asks("/forbidden")["text"], "Forbidden: bot was blocked by the user", "what the library said")

    def obeys_a_wait(self):
        seen = len(self.calls(429))
        self.limits(True)
        texts = [line["text"] for line in self.person.answers(self.person.say("/flood"), 15)]
        self.limits(False)
        same(texts, [f"flood {number}" for number in range(15)], "messages in spite of waits")
        refused = self.calls(429)[seen:]
        if not refused:
            raise AssertionError("15 messages in a row were not too many")
        same([call for call in refused if call["during_wait"]], [], "calls during a wait")

    def refuses_who_has_no_secret(self):
        hook = self.control.ask("/bots")[0]["webhook"]
        before = self.person.chat()
        forged = {"update_id": 1, "message": {"message_id": 1, "date": 1, "text": "/start", "chat": {"id": self.person.user, "type": "private"}}}
        for secret in [None, "another"]:
            headers = {"content-type": "application/json"}
            if secret:
                headers["X-Telegram-Bot-Api-Secret-Token"] = secret
            try:
                with urllib.request.urlopen(urllib.request.Request(hook, json.dumps(forged).encode(), headers)) as reply:
                    raise AssertionError(f"an update with secret {secret} was taken: {reply.status}")
            except urllib.error.HTTPError as error:
                if error.code not in (401, 403):
                    raise
        same(self.person.chat(), before, "chat after forged updates")

    def refuses_polling_beside_a_webhook(self):
        token = self.control.ask("/bots")[0]["token"]
        try:
            urllib.request.urlopen(f"{self.bot_api}/bot{token}/getUpdates")
            raise AssertionError("getUpdates was allowed")
        except urllib.error.HTTPError as error:
            same((error.code, json.load(error)["error_code"]), (409, 409), "answer")

    def leaves_nothing_waiting(self):
        ends_at = time.monotonic() + WAIT_SECS_MAX
        while self.control.ask("/bots")[0]["pending_updates"] and time.monotonic() < ends_at:
            time.sleep(POLL_SECS)
        same(self.control.ask("/bots")[0]["pending_updates"], 0, "updates that wait")

    def calls(self, code):
        calls = self.control.ask(f"/bots/{BOT}/calls")
        return [call for call in calls if call["code"] == code and call["chat"] == self.person.user]

    def limits(self, on):
        self.control.ask("/bots/limits", {"limits": {"on": on}})

    def checks(self):
        yield from [
            self.greets_with_buttons,
            self.sets_its_commands,
            self.echoes,
            self.edits_and_answers_presses,
            self.shows_an_alert,
            self.hears_that_nothing_changed,
            self.sends_and_replaces_a_photo,
            self.hears_of_bad_html,
            self.knows_the_language,
            self.reads_a_forwarded_post,
            self.hears_that_it_is_blocked,
            self.obeys_a_wait,
        ]
        if self.mode == "webhook":
            yield from [self.refuses_who_has_no_secret, self.refuses_polling_beside_a_webhook]
        yield self.leaves_nothing_waiting


def judge(control, bot_api, command, mode, user):
    token = control.ask("/bots")[0]["token"]
    with tempfile.TemporaryDirectory(prefix="ferry-bot-") as pictures:
        for name, picture in PICTURES.items():
            (Path(pictures) / name).write_bytes(picture)
        settings = {"bot_api": bot_api, "token": token, "mode": mode, "port": free_port(), "secret": SECRET, "pictures": pictures}
        bot = subprocess.Popen([*command, json.dumps(settings)], stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            story = Story(control, bot_api, mode, user)
            story.limits(False)
            for check in story.checks():
                name = f"{mode}: {check.__name__.replace('_', ' ')}"
                try:
                    check()
                except Exception:
                    traceback.print_exc()
                    print(f"FAILED {name}", flush=True)
                    return False
                print(f"ok {name}", flush=True)
            return True
        finally:
            os.killpg(bot.pid, signal.SIGKILL)
            bot.wait()


def main():
    control, bot_api, *command = sys.argv[1:]
    control = Control(control)
    good = all([judge(control, bot_api, command, mode, user) for mode, user in [("polling", ADA), ("webhook", BEN)]])
    sys.exit(0 if good else 1)


main()
