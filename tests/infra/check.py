"""What infra/template.yaml asks AWS for, looked at after SAM has translated it: what no emulator applies, and what roles may do.

    python check.py TEMPLATE

Prints `ok` or `FAILED` for each thing that must hold, and ends with 1 if one does not.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")

from cfnlint.decode import cfn_yaml
from samtranslator.translator.transform import transform

# Resource "*" is right in these statements alone, and the template says why beside each.
ANY_RESOURCE = {
    "Registry": {"ecr:GetAuthorizationToken"},
    # In a key's own policy `*` is that key.
    "Administration": None,
    "Unwrap": {"kms:Decrypt"},
}
# What one role may call, and nothing else: a wider role has to be widened here too.
HOST_MAY = {
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
}
FUNCTION_MAY = {
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "sqs:SendMessage",
}

failed = 0


def check(holds, what):
    global failed
    failed += not holds
    print(("ok " if holds else "FAILED ") + what, flush=True)


class NoManagedPolicies:
    """SAM asks for the policies that AWS manages; the template names none of them."""

    def load(self):
        return {}


def translated(path):
    template = cfn_yaml.load(str(path))
    # The translator wants plain types, not those that remember their lines.
    plain = json.loads(json.dumps(template, default=str))
    for resource in plain["Resources"].values():
        code = resource.get("Properties", {}).get("CodeUri")
        if code:
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    return transform(plain, {}, NoManagedPolicies())


def many(value):
    return value if isinstance(value, list) else [value]


def statements(resources):
    """Every statement of every policy, with where it stands."""
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        documents += [properties[key] for key in ("PolicyDocument", "KeyPolicy") if key in properties]
        for document in documents:
            for statement in many(document["Statement"]):
                yield name, statement


def allowed(resources, role):
    return {
        action
        for name, statement in statements(resources)
        if name == role
        for action in many(statement["Action"])
    }


def roles(resources):
    for name, statement in statements(resources):
        where = f"{name}/{statement.get('Sid', '?')}"
        check(statement["Effect"] == "Allow" and "NotAction" not in statement, f"{where}: says what is allowed, not what is not")
        actions = many(statement["Action"])
        check(all("*" not in action for action in actions), f"{where}: names its actions")
        if "*" in many(statement["Resource"]):
            excused = ANY_RESOURCE.get(statement.get("Sid"), set())
            fits = excused is None or set(actions) <= excused
            check(fits, f"{where}: names its resources, or a reason is written down")
    check(allowed(resources, "HostRole") == HOST_MAY, "a host may do what it needs and nothing else")
    check(allowed(resources, "WebhookRole") == FUNCTION_MAY, "the function may do what it needs and nothing else")
    unwraps = [
        statement["Principal"]
        for _, statement in statements(resources)
        if any(action in ("kms:Decrypt", "kms:*", "*") for action in many(statement["Action"]))
    ]
    check(unwraps == [{"AWS": {"Fn::GetAtt": ["HostRole", "Arn"]}}], "only a host's role may unwrap private keys")
    managed = resources["WebhookRole"]["Properties"].get("ManagedPolicyArns", [])
    names = sorted(json.dumps(arn).split("policy/")[-1].strip('"}]') for arn in managed)
    basic = ["AWSXrayWriteOnlyAccess", "service-role/AWSLambdaBasicExecutionRole"]
    check(names == sorted(basic), f"AWS's own policies of the function are those for logs and traces: {names}")


def state(resources):
    table = resources["Table"]
    properties = table["Properties"]
    check(properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at_epoch_secs", "Enabled": True}, "items expire")
    check(properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True, "the table can be recovered to any second")
    check(properties["SSESpecification"]["SSEEnabled"] is True, "the table is encrypted")
    check(properties["DeletionProtectionEnabled"] is True, "the table cannot be deleted by mistake")
    check(table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain", "the table outlives its stack")
    check(properties["BillingMode"] == "PAY_PER_REQUEST", "the table costs nothing while nobody uses it")
    indexes = {index["IndexName"]: index["Projection"]["ProjectionType"] for index in properties["GlobalSecondaryIndexes"]}
    check(indexes == {"due": "KEYS_ONLY", "listed": "KEYS_ONLY"}, "two indexes of keys alone")
    for name in ("BotToken", "ApiHash", "WebhookSecret", "KeyRing", "WrappingKey"):
        check(resources[name]["DeletionPolicy"] == "Retain", f"{name} outlives the stack")
    queue = resources["Queue"]["Properties"]
    check(queue["FifoQueue"] is True and queue["RedrivePolicy"]["maxReceiveCount"] == 5, "a FIFO queue with dead letters after five tries")
    check(queue["VisibilityTimeout"] == 120, "a job is invisible for 120 s")


def hosts(resources):
    container = resources["HostTask"]["Properties"]["ContainerDefinitions"][0]
    check(container["ReadonlyRootFilesystem"] is True, "a host's file system is read-only")
    check(not container["User"].startswith("0"), "a host is not root")
    check(container["StopTimeout"] == 120, "a host has 120 s to stop")
    check("HealthCheck" in container, "a host's health is looked at")
    secrets = {secret["Name"] for secret in container["Secrets"]}
    plain = {variable["Name"] for variable in container["Environment"]}
    check(secrets == {"FERRY_BOT_TOKEN", "FERRY_API_HASH", "FERRY_KEYS"}, "a host's secrets come from Secrets Manager")
    check(not secrets & plain, "no secret of a host stands in its task definition")
    service = resources["Hosts"]["Properties"]
    deployment = service["DeploymentConfiguration"]
    check((deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (0, 100), "the old host stops before the new one starts")
    check("Condition" in resources["Hosts"], "without an image there is no host")
    firewall = resources["HostFirewall"]["Properties"]
    check("SecurityGroupIngress" not in firewall and firewall["SecurityGroupEgress"], "nobody can call a host")
    check(not any(resource["Type"] == "AWS::EC2::NatGateway" for resource in resources.values()), "no NAT gateway")


def main(path):
    lint = subprocess.run([Path(sys.executable).parent / "cfn-lint", str(path)], capture_output=True, text=True)
    print(lint.stdout, end="")
    check(lint.returncode == 0, "cfn-lint finds nothing")
    resources = translated(path)["Resources"]
    roles(resources)
    state(resources)
    hosts(resources)
    variables = resources["Webhook"]["Properties"]["Environment"]["Variables"]
    tokens = [json.dumps(variables[name]) for name in ("FERRY_BOT_TOKEN", "FERRY_WEBHOOK_SECRET")]
    check(all("resolve:secretsmanager" in token for token in tokens), "the function's secrets are resolved when it is deployed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
