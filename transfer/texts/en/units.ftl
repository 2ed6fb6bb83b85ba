# Lengths of time.
duration-day = { $count } d
duration-hour = { $count } h
duration-minute = { $count } min
duration-second = { $count } s
