# 账号池统计
stats-title = 📊 <b>统计信息</b>
stats-accounts = 👥 总账号数：{ $count }，已启用 { $enabled }
stats-available = 🟢 当前可用：{ $available } · 🔴 限流中：{ $limited }
stats-total = 📥 总转发数：{ $count }
stats-average = 📈 平均每账号：{ $count }
stats-today = 📅 今日转发：{ $count }
stats-floods = 🌊 限流 { $total } 次（今日 { $today }），共等待 { $waited }
stats-next = ⏳ 最先恢复：{ $label }，{ $until }（还需 { $left }）
stats-days = ⚡ <b>最近 { $days } 天</b>：平均每天 { $rate }
stats-day = <code>{ $day }</code> { $bar } { $count } · 🌊 { $floods }
