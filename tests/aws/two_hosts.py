"""Two hosts against one table and queue share ten transfers and eight accounts; each of them is killed once. Prints `ok` lines.

    tests/aws/two_hosts.py EMULATOR_PYTHON FERRY SESSION_HOST SIMULATOR FUNCTION
"""

import sys

from deployed import Deployed

# Together less than the accounts may carry in a day.
TRANSFERS, ACCOUNTS, MESSAGES = 10, 8, 600
# Each batch's job goes to whichever host asks first. With one for each transfer, one host may get all of them by chance.
BATCH = 200
# Slow while transfers are asked for one by one: both hosts are to hold some. Then quicker.
SLOW_FLOODS, FLOODS = "100:25", "100:8"
# A host that was killed is taken for dead after 100 s of silence.
CARRIED_SECS_MAX = 420


def main():
    names = ["emulator", "ferry", "session-host", "simulator", "function"]
    programs = dict(zip(names, sys.argv[1:]))
    with Deployed(programs, ACCOUNTS, TRANSFERS, MESSAGES, SLOW_FLOODS, host_count=2) as here:
        tell(here)


def tell(here):
    here.deploy_first()
    here.deploy_release("r1")
    here.hosts_are_well()
    originals = {host.log for host in here.fargate.running()}
    here.accounts_come(ACCOUNTS)
    for n in range(TRANSFERS):
        here.world.asks_for_transfer(n, batch=BATCH)
    here.until("ten transfers", lambda: len(here.tasks()) == TRANSFERS, 60)
    print(f"ok {ACCOUNTS} accounts are in the pool, and {TRANSFERS} transfers were asked for in chat")
    held = {}
    here.until("work of both hosts", lambda: both_carry(here, held), 120)
    print("ok both hosts hold transfers at the same time")
    here.world.control.ask("/floods", {"model": FLOODS})
    first, second = kill(here, 0.2, held), kill(here, 0.35)
    assert {first.log, second.log} == originals, "a host was killed twice, or its successor"
    print("ok each was killed once, and another took its place")
    here.until("all messages", lambda: all(here.world.carried(n) >= MESSAGES for n in range(TRANSFERS)), CARRIED_SECS_MAX)
    total = sum(here.world.audit(n)[0] for n in range(TRANSFERS))
    assert here.world.calls_during_waits(here.fargate.kills_at_ms) == []
    carriers = {call["account"] for call in here.world.control.audit() if call["method"] == "messages.forwardMessages" and call["applied"]}
    assert len(carriers) == ACCOUNTS, carriers
    print(f"ok {total} messages of {TRANSFERS} transfers arrived once and in order, by all {len(carriers)} accounts, though each host was killed once")
    assert here.fargate.faults == [], here.fargate.faults


def both_carry(here, held):
    """Which transfers each host holds: their numbers, by host."""
    held.clear()
    for task in here.tasks():
        if lease := task.get("lease", {}).get("M"):
            number = int(task["source"]["M"]["address"]["S"].removeprefix("@source"))
            held.setdefault(lease["host"]["S"], []).append(number)
    return len(held) == 2


def kill(here, share, held=None):
    """Kills the host that was started first, once so much has been carried, and by each of those who hold transfers."""
    wanted = share * TRANSFERS * MESSAGES

    def is_time():
        carried = [here.world.carried(n) for n in range(TRANSFERS)]
        return sum(carried) >= wanted and all(any(carried[n] for n in numbers) for numbers in (held or {}).values())

    here.until(f"{share:.0%} of the messages", is_time, CARRIED_SECS_MAX)
    killed = here.fargate.kill_one()
    here.until("the killed host's end", lambda: killed not in here.fargate.running(), 60)
    here.hosts_are_well(2)
    return killed


main()
