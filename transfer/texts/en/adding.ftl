# What is asked before an account logs in.
adding-by-qr = QR code
adding-by-code = phone and code
adding-way =
    <b>How shall it log in?</b>
    • QR code: scan a picture with the account's phone. The quickest and safest way.
    • Phone and code: write the number; the code is pressed on buttons.
    • Session string: of Telethon, gramjs, Pyrogram or mtcute. It is imported on the machine, never here.
adding-way-qr = 📷 QR code (recommended)
adding-way-code = 📱 Phone and code
adding-way-string = 🧵 Session string
adding-label =
    🏷 <b>What shall it be called?</b>
    For your own lists, at most 40 characters.
adding-label-none = ⏭️ Its name at Telegram
adding-priority-default = ⏭️ 0, the default
adding-api =
    🧩 <b>An API id of its own?</b>
    Only if you have a reason. Get both from https://my.telegram.org/apps and write them in one message: <code>12345 0123456789abcdef0123456789abcdef</code>. I remove that message at once and keep the hash sealed.
adding-api-none = ⏭️ The installation's own
adding-phone =
    📱 <b>Which phone number?</b>
    Write it with + and the country code: <code>+44 20 7946 0018</code>. I remove that message at once and keep the number sealed.
adding-import =
    🧵 <b>Session strings are imported on the machine where Ferry runs:</b>

    <code>ferry account import</code>

    It asks for the string, checks it at Telegram, and seals it. Strings of Telethon, gramjs, Pyrogram and mtcute are understood.

    ⚠️ Never send one here or in any chat: whoever has it controls the account. And do not use it elsewhere any more: Telegram ends a session that is used in two places at once.

panic-question =
    🚨 <b>Sign every account out?</b>

    Every account of the pool is signed out at Telegram at once, and its session and data are erased here. Transfers stop where they are; a call that is under way is not waited for, so a few messages may stay uncertain. It cannot be undone: each account has to be added anew.
panic-question-again =
    🚨 <b>Really every account, now?</b>

    Last question. The next press does it.
panic-yes = 🚨 Yes, sign all of them out
panic-yes-again = 🚨 Do it now
panic-no = 🔙 No, back
panic-begun = 🚨 Every account is being signed out and erased. I tell you when it is done.
panic-begun-no-host = ⚠️ No session host has been heard of for a minute: it is done as soon as one runs. Until then, end the sessions yourself: Telegram › Settings › Devices.
