# Alarms: told to every admin, once while they last.
alert-few-accounts = ⚠️ Only { $available } of { $of } accounts are available
    💡 Look at the list: whoever is limited comes back by itself; another account would keep transfers going.
alert-long-flood = ⏳ Account <b>{ $account }</b> is limited until { $until }
    💡 Over six hours. Let it rest, and slow transfers down or add accounts.
alert-many-skipped = ⏭️ <b>{ $title }</b>: { $skipped } of { $matched } matching messages were skipped
    💡 Look at the reasons.
alert-account-lost = ❌ Account <b>{ $account }</b> left the pool: { $what }
    { $reason }
alert-lost-ready = it may work
alert-lost-signed-out = its session was ended; log in again
alert-lost-session-dead = its session was used twice at once; log in again
alert-lost-frozen = Telegram froze it; appeal in its app
alert-lost-quarantined = Telegram complained of it (PEER_FLOOD); let it rest, then reset it
alert-lost-banned = Telegram banned or deleted it; replace it
alert-poison-job = ☠️ A job failed as often as it may: { $job }
    { $reason }
    💡 It lies in the dead-letter queue; the host's log says more. A transfer goes on when it is due.
alert-host-gone = 🔌 Host <b>{ $host }</b> gives no sign of life since { $at }
    💡 Its transfers go on with other hosts, if there are any. Start it again.
alert-button-login = 🔑 Log in again
