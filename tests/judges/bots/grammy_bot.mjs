// The echo bot of the judges, with grammY. Started by bot_judge.py, which says what it has to do.

import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Bot, GrammyError, InlineKeyboard, InputFile, InputMediaBuilder, webhookCallback } from "grammy";

const settings = JSON.parse(process.argv[2]);
const picture = (name) => new InputFile(join(settings.pictures, name));
const bot = new Bot(settings.token, { client: { apiRoot: settings.bot_api } });
const [counts, remembered] = [new Map(), new Map()];
const keyboard = (...names) => names.reduce((rows, name) => rows.text(name, name.toLowerCase()).row(), new InlineKeyboard());
const menu = keyboard("Count", "Alert", "Same");
const html = { parse_mode: "HTML" };
const words = (error) => error.description.replace("Bad Request: ", "");

/** What grammY refuses is returned, everything else is thrown. */
async function refusal(call) {
  try {
    await call;
  } catch (error) {
    if (error instanceof GrammyError) return error;
    throw error;
  }
}

bot.command("start", (ctx) => ctx.reply("<b>Hello</b>, <i>press</i> &amp; see", { ...html, reply_markup: menu }));
bot.command("lang", (ctx) => ctx.reply(`you speak ${ctx.from.language_code}`));
bot.command("photo", (ctx) => ctx.replyWithPhoto(picture("one.png"), { caption: "one", reply_markup: keyboard("Another") }));
bot.command("bad", async (ctx) => {
  const error = await refusal(ctx.reply("<b>never <i>closed</b>", html));
  await ctx.reply(error ? words(error) : "taken");
});
bot.command("flood", async (ctx) => {
  for (let number = 0; number < 15; ) {
    const error = await refusal(ctx.reply(`flood ${number}`));
    if (error) await sleep(1000 * error.parameters.retry_after);
    else number += 1;
  }
});
bot.command("forbidden", (ctx) => ctx.reply(remembered.get(ctx.from.id) ?? "nothing"));
bot.on("message:forward_origin", (ctx) => {
  const origin = ctx.message.forward_origin;
  return ctx.reply(`from ${origin.chat.username} ${origin.message_id}`);
});
bot.on("message:text", (ctx) => ctx.reply("echo: " + ctx.message.text));
bot.on("my_chat_member", async (ctx) => {
  if (ctx.myChatMember.new_chat_member.status !== "kicked") return;
  const error = await refusal(ctx.api.sendMessage(ctx.from.id, "are you there?"));
  if (error) remembered.set(ctx.from.id, error.description);
});
bot.callbackQuery("count", async (ctx) => {
  const count = (counts.get(ctx.from.id) ?? 0) + 1;
  counts.set(ctx.from.id, count);
  await ctx.editMessageText(`<b>${count}</b> so far`, { ...html, reply_markup: menu });
  await ctx.answerCallbackQuery(`counted ${count}`);
});
bot.callbackQuery("alert", (ctx) => ctx.answerCallbackQuery({ text: "look here", show_alert: true }));
bot.callbackQuery("same", async (ctx) => {
  const { text, entities } = ctx.callbackQuery.message;
  const error = await refusal(ctx.editMessageText(text, { entities, reply_markup: menu }));
  await ctx.answerCallbackQuery(error ? words(error).slice(0, 30) : "changed");
});
bot.callbackQuery("another", async (ctx) => {
  await ctx.editMessageMedia(InputMediaBuilder.photo(picture("two.png"), { caption: "two" }));
  await ctx.answerCallbackQuery();
});

await bot.api.setMyCommands([
  { command: "start", description: "Begin" },
  { command: "photo", description: "A picture" },
]);
const allowed_updates = ["message", "callback_query", "my_chat_member"];
if (settings.mode === "polling") {
  await bot.start({ allowed_updates });
} else {
  const { port, secret } = settings;
  const options = { secretToken: secret, timeoutMilliseconds: 60_000 };
  createServer(webhookCallback(bot, "http", options)).listen(port, "127.0.0.1");
  await bot.api.setWebhook(`http://127.0.0.1:${port}/hook`, { secret_token: secret, allowed_updates });
}
