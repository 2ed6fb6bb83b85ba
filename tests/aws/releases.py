"""A transfer goes on throughout: deploy a second release, roll back, deploy again, back up, lose the table, restore, finish; a host is
killed in the middle of a deployment. Nothing is lost, and nothing arrives twice. Prints `ok` lines.

    tests/aws/releases.py EMULATOR_PYTHON FERRY SESSION_HOST SIMULATOR FUNCTION
"""

import sys
import tempfile
import threading
from pathlib import Path

from deployed import STAGE, Deployed

MESSAGES = 12_000
# Slow enough that all of it happens while messages go over.
FLOODS = "120:3"
CARRIED_SECS_MAX = 300


def main():
    names = ["emulator", "ferry", "session-host", "simulator", "function"]
    with Deployed(dict(zip(names, sys.argv[1:])), accounts=2, transfers=1, messages=MESSAGES, floods=FLOODS) as here:
        with tempfile.TemporaryDirectory(prefix="ferry-backup-") as directory:
            tell(here, Path(directory) / "backup.jsonl")


def tell(here, backup):
    here.deploy_first()
    here.deploy_release("r1")
    here.hosts_are_well()
    here.accounts_come(2)
    here.world.asks_for_transfer(0)
    goes_on(here)
    killed_in_deployment(here)
    goes_on(here)
    assert versions(here) == ["r2"], versions(here)
    here.does("verify")
    print("ok a second release is deployed while messages go over; its host was killed in the middle")
    here.does("rollback", "--yes")
    goes_on(here)
    assert versions(here) == ["r1"] and function_release(here) == "r1"
    print("ok infra/rollback goes back to the first, function and host")
    here.deploy_release("r2")
    goes_on(here)
    assert versions(here) == ["r2"] and function_release(here) == "r2"
    print("ok the second is deployed again")
    here.does("backup", str(backup))
    goes_on(here)
    lose(here)
    print("ok everything in the table is lost after a backup, when more had been carried")
    here.does("restore", str(backup), "--stop-hosts")
    here.hosts_are_well()
    here.until("all messages in the target", lambda: here.world.carried(0) >= len(here.world.wanted(0)), CARRIED_SECS_MAX)
    here.until("the end", lambda: here.tasks()[0]["state"].get("S") == "done" or "done" in str(here.tasks()[0]["state"]), 120)
    carried, _ = here.world.audit(0)
    assert here.world.calls_during_waits(here.fargate.kills_at_ms) == []
    print(f"ok {carried} messages arrived once and in order all the same, and no call during a wait")
    assert here.fargate.faults == [], here.fargate.faults


def goes_on(here):
    """Messages go over now, and not all have."""
    before = here.world.carried(0)
    here.until("more messages", lambda: here.world.carried(0) > before, 150)
    assert here.world.carried(0) < MESSAGES, "the transfer ended too early to prove anything"


def killed_in_deployment(here):
    deploying = threading.Thread(target=here.deploy_release, args=["r2"])
    [first] = here.fargate.running()
    deploying.start()
    here.until("the new release's host", lambda: any(host.revision != first.revision for host in here.fargate.running()), 300)
    here.fargate.kill_one()
    deploying.join()
    here.hosts_are_well()


def versions(here):
    return sorted({host.environment["FERRY_RELEASE"] for host in here.fargate.running()})


def function_release(here):
    return here.cloud.client("lambda").get_function_configuration(FunctionName=f"ferry-{STAGE}-webhook")["Environment"]["Variables"]["FERRY_RELEASE"]


def lose(here):
    """Somebody empties the table while hosts work."""
    dynamodb = here.cloud.client("dynamodb")
    for item in here.scan():
        dynamodb.delete_item(TableName=f"ferry-{STAGE}", Key={"pk": item["pk"], "sk": item["sk"]})


main()
