# Language and time zone.
settings-title = ⚙️ <b>Settings</b>
settings-language = 🌐 Language: { $language }
settings-zone = 🕒 Time zone: { $zone }, now { $time }
settings-hint = Choose a language below. The time zone counts for all times I tell you, and for the days you choose in a transfer.
settings-language-en = English
settings-language-zh = 中文
settings-button-zone = 🕒 Change time zone
settings-button-panic = 🚨 Sign every account out
