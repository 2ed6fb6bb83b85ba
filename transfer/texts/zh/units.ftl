# 时长
duration-day = { $count } 天
duration-hour = { $count } 小时
duration-minute = { $count } 分钟
duration-second = { $count } 秒
