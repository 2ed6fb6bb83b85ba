"""The echo bot of the judges, with python-telegram-bot. Started by bot_judge.py, which says what it has to do."""

import asyncio
import json
import logging
import sys
from pathlib import Path

from telegram import BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto, Update
from telegram.error import BadRequest, Forbidden, RetryAfter
from telegram.ext import ApplicationBuilder, CallbackQueryHandler, ChatMemberHandler, CommandHandler, MessageHandler, filters

SETTINGS = json.loads(sys.argv[1])
PICTURES = Path(SETTINGS["pictures"])
logging.basicConfig(level=logging.WARNING)
counts, remembered = {}, {}


def keyboard(*names):
    return InlineKeyboardMarkup([[InlineKeyboardButton(name, callback_data=name.lower())] for name in names])


MENU = keyboard("Count", "Alert", "Same")


async def start(update, _):
    await update.message.reply_html("<b>Hello</b>, <i>press</i> &amp; see", reply_markup=MENU)


async def echo(update, _):
    if origin := update.message.forward_origin:
        await update.message.reply_text(f"from {origin.chat.username} {origin.message_id}")
    else:
        await update.message.reply_text("echo: " + update.message.text)


async def lang(update, _):
    await update.message.reply_text(f"you speak {update.effective_user.language_code}")


async def photo(update, _):
    await update.message.reply_photo((PICTURES / "one.png").read_bytes(), "one", reply_markup=keyboard("Another"))


async def bad(update, _):
    try:
        await update.message.reply_html("<b>never <i>closed</b>")
    except BadRequest as error:
        await update.message.reply_text(error.message)


async def flood(update, _):
    for number in range(15):
        while True:
            try:
                await update.message.reply_text(f"flood {number}")
                break
            except RetryAfter as wait:
                seconds = getattr(wait, "_retry_after", wait.retry_after)
                await asyncio.sleep(seconds.total_seconds() if hasattr(seconds, "total_seconds") else seconds)


async def forbidden(update, _):
    await update.message.reply_text(remembered.get(update.effective_user.id, "nothing"))


async def member(update, context):
    if update.my_chat_member.new_chat_member.status == "kicked":
        user = update.effective_user.id
        try:
            await context.bot.send_message(user, "are you there?")
        except Forbidden as error:
            remembered[user] = error.message


async def pressed(update, _):
    query = update.callback_query
    if query.data == "count":
        count = counts[query.from_user.id] = counts.get(query.from_user.id, 0) + 1
        await query.edit_message_text(f"<b>{count}</b> so far", parse_mode="HTML", reply_markup=MENU)
        await query.answer(f"counted {count}")
    elif query.data == "alert":
        await query.answer("look here", show_alert=True)
    elif query.data == "same":
        try:
            await query.edit_message_text(query.message.text_html, parse_mode="HTML", reply_markup=MENU)
        except BadRequest as error:
            await query.answer(error.message[:30])
    elif query.data == "another":
        media = InputMediaPhoto((PICTURES / "two.png").read_bytes(), caption="two")
        await query.edit_message_media(media)
        await query.answer()


async def prepare(application):
    await application.bot.set_my_commands([BotCommand("start", "Begin"), BotCommand("photo", "A picture")])


def main():
    root = SETTINGS["bot_api"]
    builder = ApplicationBuilder().token(SETTINGS["token"]).base_url(f"{root}/bot").base_file_url(f"{root}/file/bot")
    application = builder.post_init(prepare).build()
    for name, act in {"start": start, "lang": lang, "photo": photo, "bad": bad, "flood": flood, "forbidden": forbidden}.items():
        application.add_handler(CommandHandler(name, act))
    application.add_handler(MessageHandler(filters.TEXT & ~filters.COMMAND, echo))
    application.add_handler(CallbackQueryHandler(pressed))
    application.add_handler(ChatMemberHandler(member, ChatMemberHandler.MY_CHAT_MEMBER))
    if SETTINGS["mode"] == "polling":
        application.run_polling(allowed_updates=Update.ALL_TYPES)
    else:
        port = SETTINGS["port"]
        application.run_webhook(
            listen="127.0.0.1", port=port, url_path="hook", webhook_url=f"http://127.0.0.1:{port}/hook",
            secret_token=SETTINGS["secret"], allowed_updates=Update.ALL_TYPES,
        )


main()
