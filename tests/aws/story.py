"""From nothing to a transfer, in an emulated AWS with its roles enforced: the real template, deployed by infra/deploy; the function
as the emulator runs it; the host as the task definition says; an account and a transfer from the chat. Prints `ok` lines.

    tests/aws/story.py EMULATOR_PYTHON FERRY SESSION_HOST SIMULATOR FUNCTION
"""

import sys

from deployed import STAGE, Deployed

MESSAGES = 600
CARRIED_SECS_MAX = 180


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
    print(f"ok {carried} messages with {albums} albums arrived once, in order and whole; the admin was told")
    assert here.world.calls_during_waits([]) == []
    floods = [call for call in here.world.control.audit() if call["wait_until_ms"] is not None]
    assert floods, "nobody was told to wait: this proves nothing"
    print(f"ok {len(floods)} waits, and no call during any")
    said = here.does("verify")
    assert " 0 failed" in said, said
    print(said)
    print("ok infra/verify finds nothing that failed")
    roles(here)
    assert here.fargate.faults == [], here.fargate.faults


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
    chat, host = ({"pk": {"S": pk}, "sk": {"S": "OF_NOBODY"}} for pk in ("BOT#0#CHAT#0", "BOT#0#HOST#forged"))
    dynamodb = here.cloud.client("dynamodb", with_policies["function"])
    dynamodb.put_item(TableName=table, Item=chat)
    dynamodb.delete_item(TableName=table, Key=chat)
    refused = 0
    for name, service, call, arguments in [
        ("host", "dynamodb", "scan", {"TableName": table}),
        ("host", "dynamodb", "delete_table", {"TableName": table}),
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
