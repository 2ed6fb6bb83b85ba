# 主菜单、帮助和命令说明
menu =
    🚢 <b>Ferry</b>
    我用你自己的 Session 账号，把消息从一个聊天搬运到另一个聊天；账号被限流时自动切换。

    请选择操作：
menu-new = 🚀 新建搬运
menu-tasks = 📋 搬运任务
menu-pool = 👥 Session 账号
menu-stats = 📊 统计信息
menu-settings = ⚙️ 设置
menu-help = ❓ 帮助
button-menu = 🏠 主菜单

help =
    ❓ <b>使用说明</b>

    /transfer – 新建搬运：来源、目标、搬哪些消息、速度。确认之前不会搬运任何内容。
    /tasks – 搬运任务：进度、暂停、继续、取消、跳过的消息。
    /session – Session 账号池（也可以用 /accounts）。
    /stats – 账号池统计。
    /settings – 语言和时区。
    /cancel – 结束当前对话，正在运行的搬运不受影响。

    每条消息只会送达一次，顺序不变，相册保持完整；没能搬运的消息会列出原因。账号被限流时由下一个账号从断点继续；全部被限流时，任务等待后自动继续。

command-start = 主菜单
command-transfer = 新建搬运
command-tasks = 搬运任务：进度、暂停、继续
command-session = Session 账号池
command-stats = 统计信息
command-settings = 语言和时区
command-help = 使用说明
command-cancel = 结束当前对话
