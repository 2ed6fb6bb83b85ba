# 正在加入账号池的账号：登录的每一种状态
login-title = 🔑 <b>添加账号</b>
login-title-named = 🔑 <b>添加账号：{ $label }</b>
login-title-again = 🔑 <b>{ $label }</b> 重新登录
login-phone = 📱 { $phone }
login-asked-qr = ⏳ 正在向 Telegram 获取二维码…
login-asked-code = ⏳ 正在请 Telegram 发送验证码…
login-no-host = ⚠️ 超过一分钟没有收到主机的心跳。主机启动后（<code>ferry serve</code>）登录会自动继续。
login-limited = ⏳ Telegram 要求等到 { $until }（还剩 { $left }）才能发送验证码。到时会自动继续。
login-scan =
    📷 <b>请用该账号的手机扫描</b>
    1. 在手机上打开 Telegram
    2. 设置 › 设备 › 关联桌面设备
    3. 对准这张图片；如果正在这部手机上看，请在另一块屏幕上打开本聊天
login-scan-until = 🔄 图片每半分钟刷新一次，有效至 { $until }。

login-code-app = 💬 验证码已发送到该账号的其他设备，来自“Telegram”的消息。
login-code-sms = ✉️ 验证码已通过短信发送。
login-code-call = 📞 Telegram 会来电，由语音播报验证码。
login-code-missed-call = 📞 Telegram 会来电后挂断：验证码是来电号码的最后几位。
login-code-email = 📧 验证码已发送到该账号的邮箱。
login-code-fragment = 🌐 验证码已发送到 fragment.com。
login-code-press = 请在下面按出验证码：{ $dots }
login-code-why = ⚠️ 请用按钮输入，不要在任何聊天里发送验证码：发送过的验证码会立即被 Telegram 作废。
login-code-wrong = ❌ 验证码错误，请核对后再按一次。
login-code-expired = ⌛ 上一个验证码已失效，Telegram 已发送新的验证码。
login-code-next-app = 🔁 没有收到？{ $at } 起可以重新发送到应用。
login-code-next-sms = 🔁 没有收到？{ $at } 起可以改用短信发送。
login-code-next-call = 🔁 没有收到？{ $at } 起可以改用语音来电。
login-code-next-missed-call = 🔁 没有收到？{ $at } 起可以改用未接来电。
login-code-next-email = 🔁 没有收到？{ $at } 起可以改用邮箱发送。
login-code-next-fragment = 🔁 没有收到？{ $at } 起可以改用 fragment.com。
login-code-given = ⏳ 正在核对验证码…
login-resend = ⏳ 正在请 Telegram 重新发送验证码…

login-password =
    🔐 <b>该账号设有两步验证密码。</b>
    请直接发送密码。我会立即删除那条消息；密码只加密保存到 Telegram 核对完为止，之后不再保留。
login-password-hint = 💡 密码提示：<i>{ $hint }</i>
login-password-wrong = ❌ 密码错误。
login-password-given = ⏳ 已删除你发送的密码，正在核对…

login-cancelled = ⏳ 正在取消，并撤回在 Telegram 已开始的登录…
login-done = ✅ <b>{ $label }</b> 已加入账号池，可以用于搬运。
login-done-again = ✅ <b>{ $label }</b> 已重新登录，名称、优先级和统计都保持不变。

login-button-erase = ⌫
login-button-complete = ✅
login-button-resend-app = 🔁 重新发送到应用
login-button-resend-sms = 🔁 改用短信
login-button-resend-call = 🔁 改用语音来电
login-button-resend-missed-call = 🔁 改用未接来电
login-button-resend-email = 🔁 改用邮箱
login-button-resend-fragment = 🔁 改用 fragment.com
login-button-cancel = ❌ 取消
login-button-again = 🔁 再试一次
login-button-account = 👤 查看账号

login-failed = ❌ <b>账号没有添加成功。</b>
login-failed-again = ❌ <b>账号没有重新登录成功。</b>
login-failed-bad-phone = Telegram 不认识这个手机号。请带上 + 和国家代码，例如 <code>+86 138 0013 8000</code>。
login-failed-no-account = 这个手机号没有注册 Telegram。请先在 Telegram 应用中注册，再来添加。
login-failed-banned = 这个手机号或账号已被 Telegram 封禁。请在 Telegram 应用中申诉，或添加其他账号。
login-failed-too-many-attempts = 验证码或密码错误次数过多。请过几个小时再试。
login-failed-code-expired = 验证码已过期，而且 Telegram 暂时不再发送。请稍后再试，或改用二维码。
login-failed-bad-api = Telegram 不认识这组 API id 和 hash。请与 https://my.telegram.org/apps 核对，或者跳过不填，使用系统默认的。
login-failed-unsupported = Telegram 要求的操作 Ferry 做不到：{ $what }。请改用二维码，或先在 Telegram 应用中登录一次再试。
login-failed-bot = 这是一个机器人。只有个人账号才能搬运消息。
login-failed-in-pool = 这个账号已经在账号池中，名称是 <b>{ $label }</b>，而且可以正常使用。
login-failed-another = 登录的是 <b>{ $found }</b>，而需要登录的是 <b>{ $wanted }</b>。请用后者再试一次，或把前者作为新账号添加。
login-failed-clock = 主机的时钟偏差 { $secs } 秒，Telegram 因此拒绝。请校准时钟后再试。
login-failed-unopened = 主机的密钥与加密这次登录的密钥不同。请让主机和函数使用同一组密钥，然后再试。
login-failed-unreachable = 主机多次无法连接 Telegram。请检查它的网络后再试。
login-failed-abandoned = 太久没有操作，已撤回开始过的登录。需要时可以重新开始。
login-failed-cancelled = 已取消，没有保留任何内容。
login-failed-refused = Telegram 返回：<code>{ $text }</code>
