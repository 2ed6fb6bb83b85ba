# An account on its way into the pool: every state of a login.
login-title = 🔑 <b>New account</b>
login-title-named = 🔑 <b>New account: { $label }</b>
login-title-again = 🔑 <b>{ $label }</b> logs in again
login-phone = 📱 { $phone }
login-asked-qr = ⏳ Asking Telegram for a QR code…
login-asked-code = ⏳ Asking Telegram to send a code…
login-no-host = ⚠️ No session host has been heard of for a minute. The login goes on when one runs (<code>ferry serve</code>).
login-limited = ⏳ Telegram wants a wait before it sends a code: until { $until } ({ $left } left). I obey, and go on by myself then.
login-scan =
    📷 <b>Scan this with the account's phone</b>
    1. Open Telegram there
    2. Settings › Devices › Link Desktop Device
    3. Point the camera at this picture; if you read this on that phone, open this chat on another screen
login-scan-until = 🔄 The picture is renewed every half minute, until { $until }.

login-code-app = 💬 Telegram sent a code to the account's other devices, as a message from “Telegram”.
login-code-sms = ✉️ Telegram sent a code by SMS.
login-code-call = 📞 Telegram calls, and a voice says the code.
login-code-missed-call = 📞 Telegram calls and hangs up: the code is the last digits of the number that called.
login-code-email = 📧 Telegram sent a code to the account's e-mail address.
login-code-fragment = 🌐 Telegram sent a code to fragment.com.
login-code-press = Press it here: { $dots }
login-code-why = ⚠️ Press it on these buttons, never write it as a message, here or anywhere: Telegram makes a code that was sent in a chat worthless at once.
login-code-wrong = ❌ That code was wrong. Look again, and press it once more.
login-code-expired = ⌛ The last code is worthless by now. Telegram sent a new one.
login-code-next-app = 🔁 Nothing came? From { $at } on another code can be sent to the app.
login-code-next-sms = 🔁 Nothing came? From { $at } on another code can be sent by SMS.
login-code-next-call = 🔁 Nothing came? From { $at } on another code can be told by a call.
login-code-next-missed-call = 🔁 Nothing came? From { $at } on another code can be told by a missed call.
login-code-next-email = 🔁 Nothing came? From { $at } on another code can be sent by e-mail.
login-code-next-fragment = 🔁 Nothing came? From { $at } on another code can be sent to fragment.com.
login-code-given = ⏳ Checking the code…
login-resend = ⏳ Asking Telegram for another code…

login-password =
    🔐 <b>This account has a two-step password.</b>
    Write it here as a message. I remove that message at once; the password is kept sealed until Telegram has checked it, and then forgotten.
login-password-hint = 💡 The owner's hint: <i>{ $hint }</i>
login-password-wrong = ❌ That password was wrong.
login-password-given = ⏳ I removed your message with the password. Checking it…

login-cancelled = ⏳ Cancelling, and taking back what was begun at Telegram…
login-done = ✅ <b>{ $label }</b> is in the pool. Transfers may use it from now on.
login-done-again = ✅ <b>{ $label }</b> is logged in again. Its name, priority and statistics are as they were.

login-button-erase = ⌫
login-button-complete = ✅
login-button-resend-app = 🔁 Another code, to the app
login-button-resend-sms = 🔁 Another code, by SMS
login-button-resend-call = 🔁 Another code, by a call
login-button-resend-missed-call = 🔁 Another code, by a missed call
login-button-resend-email = 🔁 Another code, by e-mail
login-button-resend-fragment = 🔁 Another code, to fragment.com
login-button-cancel = ❌ Cancel
login-button-again = 🔁 Try again
login-button-account = 👤 Show the account

login-failed = ❌ <b>The account was not added.</b>
login-failed-again = ❌ <b>The account was not logged in again.</b>
login-failed-bad-phone = Telegram knows no such phone number. Write it with + and the country code, such as <code>+44 20 7946 0018</code>.
login-failed-no-account = No account has this phone number. Register it in a Telegram app first, then add it here.
login-failed-banned = Telegram banned this number or account. Appeal in Telegram's app, or add another account.
login-failed-too-many-attempts = There were too many wrong codes or passwords. Wait some hours, then try again.
login-failed-code-expired = The code expired, and Telegram sends no other one now. Try again in a while, or use the QR code.
login-failed-bad-api = Telegram does not know the API id and hash. Compare them with https://my.telegram.org/apps, or leave them out: then the installation's own are used.
login-failed-unsupported = Telegram asks for something that Ferry cannot do: { $what }. Use the QR code, or log in once in a Telegram app and try again.
login-failed-bot = That is a bot. Only accounts of people can carry messages.
login-failed-in-pool = This account is in the pool already, as <b>{ $label }</b>, and works.
login-failed-another = <b>{ $found }</b> logged in, but <b>{ $wanted }</b> was to. Try again with that one, or add the other as a new account.
login-failed-clock = The host's clock is { $secs } seconds off, and Telegram refuses that. Set it right, then try again.
login-failed-unopened = The host has another key than the one that sealed this login. Start host and function with the same keys, then try again.
login-failed-unreachable = The host could not reach Telegram, again and again. Look at its network, then try again.
login-failed-abandoned = Nothing happened for too long. What was begun was taken back; begin again when you like.
login-failed-cancelled = You cancelled it. Nothing was kept.
login-failed-refused = Telegram says: <code>{ $text }</code>
