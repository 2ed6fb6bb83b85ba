# 账号登录之前询问的内容
adding-by-qr = 二维码
adding-by-code = 手机号和验证码
adding-way =
    <b>用哪种方式登录？</b>
    • 二维码：用该账号的手机扫描图片，最快也最安全。
    • 手机号和验证码：发送手机号，验证码用按钮输入。
    • session 字符串：来自 Telethon、gramjs、Pyrogram 或 mtcute。只能在服务器上导入，不要发在这里。
adding-way-qr = 📷 二维码（推荐）
adding-way-code = 📱 手机号和验证码
adding-way-string = 🧵 session 字符串
adding-label =
    🏷 <b>给账号起个名字</b>
    只显示在你自己的列表里，最多 40 个字符。
adding-label-none = ⏭️ 使用它在 Telegram 的名字
adding-priority-default = ⏭️ 0（默认）
adding-api =
    🧩 <b>需要单独的 API id 吗？</b>
    一般不需要。可在 https://my.telegram.org/apps 获取，并在一条消息里发送两项：<code>12345 0123456789abcdef0123456789abcdef</code>。我会立即删除那条消息，hash 只加密保存。
adding-api-none = ⏭️ 使用系统默认的
adding-phone =
    📱 <b>手机号是多少？</b>
    请带上 + 和国家代码：<code>+86 138 0013 8000</code>。我会立即删除那条消息，手机号只加密保存。
adding-import =
    🧵 <b>session 字符串请在运行 Ferry 的服务器上导入：</b>

    <code>ferry account import</code>

    它会询问字符串，向 Telegram 核对，然后加密保存。支持 Telethon、gramjs、Pyrogram 和 mtcute 的字符串。

    ⚠️ 不要把它发在这里或任何聊天里：拿到它的人可以完全控制账号。也不要再在别处使用它：同时用在两个地方的 session 会被 Telegram 终止。

panic-question =
    🚨 <b>退出所有账号？</b>

    账号池中的所有账号会立即在 Telegram 登出，这里的 session 和数据会被清除。任务停在当前位置；不会等待正在进行的调用，因此少量消息可能无法确定是否送达。此操作无法撤销：每个账号都需要重新添加。
panic-question-again =
    🚨 <b>确定现在退出所有账号？</b>

    这是最后一次确认，再次点击就会执行。
panic-yes = 🚨 是的，全部退出
panic-yes-again = 🚨 立即执行
panic-no = 🔙 不，返回
panic-begun = 🚨 正在退出并清除所有账号，完成后会通知你。
panic-begun-no-host = ⚠️ 超过一分钟没有收到主机的心跳：主机启动后才会执行。在此之前，请自行在 Telegram › 设置 › 设备 中结束这些会话。
