# 新建搬运的每一步，以及单独询问的设置
wizard-head = 🚀 <b>新建搬运</b> · 第 { $number } / { $count } 步
wizard-so-far = 当前：<b>{ $value }</b>
wizard-back = ⬅️ 上一步
wizard-cancel = ❌ 取消
wizard-next = ➡️ 下一步
wizard-keep = ➡️ 保持不变

wizard-source =
    📤 <b>从哪里搬运？</b>
    请发送来源：
    • <code>@用户名</code>
    • 链接：<code>https://t.me/name</code>，也可以是消息链接或邀请链接
    • 数字 ID，例如 <code>-1001234567890</code>
    • 或者直接转发一条来自该聊天的消息
wizard-target =
    📥 <b>搬运到哪里？</b>
    请用同样的方式发送目标。至少要有一个账号能在那里发消息。

wizard-range =
    📅 <b>搬运哪些消息？</b>
    点击按钮，或者输入：
    • 开始日期：<code>2024-05-01</code>（到今天为止）
    • 两个日期：<code>2024-05-01 2024-06-30</code>
    • 消息编号：<code>100-200</code>，或 <code>100-</code>（从这条开始）
    • 也可以转发起始消息，或发送它的链接
wizard-range-all = 📚 整个频道
wizard-range-days = 最近 { $days } 天
wizard-range-from = 📍 从第 { $from } 条消息开始

wizard-kinds =
    🗂 <b>搬运哪些类型？</b>
    可以多选；一个都不选表示全部。
wizard-kinds-all = ➡️ 下一步：全部类型
kind-photo = 图片
kind-video = 视频
kind-document = 文件
kind-audio = 音乐
kind-voice = 语音
kind-sticker = 贴纸
kind-poll = 投票
kind-text = 文字
kind-other = 其他
kinds-all = 全部类型

wizard-keyword =
    🔎 <b>需要关键词过滤吗？</b>
    请输入文字或说明中必须包含的关键词，不区分大小写。相册中只要有一条匹配，整个相册都会搬运。
wizard-keyword-none = ⏭️ 不过滤

wizard-author =
    👤 <b>是否显示消息来源？</b>
    可以保留或隐藏“转发自……”。
wizard-author-kept = 👤 显示
wizard-author-hidden = 🙈 隐藏

wizard-title =
    🏷 <b>给任务起个标题</b>
    标题只显示在你自己的列表里。请输入，或者直接使用：
wizard-description =
    📝 <b>需要写描述吗？</b>
    描述只显示在你自己的列表里。
wizard-description-none = ⏭️ 跳过描述

wizard-pace =
    ⚡ <b>搬运速度</b>
    越慢越不容易被限流。
wizard-pace-own =
    也可以自定义，单位毫秒，依次为：每条消息的间隔、多少条后暂停、暂停多久、多少条后长暂停、长暂停多久。例如：
    <code>1500 50 15000 150 90000</code>
preset-small = 🐢 小规模
preset-medium = 🚶 中规模
preset-large = 🏃 大规模
preset-none = 🚀 不暂停
pace-none = 以 Telegram 允许的最快速度
pace-rate = 每条 { $secs } 秒
pace-pause = 每 { $files } 条暂停 { $secs } 秒
pace-long-pause = 每 { $files } 条长暂停 { $secs } 秒

wizard-batch =
    📦 <b>每批搬运多少条？</b>
    每批完成后，任务自动继续，或者暂停等你继续。点击按钮，或输入 1 到 5,000 之间的数字。
wizard-batch-none = 不限
wizard-batch-go = ▶️ 自动继续
wizard-batch-pause = ⏸️ 完成后暂停
wizard-join = 🚪 允许账号加入来源和目标
wizard-group-any = 👥 任意账号
wizard-to-preview = 🔍 预览
batch-unlimited = 不限
batch-then-on = { $files } 条，之后自动继续
batch-then-pause = { $files } 条，之后暂停

wizard-looking = 🔍 正在查看来源和目标，预览马上就来。确认之前不会搬运任何内容。
wizard-again = 🔄 重新查看
wizard-confirm-unseen = ✅ 不预览，直接开始
wizard-no-host = ⚠️ 超过一分钟没有收到主机的心跳，现在无法预览。请启动主机（<code>ferry serve</code>）后重试；也可以不预览直接确认，主机启动后任务会自动开始。
wizard-expired =
    ⌛ 距离上次操作已超过 30 分钟，新建搬运（{ $source } → { $target }）停在了中途，已选的内容都还在。

    要接着继续吗？
wizard-continue = ▶️ 接着继续
wizard-anew = 🆕 重新开始

summary-title = 🏷 <b>{ $value }</b>
summary-source = 📤 来源：{ $value }
summary-target = 📥 目标：{ $value }
summary-range = 📅 范围：{ $value }
summary-kinds = 🗂 类型：{ $value }
summary-keyword = 🔎 关键词：{ $value }
summary-author = 消息来源：{ $value }
summary-pace = ⚡ 速度：{ $value }
summary-batch = 📦 每批：{ $value }
summary-description = 📝 { $value }
range-everything = 整个频道
range-dates = { $from } 至 { $until }
range-ids = 第 { $from } 至 { $until } 条
range-from = 从第 { $from } 条开始
list-comma = 、

created = ✅ <b>{ $title }</b> 已加入队列。
created-begins = 🚀 马上开始搬运，进度会在这里更新。
created-show = 📋 查看任务
no-host = ⚠️ 超过一分钟没有收到主机的心跳，在主机启动（<code>ferry serve</code>）之前不会有进展。任务已保存，届时会自动开始。

await-priority =
    🎯 <b>优先级是多少？</b>
    请输入 -1000 到 1000 之间的整数，数字越大越优先，默认为 0。
await-label =
    🏷 <b>账号叫什么名字？</b>
    最多 40 个字符。
await-pace =
    ⚡ <b>自定义速度</b>
    单位毫秒，依次为：每条消息的间隔、多少条后暂停、暂停多久、多少条后长暂停、长暂停多久。例如：
    <code>1500 50 15000 150 90000</code>
await-zone =
    🕒 <b>使用哪个时区？</b>
    点击按钮，或输入时区名称，例如 <code>Asia/Shanghai</code>。
await-zone-default = 使用系统默认时区
