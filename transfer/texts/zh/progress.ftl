# 搬运的进度消息，以及发生了什么
progress-state-ready = ⏳ <b>{ $title }</b> · 排队中
progress-state-running = 🚀 <b>{ $title }</b> · 正在搬运
progress-state-waiting = ⏳ <b>{ $title }</b> · 等待中
progress-state-paused = ⏸️ <b>{ $title }</b> · 已暂停，进度已保存
progress-state-parked = ⚠️ <b>{ $title }</b> · 需要您处理，进度已保存
progress-state-failed = ❌ <b>{ $title }</b> · 失败，进度已保存
progress-state-done = ✅ <b>{ $title }</b> · 搬运完成
progress-state-cancelled = 🚫 <b>{ $title }</b> · 已取消
progress-route = { $source } → { $target }
progress-waits = 将于 { $until } 自动继续：{ $reason }
progress-pauses = 按设定的速度停顿：将于 { $until } 自动继续
progress-reason = { $reason }
progress-batch = 📦 当前批次：第 { $batch } 批（{ $count }/{ $size }）
progress-scanned = ✅ 已扫描：{ $count }
progress-matched = 🔍 已匹配：{ $count }
progress-forwarded = 📥 已搬运：{ $count }
progress-skipped = ⏭️ 已跳过：{ $count }
progress-rate = ⚡ 速度：{ $count } 个/分钟
progress-elapsed = ⏱️ 用时：{ $elapsed }
progress-elapsed-eta = ⏱️ 用时：{ $elapsed } · 预计还需 { $eta }
progress-account = 👤 当前账号：{ $account }
progress-press-pause = ⏸️ 暂停
progress-press-resume = ▶️ 继续
progress-press-cancel = 🚫 取消
progress-press-details = 🔍 详情
progress-press-retry = 🔁 重试跳过的消息
progress-press-accounts = 👥 账号列表
progress-press-look = 🔍 查看
progress-skip-service = 系统消息
progress-skip-deleted = 源消息已删除
progress-skip-refused = Telegram 未转发
progress-skip-undetermined = 无法确定是否已送达
progress-event-started = 开始搬运
progress-event-started-of = 开始搬运：源频道共 { $count } 条消息
progress-event-account = 👤 { $to } 开始搬运
progress-event-changed = 🔄 { $from } → { $to }{ $why }
progress-event-why = ：{ $reason }
progress-event-why-wait = ：{ $reason }，{ $wait }
progress-event-flood = ⏳ { $account } 需等待 { $wait }
progress-event-all-limited = ⚠️ 所有账号均被限流，至 { $until }
progress-event-account-lost = ❌ { $account } 已退出账号池：{ $reason }
progress-event-skipped = ⏭️ 跳过 { $count } 条：{ $why }
progress-event-repeated = 🔁 已重发 { $account } 中断的请求并得到答复
progress-event-found = 🔎 { $account } 中断的请求已送达
progress-event-taken-over = 🔄 { $account } 中断的请求未送达，由其他账号接手
progress-event-batch = 📦 第 { $batch } 批已完成
progress-told-changed = 🔄 <b>{ $title }</b>：已切换账号，继续搬运
    { $from } → { $to }{ $why }
progress-told-batch = ⏸️ <b>{ $title }</b>：第 { $batch } 批已完成，已暂停，进度已保存
    📥 目前已搬运：{ $forwarded }
    💡 点击“继续”开始下一批。
progress-told-all-limited = ⚠️ <b>{ $title }</b>：所有账号都被限流
    ⏳ 最短等待时间：{ $wait }，至 { $until }
    💡 到时会自动继续；向账号池添加账号可以更早继续。
progress-told-done = ✅ <b>{ $title }</b> 搬运完成
progress-told-failed = ❌ <b>{ $title }</b> 搬运失败，进度已保存
    { $reason }
    💡 当前任务无法继续。排除原因后，请在任务页面以新任务重新搬运。
progress-told-parked = ⚠️ <b>{ $title }</b> 需要您处理，进度已保存
    { $reason }
    💡 处理后点击“继续”，将从停下的位置继续搬运。
progress-told-summary = ✅ 已扫描：{ $scanned }
    🔍 已匹配：{ $matched }
    📥 已搬运：{ $forwarded }
    ⏭️ 已跳过：{ $skipped }
    🔄 切换账号：{ $changes } 次 · 限流：{ $floods } 次
    ⏱️ 用时：{ $took }
