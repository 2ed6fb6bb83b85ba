# 搬运任务列表、任务详情和跳过的消息
tasks-title = 📋 <b>搬运任务</b>（{ $count }）
tasks-empty =
    📋 <b>搬运任务</b>

    还没有任务。
tasks-row =
    { $state } · <b>{ $title }</b>
    { $percent }% · 📥 { $delivered } · { $created }
tasks-row-button = { $icon } { $title } · { $percent }%
tasks-icon-ready = 🕓
tasks-icon-running = 🚀
tasks-icon-waiting = ⏳
tasks-icon-paused = ⏸️
tasks-icon-parked = ⚠️
tasks-icon-failed = ❌
tasks-icon-done = ✅
tasks-icon-cancelled = 🚫
tasks-button-new = 🚀 新建搬运
tasks-button-list = 📋 任务列表
tasks-button-back = 🔙 返回
tasks-more-lines = …… 还有 { $count } 条
tasks-semicolon = ；

tasks-skipped-title = ⏭️ <b>{ $title }</b>：跳过了 { $count } 条消息
tasks-skipped-none = ⏭️ <b>{ $title }</b>：没有跳过的消息（{ $count }）
tasks-skipped-reason = <b>{ $why }</b>（{ $count }）：
tasks-skip-service = 系统消息，没有可搬运的内容
tasks-skip-deleted = 搬运之前已从来源中删除
tasks-skip-refused = 消息还在，但 Telegram 没有转发
tasks-skip-error = Telegram 拒绝：{ $error }
tasks-skip-undetermined = 无法确定是否送达，目标中没有找到

task-unknown = 🤷 没有这个任务，或者它属于其他管理员。
task-title = 📋 <b>{ $title }</b>
task-description = <i>{ $text }</i>
task-way = 📤 { $source } → 📥 { $target }
task-selection = 🔎 { $what }
task-only = 仅重试之前跳过的 { $count } 条消息
task-keyword = 包含“{ $keyword }”

task-state-ready = 🕓 排队中
task-state-running = 🚀 正在搬运
task-state-waiting = ⏳ 等待中
task-state-paused = ⏸️ 已暂停
task-state-parked = ⚠️ 需要处理
task-state-failed = ❌ 搬运失败
task-state-done = ✅ 搬运完成
task-state-cancelled = 🚫 已取消
task-why = 原因：{ $why }
task-now-ready = 很快会由搬运主机接手。
task-now-waiting = 💡 将在 { $wake } 自动继续。
task-now-pauses = 💡 按设定的速度停顿：将于 { $wake } 自动继续。
task-now-paused = 💡 进度已保存，继续时会从断点接着搬运。
task-now-parked = 💡 进度已保存。请按原因处理，然后点击继续。
task-now-failed = 💡 已搬运的内容会保留。问题解决后，可以作为新任务重复。
task-pausing = ⏸️ 正在暂停：当前这一批转发完成后停止。
task-cancelling = 🚫 正在取消：先确认当前这一批转发的结果。
task-no-host = ⚠️ 没有正在运行的搬运主机，启动之前任务不会前进。

task-progress = { $bar } { $percent }%
task-scanned = ✅ 已扫描：{ $count }
task-matched = 🔍 匹配：{ $count }
task-forwarded = 📥 已转发：{ $count }
task-skipped = ⏭️ 已跳过：{ $count }
task-batch = 📦 批次 { $number }：{ $used }/{ $size }
task-rate = ⚡ 速度：{ $rate } 个/分钟（最近 { $over }）
task-rate-average = ⚡ 平均速度：{ $rate } 个/分钟
task-eta = ⌛ 预计还需 { $left }
task-elapsed = ⏱️ 已用时 { $elapsed }（{ $start } 开始）
task-created = 🕒 创建时间：{ $at }
task-ended = 🏁 结束时间：{ $at }
task-floods = 🌊 限流 { $floods } 次，切换账号 { $changes } 次
task-account = 👤 当前账号：{ $account }
task-pace = ⚡ 速率：{ $pace }
task-pace-pending = ⚡ 新速率（下一批转发起生效）：{ $pace }
task-events = <b>最近动态</b>
task-event-line = { $at } { $what }

task-event-started = 🚀 开始搬运，共有 { $count } 条消息待扫描
task-event-started-uncounted = 🚀 开始搬运
task-event-account = 👤 由 { $to } 搬运
task-event-account-changed = 🔄 已切换账号 { $from } → { $to }：{ $why }
task-event-flooded = 被限流 { $wait }
task-event-flood = 🌊 { $account } 被限流 { $wait }，至 { $until }
task-event-all-limited = ⚠️ 所有账号都被限流，{ $wake } 自动继续
task-event-account-lost = 🔴 { $account } 已退出账号池：{ $reason }
task-event-skipped = ⏭️ 跳过 { $count } 条：{ $why }
task-event-settled-repeated = 🧩 { $account } 中断的转发已重发并得到确认
task-event-settled-found = 🧩 { $account } 中断的转发已在目标中找到
task-event-settled-taken-over = 🧩 { $account } 中断的转发没有送达，由其他账号接手
task-event-batch = 📦 批次 { $number } 已完成
task-event-state = { $state }：{ $why }

task-button-pause = ⏸️ 暂停
task-button-resume = ▶️ 继续
task-button-resume-now = ▶️ 立即继续
task-button-cancel = 🚫 取消任务
task-button-cancel-yes = 🚫 确定取消
task-button-no = 🔙 不，返回
task-button-pace = 🐢 速率
task-button-custom-pace = ✏️ 自定义
task-button-skipped = ⏭️ 跳过的消息
task-button-retry = 🔁 重试跳过的
task-button-repeat = 🔁 作为新任务重复
task-button-refresh = 🔄 刷新

task-cancel-question =
    🚫 确定取消 <b>{ $title }</b>？

    已搬运的 { $delivered } 条消息会留在目标中。取消后不能继续，但可以作为新任务重复。
task-cancel-uncertain = ⚠️ 最后一批转发是否送达尚不确定。请先查看目标；取消后这一批会记为“无法确定”。

task-pace-title =
    🐢 <b>速率</b>：{ $title }
    当前：{ $pace }
task-pace-row = • <b>{ $name }</b>：{ $figures }
task-pace-hint = 💡 越慢越不容易被限流。新速率从下一批转发起生效。
task-pace-named = { $name }：{ $figures }

# 任务停下的原因
task-reason-nobody = 没有账号可以继续：{ $why }
task-reason-paused = 由管理员暂停
task-reason-batch = 批次 { $one } 已完成
task-reason-limited-flood = 所有账号都被限流，{ $one } 最先解除限流
task-reason-limited-budget = 所有账号都不可用，{ $one } 最先恢复每日额度
task-reason-not-for-peer = 请让这些账号能够读取来源并在目标发布：{ $one }
task-reason-budget = 请提高这些账号的每日额度，至少能一次容纳 { $one } 条：{ $two }
task-reason-quarantined = 这些账号被 Telegram 判定为滥发（PEER_FLOOD），时机合适时请重置限流：{ $one }
task-reason-session-dead = 这些账号的 session 被同时使用而失效，请重新登录：{ $one }
task-reason-signed-out = 请重新登录这些账号：{ $one }
task-reason-frozen = 这些账号被 Telegram 冻结，请在官方应用中申诉：{ $one }
task-reason-banned = 这些账号已被 Telegram 封禁或删除，请更换：{ $one }
task-reason-disabled = 请启用其中一个账号：{ $one }
task-reason-group = 分组 { $one } 中没有账号，请先加入账号
task-reason-empty-pool = 账号池是空的，请先添加账号
task-reason-not-in-pool = 账号 { $one } 不在账号池中，而来源的消息编号只属于该账号，请重新添加
task-reason-account-says = 账号 { $one }：{ $two }
task-reason-mend = Telegram 返回 { $one }，处理后请点击继续
task-reason-again = Telegram 反复返回 { $one }，查明原因后请点击继续
task-reason-protected = { $one } 禁止转发，Ferry 尊重这一设置
task-reason-protected-answer = Telegram 返回 { $one }：内容受保护，Ferry 尊重这一设置
task-reason-slow-album = 目标的慢速模式不允许发送相册，请让目标管理员关闭后再继续
task-reason-same-chat = 来源和目标是同一个聊天，请选择其他目标
task-reason-nowhere = 找不到 { $one }（{ $two }），请检查名称或链接
task-reason-unreadable = 无法读取来源：{ $one }，点击继续可重试
task-reason-no-answer = Telegram 没有给出可用的回答：{ $one }，点击继续可重试
task-reason-target-taken = 任务 { $two }（{ $one }）正在写入同一个目标
task-reason-uncertain = 无法确定消息 { $one } 是否送达：{ $two }。请查看目标中消息 { $three } 之后的内容；继续会再次检查，也可以取消
task-reason-account-removed = 账号 { $one } 在一批转发尚未确认时被移除；请查看目标，然后取消或重复任务
task-reason-other-not-free = 原账号正被占用
task-reason-no-connection = 无法连接：{ $one }
task-reason-reading-broke = 读取中断：{ $one }
task-reason-not-in-target = 它的一批转发不确定，目标中没有找到
task-reason-restored = 已从 { $one } 的备份恢复，此后送达的内容没有记录。请取消任务，在目标中查找它的最后一条消息，然后从下一条开始新任务
