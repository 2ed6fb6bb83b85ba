# The main menu, the help, and what commands do.
menu =
    🚢 <b>Ferry</b>
    I carry messages from one chat to another with your own accounts, and change account when Telegram limits one.

    What shall I do?
menu-new = 🚀 New transfer
menu-tasks = 📋 Transfers
menu-pool = 👥 Accounts
menu-stats = 📊 Statistics
menu-settings = ⚙️ Settings
menu-help = ❓ Help
button-menu = 🏠 Menu

help =
    ❓ <b>How it works</b>

    /transfer – a new transfer: source, target, which messages, how fast. Nothing is carried before you confirm.
    /tasks – your transfers: progress, pause, resume, cancel, what was skipped.
    /session – the pool of accounts (also /accounts).
    /stats – figures of the pool.
    /settings – language and time zone.
    /cancel – stops what we are talking about. Running transfers go on.

    Every message arrives exactly once and in order, albums stay whole, and whatever could not be carried is listed with its reason. When an account is limited, the next one goes on where it stopped; when all are, the transfer waits and goes on by itself.

command-start = Main menu
command-transfer = New transfer
command-tasks = Transfers: progress, pause, resume
command-session = The pool of accounts
command-stats = Statistics
command-settings = Language and time zone
command-help = How it works
command-cancel = Stop the present conversation
