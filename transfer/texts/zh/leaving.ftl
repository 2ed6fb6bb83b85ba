# 管理员移除的账号：告诉提出请求的人。
leaving-gone = 👋 账号 <b>{ $account }</b> 已离开账号池：{ $how }
leaving-gone-signed-out = 已在 Telegram 退出登录，本地数据已全部清除。
leaving-gone-was-over = Telegram 早已结束它的会话；本地数据已全部清除。
leaving-gone-no-session = 本地数据已清除，但会话无法打开，因此没有通知 Telegram。
    💡 请在该账号的 Telegram 应用中结束会话：设置 → 设备。
leaving-not-yet = ⏳ 账号 <b>{ $account }</b> 暂时还不能离开：{ $why }
    它不再接新的搬运，一旦可以就会自动离开。
leaving-unsettled = 有一个搬运的消息是否送达，只有这个账号知道。
    💡 请让那个搬运继续，或取消它。
leaving-waits = Telegram 要求它等到 { $until }。
leaving-unreachable = 无法请 Telegram 让它退出登录（{ $reason }）。
leaving-busy = 仍有任务在使用它。
leaving-all-gone = 🚨 所有账号都已在 Telegram 退出登录，本地数据已清除（{ $at }）。
    💡 搬运已停放。请添加账号后再继续。
