# The list of transfers, one transfer's page, and what was skipped.
tasks-title = 📋 <b>Transfers</b> ({ $count })
tasks-empty =
    📋 <b>Transfers</b>

    There is none yet.
tasks-row =
    { $state } · <b>{ $title }</b>
    { $percent } % · 📥 { $delivered } · { $created }
tasks-row-button = { $icon } { $title } · { $percent } %
tasks-icon-ready = 🕓
tasks-icon-running = 🚀
tasks-icon-waiting = ⏳
tasks-icon-paused = ⏸️
tasks-icon-parked = ⚠️
tasks-icon-failed = ❌
tasks-icon-done = ✅
tasks-icon-cancelled = 🚫
tasks-button-new = 🚀 New transfer
tasks-button-list = 📋 Transfers
tasks-button-back = 🔙 Back
tasks-more-lines = … and { $count } more
tasks-semicolon = {"; "}

tasks-skipped-title = ⏭️ <b>{ $title }</b>: { $count } messages were skipped
tasks-skipped-none = ⏭️ <b>{ $title }</b>: nothing was skipped ({ $count })
tasks-skipped-reason = <b>{ $why }</b> ({ $count }):
tasks-skip-service = a service message: there is nothing to carry
tasks-skip-deleted = gone from the source before it was carried
tasks-skip-refused = Telegram left it out, though it is there
tasks-skip-error = Telegram refused it: { $error }
tasks-skip-undetermined = nobody can tell whether it arrived; it was not found in the target

task-unknown = 🤷 There is no such transfer, or it belongs to another admin.
task-title = 📋 <b>{ $title }</b>
task-description = <i>{ $text }</i>
task-way = 📤 { $source } → 📥 { $target }
task-selection = 🔎 { $what }
task-only = only { $count } messages that an earlier transfer skipped
task-keyword = with “{ $keyword }”

task-state-ready = 🕓 Queued
task-state-running = 🚀 Running
task-state-waiting = ⏳ Waiting
task-state-paused = ⏸️ Paused
task-state-parked = ⚠️ Needs you
task-state-failed = ❌ Failed
task-state-done = ✅ Done
task-state-cancelled = 🚫 Cancelled
task-why = Reason: { $why }
task-now-ready = A host takes it next.
task-now-waiting = 💡 It goes on by itself at { $wake }.
task-now-pauses = 💡 A pause of its pace: it goes on by itself at { $wake }.
task-now-paused = 💡 What was carried is saved; resume goes on exactly there.
task-now-parked = 💡 What was carried is saved. Do what the reason says, then resume.
task-now-failed = 💡 What was carried stays. Once the reason is gone, repeat it as a new transfer.
task-pausing = ⏸️ Pausing: it stops after the chunk that is under way.
task-cancelling = 🚫 Cancelling: the chunk that is under way is settled first.
task-no-host = ⚠️ No session host is running: nothing moves until one is started.

task-progress = { $bar } { $percent } %
task-scanned = ✅ Scanned: { $count }
task-matched = 🔍 Matched: { $count }
task-forwarded = 📥 Forwarded: { $count }
task-skipped = ⏭️ Skipped: { $count }
task-batch = 📦 Batch { $number }: { $used }/{ $size }
task-rate = ⚡ { $rate } per minute (over { $over })
task-rate-average = ⚡ { $rate } per minute on average
task-eta = ⌛ About { $left } left
task-elapsed = ⏱️ { $elapsed } since { $start }
task-created = 🕒 Asked for: { $at }
task-ended = 🏁 Ended: { $at }
task-floods = 🌊 Flood waits: { $floods }, changes of account: { $changes }
task-account = 👤 Account: { $account }
task-pace = ⚡ Pace: { $pace }
task-pace-pending = ⚡ Pace from the next chunk on: { $pace }
task-events = <b>Last events</b>
task-event-line = { $at } { $what }

task-event-started = 🚀 started: { $count } messages to look at
task-event-started-uncounted = 🚀 started
task-event-account = 👤 { $to } carries
task-event-account-changed = 🔄 { $from } → { $to }: { $why }
task-event-flooded = a flood wait of { $wait }
task-event-flood = 🌊 { $account } has to wait { $wait }, until { $until }
task-event-all-limited = ⚠️ all accounts are limited; it goes on at { $wake }
task-event-account-lost = 🔴 { $account } left the pool: { $reason }
task-event-skipped = ⏭️ { $count } skipped: { $why }
task-event-settled-repeated = 🧩 an interrupted call of { $account } was repeated and answered
task-event-settled-found = 🧩 what an interrupted call of { $account } carried was found in the target
task-event-settled-taken-over = 🧩 nothing of an interrupted call of { $account } had arrived; another account took it
task-event-batch = 📦 batch { $number } is done
task-event-state = { $state }: { $why }

task-button-pause = ⏸️ Pause
task-button-resume = ▶️ Resume
task-button-resume-now = ▶️ Go on now
task-button-cancel = 🚫 Cancel
task-button-cancel-yes = 🚫 Yes, cancel it
task-button-no = 🔙 No, back
task-button-pace = 🐢 Pace
task-button-custom-pace = ✏️ Own values
task-button-skipped = ⏭️ Skipped
task-button-retry = 🔁 Retry skipped
task-button-repeat = 🔁 Repeat as new
task-button-refresh = 🔄 Refresh

task-cancel-question =
    🚫 Cancel <b>{ $title }</b>?

    What was carried stays in the target ({ $delivered } messages). A cancelled transfer cannot go on; it can be repeated as a new one.
task-cancel-uncertain = ⚠️ It is uncertain whether its last chunk arrived. Look at the target first; cancelling writes that chunk down as undetermined.

task-pace-title =
    🐢 <b>Pace</b> of { $title }
    Now: { $pace }
task-pace-row = • <b>{ $name }</b>: { $figures }
task-pace-hint = 💡 Slower paces meet fewer flood waits. The new pace counts from the next chunk on.
task-pace-named = { $name }: { $figures }

# Why a transfer rests: the sentences that Ferry writes itself.
task-reason-nobody = no account can go on: { $why }
task-reason-paused = an admin paused it
task-reason-batch = batch { $one } is done
task-reason-limited-flood = every account is limited; { $one } is the first whose flood wait ends
task-reason-limited-budget = every account is limited; { $one } is the first whose daily budget begins anew
task-reason-not-for-peer = let these read the source and post in the target: { $one }
task-reason-budget = raise the daily budget of these, { $one } messages have to fit at once: { $two }
task-reason-quarantined = Telegram complained of these (PEER_FLOOD), reset their flood state when it is time: { $one }
task-reason-session-dead = log in again with these, their session was used twice at once: { $one }
task-reason-signed-out = log in again with these: { $one }
task-reason-frozen = Telegram froze these, appeal in its app: { $one }
task-reason-banned = Telegram banned or deleted these, replace them: { $one }
task-reason-disabled = enable one of these: { $one }
task-reason-group = no account is in group { $one }: put one there
task-reason-empty-pool = the pool is empty: add an account
task-reason-not-in-pool = account { $one } is not in the pool, and the source's message ids are that account's own: add it again
task-reason-account-says = account { $one }: { $two }
task-reason-mend = Telegram answers { $one }; mend that, then resume
task-reason-again = Telegram answers { $one } again and again; look it up, then resume
task-reason-protected = { $one } is protected against forwarding, and Ferry respects that
task-reason-protected-answer = Telegram answers { $one }: the content is protected, and Ferry respects that
task-reason-slow-album = slow mode in the target refuses an album; ask an admin of the target to lift it, then resume
task-reason-same-chat = source and target are the same chat: choose another target
task-reason-nowhere = { $one } leads nowhere ({ $two }): check the name or link
task-reason-unreadable = the source cannot be read: { $one }; resume to try again
task-reason-no-answer = Telegram gives no usable answer: { $one }; resume to try again
task-reason-target-taken = transfer { $two } ({ $one }) writes to the same target
task-reason-uncertain = it is uncertain whether messages { $one } arrived: { $two }. Look at the target above message { $three }; resume to check again, or cancel
task-reason-account-removed = account { $one } was removed while a chunk of it was uncertain; look at the target, then cancel or repeat
task-reason-other-not-free = the other one is not free
task-reason-no-connection = no connection: { $one }
task-reason-reading-broke = reading broke off: { $one }
task-reason-not-in-target = its chunk was uncertain and is not in the target
task-reason-restored = restored from a backup of { $one }; what it delivered after that is not written down. Cancel it, look up its last message in the target, and begin a new transfer after that one
