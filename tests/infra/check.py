"""What infra/template.yaml asks AWS for, looked at after SAM has translated it: what no emulator applies, and what roles may do.

    python check.py TEMPLATE           prints `ok` or `FAILED` for each thing that must hold, and ends with 1 if one does not
    python check.py TEMPLATE --table   prints the table of docs/iam.md
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")

from cfnlint.decode import cfn_yaml
from samtranslator.translator.transform import transform

ROOT = Path(__file__).resolve().parent.parent.parent

# Statements that may name no resource of the stack, and for which actions; the template says why beside each.
ANY_RESOURCE = {
    "StartRole/Registry": {"ecr:GetAuthorizationToken"},
    # In a key's own policy `*` is that key.
    "WrappingKey/Administration": None,
    "WrappingKey/Unwrap": {"kms:Decrypt"},
}
# An expression that begins with something of the stack. A wildcard may stand at its end alone, for all that is inside of that thing.
INSIDE = re.compile(r"\$\{(\w+)(\.\w+)?\}[^*?]*([:/]\*)?")
# What each role may call, and nothing else: a wider role has to be widened here too.
MAY = {
    "HostRole": {
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
    },
    "StartRole": {
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetAuthorizationToken",
        "ecr:GetDownloadUrlForLayer",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "secretsmanager:GetSecretValue",
    },
    "WebhookRole": {
        "dynamodb:BatchGetItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "sqs:SendMessage",
    },
}
# Policies of AWS's own, by role: SAM gives the function those for logs and traces.
MANAGED = {"WebhookRole": {"AWSXrayWriteOnlyAccess", "service-role/AWSLambdaBasicExecutionRole"}}
# Which service of AWS acts in each role.
TAKEN_BY = {"HostRole": "ecs-tasks.amazonaws.com", "StartRole": "ecs-tasks.amazonaws.com", "WebhookRole": "lambda.amazonaws.com"}
# Who has one of these reads what the key wraps, or lets somebody read it.
UNWRAPS = {"*", "kms:*", "kms:CreateGrant", "kms:Decrypt", "kms:ReEncryptFrom"}

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


def iam_table(resources):
    """Each permission of each role, as docs/iam.md shows it."""
    rows = ["| who | for | may | on | only if |", "| --- | --- | --- | --- | --- |"]
    for name, statement in statements(resources):
        if "Principal" in statement and "Resource" not in statement:
            continue
        who = name if "Principal" not in statement else f"{name} (key policy, for {plain(statement['Principal'])})"
        actions = ", ".join(sorted(f"`{action}`" for action in many(statement["Action"])))
        on = ", ".join(plain(resource) for resource in many(statement["Resource"]))
        condition = statement.get("Condition")
        only = "" if condition is None else "; ".join(
            f"{key} {' or '.join(plain(value) for value in many(values))}" for test in condition.values() for key, values in test.items()
        )
        rows.append(f"| {who} | {statement.get('Sid', '')} | {actions} | {on} | {only} |")
    return "\n".join(rows)


def plain(value):
    """A template's expression in a few words."""
    if isinstance(value, str):
        return f"`{value}`"
    (kind, inner), = value.items()
    if kind == "Fn::GetAtt":
        return inner[0]
    if kind == "Fn::Sub":
        return "`" + re.sub(r"\$\{(\w+)\.Arn\}", r"\1", inner) + "`"
    return inner if kind == "Ref" else plain(inner)


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


def rights(resources):
    """Each statement by itself."""
    for name, statement in statements(resources):
        where = f"{name}/{statement.get('Sid', '?')}"
        check(statement["Effect"] == "Allow" and "NotAction" not in statement, f"{where}: says what is allowed, not what is not")
        actions = many(statement["Action"])
        check(all("*" not in action for action in actions), f"{where}: names its actions")
        excused = ANY_RESOURCE.get(where, set())
        fits = excused is None or set(actions) <= excused
        named = all(is_of_stack(resource, resources) for resource in many(statement["Resource"]))
        check(named or fits, f"{where}: names resources of the stack, or a reason is written down")
        in_index = all("/index/" in plain(resource) for resource in many(statement["Resource"]))
        if not in_index and any(action.startswith("dynamodb:") for action in actions):
            keys = many(statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", []))
            check(keys and all(key.startswith("BOT#0#") for key in keys), f"{where}: says which items of the table")
    unwraps = [statement.get("Principal") for _, statement in statements(resources) if UNWRAPS & set(many(statement["Action"]))]
    check(unwraps == [{"AWS": {"Fn::GetAtt": ["HostRole", "Arn"]}}], "only a host's role may unwrap private keys")


def is_of_stack(resource, resources):
    """Whether what a statement names is something that the stack made, or all that is inside of it. A literal ARN is not."""
    if not isinstance(resource, dict):
        return False
    (kind, inner), = resource.items()
    if kind == "Ref":
        return inner in resources
    if kind == "Fn::GetAtt":
        return inner[0] in resources
    inside = INSIDE.fullmatch(inner) if kind == "Fn::Sub" and isinstance(inner, str) else None
    return inside is not None and inside.group(1) in resources


def roles(resources):
    """What each role may do in all, and who acts in it."""
    found = {name for name, resource in resources.items() if resource["Type"].startswith("AWS::IAM::")}
    check(found == set(MAY), f"rights come with three roles, and with nothing else of IAM: {sorted(found)}")
    for role, may in MAY.items():
        may_now = allowed(resources, role)
        check(may_now == may, f"{role} may do what it needs and nothing else: {sorted(may_now ^ may) or 'as listed'}")
        arns = resources[role]["Properties"].get("ManagedPolicyArns", [])
        names = {json.dumps(arn).split("::aws:policy/")[-1].strip('"}]') for arn in arns}
        check(names == MANAGED.get(role, set()), f"{role} has no other policies of AWS's own than it needs: {sorted(names) or 'none'}")
        trust = resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        takers = [service for statement in trust for service in many(statement["Principal"]["Service"])]
        check(takers == [TAKEN_BY[role]], f"{role} is taken by {TAKEN_BY[role]} alone")


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
    for name in ("BotToken", "ApiHash", "WebhookSecret", "KeyRing", "WrappingKey", "Images"):
        policies = resources[name]["DeletionPolicy"], resources[name]["UpdateReplacePolicy"]
        check(policies == ("RetainExceptOnCreate", "Retain"), f"{name} outlives the stack, and not a creation that failed")
    keys = [resource["Properties"] for resource in resources.values() if resource["Type"] == "AWS::KMS::Key"]
    check(all(key.get("EnableKeyRotation") is True for key in keys), "the wrapping key is rotated")


def queues(resources):
    queue, dead = resources["Queue"]["Properties"], resources["DeadLetters"]["Properties"]
    check(queue["FifoQueue"] is True, "jobs come first in, first out")
    check(queue["VisibilityTimeout"] == 120, "a job is invisible for 120 s")
    redrive = queue.get("RedrivePolicy", {})
    check(redrive.get("maxReceiveCount") == 5, "a job is a dead letter after five tries")
    check(redrive.get("deadLetterTargetArn") == {"Fn::GetAtt": ["DeadLetters", "Arn"]}, "dead letters go to a queue of the stack")
    # SQS takes no other: a FIFO queue's dead letters stand in a FIFO queue.
    check(dead.get("FifoQueue") is True, "dead letters come in their order too")
    kept_secs, jobs_secs = dead.get("MessageRetentionPeriod", 0), queue.get("MessageRetentionPeriod", 0)
    check(kept_secs == 1_209_600 > jobs_secs, "dead letters are kept for 14 days, as long as SQS keeps anything")
    for name, resource in resources.items():
        if resource["Type"] == "AWS::SQS::Queue":
            check(resource["Properties"].get("SqsManagedSseEnabled") is True, f"what stands in {name} is encrypted")


def logs(resources):
    groups = {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == "AWS::Logs::LogGroup"}
    for name, group in groups.items():
        check(group.get("RetentionInDays") == {"Ref": "LogRetentionDays"}, f"{name} is kept for as many days as the parameter says")
    # Otherwise Lambda makes a log group of its own, which is kept for ever.
    function = plain(resources["Webhook"]["Properties"]["FunctionName"]).strip("`")
    named = [plain(group["LogGroupName"]).strip("`") for group in groups.values()]
    check(f"/aws/lambda/{function}" in named, "the function's log group is one of the stack")
    written = resources["HostTask"]["Properties"]["ContainerDefinitions"][0]["LogConfiguration"]["Options"]["awslogs-group"]
    check(written.get("Ref") in groups, "a host's log group is one of the stack")


def function(template):
    resources = template["Resources"]
    properties = resources["Webhook"]["Properties"]
    check(properties["Runtime"] == "provided.al2023", "the function runs on Amazon Linux 2023")
    check(properties.get("TracingConfig") == {"Mode": "Active"}, "the function is traced")
    for given, expected in [({}, 10), ({"ReservedConcurrency": 3}, 3), ({"ReservedConcurrency": 0}, {"Ref": "AWS::NoValue"})]:
        found = settled(properties.get("ReservedConcurrentExecutions"), template, given)
        told = given.get("ReservedConcurrency", "not named")
        check(found == expected, f"ReservedConcurrency is {told}: the function reserves {json.dumps(found)}")
    for arch, processor in [("arm64", "ARM64"), ("x86_64", "X86_64")]:
        found = settled(properties.get("Architectures"), template, {"Arch": arch})
        check(found == [arch], f"Arch={arch} is the function's processor: {found}")
        platform = resources["HostTask"]["Properties"].get("RuntimePlatform", {})
        found = settled(platform.get("CpuArchitecture"), template, {"Arch": arch})
        check(found == processor, f"Arch={arch} is the hosts' processor: {found}")
    tokens = [json.dumps(properties["Environment"]["Variables"][name]) for name in ("FERRY_BOT_TOKEN", "FERRY_WEBHOOK_SECRET")]
    check(all("resolve:secretsmanager" in token for token in tokens), "the function's secrets are resolved when it is deployed")


def settled(value, template, given):
    """What CloudFormation makes of an expression with these parameters, and the defaults of the others. Resources stay as they are."""
    if isinstance(value, list):
        return [settled(part, template, given) for part in value]
    if not isinstance(value, dict):
        return value
    (kind, inner), = value.items()
    if kind == "Ref" and inner in template["Parameters"]:
        return given.get(inner, template["Parameters"][inner].get("Default", value))
    if kind == "Fn::If":
        name, yes, no = inner
        return settled(yes if holds(template["Conditions"][name], template, given) else no, template, given)
    return value


def holds(condition, template, given):
    """Whether a condition of the template is true with these parameters."""
    (kind, inner), = condition.items()
    if kind == "Fn::Equals":
        # All parameters are text to CloudFormation.
        one, other = (str(settled(part, template, given)) for part in inner)
        return one == other
    if kind == "Condition":
        return holds(template["Conditions"][inner], template, given)
    every = [holds(part, template, given) for part in inner]
    return {"Fn::And": all(every), "Fn::Or": any(every), "Fn::Not": not every[0]}[kind]


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


def described(template):
    """What a person is asked for when he deploys by hand."""
    for name, parameter in template["Parameters"].items():
        check(len(parameter.get("Description", "")) > 20, f"the parameter {name} says what it is")
    required = {name for name, parameter in template["Parameters"].items() if "Default" not in parameter}
    check(required == {"Admins", "ApiId", "SealingKey"}, f"everything else has a default: {sorted(required)}")
    grouped = [name for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"] for name in group["Parameters"]]
    check(sorted(grouped) == sorted(template["Parameters"]), "every parameter stands in one group")
    check("NextStep" in template["Outputs"], "the outputs say what to do next")


def watched(resources):
    """What a person is woken for, and what he looks at then."""
    alarms = {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == "AWS::CloudWatch::Alarm"}
    expected = {"OldJobAlarm", "DeadLetterAlarm", "FunctionErrorAlarm", "HeartbeatAlarm", "NoAccountAlarm"}
    check(set(alarms) == expected, "five alarms")
    for name, alarm in alarms.items():
        check(alarm["AlarmActions"] == [{"Ref": "Alarms"}] and len(alarm["AlarmDescription"]) > 40, f"{name} tells somebody, and what to do")
    check(alarms["HeartbeatAlarm"]["TreatMissingData"] == "breaching", "silence of all hosts is an alarm")
    check(alarms["FunctionErrorAlarm"]["MetricName"] == "Url5xxCount", "an update that the function answers with 500 is an alarm")
    metrics = {alarm["MetricName"] for alarm in alarms.values() if alarm["Namespace"] == "Ferry"}
    measured = (ROOT / "session-host" / "src" / "engine" / "measures.rs").read_text()
    body = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body)["widgets"]
    shown = {
        name
        for widget in widgets
        for namespace, name in followed(widget["properties"]["metrics"])
        if namespace == "Ferry"
    }
    measured += (ROOT / "functions" / "webhook" / "src" / "main.rs").read_text()
    for name in sorted(metrics | shown):
        check(f'"{name}"' in measured, f"somebody measures {name}")
    for name in sorted(set(re.findall(r'(?:counter|gauge)!\("(\w+)"|^        \("(\w+)", counters', measured, re.M))):
        name = "".join(name)
        check(name in metrics | shown or name == "updates_taken", f"somebody looks at {name}")


def followed(metrics):
    """Namespace and name of each line of a widget, where `.` stands for what is above it."""
    above = []
    for line in metrics:
        words = [word for word in line if isinstance(word, str)]
        if not words:
            continue
        above = [above[place] if word == "." else word for place, word in enumerate(words)]
        yield above[0], above[1]


def main(path):
    lint = subprocess.run([Path(sys.executable).parent / "cfn-lint", str(path)], capture_output=True, text=True)
    print(lint.stdout, end="")
    check(lint.returncode == 0, "cfn-lint finds nothing")
    template = translated(path)
    described(template)
    resources = template["Resources"]
    rights(resources)
    roles(resources)
    state(resources)
    queues(resources)
    logs(resources)
    function(template)
    hosts(resources)
    watched(resources)
    page = (ROOT / "docs" / "iam.md").read_text()
    check(iam_table(resources) in page, "docs/iam.md shows each permission (check.py --table prints it)")
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[2:] == ["--table"]:
        print(iam_table(translated(Path(sys.argv[1]))["Resources"]))
        sys.exit(0)
    sys.exit(main(Path(sys.argv[1])))
