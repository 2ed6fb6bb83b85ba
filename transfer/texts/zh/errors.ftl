# 没有被接受的输入，以及按钮的简短回应
notice-not-understood =
    🤔 没看懂这条消息。

    要搬运消息，请发送来源的链接、转发一条来自来源的消息，或发送 /transfer。/help 有完整说明。
notice-unknown-command = 🤔 没有这个命令。/help 列出了所有命令。
notice-not-text = 🤔 这里只能读文字，或者从公开名称的频道、群组转发来的消息。
notice-expired = ⌛ 距离上次操作已超过 30 分钟，无法确定这条回答对应什么，请重新开始。
notice-cancelled = ✅ 已取消，没有搬运任何内容。正在运行的任务不受影响，可用 /tasks 查看。
notice-nothing-to-cancel = 当前没有可以取消的操作。要取消正在运行的任务，请在 /tasks 中打开它。
notice-secret =
    🔐 这看起来是账号的 session。拿到它的人可以完全控制账号，所以我不会在聊天中接收它：已删除你的消息，没有保存任何内容。如果可能被别人看到，请在 Telegram 中结束该会话：设置 → 设备。

    session 字符串请在服务器上导入，会立即加密：<code>ferry account import</code>
notice-bot-token = 🤖 这看起来是机器人的 token。已删除你的消息，没有保存任何内容；如果可能被别人看到，请在 @BotFather 中作废它。机器人不能搬运消息，账号池只接收个人账号。
notice-no-api = ⚠️ 请在一条消息里发送 API id 和 hash：一个数字，以及 32 个 0-9、a-f 的字符。你的消息可能含有机密，已删除。
notice-no-phone = ⚠️ 这不是有效的手机号：请带上 + 和国家代码，例如 <code>+86 138 0013 8000</code>。你的消息可能含有机密，已删除。
notice-code-written =
    🔐 已删除你的消息：它看起来是登录验证码。验证码一旦发送到聊天里就会被 Telegram 作废，以防有人被骗走验证码。

    请改用登录消息下面的按钮输入。如果刚才发送的就是你的验证码，请等待下一个。
notice-password-being-checked = 🔐 已删除你的消息：上一个密码还在核对中。
notice-not-removed = ⚠️ 你的消息含有机密，但我无法删除它，请立即自行删除。
notice-no-group = ⚠️ 分组名称需要 1 到 32 个字符。
notice-no-chat = ⚠️ “{ $text }” 不是有效的聊天。请输入 <code>@用户名</code>、t.me 链接或数字 ID（例如 <code>-1001234567890</code>），也可以转发一条消息。
notice-same-chat = ⚠️ 来源和目标是同一个聊天，请换一个目标。
notice-source-taken = 👌 已作为新搬运的来源。如果不是这个意思，请点击取消。
notice-no-range = ⚠️ “{ $text }” 不是有效的范围。例如：<code>2024-05-01</code>、<code>2024-05-01 2024-06-30</code>、<code>100-200</code>、<code>100-</code>。
notice-backwards = ⚠️ 范围的结束早于开始，或者开始晚于今天。请把较早的写在前面。
notice-other-chat = ⚠️ 这条消息不是来源聊天里的。
notice-press-buttons = ☝️ 请点击下面的按钮。
notice-press-preview = ☝️ 请点击预览下面的按钮：开始、上一步或取消。
notice-keyword-too-long = ⚠️ 关键词最多 100 个字符。
notice-title-too-long = ⚠️ 标题需要 1 到 100 个字符。
notice-description-too-long = ⚠️ 描述最多 500 个字符。
notice-no-pace = ⚠️ “{ $text }” 不是有效的速度，需要一个、三个或五个整数。
notice-pace-too-slow = ⚠️ 数值过大：消息间隔最多 3,600,000 毫秒（1 小时），暂停最多 86,400,000 毫秒（1 天）。
notice-no-batch = ⚠️ 每批 1 到 5,000 条；0 表示不限。
notice-no-priority = ⚠️ 优先级是 -1000 到 1000 之间的整数。
notice-no-label = ⚠️ 名字需要 1 到 40 个字符。
notice-no-zone = ⚠️ 没有时区 “{ $text }”。例如：<code>Asia/Shanghai</code>、<code>Europe/Berlin</code>。
notice-senseless = ⚠️ 这样的搬运没有意义，请重新检查每一步。

word-old = 这个按钮属于旧消息，发送 /start 打开菜单。
word-late = 这一步已经完成了。
word-looking = 🔍 正在查看…
word-no-host = ⚠️ 仍然没有主机：超过一分钟没有收到心跳。
word-expired = 已经超过 30 分钟了。
word-foreign = 这个任务属于另一位管理员。
word-gone = 这个任务已经不存在了。
word-not-now = 现在不能这样做。
word-pausing = ⏸️ 当前这一组完成后暂停。
word-resumed = ▶️ 从断点继续搬运。
word-resumed-without-host = ⚠️ 超过一分钟没有主机心跳，主机启动后会自动继续。
word-cancelling = 🚫 当前这一组完成后结束。
word-pace-set = ⚡ 新速度从下一组开始生效。
word-retried = 🔁 跳过的消息会作为新任务重新搬运。
word-nothing-to-retry = 没有可以重新搬运的消息。
word-too-many-to-retry = 跳过的消息太多，无法逐条重试，请作为新任务重新搬运。
word-restored = 它来自备份：为避免重复送达，请按任务页面上的说明继续。
word-saved = ✅ 已完成
word-account-busy = 有任务正在使用这个账号，请先暂停任务或禁用账号。
word-account-gone = 这个账号已经不存在了。
word-login-gone = 这次登录已经结束，需要时可以重新开始。
word-login-cancelled = 正在取消…
word-no-digits = 请先按出验证码。
word-resend-early = Telegram 还不能重新发送验证码，时间见消息。
word-leaving = 正在移除：先处理未完成的部分，然后登出并清除。
