# Accounts that the admin let go: told to whoever asked.
leaving-gone = 👋 Account <b>{ $account }</b> left the pool: { $how }
leaving-gone-signed-out = signed out at Telegram, and everything of it erased here.
leaving-gone-was-over = Telegram had ended its session already; everything of it is erased here.
leaving-gone-no-session = erased here, but its session could not be opened, so Telegram was not told.
    💡 End it in the account's Telegram app: Settings, Devices.
leaving-not-yet = ⏳ Account <b>{ $account }</b> does not leave yet: { $why }
    It takes no more transfers, and leaves by itself as soon as it can.
leaving-unsettled = a transfer has messages of which only this account can tell whether they arrived.
    💡 Let that transfer go on, or cancel it.
leaving-waits = Telegram wants it to wait until { $until }.
leaving-unreachable = Telegram could not be asked to sign it out ({ $reason }).
leaving-busy = something still works with it.
leaving-all-gone = 🚨 Every account was signed out at Telegram and erased here ({ $at }).
    💡 Transfers are parked. Add accounts, then resume them.
