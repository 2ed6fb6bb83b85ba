"""The echo bot of the judges, with aiogram. Started by bot_judge.py, which says what it has to do."""

import asyncio
import json
import logging
import sys
from pathlib import Path

from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramRetryAfter
from aiogram.filters import Command
from aiogram.types import BotCommand, FSInputFile, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiohttp import web

SETTINGS = json.loads(sys.argv[1])
PICTURES = Path(SETTINGS["pictures"])
logging.basicConfig(level=logging.WARNING)
counts, remembered = {}, {}
dispatcher = Dispatcher()


def keyboard(*names):
    return InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text=name, callback_data=name.lower())] for name in names]
    )


MENU = keyboard("Count", "Alert", "Same")


def words(error):
    """The description, without aiogram's own words around it."""
    return error.message.removeprefix("Bad Request: ").removeprefix("Forbidden: ")


@dispatcher.message(Command("start"))
async def start(message):
    await message.answer("<b>Hello</b>, <i>press</i> &amp; see", parse_mode="HTML", reply_markup=MENU)


@dispatcher.message(Command("lang"))
async def lang(message):
    await message.answer(f"you speak {message.from_user.language_code}")


@dispatcher.message(Command("photo"))
async def photo(message):
    await message.answer_photo(FSInputFile(PICTURES / "one.png"), caption="one", reply_markup=keyboard("Another"))


@dispatcher.message(Command("bad"))
async def bad(message):
    try:
        await message.answer("<b>never <i>closed</b>", parse_mode="HTML")
    except TelegramBadRequest as error:
        await message.answer(words(error))


@dispatcher.message(Command("flood"))
async def flood(message):
    for number in range(15):
        while True:
            try:
                await message.answer(f"flood {number}")
                break
            except TelegramRetryAfter as wait:
                await asyncio.sleep(wait.retry_after)


@dispatcher.message(Command("forbidden"))
async def forbidden(message):
    await message.answer(remembered.get(message.from_user.id, "nothing"))


@dispatcher.message(F.forward_origin)
async def forwarded(message):
    await message.answer(f"from {message.forward_origin.chat.username} {message.forward_origin.message_id}")


@dispatcher.message(F.text)
async def echo(message):
    await message.answer("echo: " + message.text)


@dispatcher.my_chat_member()
async def member(change, bot):
    if change.new_chat_member.status == "kicked":
        try:
            await bot.send_message(change.from_user.id, "are you there?")
        except TelegramForbiddenError as error:
            remembered[change.from_user.id] = "Forbidden: " + words(error)


@dispatcher.callback_query()
async def pressed(query):
    if query.data == "count":
        count = counts[query.from_user.id] = counts.get(query.from_user.id, 0) + 1
        await query.message.edit_text(f"<b>{count}</b> so far", parse_mode="HTML", reply_markup=MENU)
        await query.answer(f"counted {count}")
    elif query.data == "alert":
        await query.answer("look here", show_alert=True)
    elif query.data == "same":
        try:
            await query.message.edit_text(query.message.html_text, parse_mode="HTML", reply_markup=MENU)
        except TelegramBadRequest as error:
            await query.answer(words(error)[:30])
    elif query.data == "another":
        await query.message.edit_media(InputMediaPhoto(media=FSInputFile(PICTURES / "two.png"), caption="two"))
        await query.answer()


async def prepare(bot):
    await bot.set_my_commands(
        [BotCommand(command="start", description="Begin"), BotCommand(command="photo", description="A picture")]
    )


async def poll(bot):
    await bot.delete_webhook()
    await prepare(bot)
    await dispatcher.start_polling(bot, allowed_updates=dispatcher.resolve_used_update_types())


def serve(bot):
    port, secret = SETTINGS["port"], SETTINGS["secret"]

    async def set_webhook():
        await prepare(bot)
        used = dispatcher.resolve_used_update_types()
        await bot.set_webhook(f"http://127.0.0.1:{port}/hook", secret_token=secret, allowed_updates=used)

    dispatcher.startup.register(set_webhook)
    application = web.Application()
    SimpleRequestHandler(dispatcher, bot, secret_token=secret).register(application, "/hook")
    setup_application(application, dispatcher, bot=bot)
    web.run_app(application, host="127.0.0.1", port=port, print=None)


def main():
    session = AiohttpSession(api=TelegramAPIServer.from_base(SETTINGS["bot_api"]))
    bot = Bot(SETTINGS["token"], session=session)
    if SETTINGS["mode"] == "polling":
        asyncio.run(poll(bot))
    else:
        serve(bot)


main()
