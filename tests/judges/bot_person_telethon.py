"""Telethon as a person who talks to a bot: keyboards, pressed buttons, edits, photos, blocking, over MTProto.

    bot_person_telethon.py CONTROL_URL BOT_API_URL

The bot is played here, by plain calls of the Bot API. One line per check; ends with status 1 at the first that fails.
"""

import asyncio
import json
import os
import sys
import traceback
import urllib.error
import urllib.request

import telethon
from simulator import Control
from telethon import TelegramClient, errors, events, functions
from telethon.crypto import AuthKey, rsa
from telethon.network import connection as transports
from telethon.sessions import MemorySession

ADA = 7000000001
WAIT_SECS_MAX = 20


def same(found, expected, what):
    if found != expected:
        raise AssertionError(f"{what}: found {str(found)[:600]}, expected {str(expected)[:600]}")


class Bot:
    """The other side."""

    def __init__(self, bot_api, token):
        self.url, self.offset = f"{bot_api}/bot{token}/", 0

    def call(self, method, **arguments):
        request = urllib.request.Request(self.url + method, json.dumps(arguments).encode(), {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return json.load(reply)["result"]
        except urllib.error.HTTPError as error:
            return json.load(error)["description"]

    async def do(self, method, **arguments):
        return await asyncio.to_thread(self.call, method, **arguments)

    async def next(self, field):
        update = (await self.do("getUpdates", offset=self.offset, limit=1, timeout=WAIT_SECS_MAX))[0]
        self.offset = update["update_id"] + 1
        return update[field]


class Judge:
    def __init__(self, control, bot_api):
        self.control = control
        self.bot = Bot(bot_api, control.ask("/bots")[0]["token"])
        rsa._server_keys.clear()
        rsa.add_key(control.rsa_pem().encode(), old=False)

    async def connects(self):
        dc, key = self.control.mint(ADA)
        session = MemorySession()
        session.set_dc(dc, *self.control.dc(dc))
        session.auth_key = AuthKey(key)
        self.ada = TelegramClient(session, 12345, "hash", connection=transports.ConnectionTcpFull, flood_sleep_threshold=0)
        await self.ada.connect()
        self.peer = await self.ada.get_entity("echo_bot")
        same((self.peer.bot, self.peer.first_name), (True, "Echo"), "the bot")

    async def writes(self):
        await self.ada.send_message(self.peer, "/start")
        self.started = await self.bot.next("message")
        same((self.started["text"], self.started["from"]["id"]), ("/start", ADA), "what the bot hears")
        same(self.started["entities"], [{"type": "bot_command", "offset": 0, "length": 6}], "command")

    async def sees_buttons(self):
        heard = asyncio.Queue()
        self.ada.add_event_handler(heard.put, events.NewMessage(self.peer, incoming=True))
        rows = [[{"text": "Yes ⛴", "callback_data": "y"}, {"text": "See", "url": "https://a.example/"}], [{"text": "No", "callback_data": "n"}]]
        self.sent = await self.bot.do(
            "sendMessage", chat_id=ADA, text="<b>Sure</b>?", parse_mode="HTML", reply_markup={"inline_keyboard": rows}
        )
        event = await asyncio.wait_for(heard.get(), WAIT_SECS_MAX)
        same([[button.text for button in row] for row in event.message.buttons], [["Yes ⛴", "See"], ["No"]], "buttons")
        same(event.message.buttons[0][0].data, b"y", "data")
        self.asked = await self.ada.get_messages(self.peer, ids=event.message.id)
        same((self.asked.text, self.asked.button_count), ("**Sure**?", 3), "message")

    async def presses(self):
        edited = asyncio.Queue()
        self.ada.add_event_handler(edited.put, events.MessageEdited(self.peer))
        pressed = asyncio.create_task(self.asked.click(text="No"))
        query = await self.bot.next("callback_query")
        same((query["data"], query["message"]["message_id"]), ("n", self.sent["message_id"]), "what the bot hears")
        await self.bot.do("editMessageText", chat_id=ADA, message_id=self.sent["message_id"], text="As you like.")
        await self.bot.do("answerCallbackQuery", callback_query_id=query["id"], text="noted", show_alert=True)
        answer = await asyncio.wait_for(pressed, WAIT_SECS_MAX)
        same((answer.message, answer.alert), ("noted", True), "what the person hears")
        event = await asyncio.wait_for(edited.get(), WAIT_SECS_MAX)
        same((event.message.id, event.raw_text, event.message.buttons), (self.asked.id, "As you like.", None), "edit")

    async def waits_in_vain(self):
        try:
            # `click` would keep the refusal to itself.
            peer, data = self.peer, b"nobody answers"
            await self.ada(functions.messages.GetBotCallbackAnswerRequest(peer, self.asked.id, data=data))
        except errors.BotResponseTimeoutError:
            await self.bot.next("callback_query")
            return
        raise AssertionError("somebody answered")

    async def edits_and_deletes(self):
        mine = await self.ada.send_message(self.peer, "one")
        await self.bot.next("message")
        await mine.edit("two")
        same((await self.bot.next("edited_message"))["text"], "two", "what the bot hears")
        await self.bot.do("deleteMessage", chat_id=ADA, message_id=self.sent["message_id"])
        same(await self.ada.get_messages(self.peer, ids=self.asked.id), None, "deleted message")

    async def blocks(self):
        await self.ada(functions.contacts.BlockRequest(self.peer))
        same((await self.bot.next("my_chat_member"))["new_chat_member"]["status"], "kicked", "what the bot hears")
        same(await self.bot.do("sendMessage", chat_id=ADA, text="?"), "Forbidden: bot was blocked by the user", "answer")
        await self.ada(functions.contacts.UnblockRequest(self.peer))
        same((await self.bot.do("sendMessage", chat_id=ADA, text="hello again"))["text"], "hello again", "answer")


CHECKS = [
    (Judge.connects, "finds the bot by its name"),
    (Judge.writes, "writes to the bot, which hears of a command"),
    (Judge.sees_buttons, "sees the bot's buttons, pushed and fetched"),
    (Judge.presses, "presses a button: the bot's answer and its edit arrive"),
    (Judge.waits_in_vain, "waits in vain for a bot that does not answer"),
    (Judge.edits_and_deletes, "edits what the bot hears of again, and loses what the bot deletes"),
    (Judge.blocks, "blocks the bot and takes it back"),
]


async def main():
    print(f"Telethon {telethon.__version__}", flush=True)
    control, bot_api = sys.argv[1:]
    judge = Judge(Control(control), bot_api)
    for check, about in CHECKS:
        try:
            await check(judge)
        except Exception as error:
            traceback.print_exc()
            print(f"FAILED {about}: {error or type(error).__name__}", flush=True)
            sys.stderr.flush()
            os._exit(1)
        print(f"ok {about}", flush=True)
    await judge.ada.disconnect()


asyncio.run(main())
