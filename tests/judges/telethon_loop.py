"""The plain loop that most tools are: read 100, forward 100, no checkpoint. What Ferry's speed is compared with.

    telethon_loop.py CONNECTION COUNT [SOURCE TARGET]

CONNECTION is the control URL of a simulator (its first account is used), or a JSON object with `dc`, `address`, `rsa_pem` and
`auth_key` (hex, signed in). SOURCE and TARGET are usernames, `source` and `target` if left out. Prints
`{"messages": ..., "secs": ..., "cpu_secs": ...}`: what was forwarded, how long it took, and the processor time of this
process for it; connecting and resolving are not counted.
"""

import asyncio
import json
import logging
import sys
import time

from simulator import Control
from telethon import TelegramClient, functions
from telethon.crypto import AuthKey, rsa
from telethon.sessions import StringSession

FIRST_ACCOUNT = 7000000001
CHUNK = 100


def connection(text):
    """Data centre, host, port, key of the server, key of the session."""
    if text.startswith("{"):
        about = json.loads(text)
        host, port = about["address"].rsplit(":", 1)
        return about["dc"], host, int(port), about["rsa_pem"], bytes.fromhex(about["auth_key"])
    control = Control(text)
    dc, auth_key = control.mint(FIRST_ACCOUNT)
    return dc, *control.dc(dc), control.rsa_pem(), auth_key


async def client(text):
    dc, host, port, rsa_pem, auth_key = connection(text)
    rsa._server_keys.clear()
    rsa.add_key(rsa_pem.encode(), old=False)
    session = StringSession()
    session.set_dc(dc, host, port)
    session.auth_key = AuthKey(auth_key)
    made = TelegramClient(session, 12345, "hash", receive_updates=False, flood_sleep_threshold=0)
    await made.connect()
    return made


async def carry(client, source, target, count):
    """Forwards the first `count` messages, as they come; returns how many copies were made."""
    read, made, last = 0, 0, 0
    while read < count:
        limit = min(CHUNK, count - read)
        page = await client(functions.messages.GetHistoryRequest(
            source, offset_id=last + 1, offset_date=None, add_offset=-limit, limit=limit, max_id=0, min_id=0, hash=0
        ))
        ids = sorted(message.id for message in page.messages)
        if not ids:
            break
        copies = await client.forward_messages(target, ids, source)
        read, made, last = read + len(ids), made + sum(map(bool, copies)), ids[-1]
    return made


async def main():
    # It logs whole replies where an id was no message that can be forwarded.
    logging.getLogger("telethon").setLevel(logging.CRITICAL)
    text, count, *names = sys.argv[1:]
    source_name, target_name = names or ("source", "target")
    telethon = await client(text)
    source, target = await telethon.get_input_entity(source_name), await telethon.get_input_entity(target_name)
    started, cpu_started = time.perf_counter(), time.process_time()
    messages = await carry(telethon, source, target, int(count))
    secs, cpu_secs = time.perf_counter() - started, time.process_time() - cpu_started
    await telethon.disconnect()
    print(json.dumps({"messages": messages, "secs": round(secs, 4), "cpu_secs": round(cpu_secs, 4)}))


asyncio.run(main())
