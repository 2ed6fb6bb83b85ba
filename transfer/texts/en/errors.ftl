# Why something was not taken, and the short answers to presses.
notice-not-understood =
    🤔 I did not understand that.

    To carry messages, send me a link to the source, forward a message from it, or write /transfer. /help says what else I can do.
notice-unknown-command = 🤔 I do not know that command. /help lists those that I know.
notice-not-text = 🤔 I can only read text here, or a message forwarded from a channel or group that tells its name.
notice-expired = ⌛ We stopped talking more than 30 minutes ago, so I no longer know what this answers. Please begin anew.
notice-cancelled = ✅ Cancelled: nothing of it is carried. Transfers that run already go on; /tasks shows them.
notice-nothing-to-cancel = There is nothing to cancel. To cancel a transfer that runs, open it in /tasks.
notice-secret =
    🔐 That looks like the session of an account. Whoever has it controls the account, so I take none in a chat: I removed your message and kept nothing of it. If anybody else may have seen it, end that session in Telegram: Settings → Devices.

    Session strings are imported at the machine, where they are sealed at once: <code>ferry account import</code>
notice-bot-token = 🤖 That looks like a bot's token. I removed your message and kept nothing of it; if anybody else may have seen it, revoke the token in @BotFather. Bots cannot carry messages: the pool takes accounts of people.
notice-no-api = ⚠️ I need the API id and the hash in one message: a number, and 32 characters of 0-9 and a-f. I removed your message, in case it held a secret.
notice-no-phone = ⚠️ That is no phone number as I need it: with + and the country code, such as <code>+44 20 7946 0018</code>. I removed your message, in case it held a secret.
notice-code-written =
    🔐 I removed your message: it looked like a login code. Telegram makes a code worthless as soon as it is written in a chat, so that nobody can be talked into giving one away.

    Press the code on the buttons under the login instead. If yours was written here, wait for the next one.
notice-password-being-checked = 🔐 I removed your message: the last password is still being checked.
notice-not-removed = ⚠️ I could not remove your message with a secret in it. Please delete it yourself, now.
notice-no-group = ⚠️ A group's name has 1 to 32 characters.
notice-no-chat = ⚠️ “{ $text }” names no chat. Write <code>@name</code>, a t.me link or a number such as <code>-1001234567890</code>, or forward a message.
notice-same-chat = ⚠️ Source and target are the same chat. Choose another target.
notice-source-taken = 👌 I take that as the source of a new transfer. If you meant something else, press cancel.
notice-no-range = ⚠️ “{ $text }” is no range. Examples: <code>2024-05-01</code>, <code>2024-05-01 2024-06-30</code>, <code>100-200</code>, <code>100-</code>.
notice-backwards = ⚠️ That range ends before it begins, or begins after today. The earlier end comes first.
notice-other-chat = ⚠️ That message is of another chat than the source.
notice-press-buttons = ☝️ Please press one of the buttons.
notice-press-preview = ☝️ Please press one of the buttons under the preview: start, back or cancel.
notice-keyword-too-long = ⚠️ A keyword has at most 100 characters.
notice-title-too-long = ⚠️ A title has 1 to 100 characters.
notice-description-too-long = ⚠️ A note has at most 500 characters.
notice-no-pace = ⚠️ “{ $text }” is no pace: I need one, three or five whole numbers.
notice-pace-too-slow = ⚠️ Nobody means that: at most 3,600,000 ms (an hour) between two messages, and pauses of at most 86,400,000 ms (a day).
notice-no-batch = ⚠️ A batch has 1 to 5,000 messages; 0 means no limit.
notice-no-priority = ⚠️ A priority is a whole number from -1000 to 1000.
notice-no-label = ⚠️ A name has 1 to 40 characters.
notice-no-zone = ⚠️ I know no time zone “{ $text }”. Examples: <code>Asia/Shanghai</code>, <code>Europe/Berlin</code>.
notice-senseless = ⚠️ The transfer makes no sense like this. Please look at each step again.

word-old = This button belongs to an older message. /start shows the menu.
word-late = That step is over.
word-looking = 🔍 Looking…
word-no-host = ⚠️ Still no session host: none has been heard of for a minute.
word-expired = More than 30 minutes have passed.
word-foreign = This transfer belongs to another admin.
word-gone = There is no such transfer any more.
word-not-now = It cannot do that now.
word-pausing = ⏸️ It pauses at the next chunk.
word-resumed = ▶️ It goes on where it stopped.
word-resumed-without-host = ⚠️ It goes on as soon as a session host runs: none has been heard of for a minute.
word-cancelling = 🚫 It ends at the next chunk.
word-pace-set = ⚡ The new pace holds from the next chunk on.
word-retried = 🔁 What was skipped is carried again, as a transfer of its own.
word-nothing-to-retry = There is nothing to carry again.
word-too-many-to-retry = Too much was skipped to name each message: repeat the transfer as a new one.
word-restored = It came from a backup: to go on without delivering twice, do as its page says.
word-saved = ✅ Done
word-account-busy = A transfer works with this account. Pause it or disable the account first.
word-account-gone = There is no such account any more.
word-login-gone = This login is over. Begin a new one if you like.
word-login-cancelled = Cancelling…
word-no-digits = Press the code first.
word-resend-early = Telegram sends no other code yet: the message says when.
word-leaving = It leaves: what is open is settled first, then it is signed out and erased.
