// mtcute judges the simulator: an unmodified client that nobody here wrote must find a Telegram in it.
//
//     node mtcute_judge.mjs CONTROL_URL
//
// One line per check; ends with status 1 at the first that fails. What stands in a chat is read from the control API, and
// never from what the client was told.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import { addPublicKey } from '@mtcute/core/utils.js'
import { getMarkedPeerId, Long, MemoryStorage, networkMiddlewares, TelegramClient, tl } from '@mtcute/node'
import { NodeCryptoProvider } from '@mtcute/node/utils.js'

const [ADA, BEN, CLEO] = [7000000001, 7000000002, 7000000003]
const DAN = 7000000004
const [SOURCE, TARGET, PROTECTED] = [-1001500000001, -1001500000002, -1001500000004]
const UPDATE_MILLIS_MAX = 20_000

// ---- the control API, as far as this judge needs it

async function ask(path, body) {
  const options = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const reply = await fetch(process.argv[2].replace(/\/$/, '') + path, options)
  const text = await reply.text()
  assert(reply.ok, `control ${path}: ${reply.status} ${text}`)
  return text ? JSON.parse(text) : null
}

const control = {
  code: async (phone) => (await ask('/codes')).filter((sent) => sent.phone === phone).at(-1).code,
  acceptQr: (user, token) => ask('/qr/accept', { user, token }),
  script: (account, method, code, message) => ask('/floods', { scripts: [{ account, method, code, message }] }),
  rotateSalts: () => ask('/salts/rotate', {}),
  protect: (chat, on) => ask('/protect', { chat, on }),
  audit: () => ask('/audit'),
  /** What stands in a channel, oldest first. */
  visible: (chat) => ask(`/chats/${chat}/messages`),
}

const server = await ask('/server')
const crypto = new NodeCryptoProvider()
await crypto.initialize()
addPublicKey(crypto, server.rsa_pem)

// ---- clients

const clients = []

function dc(id) {
  const [ipAddress, port] = server.dcs.find((it) => it.id === id).address.split(':')
  return { id, ipAddress, port: Number(port) }
}

function client() {
  const made = new TelegramClient({
    apiId: 12345,
    apiHash: 'hash',
    storage: new MemoryStorage(),
    crypto,
    defaultDcs: { main: dc(2), media: dc(2) },
    logLevel: Number(process.env.LOG_LEVEL ?? 1),
    network: { middlewares: networkMiddlewares.basic({ floodWaiter: { maxWait: 0, maxRetries: 0 } }) },
    updates: { catchUp: true },
  })
  clients.push(made)
  return made
}

const phone = (user) => `+1${String(user - 7000000000).padStart(10, '0')}`

async function refused(name, call, what) {
  try {
    await call
  } catch (error) {
    if (!(error instanceof tl.RpcError) || error.text !== name) throw error
    return error
  }
  assert.fail(`${what}: expected ${name}`)
}

/** Waits until the texts that a client heard of in a chat are these. */
function listen(who, chatId) {
  const heard = { texts: [], edited: [], deleted: [], changed: () => {} }
  const into = (list, what) => (update) => {
    if (chatId !== undefined && update.chat && update.chat.id !== chatId) return
    list.push(what(update))
    heard.changed()
  }
  who.onNewMessage.add(into(heard.texts, (message) => message.text))
  who.onEditMessage.add(into(heard.edited, (message) => message.text))
  who.onDeleteMessage.add(into(heard.deleted, (update) => update.messageIds.join()))
  heard.until = (holds, what) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${what}: not heard; heard ${JSON.stringify(heard)}`)), UPDATE_MILLIS_MAX)
      heard.changed = () => {
        if (!holds(heard)) return
        clearTimeout(timer)
        resolve()
      }
      heard.changed()
    })
  return heard
}

const ada = client()
const ben = client()
const cleo = client()
const dan = client()

/** Where albums lie: per message the place of its album's first member. */
const shape = (groups) => groups.map((group) => (group ? groups.indexOf(group) : null))
const groupsOf = (messages) => messages.map((message) => message.raw.groupedId?.toString())
const groupsStanding = (messages) => messages.map((message) => message.grouped_id)
const ids = (messages) => messages.map((message) => message?.id ?? null)
const texts = async () => (await control.visible(SOURCE)).filter((message) => message.kind === 'text')

async function all(iterator) {
  const list = []
  for await (const item of iterator) list.push(item)
  return list
}

/** A hundred source messages that can be forwarded, albums whole, forwards and holes among them. */
async function hundred() {
  const messages = (await control.visible(SOURCE)).filter((message) => message.kind !== 'service')
  let chosen = messages.slice(0, 100)
  const last = chosen.at(-1).grouped_id
  if (last && messages[100].grouped_id === last) {
    chosen = chosen.filter((message) => message.grouped_id !== last)
    const singles = messages.slice(100).filter((message) => !message.grouped_id)
    chosen.push(...singles.slice(0, 100 - chosen.length))
  }
  assert.equal(chosen.length, 100)
  assert(chosen.some((message) => message.forwarded_from) && chosen.some((message) => message.grouped_id))
  return chosen
}

function header(message) {
  const { fromId, channelPost } = message.raw.fwdFrom
  return { from: getMarkedPeerId(fromId), post: channelPost }
}

/** Channel and post that a copy of this message must name. */
function originOf({ id, forwarded_from: from, forwarded_post: post }) {
  return from ? { from, post } : { from: SOURCE, post: id }
}

const forwardsOf = async (account) =>
  (await control.audit()).filter((entry) => entry.account === account && entry.method === 'messages.forwardMessages')

// ---- the checks

const checks = {
  async 'signs in with a code, and not with a wrong one'() {
    await ada.connect()
    await refused('PHONE_NUMBER_INVALID', ada.sendCode({ phone: '+19999999999' }), 'unknown number')
    const { phoneCodeHash } = await ada.sendCode({ phone: phone(ADA) })
    const code = await control.code(phone(ADA))
    const wrong = String((Number(code) + 1) % 100_000).padStart(5, '0')
    const signIn = (phoneCode) => ada.signIn({ phone: phone(ADA), phoneCodeHash, phoneCode })
    await refused('PHONE_CODE_INVALID', signIn(wrong), 'wrong code')
    assert.equal((await signIn(code)).id, ADA)
    await ada.startUpdatesLoop()
  },

  async 'signs in with code and password, and not with a wrong one'() {
    await ben.connect()
    const { phoneCodeHash } = await ben.sendCode({ phone: phone(BEN) })
    const phoneCode = await control.code(phone(BEN))
    await refused('SESSION_PASSWORD_NEEDED', ben.signIn({ phone: phone(BEN), phoneCodeHash, phoneCode }), 'a code alone')
    await refused('PASSWORD_HASH_INVALID', ben.checkPassword('hunter3'), 'wrong password')
    assert.equal((await ben.checkPassword('hunter2')).id, BEN)
    await ben.startUpdatesLoop()
  },

  async 'signs in by QR'() {
    await cleo.connect()
    const user = await cleo.signInQr({
      onUrlUpdated: (url) => {
        assert(url.startsWith('tg://login?token='), url)
        control.acceptQr(CLEO, url.split('=')[1]).catch(fail)
      },
    })
    assert.equal(user.id, CLEO)
    await cleo.startUpdatesLoop()
  },

  async 'is sent to another data centre and signs in there'() {
    const user = await dan.start({
      phone: phone(DAN),
      code: () => control.code(phone(DAN)),
      codeSentCallback: () => {},
    })
    assert.equal(user.id, DAN)
  },

  async 'reads the whole history upward and downward: ids, texts, albums'() {
    const stands = await control.visible(SOURCE)
    const up = await all(ada.iterHistory('source', { reverse: true }))
    assert.deepEqual(ids(up), ids(stands))
    const down = await all(ada.iterHistory('source'))
    assert.deepEqual(ids(down), ids(stands).reverse())
    const read = up.filter((message) => !message.isService && !message.media).map((message) => [message.id, message.text])
    assert.deepEqual(read, (await texts()).map((message) => [message.id, message.text]))
    assert.deepEqual(shape(groupsOf(up)), shape(groupsStanding(stands)))
  },

  async 'reads windows of history with limits and offsets'() {
    const every = ids(await control.visible(SOURCE))
    for (const id of [2, 119, 120, 121, 260, every.at(-1), every.at(-1) + 50]) {
      for (const limit of [1, 30, 100]) {
        const offset = { id, date: 0 }
        const below = await ada.getHistory('source', { limit, offset })
        assert.deepEqual(ids(below), every.filter((it) => it < id).reverse().slice(0, limit), `${limit} below ${id}`)
        const above = await ada.getHistory('source', { limit, offset, reverse: true })
        assert.deepEqual(ids(above), every.filter((it) => it >= id).slice(0, limit), `${limit} from ${id} up`)
      }
    }
    const skipped = await ada.getHistory('source', { limit: 20, offset: { id: 200, date: 0 }, addOffset: 10 })
    assert.deepEqual(ids(skipped), every.filter((it) => it < 200).reverse().slice(10, 30))
    const between = await ada.getHistory('source', { limit: 100, offset: { id: 160, date: 0 }, minId: 100, maxId: 151 })
    assert.deepEqual(ids(between), every.filter((it) => it > 100 && it < 151).reverse())
  },

  async 'fetches messages by id, holes among them'() {
    const visible = new Set(ids(await control.visible(SOURCE)))
    const wanted = [...Array.from({ length: 99 }, (_, n) => n + 1), 100_000]
    assert(wanted.slice(0, 99).some((id) => !visible.has(id)), 'there are holes')
    const found = await ada.getMessages('source', wanted)
    assert.deepEqual(ids(found), wanted.map((id) => (visible.has(id) ? id : null)))
  },

  async 'forwards 100 messages in one call: order, albums, headers'() {
    const chosen = await hundred()
    const made = await ada.forwardMessagesById({ fromChatId: 'source', messages: ids(chosen), toChatId: 'target' })
    const stands = await control.visible(TARGET)
    assert.deepEqual(stands.map((message) => message.source), chosen.map((message) => [SOURCE, message.id]))
    assert.deepEqual(ids(made), ids(stands))
    const read = await all(ben.iterHistory('target', { reverse: true }))
    assert.deepEqual(ids(read), ids(stands))
    assert.deepEqual(read.map(header), chosen.map(originOf))
    assert.deepEqual(shape(groupsOf(read)), shape(groupsStanding(chosen)))
  },

  async 'forwards forwards: the first origin stays'() {
    const copies = (await control.visible(TARGET)).slice(0, 10)
    await ada.forwardMessagesById({ fromChatId: 'target', messages: ids(copies), toChatId: 'lounge' })
    const read = (await ben.getHistory('lounge', { limit: 10 })).reverse()
    assert.deepEqual(read.map(header), copies.map(originOf))
  },

  async 'forwards what exists where holes and service messages are among the ids'() {
    const visible = await control.visible(SOURCE)
    const present = new Set(ids(visible))
    const hole = Array.from({ length: 400 }, (_, n) => n + 1).find((id) => !present.has(id))
    const service = visible.find((message) => message.kind === 'service').id
    const text = ids(await texts())
    const before = (await control.visible(TARGET)).length
    const messages = [hole, service, text[0], text.at(-1)].sort((a, b) => a - b)
    const made = await ada.forwardMessagesById({ fromChatId: 'source', messages, toChatId: 'target' })
    assert.equal(made.length, 2)
    const sources = (await control.visible(TARGET)).slice(before).map((message) => message.source[1])
    assert.deepEqual(sources, [text[0], text.at(-1)])
    const alone = ada.forwardMessagesById({ fromChatId: 'source', messages: [hole], toChatId: 'target' })
    await refused('MESSAGE_ID_INVALID', alone, 'a hole alone')
  },

  async 'hears other accounts: new, edited, deleted'() {
    const lounge = (await ada.getChat('lounge')).id
    const [first, second] = [listen(ben, lounge), listen(cleo, lounge)]
    const sent = await ada.sendText('lounge', 'hello to both')
    await first.until((heard) => heard.texts.includes('hello to both'), 'a new message')
    await second.until((heard) => heard.texts.includes('hello to both'), 'a new message')
    await ben.sendText('lounge', 'hello back', { replyTo: sent.id })
    await second.until((heard) => heard.texts.includes('hello back'), 'an answer')
    await ada.editMessage({ chatId: 'lounge', message: sent.id, text: 'hello again' })
    await second.until((heard) => heard.edited.includes('hello again'), 'an edit')
    await ada.deleteMessagesById('lounge', [sent.id])
    await second.until((heard) => heard.deleted.includes(String(sent.id)), 'a deletion')
  },

  async 'meets protected content'() {
    const forward = async (fromChatId, messages) => ada.forwardMessagesById({ fromChatId, messages, toChatId: 'target' })
    const guarded = ids(await control.visible(PROTECTED))
    await refused('CHAT_FORWARDS_RESTRICTED', forward('protected', guarded), 'a protected channel')
    const text = (await texts())[0].id
    await control.protect(SOURCE, true)
    await refused('CHAT_FORWARDS_RESTRICTED', forward('source', [text]), 'a channel that was just protected')
    await control.protect(SOURCE, false)
    assert.equal((await forward('source', [text])).length, 1)
  },

  async 'survives salts that change in mid-connection'() {
    for (let n = 0; n < 3; n++) {
      await control.rotateSalts()
      const answers = await Promise.all(Array.from({ length: 10 }, (_, id) => ada.getMessages('source', [id + 1])))
      assert.equal(answers.length, 10)
    }
    const before = (await control.visible(TARGET)).length
    await control.rotateSalts()
    await ada.forwardMessagesById({ fromChatId: 'source', messages: [(await texts())[0].id], toChatId: 'target' })
    assert.equal((await control.visible(TARGET)).length, before + 1)
  },

  async 'repeats random ids: nothing arrives twice'() {
    const messages = ids(await texts()).slice(0, 3)
    const request = async (who) => ({
      _: 'messages.forwardMessages',
      fromPeer: await who.resolvePeer('source'),
      toPeer: await who.resolvePeer('target'),
      id: messages,
      randomId: [21, 22, 23].map((n) => Long.fromNumber(n)),
    })
    const given = (reply) => reply.updates.filter((it) => it._ === 'updateMessageID').map((it) => [`${it.randomId}`, it.id])
    const first = await ada.call(await request(ada))
    assert.equal(given(first).length, 3)
    const stands = await control.visible(TARGET)
    try {
      assert.deepEqual(given(await ada.call(await request(ada))), given(first))
    } catch (error) {
      if (error.text !== 'RANDOM_ID_DUPLICATE') throw error
    }
    assert.deepEqual(await control.visible(TARGET), stands)
    await ben.call(await request(ben))
    assert.equal((await control.visible(TARGET)).length, stands.length + 3)
  },

  async 'meets a flood wait, and it is audited'() {
    const text = (await texts())[0].id
    const before = (await control.visible(TARGET)).length
    await control.script(DAN, 'messages.forwardMessages', 420, 'FLOOD_WAIT_2983')
    const forward = () => dan.forwardMessagesById({ fromChatId: 'source', messages: [text], toChatId: 'target' })
    const refusal = await refused('FLOOD_WAIT_%d', forward(), 'a flood wait')
    assert.equal(refusal.seconds, 2983)
    assert.equal((await forwardsOf(DAN)).at(-1).outcome, 'FLOOD_WAIT_2983')
    assert.equal((await control.visible(TARGET)).length, before)
    assert.equal((await dan.getMessages('source', [text]))[0].id, text)
  },

  async 'resumes from a session string, and forwards'() {
    const session = await cleo.exportSession()
    await cleo.disconnect()
    const signIns = (await control.audit()).filter((entry) => entry.method === 'auth.signIn').length
    const again = client()
    await again.importSession(session)
    assert.equal((await again.getMe()).id, CLEO)
    const messages = ids(await hundred())
    assert.equal((await again.forwardMessagesById({ fromChatId: 'source', messages, toChatId: 'target' })).length, 100)
    assert.equal((await control.audit()).filter((entry) => entry.method === 'auth.signIn').length, signIns)
  },

  async 'asked for nothing that the simulator does not know'() {
    const unknown = (await control.audit()).filter((entry) => /METHOD_INVALID$/.test(entry.outcome))
    assert.deepEqual([...new Set(unknown.map((entry) => entry.method))], [])
  },
}

let current = 'starts'

function fail(error) {
  console.log(error.stack ?? error)
  console.log(`FAILED ${current}: ${String(error.message ?? error).split('\n')[0]}`)
  process.exit(1)
}

process.on('unhandledRejection', fail)
process.on('uncaughtException', fail)
const manifest = fs.readFileSync(new URL('node_modules/@mtcute/node/package.json', import.meta.url), 'utf8')
console.log(`mtcute ${JSON.parse(manifest).version}`)
for (const [name, check] of Object.entries(checks)) {
  current = name
  try {
    await check()
  } catch (error) {
    fail(error)
  }
  console.log(`ok ${name}`)
}
await Promise.all(clients.map((it) => it.destroy()))
process.exit(0)
