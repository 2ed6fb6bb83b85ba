# A new transfer, step by step, and single values that are asked for.
wizard-head = 🚀 <b>New transfer</b> · step { $number } of { $count }
wizard-so-far = So far: <b>{ $value }</b>
wizard-back = ⬅️ Back
wizard-cancel = ❌ Cancel
wizard-next = ➡️ Next
wizard-keep = ➡️ Keep it like this

wizard-source =
    📤 <b>Where from?</b>
    Send the source as
    • <code>@name</code>
    • a link: <code>https://t.me/name</code>, also to a message, or an invite link
    • a number such as <code>-1001234567890</code>
    • or forward me a message from it.
wizard-target =
    📥 <b>Where to?</b>
    Send the target in the same ways. At least one of your accounts must be able to post there.

wizard-range =
    📅 <b>Which messages?</b>
    Press a button, or write
    • a start date: <code>2024-05-01</code> (until today)
    • two dates: <code>2024-05-01 2024-06-30</code>
    • message numbers: <code>100-200</code>, or <code>100-</code> for that one and all after it
    • or forward me the message to begin with, or send its link.
wizard-range-all = 📚 Everything
wizard-range-days = { $days } days
wizard-range-from = 📍 From message { $from } on

wizard-kinds =
    🗂 <b>Which kinds?</b>
    Tick as many as you like. Nothing ticked means everything.
wizard-kinds-all = ➡️ Next: everything
kind-photo = Photos
kind-video = Videos
kind-document = Files
kind-audio = Music
kind-voice = Voice
kind-sticker = Stickers
kind-poll = Polls
kind-text = Texts
kind-other = Other
kinds-all = everything

wizard-keyword =
    🔎 <b>Only with a keyword?</b>
    Write what text or caption must contain; upper and lower case do not matter. An album goes whole when one of its messages matches.
wizard-keyword-none = ⏭️ No keyword

wizard-author =
    👤 <b>Show where messages come from?</b>
    “Forwarded from …” can stay, or be left out.
wizard-author-kept = 👤 Shown
wizard-author-hidden = 🙈 Hidden

wizard-title =
    🏷 <b>What shall it be called?</b>
    The title is for your own list. Write one, or take this one:
wizard-description =
    📝 <b>A note about it?</b>
    For your own list.
wizard-description-none = ⏭️ No note

wizard-pace =
    ⚡ <b>How fast?</b>
    Slower means fewer flood limits.
wizard-pace-own =
    Or write your own, in milliseconds: between two messages, then after how many messages to pause and for how long, then the same for the long pause. For example:
    <code>1500 50 15000 150 90000</code>
preset-small = 🐢 Small
preset-medium = 🚶 Medium
preset-large = 🏃 Large
preset-none = 🚀 No pauses
pace-none = as fast as Telegram lets
pace-rate = { $secs } s per message
pace-pause = { $secs } s pause after { $files }
pace-long-pause = { $secs } s after { $files }

wizard-batch =
    📦 <b>How much at once?</b>
    After so many messages a batch is done, and the transfer goes on by itself or pauses until you resume it. Press, or write a number from 1 to 5,000.
wizard-batch-none = No limit
wizard-batch-go = ▶️ Then go on
wizard-batch-pause = ⏸️ Then pause
wizard-join = 🚪 Accounts may join the chats
wizard-group-any = 👥 Any account
wizard-to-preview = 🔍 Preview
batch-unlimited = no limit
batch-then-on = { $files } messages, then goes on
batch-then-pause = { $files } messages, then pauses

wizard-looking = 🔍 Looking at source and target… The preview comes in a moment. Nothing is carried before you confirm.
wizard-again = 🔄 Look again
wizard-confirm-unseen = ✅ Start without preview
wizard-no-host = ⚠️ No session host has been heard of for a minute, so nobody can look now. Start one (<code>ferry serve</code>), then try again. You can also confirm without a preview: the transfer begins as soon as a host runs.
wizard-expired =
    ⌛ We stopped talking more than 30 minutes ago, in the middle of a new transfer ({ $source } → { $target }). What you had chosen is kept.

    Shall we go on there?
wizard-continue = ▶️ Go on there
wizard-anew = 🆕 Begin anew

summary-title = 🏷 <b>{ $value }</b>
summary-source = 📤 From: { $value }
summary-target = 📥 To: { $value }
summary-range = 📅 Messages: { $value }
summary-kinds = 🗂 Kinds: { $value }
summary-keyword = 🔎 Keyword: { $value }
summary-author = Where from: { $value }
summary-pace = ⚡ Pace: { $value }
summary-batch = 📦 Batch: { $value }
summary-description = 📝 { $value }
range-everything = everything
range-dates = { $from } to { $until }
range-ids = #{ $from } to #{ $until }
range-from = from #{ $from } on
list-comma = {", "}

created = ✅ <b>{ $title }</b> is in the queue.
created-begins = 🚀 It begins in a moment. I report its progress here.
created-show = 📋 Show the transfer
no-host = ⚠️ No session host has been heard of for a minute: nothing moves until one runs (<code>ferry serve</code>). The transfer is stored and begins by itself then.

await-priority =
    🎯 <b>Which priority?</b>
    Write a whole number from -1000 to 1000. Higher goes first; the default is 0.
await-label =
    🏷 <b>What shall the account be called?</b>
    At most 40 characters.
await-pace =
    ⚡ <b>Which pace?</b>
    In milliseconds: between two messages, then after how many messages to pause and for how long, then the same for the long pause. For example:
    <code>1500 50 15000 150 90000</code>
await-zone =
    🕒 <b>Which time zone?</b>
    Press a button, or write its name, for example <code>Asia/Shanghai</code>.
await-zone-default = The installation's own
