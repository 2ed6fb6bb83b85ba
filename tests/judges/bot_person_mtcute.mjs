// mtcute, which speaks an older layer, as a person who talks to a bot: keyboards, pressed buttons, edits.
//
//     node bot_person_mtcute.mjs CONTROL_URL BOT_API_URL
//
// The bot is played here, by plain calls of the Bot API. One line per check; ends with status 1 at the first that fails.

import assert from 'node:assert/strict'
import { addPublicKey } from '@mtcute/core/utils.js'
import { MemoryStorage, TelegramClient } from '@mtcute/node'
import { NodeCryptoProvider } from '@mtcute/node/utils.js'

const BEN = 7000000002
const WAIT_MILLIS_MAX = 20_000
const [controlUrl, botApiUrl] = process.argv.slice(2)

async function ask(url, body) {
  const options = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  return (await fetch(url, options)).json()
}

const server = await ask(`${controlUrl}/server`)
const [{ token }] = await ask(`${controlUrl}/bots`)
const crypto = new NodeCryptoProvider()
await crypto.initialize()
addPublicKey(crypto, server.rsa_pem)

const [ipAddress, port] = server.dcs.find((it) => it.id === 2).address.split(':')
const main = { id: 2, ipAddress, port: Number(port) }
const ben = new TelegramClient({
  apiId: 12345, apiHash: 'hash', storage: new MemoryStorage(), crypto, defaultDcs: { main, media: main }, logLevel: 1,
})

let offset = 0

async function bot(method, body) {
  const answer = await ask(`${botApiUrl}/bot${token}/${method}`, body)
  assert(answer.ok, `${method}: ${answer.description}`)
  return answer.result
}

async function heardByBot(field) {
  const [update] = await bot('getUpdates', { offset, limit: 1, timeout: 20 })
  offset = update.update_id + 1
  return update[field]
}

/** The next update that a person's client hears of. */
const next = (emitter) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('nothing was heard')), WAIT_MILLIS_MAX)
    const handler = (update) => {
      clearTimeout(timer)
      emitter.remove(handler)
      resolve(update)
    }
    emitter.add(handler)
  })

const checks = {
  async 'signs in and writes to the bot'() {
    await ben.start({
      phone: '+10000000002',
      code: async () => (await ask(`${controlUrl}/codes`)).filter((sent) => sent.phone === '+10000000002').at(-1).code,
    })
    await ben.sendText('echo_bot', '/start now')
    const message = await heardByBot('message')
    assert.deepEqual([message.text, message.from.id], ['/start now', BEN])
  },
  async 'sees buttons and presses one: the answer and an edit arrive'() {
    const rows = [[{ text: 'Yes', callback_data: 'y' }, { text: 'See', url: 'https://a.example/' }]]
    const pushed = next(ben.onNewMessage)
    const sent = await bot('sendMessage', { chat_id: BEN, text: 'Sure?', reply_markup: { inline_keyboard: rows } })
    const seen = await pushed
    assert.deepEqual(seen.markup?.buttons.map((row) => row.map((button) => button.text)), [['Yes', 'See']])
    const edited = next(ben.onEditMessage)
    const [answer] = await Promise.all([
      ben.getCallbackAnswer({ chatId: 'echo_bot', message: seen.id, data: 'y' }),
      (async () => {
        const query = await heardByBot('callback_query')
        assert.equal(query.data, 'y')
        const reply_markup = { inline_keyboard: [[{ text: 'Again', callback_data: 'a' }]] }
        await bot('editMessageText', { chat_id: BEN, message_id: sent.message_id, text: 'Thanks', reply_markup })
        await bot('answerCallbackQuery', { callback_query_id: query.id, text: 'noted' })
      })(),
    ])
    assert.equal(answer.message, 'noted')
    const now = await edited
    assert.deepEqual([now.text, now.markup.buttons[0][0].text], ['Thanks', 'Again'])
  },
  async 'reads the chat again, buttons and all'() {
    const history = await ben.getHistory('echo_bot')
    assert.deepEqual(history.map((message) => [message.text, message.markup?.buttons.length ?? 0]), [['Thanks', 1], ['/start now', 0]])
  },
}

for (const [about, check] of Object.entries(checks)) {
  try {
    await check()
    console.log(`ok ${about}`)
  } catch (error) {
    console.error(error)
    console.log(`FAILED ${about}`)
    process.exit(1)
  }
}
process.exit(0)
