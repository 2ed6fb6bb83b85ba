# The pool's statistics.
stats-title = 📊 <b>Statistics</b>
stats-accounts = 👥 Accounts: { $count }, enabled { $enabled }
stats-available = 🟢 Available now: { $available } · 🔴 limited: { $limited }
stats-total = 📥 Forwarded in all: { $count }
stats-average = 📈 Average per account: { $count }
stats-today = 📅 Today: { $count }
stats-floods = 🌊 Flood waits: { $total } (today { $today }), { $waited } in all
stats-next = ⏳ Next to come back: { $label }, { $until } (in { $left })
stats-days = ⚡ <b>The last { $days } days</b>: { $rate } a day on average
stats-day = <code>{ $day }</code> { $bar } { $count } · 🌊 { $floods }
