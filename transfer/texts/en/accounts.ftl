# The pool, its accounts, and what is done to them.
pool-title = 🤖 <b>Account pool</b>
pool-accounts = 👥 Accounts: { $count }
pool-enabled = ✅ Enabled: { $count }
pool-available = 🟢 Available: { $count }
pool-limited = 🔴 Limited: { $count }
pool-lost = ⚠️ Out of order: { $count }
pool-empty = The pool is empty. Add an account first.
pool-button-add = ➕ Add
pool-button-list = 📋 List
pool-button-statistics = 📊 Statistics
pool-button-back = 🔙 Back
pool-button-refresh = 🔄 Refresh
pool-list-title = 📋 <b>Accounts</b> ({ $count })
pool-row = { $lights } { $number }. <b>{ $label }</b>
pool-row-button = { $lights } { $number }. { $label }
pool-row-figures = 📊 total { $total } · today { $today } · 🎯 priority { $priority }
pool-row-limited = ⏳ limited until { $until }
pool-row-spent = 💤 today's budget is used up
pool-row-ready = 🟢 ready
pool-row-signed-out = 🔑 signed out: log in again
pool-row-session-dead = 🔑 session dead: log in again
pool-row-frozen = 🧊 frozen by Telegram
pool-row-quarantined = 🚧 in quarantine (PEER_FLOOD)
pool-row-banned = ⛔ banned by Telegram

account-unknown = 🤷 There is no such account in the pool.
account-title = { $lights } <b>{ $label }</b>
account-phone = 📱 { $phone } · id { $id }
account-state-available = 🟢 Available.
account-state-disabled = ❌ Disabled: no transfer uses it. Enable it to let it be chosen.
account-state-spent = 💤 It carried as much today as its budget allows; it goes on tomorrow.
account-state-limited = ⏳ Limited until { $until } ({ $left } left); it comes back by itself.
account-state-signed-out = 🔑 Signed out: its session was ended. Log it in again.
account-state-session-dead = 🔑 Its session was used in two places at once, and Telegram ended it for good. Log it in again, and use that session nowhere else.
account-state-frozen = 🧊 Telegram froze it. Open Telegram with this account and appeal there. When the appeal was granted, reset its flood state here.
account-state-quarantined = 🚧 Telegram complained of it (PEER_FLOOD): it rests until you let it go on. Give it some days, check @SpamBot with it, then reset its flood state.
account-state-banned = ⛔ Telegram banned or deleted it. Delete it here and add another.
account-telegram-says = Telegram says: <code>{ $reason }</code>
account-since = Since { $since }
account-resolve-limited = 🔎 It may look up no names until { $until }.
account-connected = 🔌 A host is connected with it.
account-forwarded = 📊 Total { $total } · today { $today }
account-budget = 💰 Daily budget { $budget }, { $left } left today
account-no-budget = 💰 No daily budget
account-floods = 🌊 Flood waits: { $total } (today { $today }), { $secs } s in all ({ $waited })
account-last-used = 🕒 Last used: { $at }
account-never-used = 🕒 Never used
account-priority = 🎯 Priority: { $priority }
account-group = 👥 Group: { $group }

account-button-enable = 🟢 Enable
account-button-disable = 🔴 Disable
account-button-reset = 🔄 Reset flood state
account-button-reset-yes = 🔄 Yes, reset
account-button-priority = 🎯 Priority
account-button-label = 🏷️ Name
account-button-delete = 🗑️ Delete
account-button-delete-yes = 🗑️ Yes, delete
account-button-no = 🔙 No, back

account-delete-question =
    🗑️ Delete <b>{ $label }</b> ({ $phone })?

    No transfer uses it from now on. A chunk of it that is uncertain is settled first; then it is signed out at Telegram, and its session, settings and statistics are erased here. To use it again, add it anew.
account-reset-question = 🔄 Forget what Telegram asked <b>{ $label }</b> to wait?
account-reset-quarantine = 🚧 It is in quarantine (PEER_FLOOD).
account-reset-frozen = 🧊 Telegram froze it: only reset it when the appeal was granted.
account-reset-risk = ⚠️ Telegram does not forget. Calls before the time is up are refused again, often with a longer wait, and may cost the account. Only reset it if you know that the wait is over.

account-state-leaving = 🚪 Leaving the pool since { $since }: what is open is settled, then it is signed out and erased. It needs a session host.
account-button-login = 🔑 Log in again
account-button-group = 👥 Group
pool-row-leaving = 🚪 leaving the pool
pool-row-disabled = ❌ disabled
pool-spent = 💤 Resting (budget used up): { $count }
pool-single = 1️⃣ A session host works with one account alone, named by its environment ({ $account }). The pool rests meanwhile; what you change here counts when that ends.
await-group =
    👥 <b>Which group?</b>
    Write a name of at most 32 characters. Transfers can be bound to a group; then only its accounts carry them.
await-group-none = 🚫 No group
