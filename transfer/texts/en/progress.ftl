# The progress message of a transfer, and what happened to it.
progress-state-ready = ⏳ <b>{ $title }</b> · in the queue
progress-state-running = 🚀 <b>{ $title }</b> · running
progress-state-waiting = ⏳ <b>{ $title }</b> · waiting
progress-state-paused = ⏸️ <b>{ $title }</b> · paused, progress saved
progress-state-parked = ⚠️ <b>{ $title }</b> · needs you, progress saved
progress-state-failed = ❌ <b>{ $title }</b> · failed, progress saved
progress-state-done = ✅ <b>{ $title }</b> · done
progress-state-cancelled = 🚫 <b>{ $title }</b> · cancelled
progress-route = { $source } → { $target }
progress-waits = Goes on by itself at { $until }: { $reason }
progress-pauses = A pause of the pace: goes on by itself at { $until }
progress-reason = { $reason }
progress-batch = 📦 Batch { $batch } ({ $count }/{ $size })
progress-scanned = ✅ Scanned: { $count }
progress-matched = 🔍 Matched: { $count }
progress-forwarded = 📥 Forwarded: { $count }
progress-skipped = ⏭️ Skipped: { $count }
progress-rate = ⚡ Rate: { $count } per minute
progress-elapsed = ⏱️ Elapsed: { $elapsed }
progress-elapsed-eta = ⏱️ Elapsed: { $elapsed } · about { $eta } left
progress-account = 👤 Account: { $account }
progress-press-pause = ⏸️ Pause
progress-press-resume = ▶️ Resume
progress-press-cancel = 🚫 Cancel
progress-press-details = 🔍 Details
progress-press-retry = 🔁 Retry skipped
progress-press-accounts = 👥 Accounts
progress-press-look = 🔍 Look
progress-skip-service = service message
progress-skip-deleted = gone from the source
progress-skip-refused = left out by Telegram
progress-skip-undetermined = nobody can tell whether it arrived
progress-event-started = started
progress-event-started-of = started: { $count } messages in the source
progress-event-account = 👤 { $to } carries
progress-event-changed = 🔄 { $from } → { $to }{ $why }
progress-event-why = : { $reason }
progress-event-why-wait = : { $reason }, { $wait }
progress-event-flood = ⏳ { $account } has to wait { $wait }
progress-event-all-limited = ⚠️ all accounts limited until { $until }
progress-event-account-lost = ❌ { $account } left the pool: { $reason }
progress-event-skipped = ⏭️ skipped { $count }: { $why }
progress-event-repeated = 🔁 an interrupted call of { $account } was repeated and answered
progress-event-found = 🔎 an interrupted call of { $account } had arrived
progress-event-taken-over = 🔄 nothing of an interrupted call of { $account } had arrived; another account took it
progress-event-batch = 📦 batch { $batch } done
progress-told-changed = 🔄 <b>{ $title }</b>: switched account, going on
    { $from } → { $to }{ $why }
progress-told-batch = ⏸️ <b>{ $title }</b>: batch { $batch } is done; paused, progress saved
    📥 Forwarded so far: { $forwarded }
    💡 Press “Resume” for the next batch.
progress-told-all-limited = ⚠️ <b>{ $title }</b>: all accounts are limited
    ⏳ Shortest wait: { $wait }, until { $until }
    💡 It goes on by itself then. Another account in the pool would let it go on sooner.
progress-told-done = ✅ <b>{ $title }</b> is done
progress-told-failed = ❌ <b>{ $title }</b> failed; progress is saved
    { $reason }
    💡 It cannot go on as it is. Mend the cause, then repeat it as a new transfer from its page.
progress-told-parked = ⚠️ <b>{ $title }</b> needs you; progress is saved
    { $reason }
    💡 Mend that, then press “Resume”: it goes on exactly where it stopped.
progress-told-summary = ✅ Scanned: { $scanned }
    🔍 Matched: { $matched }
    📥 Forwarded: { $forwarded }
    ⏭️ Skipped: { $skipped }
    🔄 Changes of account: { $changes } · floods: { $floods }
    ⏱️ Took: { $took }
