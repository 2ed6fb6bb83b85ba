"""Two hosts against one table and queue share ten transfers and eight accounts; each of them is killed once. Prints `ok` lines.

    tests/aws/two_hosts.py EMULATOR_PYTHON FERRY SESSION_HOST SIMULATOR FUNCTION
"""

import sys

from deployed import Deployed

TRANSFERS, ACCOUNTS, MESSAGES = 10, 8, 1_500
FLOODS = "150:3"
# A host that was killed is taken for dead after 100 s of silence.
CARRIED_SECS_MAX = 420


def main():
    names = ["emulator", "ferry", "session-host", "simulator", "function"]
    programs = dict(zip(names, sys.argv[1:]))
    with Deployed(programs, ACCOUNTS, TRANSFERS, MESSAGES, FLOODS, host_count=2) as here:
        tell(here)


def tell(here):
    here.deploy_first()
    here.deploy_release("r1")
    here.hosts_are_well()
    here.accounts_come(ACCOUNTS)
    for n in range(TRANSFERS):
        here.world.asks_for_transfer(n)
    here.until("ten transfers", lambda: len(here.tasks()) == TRANSFERS, 60)
    print(f"ok {ACCOUNTS} accounts are in the pool, and {TRANSFERS} transfers were asked for in chat")
    held = {}
    here.until("work of both hosts", lambda: both_carry(here, held), 120)
    print("ok both hosts hold accounts and transfers at the same time")
    kill(here, 0.3)
    kill(here, 0.5)
    here.until("all messages", lambda: all(here.world.carried(n) >= MESSAGES for n in range(TRANSFERS)), CARRIED_SECS_MAX)
    total = sum(here.world.audit(n)[0] for n in range(TRANSFERS))
    assert here.world.calls_during_waits(here.fargate.kills_at_ms) == []
    carriers = {call["account"] for call in here.world.control.audit() if call["method"] == "messages.forwardMessages" and call["applied"]}
    assert len(carriers) == ACCOUNTS, carriers
    print(f"ok {total} messages of {TRANSFERS} transfers arrived once and in order, by all {len(carriers)} accounts, though each host was killed once")
    assert here.fargate.faults == [], here.fargate.faults


def both_carry(here, held):
    """Leases of transfers, by host."""
    held.clear()
    for task in here.tasks():
        lease = task.get("lease", {}).get("M")
        if lease:
            held.setdefault(str(lease.get("host") or lease.get("holder")), []).append(task["pk"]["S"])
    return len(held) >= 2


def kill(here, share):
    """Kills the host that was started first, once so much has been carried."""
    wanted = share * TRANSFERS * MESSAGES
    here.until(f"{share:.0%} of the messages", lambda: sum(here.world.carried(n) for n in range(TRANSFERS)) >= wanted, CARRIED_SECS_MAX)
    here.fargate.kill_one()
    here.hosts_are_well(2)


main()
