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
account-state-signed-out = 🔑 Signed out: its session was ended. Log it in again on the machine with <code>ferry account add</code>.
account-state-session-dead = 🔑 Its session was used in two places at once, and Telegram ended it for good. Log it in again on the machine with <code>ferry account add</code>, and use it nowhere else.
account-state-frozen = 🧊 Telegram froze it. Open Telegram with this account and appeal there.
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
    🗑️ Delete <b>{ $label }</b> ({ $phone }) from the pool?

    Its settings and statistics are erased here. It stays signed in at Telegram and its session file stays on the host's machine: end it in Telegram under Settings › Devices, and remove the file there. To use it again, log it in anew.
account-reset-question = 🔄 Forget what Telegram asked <b>{ $label }</b> to wait?
account-reset-quarantine = 🚧 It is in quarantine (PEER_FLOOD).
account-reset-risk = ⚠️ Telegram does not forget. Calls before the time is up are refused again, often with a longer wait, and may cost the account. Only reset it if you know that the wait is over.
account-add =
    ➕ <b>Add an account</b>

    Accounts are logged in on the machine where Ferry runs:

    <code>ferry account add</code>

    It asks for phone number, code and two-step password, and the account appears here. Never send codes, passwords or session strings in this chat: Telegram makes a login code that was sent in a chat invalid.
