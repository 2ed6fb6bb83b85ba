"""Telethon judges the simulator: an unmodified client that nobody here wrote must find a Telegram in it.

    telethon_judge.py CONTROL_URL

One line per check; ends with status 1 at the first that fails. What stands in a chat is read from the control API, and never
from what the client was told.
"""

import asyncio
import logging
import os
import sys
import traceback

import telethon
from simulator import Control
from telethon import TelegramClient, errors, events, functions, types, utils
from telethon.crypto import rsa
from telethon.network import connection as transports
from telethon.sessions import StringSession

ADA, BEN, CLEO, DAN = 7000000001, 7000000002, 7000000003, 7000000004
SOURCE, TARGET, LOUNGE, PROTECTED = -1001500000001, -1001500000002, -1001500000003, -1001500000004
UPDATE_SECS_MAX = 20


def phone(user):
    return f"+1{user - 7000000000:010}"


def same(found, expected, what):
    """A check of equality that shows both sides, shortened."""
    if found != expected:
        raise AssertionError(f"{what}: found {str(found)[:600]}, expected {str(expected)[:600]}")


async def refused(error, call, what):
    """The call must be refused with this error, which is returned."""
    try:
        result = await call
    except error as refusal:
        return refusal
    raise AssertionError(f"{what}: expected {error.__name__}, got {str(result)[:300]}")


class Heard:
    """What a client heard of in updates."""

    def __init__(self, client, chat):
        self.new, self.edited, self.deleted = [], [], []
        self.changed = asyncio.Event()
        client.add_event_handler(self._into(self.new, lambda e: (e.id, e.raw_text)), events.NewMessage(chat))
        client.add_event_handler(self._into(self.edited, lambda e: (e.id, e.raw_text)), events.MessageEdited(chat))
        client.add_event_handler(self._into(self.deleted, lambda e: tuple(e.deleted_ids)), events.MessageDeleted(chat))

    def _into(self, seen, what):
        async def handler(event):
            seen.append(what(event))
            self.changed.set()

        return handler

    async def wait(self, holds, what):
        async with asyncio.timeout(UPDATE_SECS_MAX):
            try:
                while not holds():
                    self.changed.clear()
                    await self.changed.wait()
            except asyncio.CancelledError:
                print(f"heard: new {self.new[-5:]}, edited {self.edited}, deleted {self.deleted}")
                raise AssertionError(f"{what}: not heard within {UPDATE_SECS_MAX} s") from None


class Judge:
    def __init__(self, control):
        self.control = control
        self.clients = []
        rsa._server_keys.clear()
        rsa.add_key(control.rsa_pem().encode(), old=False)

    async def client(self, session=None, transport=transports.ConnectionTcpFull):
        session = StringSession(session)
        if not session.auth_key:
            session.set_dc(2, *self.control.dc(2))
        client = TelegramClient(session, 12345, "hash", connection=transport, flood_sleep_threshold=0, request_retries=3)
        self.clients.append(client)
        await client.connect()
        return client

    async def login_with_code(self):
        self.ada = await self.client()
        same(await self.ada.is_user_authorized(), False, "a new key is signed in")
        await refused(errors.PhoneNumberInvalidError, self.ada.send_code_request("+19999999999"), "unknown number")
        await self.ada.send_code_request(phone(ADA))
        code = self.control.code(phone(ADA))
        wrong = f"{(int(code) + 1) % 100_000:05}"
        await refused(errors.PhoneCodeInvalidError, self.ada.sign_in(phone(ADA), wrong), "wrong code")
        me = await self.ada.sign_in(phone(ADA), code)
        same((me.id, me.first_name, me.username), (ADA, "Ada", "ada"), "who signed in")

    async def login_with_password(self):
        self.ben = await self.client()
        sent = await self.ben.send_code_request(phone(BEN))
        same((type(sent.type), type(sent.next_type)), (types.auth.SentCodeTypeApp, types.auth.CodeTypeSms), "first way")
        first = self.control.code(phone(BEN))
        sent = await self.ben(functions.auth.ResendCodeRequest(phone(BEN), sent.phone_code_hash))
        same((type(sent.type), type(sent.next_type)), (types.auth.SentCodeTypeSms, types.auth.CodeTypeCall), "second way")
        stale = functions.auth.SignInRequest(phone(BEN), sent.phone_code_hash, first)
        if first != self.control.code(phone(BEN)):
            await refused(errors.PhoneCodeInvalidError, self.ben(stale), "the code before")
        code = self.control.code(phone(BEN))
        sign_in = self.ben(functions.auth.SignInRequest(phone(BEN), sent.phone_code_hash, code))
        await refused(errors.SessionPasswordNeededError, sign_in, "a code alone")
        same((await self.ben(functions.account.GetPasswordRequest())).hint, "the usual", "hint")
        await refused(errors.PasswordHashInvalidError, self.ben.sign_in(password="hunter3"), "wrong password")
        same((await self.ben.sign_in(password="hunter2")).id, BEN, "who signed in")

    async def login_by_qr(self):
        self.cleo = await self.client()
        code = await self.cleo.qr_login()
        if not code.url.startswith("tg://login?token="):
            raise AssertionError(f"the code shows {code.url}")
        waiting = asyncio.create_task(code.wait(UPDATE_SECS_MAX))
        await asyncio.sleep(0)
        self.control.accept_qr(CLEO, code.url.partition("=")[2])
        same((await waiting).id, CLEO, "who signed in")
        used = functions.auth.AcceptLoginTokenRequest(code.token)
        await refused(errors.BadRequestError, self.ada(used), "a token that was used")

    async def login_in_another_dc(self):
        self.dan = await self.client()
        await self.dan.send_code_request(phone(DAN))
        same((await self.dan.sign_in(phone(DAN), self.control.code(phone(DAN)))).id, DAN, "who signed in")
        same(self.dan.session.dc_id, 4, "data centre")

    async def history(self):
        expected = [message["id"] for message in self.control.visible(SOURCE)]
        up = [message async for message in self.ada.iter_messages("source", reverse=True)]
        same([message.id for message in up], expected, "history upward")
        down = [message.id async for message in self.ada.iter_messages("source")]
        same(down, expected[::-1], "history downward")
        texts = [(m["id"], m["text"]) for m in self.control.visible(SOURCE) if m["kind"] == "text"]
        same([(m.id, m.raw_text) for m in up if not m.action and not m.media], texts, "texts")
        groups = {}
        for message in self.control.visible(SOURCE):
            if message["grouped_id"]:
                groups.setdefault(message["grouped_id"], []).append(message["id"])
        found = {}
        for message in up:
            if message.grouped_id:
                found.setdefault(message.grouped_id, []).append(message.id)
        same(list(found.values()), list(groups.values()), "albums")

    async def history_windows(self):
        ids = [message["id"] for message in self.control.visible(SOURCE)]

        async def read(**window):
            return [message.id async for message in self.ada.iter_messages("source", **window)]

        for offset in [1, ids[5], 119, 120, 121, 260, ids[-1], ids[-1] + 50]:
            below, above = [i for i in ids if i < offset], [i for i in ids if i > offset]
            for limit in [1, 30, 100, 150]:
                same(await read(offset_id=offset, limit=limit), below[::-1][:limit], f"{limit} below {offset}")
                same(await read(offset_id=offset, limit=limit, reverse=True), above[:limit], f"{limit} above {offset}")
        between = [i for i in ids if 100 < i < 200]
        same(await read(min_id=100, max_id=200), between[::-1], "between 100 and 200, downward")
        same(await read(min_id=100, max_id=200, reverse=True), between, "between 100 and 200, upward")
        same(await read(offset_id=200, add_offset=10, limit=20), [i for i in ids if i < 200][::-1][10:30], "skipping 10")

    async def by_id(self):
        visible = {message["id"] for message in self.control.visible(SOURCE)}
        last = max(visible)
        hole = next(i for i in range(1, last) if i not in visible)
        wanted = [1 if 1 in visible else 2, hole, last, last + 100]
        found = await self.ada.get_messages("source", ids=wanted)
        same([m and m.id for m in found], [i if i in visible else None for i in wanted], "messages by id")
        everything = await self.ada.get_messages("source", ids=list(range(1, 101)))
        same([m.id for m in everything if m], sorted(i for i in visible if i <= 100), "a hundred ids, holes among them")

    def hundred(self):
        """A hundred source messages that can be forwarded, albums whole, forwards and holes among them."""
        messages = [message for message in self.control.visible(SOURCE) if message["kind"] != "service"]
        chosen = messages[:100]
        if chosen[-1]["grouped_id"] and messages[100]["grouped_id"] == chosen[-1]["grouped_id"]:
            chosen = [message for message in chosen if message["grouped_id"] != chosen[-1]["grouped_id"]]
            singles = [message for message in messages[100:] if not message["grouped_id"]]
            chosen += singles[: 100 - len(chosen)]
        same(len(chosen), 100, "messages to forward")
        assert any(message["forwarded_from"] for message in chosen) and any(message["grouped_id"] for message in chosen)
        return chosen

    async def forward_hundred(self):
        chosen = self.hundred()
        made = await self.ada.forward_messages("target", [message["id"] for message in chosen], "source")
        same([bool(message) for message in made], [True] * 100, "copies in the reply")
        stands = self.control.visible(TARGET)
        same([m["source"] for m in stands], [[SOURCE, m["id"]] for m in chosen], "what stands in the target")
        same(len(self.control.created(TARGET)), 100, "messages ever created in the target")
        same([m["id"] for m in stands], [m.id for m in made], "ids in the reply")
        read = [message async for message in self.ben.iter_messages("target", reverse=True)]
        same([m.id for m in read], [m["id"] for m in stands], "the target as another account reads it")
        for message, original in zip(read, chosen):
            origin = origin_of(original) if original["forwarded_from"] else (SOURCE, original["id"])
            same(header_of(message), origin, f"the header of the copy of {original['id']}")
        same(self.shape(read), self.shape_of(chosen), "albums")
        assert not {m.grouped_id for m in read if m.grouped_id} & {int(m["grouped_id"] or 0) for m in chosen}, "albums get new numbers"

    @staticmethod
    def shape(messages):
        """Where albums lie: per message the place of its album's first member."""
        groups = [message.grouped_id for message in messages]
        return [groups.index(group) if group else None for group in groups]

    @staticmethod
    def shape_of(messages):
        groups = [message["grouped_id"] for message in messages]
        return [groups.index(group) if group else None for group in groups]

    async def forward_forwards(self):
        copies = self.control.visible(TARGET)[:10]
        await self.ada.forward_messages("lounge", [message["id"] for message in copies], "target")
        read = [message async for message in self.cleo.iter_messages("lounge", reverse=True)][-10:]
        for message, copy in zip(read, copies, strict=True):
            same(header_of(message), origin_of(copy), f"the header of a copy of copy {copy['id']}")

    async def forward_around_holes(self):
        visible = {message["id"]: message for message in self.control.visible(SOURCE)}
        hole = next(i for i in range(1, 400) if i not in visible)
        service = next(i for i, message in visible.items() if message["kind"] == "service")
        text = [i for i, message in visible.items() if message["kind"] == "text"]
        ids = sorted([hole, service, text[0], text[-1]])
        before = len(self.control.visible(TARGET))
        made = await self.ada.forward_messages("target", ids, "source")
        same([bool(m) for m in made], [i in (text[0], text[-1]) for i in ids], "copies in the reply")
        sources = [message["source"][1] for message in self.control.visible(TARGET)[before:]]
        same(sources, [text[0], text[-1]], "what was forwarded")
        await refused(errors.MessageIdInvalidError, self.ada.forward_messages("target", [hole], "source"), "a hole alone")

    async def forward_part_of_album(self):
        album = [m for m in self.control.visible(SOURCE) if m["grouped_id"]]
        album = [m for m in album if m["grouped_id"] == album[-1]["grouped_id"]]
        before = len(self.control.visible(TARGET))
        await self.ada.forward_messages("target", [album[0]["id"]], "source")
        await self.ada.forward_messages("target", [m["id"] for m in album], "source")
        one, *whole = self.control.visible(TARGET)[before:]
        same(one["grouped_id"], None, "the album of a lone member")
        same((len(whole), len({m["grouped_id"] for m in whole})), (len(album), 1), "a whole album")

    async def without_author(self):
        text = next(m for m in self.control.visible(SOURCE) if m["kind"] == "text")
        await self.ada.forward_messages("target", [text["id"]], "source", drop_author=True)
        last = (await self.ben.get_messages("target", limit=1))[0]
        same((last.raw_text, last.fwd_from), (text["text"], None), "a copy without author")

    async def updates(self):
        heard = [Heard(client, "lounge") for client in (self.ben, self.cleo)]
        sent = await self.ada.send_message("lounge", "hello to both")
        await asyncio.gather(*(h.wait(lambda h=h: (sent.id, "hello to both") in h.new, "a new message") for h in heard))
        answer = await self.ben.send_message("lounge", "hello back", reply_to=sent.id)
        await heard[1].wait(lambda: (answer.id, "hello back") in heard[1].new, "an answer")
        await self.ada.edit_message("lounge", sent.id, "hello again")
        await asyncio.gather(*(h.wait(lambda h=h: (sent.id, "hello again") in h.edited, "an edit") for h in heard))
        await self.ada.delete_messages("lounge", [sent.id])
        await asyncio.gather(*(h.wait(lambda h=h: (sent.id,) in h.deleted, "a deletion") for h in heard))
        private = Heard(self.cleo, ADA)
        await self.ada.send_message("cleo", "between us")
        await private.wait(lambda: [text for _, text in private.new] == ["between us"], "a private message")

    async def updates_missed(self):
        heard = Heard(self.ben, "lounge")
        await self.ada.send_message("lounge", "before")
        await heard.wait(lambda: "before" in [text for _, text in heard.new], "a message while connected")
        await self.ben.disconnect()
        for n in range(3):
            await self.ada.send_message("lounge", f"missed {n}")
        await self.ben.connect()
        await self.ben.catch_up()
        await self.ada.send_message("lounge", "after")
        texts = ["before", "missed 0", "missed 1", "missed 2", "after"]
        await heard.wait(lambda: [text for _, text in heard.new] == texts, "what was missed, once and in order")

    async def protected(self):
        ids = [message["id"] for message in self.control.visible(PROTECTED)]
        forward = self.ada.forward_messages("target", ids, "protected")
        await refused(errors.ChatForwardsRestrictedError, forward, "forwarding from a protected channel")
        self.control.protect(SOURCE, True)
        text = next(m["id"] for m in self.control.visible(SOURCE) if m["kind"] == "text")
        forward = self.ada.forward_messages("target", [text], "source")
        await refused(errors.ChatForwardsRestrictedError, forward, "forwarding from a channel that was just protected")
        self.control.protect(SOURCE, False)
        assert (await self.ada.forward_messages("target", [text], "source"))[0], "forwarding when it is free again"

    async def salts(self):
        for _ in range(3):
            salt = self.ada._sender._state.salt
            self.control.rotate_salts()
            calls = [self.ada.get_messages("source", ids=[n]) for n in range(1, 11)]
            same(len(await asyncio.gather(*calls)), 10, "answers after the salt changed")
            assert self.ada._sender._state.salt != salt, "the client was told of a new salt"
        before = len(self.control.visible(TARGET))
        self.control.rotate_salts()
        await self.ada.forward_messages("target", self.hundred()[0]["id"], "source")
        same(len(self.control.visible(TARGET)), before + 1, "messages made by a forward that met a new salt")

    async def random_ids(self):
        source, target = await self.ada.get_input_entity("source"), await self.ada.get_input_entity("target")
        ids = [m["id"] for m in self.control.visible(SOURCE) if m["kind"] == "text"][:3]
        request = functions.messages.ForwardMessagesRequest(source, ids, target, random_id=[11, 12, 13])
        first = await self.ada(request)
        stands = self.control.visible(TARGET)
        try:
            second = await self.ada(functions.messages.ForwardMessagesRequest(source, ids, target, random_id=[11, 12, 13]))
        except errors.RandomIdDuplicateError:
            pass
        else:
            same(given_ids(second), given_ids(first), "the answer to a repeat")
        same(self.control.visible(TARGET), stands, "the target after a repeat")
        await self.ben(functions.messages.ForwardMessagesRequest(
            await self.ben.get_input_entity("source"), ids, await self.ben.get_input_entity("target"), random_id=[11, 12, 13]
        ))
        same(len(self.control.visible(TARGET)), len(stands) + 3, "another account's call with the same random ids")

    async def access_hashes(self):
        mine = await self.ada.get_input_entity("source")
        theirs = await self.ben.get_input_entity("source")
        assert mine.access_hash != theirs.access_hash, "access hashes are per account"
        call = self.ada(functions.channels.GetChannelsRequest([types.InputChannel(theirs.channel_id, theirs.access_hash)]))
        await refused(errors.ChannelInvalidError, call, "another account's access hash")

    async def flood(self):
        text = next(m["id"] for m in self.control.visible(SOURCE) if m["kind"] == "text")
        self.control.script(DAN, "messages.forwardMessages", 420, "FLOOD_WAIT_2983")
        before, calls = len(self.control.visible(TARGET)), self.forwards_of(DAN)
        refusal = await refused(errors.FloodWaitError, self.dan.forward_messages("target", [text], "source"), "a flood wait")
        same(refusal.seconds, 2983, "seconds to wait")
        # Telethon remembers the wait and does not ask again; a new client does, and is counted as too early.
        await refused(errors.FloodWaitError, self.dan.forward_messages("target", [text], "source"), "a remembered wait")
        same(len(self.forwards_of(DAN)), len(calls) + 1, "calls that reached the server")
        same(self.forwards_of(DAN)[-1]["outcome"], "FLOOD_WAIT_2983", "the audit of the refused call")
        session = self.dan.session.save()
        await self.dan.disconnect()
        again = await self.client(session)
        refusal = await refused(errors.FloodWaitError, again.forward_messages("target", [text], "source"), "a call in a wait")
        early = self.forwards_of(DAN)[-1]
        same((early["during_wait"], early["outcome"]), (True, f"FLOOD_WAIT_{refusal.seconds}"), "a call in a wait, audited")
        same(len(self.control.visible(TARGET)), before, "the target after refused forwards")
        assert (await again.get_messages("source", ids=[text]))[0], "a wait on writing does not stop reading"
        await again.disconnect()

    def forwards_of(self, account):
        audit = self.control.audit()
        return [e for e in audit if e["account"] == account and e["method"] == "messages.forwardMessages"]

    async def resumed(self):
        session = self.cleo.session.save()
        await self.cleo.disconnect()
        logins = sum(entry["method"].startswith("auth.") for entry in self.control.audit())
        for transport in [
            transports.ConnectionTcpFull,
            transports.ConnectionTcpAbridged,
            transports.ConnectionTcpIntermediate,
            transports.ConnectionTcpObfuscated,
        ]:
            client = await self.client(session, transport)
            same((await client.get_me()).id, CLEO, f"who is signed in over {transport.__name__}")
            same(len(await client.get_messages("source", limit=100)), 100, f"history over {transport.__name__}")
            same(len(await client.forward_messages("target", [m["id"] for m in self.hundred()], "source")), 100, "forwarded")
            await client.disconnect()
        same(sum(e["method"].startswith("auth.") for e in self.control.audit()), logins, "logins for resumed sessions")
        self.cleo = await self.client(session)

    async def log_out(self):
        session = self.cleo.session.save()
        same(await self.cleo.log_out(), True, "logging out")
        again = await self.client(session)
        same(await again.is_user_authorized(), False, "a session that was logged out")

    async def nothing_unknown(self):
        unknown = sorted({e["method"] for e in self.control.audit() if e["outcome"] in ("METHOD_INVALID", "INPUT_METHOD_INVALID")})
        same(unknown, [], "calls that the simulator does not know")


def header_of(message):
    """Channel and post that a forward says it comes from."""
    return utils.get_peer_id(message.fwd_from.from_id), message.fwd_from.channel_post


def origin_of(message):
    """The same, as the control API tells it."""
    return message["forwarded_from"], message["forwarded_post"]


def given_ids(updates):
    """Random id -> new id, as an `Updates` tells it."""
    return {u.random_id: u.id for u in updates.updates if isinstance(u, types.UpdateMessageID)}


CHECKS = [
    (Judge.login_with_code, "signs in with a code, and not with a wrong one"),
    (Judge.login_with_password, "signs in with code and password, and not with a wrong one"),
    (Judge.login_by_qr, "signs in by QR"),
    (Judge.login_in_another_dc, "is sent to another data centre and signs in there"),
    (Judge.history, "reads the whole history upward and downward: ids, texts, albums"),
    (Judge.history_windows, "reads windows of history with limits and offsets"),
    (Judge.by_id, "fetches messages by id, holes among them"),
    (Judge.forward_hundred, "forwards 100 messages in one call: order, albums, headers"),
    (Judge.forward_forwards, "forwards forwards: the first origin stays"),
    (Judge.forward_around_holes, "forwards what exists where holes and service messages are among the ids"),
    (Judge.forward_part_of_album, "forwards a lone member of an album, and a whole album"),
    (Judge.without_author, "forwards without author"),
    (Judge.updates, "hears other accounts: new, edited, deleted, private"),
    (Judge.updates_missed, "catches up on what it missed while away"),
    (Judge.protected, "meets protected content"),
    (Judge.salts, "survives salts that change in mid-connection"),
    (Judge.random_ids, "repeats random ids: nothing arrives twice"),
    (Judge.access_hashes, "has access hashes of its own"),
    (Judge.flood, "meets a flood wait; an early call is refused and audited"),
    (Judge.resumed, "resumes from a session string over every transport, and forwards"),
    (Judge.log_out, "logs out for good"),
    (Judge.nothing_unknown, "asked for nothing that the simulator does not know"),
]


async def main():
    print(f"Telethon {telethon.__version__}", flush=True)
    # It logs whole replies where ids of a forward are missing on purpose.
    logging.getLogger("telethon").setLevel(logging.CRITICAL)
    judge = Judge(Control(sys.argv[1]))
    for check, about in CHECKS:
        try:
            await check(judge)
        except Exception as error:
            traceback.print_exc()
            print(f"FAILED {about}: {error or type(error).__name__}", flush=True)
            # Telethon's tasks do not let themselves be cancelled while they are connected.
            sys.stderr.flush()
            os._exit(1)
        print(f"ok {about}", flush=True)
    for client in judge.clients:
        await client.disconnect()


asyncio.run(main())
