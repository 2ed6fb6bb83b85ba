"""A simulated Telegram with a bot, an admin, people's accounts and channels; and the admin, who does everything in the chat."""

import json
import tempfile
import time
from pathlib import Path

from simulator import Control, Simulator

BOT, ADMIN = 7_900_000_001, 6_000_000_001
TOKEN = f"{BOT}:a-simulated-token_of-the-tests"
API_ID, API_HASH = "12345", "0123456789abcdef0123456789abcdef"
FIRST_ACCOUNT, FIRST_SOURCE, FIRST_TARGET = 7_000_000_001, -1_001_500_000_001, -1_001_600_000_001
LOOK_SECS = 0.1
# Everything from a source to a target, and nothing in between but the offers.
STEPS = ["range:all", "next", "skip", "author:keep", "offered", "none", "pace:none", "batch:0", "done", "confirm"]
MIX = dict.fromkeys(["photo", "video", "document", "audio", "voice", "sticker", "poll", "reply", "forward", "service", "hole"], 0)


def scenario(accounts, transfers, messages):
    users = [{"id": FIRST_ACCOUNT + n, "phone": f"+155501428{n:02}", "first_name": f"Account {n}"} for n in range(accounts)]
    people = [{"id": ADMIN, "first_name": "Admin", "language_code": "en"}]

    def chat(id, name, role, **rest):
        members = [{"user": user["id"], "role": role} for user in users]
        return {"id": id, "kind": "broadcast", "title": name, "username": name, "members": members, **rest}

    sources = [chat(FIRST_SOURCE - n, f"source{n}", "member", generate={"messages": messages, "mix": MIX}) for n in range(transfers)]
    targets = [chat(FIRST_TARGET - n, f"target{n}", "creator") for n in range(transfers)]
    bots = [{"id": BOT, "username": "ferry_bot", "token": TOKEN, "name": "Ferry"}]
    return {"seed": 7, "users": users + people, "bots": bots, "chats": sources + targets}


class World:
    """Runs until the `with` block ends."""

    def __init__(self, simulator, accounts, transfers, messages, floods=None):
        self._program, self._scenario, self._floods = str(simulator), scenario(accounts, transfers, messages), floods

    def __enter__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="ferry-world-")
        file = Path(self._directory.name) / "scenario.json"
        file.write_text(json.dumps(self._scenario))
        self._simulator = Simulator.with_bot_api(self._program, file)
        self._simulator.__enter__()
        self.control, self.bot_api = Control(self._simulator.url), self._simulator.bot_api
        # Who presses ten digits a second is refused by the limits; those are tried elsewhere.
        limits = self.control.ask("/bots/limits", {})
        self.control.ask("/bots/limits", {"limits": {**limits, "on": False}})
        if self._floods:
            self.control.ask("/floods", {"model": self._floods})
        server = self.control.ask("/server")
        self.dcs = ",".join(f"{dc['id']}={dc['address']}" for dc in server["dcs"])
        self.rsa_pem = server["rsa_pem"]
        return self

    def __exit__(self, *_):
        self._simulator.__exit__()
        self._directory.cleanup()

    # --- the admin -------------------------------------------------------------------------------------------------------

    def chat(self):
        return self.control.ask(f"/bots/{BOT}/chat/{ADMIN}")

    def says(self, text):
        self.control.ask(f"/bots/{BOT}/say", {"user": ADMIN, "text": text})

    def presses(self, data, secs_max=60):
        """Presses a button that sends this, once it is offered."""
        message, _ = self.is_offered(data, secs_max)
        self.control.ask(f"/bots/{BOT}/press", {"user": ADMIN, "message": message, "data": data})

    def is_offered(self, data, secs_max=60):
        """Waits for a button that sends this under what the bot said to the admin's last words."""

        def button():
            chat = self.chat()
            last = max((place for place, message in enumerate(chat) if message["from"] == "user"), default=0)
            return self._button(chat[last:], lambda found: found == data)

        return self.until(f"a button for {data}", button, secs_max)

    @staticmethod
    def _button(chat, fits):
        for message in reversed(chat):
            for row in message.get("buttons") or []:
                for button in row:
                    if button.get("data") and fits(button["data"]):
                        return message["id"], button["data"]
        return None

    def reads(self, text, secs_max=60):
        """Waits until a message of the bot contains this."""
        return self.until(f"{text!r}", lambda: next((m for m in self.chat() if m["from"] == "bot" and text in m["text"]), None), secs_max)

    def until(self, what, look, secs_max):
        ends_at = time.monotonic() + secs_max
        while time.monotonic() < ends_at:
            if found := look():
                return found
            time.sleep(LOOK_SECS)
        shown = json.dumps(self.chat()[-4:], ensure_ascii=False)[-2000:]
        raise AssertionError(f"{what} did not come within {secs_max} s; the chat: {shown}")

    def logs_in(self, n):
        """An account comes into the pool as a person would bring it: its number said, its code pressed on the keypad."""
        phone = f"+155501428{n:02}"
        before = len(self.control.ask("/codes"))
        self.says("/start")
        for step in ["pool", "add", "w:way:code", "w:label:-", "w:priority:0", "w:api:-"]:
            self.presses(step)
        self.reads("Which phone number")
        self.says(phone)
        self.until("a code", lambda: len(self.control.ask("/codes")) > before, 60)
        for place, digit in enumerate(self.control.code(phone)):
            tail = f"…{phone[-2:]}"

            def keypad(place=place, digit=digit, tail=tail):
                for message in reversed(self.chat()):
                    if tail in message["text"] and message["text"].count("●") == place:
                        return self._button([message], lambda data: data.startswith("digit:") and data.endswith(f":{digit}"))
                return None

            message, data = self.until(f"the keypad after {place} digits", keypad, 60)
            self.control.ask(f"/bots/{BOT}/press", {"user": ADMIN, "message": message, "data": data})

    def asks_for_transfer(self, n, after=None, batch=0):
        """The whole of source `n`, or what comes after a message, in batches of so many (0: one batch)."""
        self.says("/start")
        self.presses("new")
        self.reads_newest("source")
        self.says(f"@source{n}")
        self.reads_newest("target")
        self.says(f"@target{n}")
        steps = STEPS
        if after is not None:
            steps = STEPS[1:]
            self.is_offered(f"w:{STEPS[0]}")
            self.says(f"{after + 1}-")
        for step in steps:
            step = f"batch:{batch}" if step.startswith("batch:") else step
            self.presses(f"w:{step}", 90)

    def reads_newest(self, word):
        """Waits until the bot's newest message asks for this."""

        def asked():
            bot = [message for message in self.chat() if message["from"] == "bot"]
            return bot and word in bot[-1]["text"].lower()

        self.until(f"the question for the {word}", asked, 60)

    # --- what came of it -------------------------------------------------------------------------------------------------

    @staticmethod
    def target(n):
        return FIRST_TARGET - n

    def carried(self, n):
        return len(self.control.created(self.target(n)))

    def wanted(self, n):
        return self.control.visible(FIRST_SOURCE - n)

    def audit(self, n):
        """Exactly once, in order, albums whole: what the source holds against everything that was ever sent to the target."""
        source, target = self.wanted(n), self.control.created(FIRST_TARGET - n)
        ids = [message["source"][1] for message in target]
        assert all(message["source"][0] == FIRST_SOURCE - n for message in target), "the target holds what is not of its source"
        wanted = [message["id"] for message in source]
        missing, doubled = sorted(set(wanted) - set(ids)), sorted({id for id in ids if ids.count(id) > 1}) if len(ids) != len(set(ids)) else []
        assert ids == wanted, f"transfer {n}: missing {missing[:10]}, twice {doubled[:10]}, in order: {ids == sorted(ids)}"
        albums = {}
        for original, copy in zip(source, target):
            albums.setdefault(original.get("grouped_id"), set()).add(copy.get("grouped_id"))
        split = [album for album, copies in albums.items() if album and len(copies) > 1]
        assert not split, f"transfer {n}: albums in pieces: {split[:10]}"
        return len(ids), len([album for album in albums if album])

    def calls_during_waits(self, kills_at_ms):
        """Calls during a wait that their caller knew of. One call a wait is excused if the caller was killed as it heard of it."""
        known, given = [], {}
        for call in self.control.audit():
            account = call["account"]
            if call["during_wait"]:
                last = given.get(account)
                if last and not last["excused"] and last["session"] != call["session"] and any(
                    last["at"] - 100 <= kill <= last["heard"] + 500 and kill <= call["at_ms"] for kill in kills_at_ms
                ):
                    last["excused"] = True
                else:
                    known.append(call)
            if call["wait_until_ms"] is not None:
                heard = max(call["ended_ms"] or call["at_ms"], call["at_ms"])
                given[account] = {"at": call["at_ms"], "heard": heard, "session": call["session"], "excused": False}
        return known
