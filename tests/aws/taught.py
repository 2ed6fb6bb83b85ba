"""ministack, taught what AWS does and it does not: condition keys of roles, how AWS reads a template, what a service of ECS keeps up,
and that a queue gives nothing to who hung up.

The keys `dynamodb:LeadingKeys` and `kms:EncryptionContext` make it refuse more. `aws:SourceAccount` lets ECS take the roles that trust it
under that condition, which AWS does and the bare emulator refuses; who may take a role at all is left to the emulator.

    python taught.py        as `ministack`, with the same environment
"""

import asyncio
import contextvars
import json
import secrets
import string

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import ecs, sqs
from ministack.services.cloudformation import provisioners

# --- condition keys ----------------------------------------------------------------------------------------------------------

_dynamodb_context = iam_actions.dynamodb_service_context
_tag_context = iam_actions.request_tag_context
_condition_key = iam_evaluator._resolve_condition_key


def leading_keys(body):
    """The partition keys that a request names: `dynamodb:LeadingKeys`, without which any key prefix in a role is idle."""
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return []
    keys = [request.get("Key"), request.get("Item")]
    for item in request.get("TransactItems") or []:
        keys += [part for action in item.values() for part in (action.get("Key"), action.get("Item"))]
    for asked in (request.get("RequestItems") or {}).values():
        keys += asked.get("Keys", []) if isinstance(asked, dict) else []
    return [key["pk"]["S"] for key in keys if key and "pk" in key]


def dynamodb_context(body):
    found, keys = _dynamodb_context(body), leading_keys(body)
    return {**found, "dynamodb:LeadingKeys": keys} if keys else found


def tag_context(service, iam_action, body, params):
    """The encryption context of a request to KMS, which the wrapping key's policy asks for."""
    found = _tag_context(service, iam_action, body, params)
    if service == "kms":
        try:
            context = json.loads(body or b"{}").get("EncryptionContext") or {}
        except ValueError:
            context = {}
        found = {**found, **{f"kms:EncryptionContext:{name}": value for name, value in context.items()}}
    return found


def condition_key(key, context):
    """ECS takes a task's role on behalf of the account that the task is in."""
    if key.lower() == "aws:sourceaccount" and context.action == "sts:AssumeRole":
        return context.principal_account
    return _condition_key(key, context)


iam_actions.dynamodb_service_context = dynamodb_context
iam_actions.request_tag_context = tag_context
iam_evaluator._resolve_condition_key = condition_key

# --- ECS ---------------------------------------------------------------------------------------------------------------------

_create_service, _update_service, _stop_task = ecs._create_service, ecs._update_service, ecs._stop_task
_container_definitions = provisioners._normalize_container_defs


def with_number(request):
    """A parameter of type Number is text in CloudFormation, and a number where a resource wants one."""
    return {**request, "desiredCount": int(request["desiredCount"])} if "desiredCount" in request else request


def container_definitions(definitions):
    """Secrets of a container keep their names."""
    found = _container_definitions(definitions)
    for definition in found:
        secrets = definition.get("secrets", [])
        definition["secrets"] = [{name[:1].lower() + name[1:]: value for name, value in secret.items()} for secret in secrets]
    return found


def stop_task(request):
    """A service has another task started for each of its tasks that is stopped."""
    cluster = ecs._resolve_cluster_name(request.get("cluster", "default"))
    task = ecs._resolve_task(request.get("task", ""), cluster) if cluster else None
    answer = _stop_task(request)
    kind, _, service = (task or {}).get("group", "").partition(":")
    if kind == "service":
        ecs._reconcile_service_tasks(cluster, f"{cluster}/{service}")
    return answer


ecs._create_service = lambda request: _create_service(with_number(request))
ecs._update_service = lambda request: _update_service(with_number(request))
# Only whoever asks from outside: the emulator's own scheduler starts what it wants after it has stopped something.
ecs._ACTION_MAP["StopTask"] = stop_task
provisioners._normalize_container_defs = container_definitions

# --- SQS ---------------------------------------------------------------------------------------------------------------------

_serve, _collected = app.app, sqs._collect_msgs
_hung_up = contextvars.ContextVar("hung_up", default=None)


async def serve(scope, receive, send):
    """Notices when who asked hangs up, while the answer is being waited for."""
    if scope["type"] != "http":
        return await _serve(scope, receive, send)
    hung_up, listening = asyncio.Event(), []
    _hung_up.set(hung_up)

    async def listen():
        while (await receive())["type"] != "http.disconnect":
            pass
        hung_up.set()

    async def heard():
        if listening:
            await hung_up.wait()
            return {"type": "http.disconnect"}
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            listening.append(asyncio.create_task(listen()))
        return message

    try:
        return await _serve(scope, heard, send)
    finally:
        for task in listening:
            task.cancel()


def collected(queue, count_max, visibility_secs):
    """Who hung up gets nothing: a host that was stopped would have taken a job with it until the job's visibility timeout is over."""
    hung_up = _hung_up.get()
    return [] if hung_up and hung_up.is_set() else _collected(queue, count_max, visibility_secs)


app.app = serve
sqs._collect_msgs = collected

# --- secrets -----------------------------------------------------------------------------------------------------------------

_secret = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]
_create_secret, _secret_string = _secret["create"], provisioners._sm_secret_string


def create_secret(*arguments):
    """`!Ref` of a secret is its ARN, as roles and containers name it."""
    _, attributes = _create_secret(*arguments)
    return attributes["Arn"], attributes


def secret_string(properties):
    """What is drawn has no punctuation if the template wants none."""
    drawn = properties.get("GenerateSecretString")
    if not drawn or not drawn.get("ExcludePunctuation") or drawn.get("SecretStringTemplate"):
        return _secret_string(properties)
    letters = string.ascii_letters + string.digits
    return "".join(secrets.choice(letters) for _ in range(int(drawn.get("PasswordLength", 32))))


_secret["create"] = create_secret
provisioners._sm_secret_string = secret_string

app.main()
