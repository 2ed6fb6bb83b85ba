# 语言和时区
settings-title = ⚙️ <b>设置</b>
settings-language = 🌐 语言：{ $language }
settings-zone = 🕒 时区：{ $zone }，现在 { $time }
settings-hint = 在下面选择语言。时区用于我告诉你的所有时间，以及新建搬运时选择的日期。
settings-language-en = English
settings-language-zh = 中文
settings-button-zone = 🕒 更改时区
settings-button-panic = 🚨 退出所有账号
