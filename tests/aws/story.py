"""From nothing to a transfer, in an emulated AWS with its roles enforced: the real template, deployed by infra/deploy; the function
as the emulator runs it; the host as the task definition says; an account and a transfer from the chat. Prints `ok` lines.

    tests/aws/story.py EMULATOR_PYTHON FERRY SESSION_HOST SIMULATOR FUNCTION
"""

import json
import sys
import urllib.request

from deployed import STAGE, Deployed
from world import TOKEN

MESSAGES = 600
CARRIED_SECS_MAX = 180
OTHER_API_HASH = "0123456789abcdef" * 2
# They are written each minute.
FIGURES_WITHIN_SECS = 75


def main():
    names = ["emulator", "ferry", "session-host", "simulator", "function"]
    with Deployed(dict(zip(names, sys.argv[1:])), accounts=2, transfers=1, messages=MESSAGES, floods="250:6") as here:
        tell(here)


def tell(here):
    said = here.deploy_first()
    assert "no host runs" in said, said
    print("ok infra/deploy brings up everything but hosts, and says so")
    assert here.fargate.running() == []
    ring = here.cloud.client("secretsmanager").get_secret_value(SecretId=f"ferry/{STAGE}/keys")["SecretString"]
    here.deploy_release("r1")
    assert here.cloud.client("secretsmanager").get_secret_value(SecretId=f"ferry/{STAGE}/keys")["SecretString"] == ring
    print("ok the second run needs nothing that the first was told, and leaves the key ring as it is")
    here.hosts_are_well()
    print("ok a host starts from the deployed task definition, with the role that it names, and is well")
    here.accounts_come(2)
    print("ok two accounts come into the pool by the keypad in the chat")
    here.world.asks_for_transfer(0)
    here.until("all messages in the target", lambda: here.world.carried(0) >= len(here.world.wanted(0)), CARRIED_SECS_MAX)
    here.world.reads("· done", 60)
    carried, albums = here.world.audit(0)
    assert albums > 0, "there were no albums: this proves nothing of them"
    print(f"ok {carried} messages with {albums} albums arrived once, in order and whole; the admin was told")
    assert here.world.calls_during_waits([]) == []
    floods = [call for call in here.world.control.audit() if call["wait_until_ms"] is not None]
    assert floods, "nobody was told to wait: this proves nothing"
    print(f"ok {len(floods)} waits, and no call during any")
    said = here.does("verify")
    assert " 0 failed" in said, said
    print(said)
    print("ok infra/verify finds nothing that failed")
    figures(here, carried, len(floods))
    another_secret(here)
    roles(here)
    broken(here)
    assert here.fargate.faults == [], here.fargate.faults


def figures(here, carried, floods):
    """What function and host wrote into their logs for CloudWatch, against what happened."""
    here.until("the host's figures of the last minute", lambda: host_sum(here, "messages_forwarded") >= carried, FIGURES_WITHIN_SECS)
    counted = {name: host_sum(here, name) for name in ("messages_forwarded", "floods", "flood_wait_secs", "chunks", "chunk_millis", "jobs")}
    assert counted["messages_forwarded"] == carried, counted
    # Waits that were asked for outside of a transfer belong to nobody's statistics.
    assert 0 < counted["floods"] <= floods and counted["flood_wait_secs"] >= counted["floods"], (counted, floods)
    assert counted["chunks"] * 100 >= carried and counted["chunk_millis"] > 0 and counted["jobs"] > 0, counted
    # As of the last look at the pool: one of them may have waited at that moment.
    here.until("both accounts among the figures", lambda: standing(here)[-1:] == [(2, 0)], 2 * FIGURES_WITHIN_SECS)
    assert sum(figure.get("updates_taken", 0) for figure in function_figures(here)) > 0
    print(f"ok the figures say what happened: {counted}")


def host_figures(here):
    # The last line may be half written.
    return embedded(line for log in here.fargate.logs() for line in log.read_text(errors="replace").split("\n")[:-1])


def standing(here):
    return [(figure["accounts_ready"], figure["accounts_out"]) for figure in host_figures(here) if "accounts_ready" in figure]


def host_sum(here, name):
    return sum(figure.get(name, 0) for figure in host_figures(here))


def function_figures(here):
    pages = here.cloud.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/ferry-{STAGE}-webhook")
    return embedded(line for page in pages for event in page["events"] for line in event["message"].splitlines())


def embedded(lines):
    return [json.loads(line) for line in lines if line.startswith("{") and '"_aws"' in line]


def broken(here):
    """One thing of each kind is put out of order: infra/verify names each, and its exit status tells."""
    client = here.cloud.client
    elsewhere = json.dumps({"url": f"{here.cloud.url}/elsewhere"}).encode()
    request = urllib.request.Request(f"{here.world.bot_api}/bot{TOKEN}/setWebhook", elsewhere, {"content-type": "application/json"})
    urllib.request.urlopen(request, timeout=30).close()
    function = client("lambda").get_function_configuration(FunctionName=f"ferry-{STAGE}-webhook")
    variables = {**function["Environment"]["Variables"], "FERRY_RELEASE": "another", "FERRY_WEBHOOK_SECRET": "another-secret-of-nobody-at-all-0123456789"}
    client("lambda").update_function_configuration(FunctionName=function["FunctionName"], Environment={"Variables": variables})
    queue = client("sqs").get_queue_url(QueueName=f"ferry-{STAGE}.fifo")["QueueUrl"]
    client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": ""})
    for account in here.ready():
        client("dynamodb").put_item(TableName=f"ferry-{STAGE}", Item={**account, "state": {"S": "session_dead"}, "version": {"N": str(int(account["version"]["N"]) + 1)}})
    status, said = here.run("verify")
    rows = {line.split("  ")[0]: line for line in said.splitlines() if "  " in line}
    for part in ("configuration", "webhook", "telegram", "queue", "release", "accounts"):
        assert "FAILED" in rows.get(part, ""), f"{part}: {said}"
    assert status == 1 and "6 failed" in said, (status, said)
    print("ok infra/verify names six parts that are out of order, and ends with 1")


def another_secret(here):
    """A run that died between putting a secret and deploying leaves hosts at work with the old one."""
    client = here.cloud.client("secretsmanager")
    client.put_secret_value(SecretId=f"ferry/{STAGE}/api-hash", SecretString=OTHER_API_HASH)
    said = here.deploy_again("r1")
    assert "hosts start anew" in said, said
    here.until("a host with the new secret", lambda: [host.environment["FERRY_API_HASH"] for host in here.fargate.running()] == [OTHER_API_HASH], 120)
    here.hosts_are_well()
    assert "hosts start anew" not in here.deploy_again("r1")
    print("ok a secret that changed reaches hosts that were at work already, once")


def roles(here):
    """The same credentials, used for what nobody who has them needs."""
    import botocore.exceptions

    iam, task = here.cloud.client("iam"), here.cloud.client("ecs").describe_task_definition(taskDefinition=f"ferry-{STAGE}")["taskDefinition"]
    webhook = next(role["Arn"] for role in iam.list_roles()["Roles"] if "WebhookRole" in role["RoleName"])
    function = here.cloud.client("lambda").get_function_configuration(FunctionName=f"ferry-{STAGE}-webhook")
    assert function["Role"] == webhook
    arns = [("host", task["taskRoleArn"]), ("start", task["executionRoleArn"]), ("function", webhook)]
    with_policies = {name: here.cloud.assumed(arn) for name, arn in arns}
    table, queue = f"ferry-{STAGE}", here.cloud.client("sqs").get_queue_url(QueueName=f"ferry-{STAGE}.fifo")["QueueUrl"]
    # What it may write, so that below it is the prefix that is refused, and nothing else.
    names = ("BOT#0#CHAT#0", "BOT#0#HOST#forged", "BOT#1#HOST#forged")
    chat, host, other = ({"pk": {"S": pk}, "sk": {"S": "OF_NOBODY"}} for pk in names)
    for name in ("function", "host"):
        dynamodb = here.cloud.client("dynamodb", with_policies[name])
        dynamodb.put_item(TableName=table, Item=chat)
        dynamodb.delete_item(TableName=table, Key=chat)
    refused = 0
    for name, service, call, arguments in [
        ("host", "dynamodb", "scan", {"TableName": table}),
        ("host", "dynamodb", "delete_table", {"TableName": table}),
        ("host", "dynamodb", "put_item", {"TableName": table, "Item": other}),
        ("host", "sqs", "purge_queue", {"QueueUrl": queue}),
        ("host", "secretsmanager", "get_secret_value", {"SecretId": f"ferry/{STAGE}/bot-token"}),
        ("host", "s3", "list_buckets", {}),
        ("start", "dynamodb", "get_item", {"TableName": table, "Key": {"pk": {"S": "x"}, "sk": {"S": "x"}}}),
        ("start", "secretsmanager", "get_secret_value", {"SecretId": f"ferry/{STAGE}/webhook-secret"}),
        ("start", "sqs", "receive_message", {"QueueUrl": queue}),
        ("function", "dynamodb", "put_item", {"TableName": table, "Item": host}),
        ("function", "dynamodb", "delete_item", {"TableName": table, "Key": host}),
        ("function", "dynamodb", "transact_write_items", {"TransactItems": [{"Put": {"TableName": table, "Item": item}} for item in (chat, host)]}),
        ("function", "dynamodb", "scan", {"TableName": table}),
        ("function", "sqs", "receive_message", {"QueueUrl": queue}),
        ("function", "secretsmanager", "get_secret_value", {"SecretId": f"ferry/{STAGE}/keys"}),
    ]:
        try:
            getattr(here.cloud.client(service, with_policies[name]), call)(**arguments)
        except botocore.exceptions.ClientError as error:
            assert "AccessDenied" in error.response["Error"]["Code"], error
            refused += 1
        else:
            raise AssertionError(f"the role {name} may {call}")
    print(f"ok {refused} things that no role is for are refused to it")


main()
