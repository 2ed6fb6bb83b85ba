"""Session strings as Telethon and Pyrogram write them: one line of JSON each.

    strings_python.py CONTROL_URL

Telethon signs in by itself. Pyrogram's storage is given a session that is signed in, because its client asks for servers of
Telegram's own; the string is what its storage exports.
"""

import asyncio
import json
import logging
import sys

from simulator import Control
from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import StringSession

ADA, BEN = 7000000001, 7000000002


async def telethon(control):
    rsa._server_keys.clear()
    rsa.add_key(control.rsa_pem().encode(), old=False)
    session = StringSession()
    session.set_dc(2, *control.dc(2))
    client = TelegramClient(session, 12345, "hash")
    await client.connect()
    phone = "+10000000001"
    await client.send_code_request(phone)
    me = await client.sign_in(phone, control.code(phone))
    assert me.id == ADA
    text = session.save()
    # Two places must not use one session.
    await client.disconnect()
    return {"library": "Telethon", "user": ADA, "text": text}


async def pyrogram(control):
    logging.getLogger("pyrogram").setLevel(logging.CRITICAL)
    from pyrogram.storage import SQLiteStorage

    dc, key = control.mint(BEN)
    storage = SQLiteStorage("ben", None, in_memory=True)
    await storage.open()
    await storage.dc_id(dc)
    await storage.api_id(12345)
    await storage.test_mode(False)
    await storage.auth_key(key)
    await storage.user_id(BEN)
    await storage.is_bot(False)
    return {"library": "Pyrogram", "user": BEN, "text": await storage.export_session_string()}


async def main():
    control = Control(sys.argv[1])
    for make in [telethon, pyrogram]:
        print(json.dumps(await make(control)), flush=True)


asyncio.run(main())
