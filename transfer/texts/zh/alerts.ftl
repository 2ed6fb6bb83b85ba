# 警报：每位管理员只通知一次
alert-few-accounts = ⚠️ { $of } 个账号中只有 { $available } 个可用
    💡 请查看账号列表：被限流的账号会自动恢复；添加账号可以让搬运继续进行。
alert-long-flood = ⏳ 账号 <b>{ $account }</b> 被限流至 { $until }
    💡 超过六小时。请让它休息，并放慢搬运速度或添加账号。
alert-many-skipped = ⏭️ <b>{ $title }</b>：{ $matched } 条匹配的消息中有 { $skipped } 条被跳过
    💡 请查看跳过的原因。
alert-account-lost = ❌ 账号 <b>{ $account }</b> 已退出账号池：{ $what }
    { $reason }
alert-lost-ready = 可以使用
alert-lost-signed-out = 会话已被终止，请重新登录
alert-lost-session-dead = 会话被同时使用两次，请重新登录
alert-lost-frozen = 已被 Telegram 冻结，请在其应用中申诉
alert-lost-quarantined = 被 Telegram 警告（PEER_FLOOD），请让它休息后再重置
alert-lost-banned = 已被 Telegram 封禁或删除，请更换
alert-poison-job = ☠️ 任务消息失败次数已达上限：{ $job }
    { $reason }
    💡 它已进入死信队列，详情见主机日志。搬运到时会自动继续。
alert-host-gone = 🔌 主机 <b>{ $host }</b> 自 { $at } 起没有响应
    💡 如有其他主机，搬运会由它们继续。请重新启动该主机。
alert-button-login = 🔑 重新登录
