// Session strings as mtcute and gramjs write them: one line of JSON each.
//
//     node strings_node.mjs CONTROL_URL
//
// mtcute signs in by itself. gramjs's client speaks an older protocol than the simulator; its StringSession is given a session
// that is signed in, and writes it down.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { addPublicKey } from '@mtcute/core/utils.js'
import { MemoryStorage, TelegramClient } from '@mtcute/node'
import { NodeCryptoProvider } from '@mtcute/node/utils.js'

const [CLEO, DAN] = [7000000003, 7000000004]

async function ask(path, body) {
  const options = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const reply = await fetch(process.argv[2].replace(/\/$/, '') + path, options)
  const text = await reply.text()
  assert(reply.ok, `control ${path}: ${reply.status} ${text}`)
  return JSON.parse(text)
}

const server = await ask('/server')

function dc(id) {
  const [ipAddress, port] = server.dcs.find((it) => it.id === id).address.split(':')
  return { id, ipAddress, port: Number(port) }
}

async function mtcute() {
  const crypto = new NodeCryptoProvider()
  await crypto.initialize()
  addPublicKey(crypto, server.rsa_pem)
  const client = new TelegramClient({
    apiId: 12345,
    apiHash: 'hash',
    storage: new MemoryStorage(),
    crypto,
    defaultDcs: { main: dc(2), media: dc(2) },
    logLevel: 1,
  })
  const phone = '+10000000003'
  const { phoneCodeHash } = await client.sendCode({ phone })
  const phoneCode = (await ask('/codes')).filter((sent) => sent.phone === phone).at(-1).code
  assert.equal((await client.signIn({ phone, phoneCodeHash, phoneCode })).id, CLEO)
  const text = await client.exportSession()
  // Two places must not use one session.
  await client.destroy()
  return { library: 'mtcute', user: CLEO, text }
}

async function gramjs() {
  const require = createRequire(import.meta.url)
  const { StringSession } = require('telegram/sessions')
  const { AuthKey } = require('telegram/crypto/AuthKey')
  const minted = await ask('/sessions/mint', { user: DAN })
  const key = new AuthKey()
  await key.setKey(Buffer.from(minted.auth_key, 'hex'))
  const session = new StringSession('')
  session.setDC(minted.dc, '149.154.167.91', 443)
  session.setAuthKey(key, minted.dc)
  return { library: 'gramjs', user: DAN, text: session.save() }
}

for (const make of [mtcute, gramjs]) console.log(JSON.stringify(await make()))
process.exit(0)
