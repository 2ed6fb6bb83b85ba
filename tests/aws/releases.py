"""A transfer goes on throughout: deploy a second release, roll back, deploy again, back up, damage the table, restore; a host is killed
in the middle of a deployment. Then everything is lost, and only an older backup is there: the transfer is parked, and another one
carries what is left. Nothing is lost, and nothing arrives twice. Prints `ok` lines.

    tests/aws/releases.py EMULATOR_PYTHON FERRY SESSION_HOST SIMULATOR FUNCTION
"""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deployed import STAGE, Deployed

# Together the accounts may carry more in a day.
ACCOUNTS, MESSAGES = 8, 8_000
# Slow enough that all of it happens while messages go over; and quick, once all has happened.
FLOODS, QUICK_FLOODS = "100:30", "500:2"
CARRIED_SECS_MAX = 300
# A host that was killed is taken for dead after 100 s of silence.
GOES_ON_WITHIN_SECS = 180


def main():
    names = ["emulator", "ferry", "session-host", "simulator", "function"]
    with Deployed(dict(zip(names, sys.argv[1:])), accounts=ACCOUNTS, transfers=1, messages=MESSAGES, floods=FLOODS) as here:
        with tempfile.TemporaryDirectory(prefix="ferry-backup-") as directory:
            releases(here)
            going_on(here, Path(directory) / "backup.jsonl")
            parked(here, Path(directory) / "older.jsonl")
            the_rest(here)
    print("ok a transfer went through all of it")


def releases(here):
    here.deploy_first()
    here.deploy_release("r1")
    here.hosts_are_well()
    here.accounts_come(ACCOUNTS)
    here.world.asks_for_transfer(0)
    goes_on(here)
    killed_in_deployment(here)
    goes_on(here)
    assert versions(here) == ["r2"] and function_release(here) == "r2"
    here.does("verify")
    print("ok a second release is deployed while messages go over; its host was killed in the middle")
    here.does("rollback", "--yes")
    goes_on(here)
    assert versions(here) == ["r1"] and function_release(here) == "r1"
    print("ok infra/rollback goes back to the first, function and host")
    without_image(here)
    here.deploy_again("r2")
    goes_on(here)
    assert versions(here) == ["r2"] and function_release(here) == "r2"
    print("ok the second is deployed again")


def without_image(here):
    """A third release, of the function alone; before it was the first, whatever was deployed in between."""
    stays = [host.revision for host in here.fargate.running()]
    said = here.does("deploy", "--release", "r3", "--no-image", "--no-backup")
    assert "hosts still of image r1" in said, said
    goes_on(here)
    assert [host.revision for host in here.fargate.running()] == stays and function_release(here) == "r3"
    here.does("rollback", "--yes")
    goes_on(here)
    assert versions(here) == ["r1"] and function_release(here) == "r1"
    print("ok a third is deployed without an image, hosts stay as they are; infra/rollback goes back to what was before it")


def going_on(here, backup):
    """Nothing ran between backup and restore: the transfer stands as the backup has it."""
    scale(here, 0)
    here.does("backup", str(backup))
    [task], at = here.tasks(), here.world.carried(0)
    lose(here, lambda item: item["pk"] != task["pk"])
    assert here.ready() == []
    said = here.does("restore", str(backup), "--stop-hosts", "--yes")
    assert "1 did nothing since and go on by themselves, 0 are parked" in said, said
    here.hosts_are_well()
    assert len(here.ready()) == ACCOUNTS
    here.until("more messages", lambda: here.world.carried(0) > at, GOES_ON_WITHIN_SECS)
    print("ok everything but the transfer was lost while no host ran: it is restored, and the transfer goes on by itself")


def parked(here, older):
    """The transfer went on after the backup, and then all is lost."""
    here.does("backup", str(older))
    goes_on(here)
    lose(here, lambda item: True)
    said = here.does("restore", str(older), "--stop-hosts", "--yes")
    assert "0 did nothing since and go on by themselves, 1 are parked" in said, said
    here.hosts_are_well()
    [task] = here.tasks()
    assert task["state"]["M"]["is"]["S"] == "parked", task["state"]
    print("ok everything was lost while hosts worked: with a backup from before, the transfer is parked")


def the_rest(here):
    """As the bot says: cancel it, look at the target, begin a new one after its last message."""
    world, [task] = here.world, here.tasks()
    id = task["id"]["S"]
    world.says("/start")
    for data in ["tasks:0", f"task:{id}"]:
        world.presses(data)
    world.reads("restored from a backup")
    for data in [f"cancel?:{id}", f"cancel:{id}"]:
        world.presses(data)
    here.until("the parked transfer's end", lambda: here.tasks()[0]["state"]["M"]["is"]["S"] == "cancelled", 60)
    last = world.control.created(world.target(0))[-1]["source"][1]
    assert world.carried(0) < len(world.wanted(0)), "nothing is left for another transfer"
    world.control.ask("/floods", {"model": QUICK_FLOODS})
    world.asks_for_transfer(0, after=last)
    here.until("all messages in the target", lambda: world.carried(0) >= len(world.wanted(0)), CARRIED_SECS_MAX)
    here.until("its end", lambda: sorted(task["state"]["M"]["is"]["S"] for task in here.tasks()) == ["cancelled", "done"], 60)
    carried, _ = world.audit(0)
    assert world.calls_during_waits(here.fargate.kills_at_ms) == []
    print(f"ok a new transfer begins after message {last}; {carried} messages arrived once and in order all the same, and no call during a wait")
    assert here.fargate.faults == [], here.fargate.faults


def goes_on(here):
    """Messages go over now, and not all have."""
    before = here.world.carried(0)
    here.until("more messages", lambda: here.world.carried(0) > before, GOES_ON_WITHIN_SECS)
    assert here.world.carried(0) < MESSAGES, "the transfer ended too early to prove anything"


def killed_in_deployment(here):
    [first] = here.fargate.running()
    with ThreadPoolExecutor(1) as other:
        deploying = other.submit(here.deploy_release, "r2")
        here.until("the new release's host", lambda: any(has_begun(host, first) for host in here.fargate.running()), 300)
        killed = here.fargate.kill_one()
        assert killed.revision != first.revision and not deploying.done()
        deploying.result()
    here.hosts_are_well()


def has_begun(host, first):
    """Whether it is of another release than the first, and at work: its log begins with that."""
    return host.revision != first.revision and host.log.stat().st_size > 0


def scale(here, count):
    """As somebody does by hand: `aws ecs update-service --desired-count`."""
    here.cloud.client("ecs").update_service(cluster=f"ferry-{STAGE}", service=f"ferry-{STAGE}", desiredCount=count)
    here.until(f"{count} hosts", lambda: len(here.fargate.running()) == count, 120)


def versions(here):
    return sorted({host.environment["FERRY_RELEASE"] for host in here.fargate.running()})


def function_release(here):
    return here.cloud.client("lambda").get_function_configuration(FunctionName=f"ferry-{STAGE}-webhook")["Environment"]["Variables"]["FERRY_RELEASE"]


def lose(here, goes):
    """Somebody removes items."""
    dynamodb = here.cloud.client("dynamodb")
    for item in filter(goes, here.scan()):
        dynamodb.delete_item(TableName=f"ferry-{STAGE}", Key={"pk": item["pk"], "sk": item["sk"]})


main()
