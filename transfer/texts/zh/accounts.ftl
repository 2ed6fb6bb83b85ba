# 账号池、账号以及对账号的操作
pool-title = 🤖 <b>Session 账号池</b>
pool-accounts = 👥 总账号数：{ $count }
pool-enabled = ✅ 已启用：{ $count }
pool-available = 🟢 可用：{ $count }
pool-limited = 🔴 限流中：{ $count }
pool-lost = ⚠️ 异常：{ $count }
pool-empty = 账号池是空的，请先添加账号。
pool-button-add = ➕ 添加账号
pool-button-list = 📋 账号列表
pool-button-statistics = 📊 统计信息
pool-button-back = 🔙 返回
pool-button-refresh = 🔄 刷新
pool-list-title = 📋 <b>Session 账号列表</b>（{ $count }）
pool-row = { $lights } { $number }. <b>{ $label }</b>
pool-row-button = { $lights } { $number }. { $label }
pool-row-figures = 📊 总计 { $total } · 今日 { $today } · 🎯 优先级 { $priority }
pool-row-limited = ⏳ 限流至 { $until }
pool-row-spent = 💤 今日额度已用完
pool-row-ready = 🟢 正常
pool-row-signed-out = 🔑 已登出，请重新登录
pool-row-session-dead = 🔑 session 已失效，请重新登录
pool-row-frozen = 🧊 被 Telegram 冻结
pool-row-quarantined = 🚧 隔离中（PEER_FLOOD）
pool-row-banned = ⛔ 被 Telegram 封禁

account-unknown = 🤷 账号池中没有这个账号。
account-title = { $lights } <b>{ $label }</b>
account-phone = 📱 { $phone } · ID { $id }
account-state-available = 🟢 可用。
account-state-disabled = ❌ 已禁用，任何任务都不会使用它。启用后即可被选用。
account-state-spent = 💤 今日额度已用完，明天自动恢复。
account-state-limited = ⏳ 限流至 { $until }（还剩 { $left }），到期自动恢复。
account-state-signed-out = 🔑 已登出：session 已被终止。请重新登录。
account-state-session-dead = 🔑 它的 session 被同时用在两个地方，已被 Telegram 永久终止。请重新登录，并且不要在别处使用。
account-state-frozen = 🧊 被 Telegram 冻结。请用该账号打开 Telegram 申诉。申诉通过后，在这里重置限流。
account-state-quarantined = 🚧 它被 Telegram 判定为滥发（PEER_FLOOD），在你放行之前会一直休息。请等几天，用它向 @SpamBot 查询，然后重置限流。
account-state-banned = ⛔ 已被 Telegram 封禁或删除。请在这里删除它，并添加其他账号。
account-telegram-says = Telegram 返回：<code>{ $reason }</code>
account-since = 自 { $since } 起
account-resolve-limited = 🔎 在 { $until } 之前不能查找用户名。
account-connected = 🔌 搬运主机正在使用它的连接。
account-forwarded = 📊 总计 { $total } · 今日 { $today }
account-budget = 💰 每日额度 { $budget }，今日还剩 { $left }
account-no-budget = 💰 不限每日额度
account-floods = 🌊 限流 { $total } 次（今日 { $today }），共等待 { $secs } 秒（{ $waited }）
account-last-used = 🕒 上次使用：{ $at }
account-never-used = 🕒 从未使用
account-priority = 🎯 优先级：{ $priority }
account-group = 👥 分组：{ $group }

account-button-enable = 🟢 启用
account-button-disable = 🔴 禁用
account-button-reset = 🔄 重置限流
account-button-reset-yes = 🔄 确定重置
account-button-priority = 🎯 优先级
account-button-label = 🏷️ 名称
account-button-delete = 🗑️ 删除
account-button-delete-yes = 🗑️ 确定删除
account-button-no = 🔙 不，返回

account-delete-question =
    🗑️ 确定删除 <b>{ $label }</b>（{ $phone }）？

    从现在起没有任务会使用它。先处理它尚未确定的一组消息，然后在 Telegram 登出，并清除它在这里的 session、设置和统计。再次使用需要重新添加。
account-reset-question = 🔄 确定清除 <b>{ $label }</b> 的限流状态？
account-reset-quarantine = 🚧 它正在隔离中（PEER_FLOOD）。
account-reset-frozen = 🧊 它被 Telegram 冻结：只有申诉通过后才重置。
account-reset-risk = ⚠️ Telegram 不会忘记限流。到期之前的调用会再次被拒绝，等待往往更长，甚至可能失去账号。只有确定限流已经解除时才重置。

account-state-leaving = 🚪 自 { $since } 起正在移出账号池：先处理未完成的部分，然后登出并清除。需要有主机在运行。
account-button-login = 🔑 重新登录
account-button-group = 👥 分组
pool-row-leaving = 🚪 正在移出账号池
pool-row-disabled = ❌ 已禁用
pool-spent = 💤 休息中（今日额度已用完）：{ $count }
pool-single = 1️⃣ 有主机处于单账号模式，只使用其环境变量指定的账号（{ $account }）。期间账号池暂停使用，这里的修改在结束后生效。
await-group =
    👥 <b>属于哪个分组？</b>
    请输入名称，最多 32 个字符。任务可以绑定分组，绑定后只由该组的账号搬运。
await-group-none = 🚫 不分组
