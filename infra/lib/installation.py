"""One installation in AWS: its stack, and what the stack made."""

import re

from .failure import BadInput, Failed

# Everything that the template needs of a region.
SERVICES = ["cloudformation", "cloudwatch", "dynamodb", "ec2", "ecr", "ecs", "iam", "kms", "lambda", "logs", "s3", "secretsmanager", "sns", "sqs"]
SECRETS = ["bot-token", "api-hash", "webhook-secret", "keys"]
SECRETS_OF_HOSTS = ["bot-token", "api-hash", "keys"]
# How AWS says that a secret, a table, a registry or an image is not there.
NOT_THERE = ("ResourceNotFoundException", "RepositoryNotFoundException", "ImageNotFoundException")
# Without an answer for so long, AWS is not there.
CONNECT_SECS_MAX = 10
READ_SECS_MAX = 60


def add_options(parser):
    """The options that every script has."""
    parser.add_argument("--stage", default="prod", help="which installation; several can live in one AWS account (default: prod)")
    parser.add_argument("--region", help="the AWS region (default: where AWS programs look for it, such as AWS_REGION)")
    parser.add_argument("--endpoint", help="an emulator of AWS instead of AWS (default: AWS_ENDPOINT_URL)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")


class Installation:
    """Made of options; refuses what cannot work before anything is asked of AWS."""

    def __init__(self, options, environment):
        import boto3
        import botocore.config

        if not re.fullmatch(r"[a-z][a-z0-9-]{0,15}", options.stage):
            raise BadInput(f"--stage {options.stage}: it is up to 16 small letters, digits and -, and begins with a letter")
        self.stage = options.stage
        self.stack_name = "ferry" if self.stage == "prod" else f"ferry-{self.stage}"
        self.endpoint = options.endpoint or environment.get("AWS_ENDPOINT_URL") or None
        region = options.region or environment.get("AWS_REGION")
        self._session = boto3.Session(region_name=region)
        self.region = self._session.region_name
        if self.region is None:
            raise BadInput("no AWS region is set: name it with --region, or set AWS_REGION")
        self._config = botocore.config.Config(connect_timeout=CONNECT_SECS_MAX, read_timeout=READ_SECS_MAX, retries={"max_attempts": 4})
        self._clients = {}
        self._secrets = {}
        self._check_region()
        self.account = self._check_credentials()

    def environment(self, environment):
        """What a program needs to find the same AWS."""
        found = {**environment, "AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        if self.endpoint:
            found["AWS_ENDPOINT_URL"] = self.endpoint
        return found

    def with_credentials(self, environment):
        """The same with the credentials of now, for a program that cannot sign in by itself in every way that boto3 can."""
        held = self._session.get_credentials().get_frozen_credentials()
        found = {**environment, "AWS_ACCESS_KEY_ID": held.access_key, "AWS_SECRET_ACCESS_KEY": held.secret_key}
        # One that was inherited belongs to other keys.
        found.pop("AWS_SESSION_TOKEN", None)
        return {**found, "AWS_SESSION_TOKEN": held.token} if held.token else found

    def aws(self, service):
        if service not in self._clients:
            self._clients[service] = self._session.client(service, endpoint_url=self.endpoint, config=self._config)
        return self._clients[service]

    def _check_region(self):
        lacking = [name for name in SERVICES if not self._has(name)]
        if len(lacking) == len(SERVICES):
            raise BadInput(f"there is no AWS region {self.region}: name another with --region")
        if lacking:
            raise BadInput(f"the region {self.region} has no {', '.join(lacking)}: name another with --region")

    def _has(self, service):
        partition = self._session.get_partition_for_region(self.region) if self._is_known() else "aws"
        regions = self._session.get_available_regions(service, partition_name=partition)
        # Services without regions, such as IAM, are everywhere.
        return self.region in regions or (self._is_known() and not regions)

    def _is_known(self):
        partitions = self._session.get_available_partitions()
        return any(self.region in self._session.get_available_regions("ec2", partition_name=name) for name in partitions)

    def _check_credentials(self):
        import botocore.exceptions

        if self._session.get_credentials() is None:
            raise BadInput("there are no AWS credentials: sign in (aws configure, aws sso login), or set AWS_PROFILE")
        try:
            return self.aws("sts").get_caller_identity()["Account"]
        except botocore.exceptions.ClientError as error:
            raise BadInput(f"AWS does not take the credentials ({error.response['Error']['Code']}): sign in again") from None
        except botocore.exceptions.BotoCoreError as error:
            raise BadInput(f"AWS cannot be asked who you are: {error}") from None

    # --- the stack -------------------------------------------------------------------------------------------------------

    def stack(self):
        """The stack as AWS describes it; `None` if there is none, or nothing but the plan of one, which SAM takes up again."""
        import botocore.exceptions

        try:
            stack = self.aws("cloudformation").describe_stacks(StackName=self.stack_name)["Stacks"][0]
            return stack if stack["StackStatus"] != "REVIEW_IN_PROGRESS" else None
        except botocore.exceptions.ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    def standing_stack(self):
        """The stack, which must be there and at rest."""
        stack = self.stack()
        if stack is None:
            raise BadInput(f"there is no stack {self.stack_name} in {self.region}: infra/deploy makes one; another installation is named with --stage")
        self.refuse_unrest(stack)
        return stack

    def refuse_unrest(self, stack):
        status = stack["StackStatus"]
        if status.endswith("_IN_PROGRESS"):
            raise BadInput(f"the stack {self.stack_name} is at work ({status}): wait until it is done")
        if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"):
            raise BadInput(f"the stack {self.stack_name} was never up ({status}): delete it (sam delete --stack-name {self.stack_name}), and deploy again")
        if status == "UPDATE_ROLLBACK_FAILED":
            raise BadInput(f"the stack {self.stack_name} is stuck ({status}): aws cloudformation continue-update-rollback --stack-name {self.stack_name}")

    def resource(self, logical):
        """The physical id of what the template calls so."""
        import botocore.exceptions

        try:
            found = self.aws("cloudformation").describe_stack_resource(StackName=self.stack_name, LogicalResourceId=logical)
        except botocore.exceptions.ClientError:
            return None
        return found["StackResourceDetail"].get("PhysicalResourceId")

    def webhook_url(self, stack):
        """Where Telegram delivers. An emulator answers under its own address."""
        url = outputs(stack)["WebhookUrl"]
        if not self.endpoint:
            return url
        return f"{self.endpoint.rstrip('/')}/_aws/lambda-url/{url.split('//')[1].split('.')[0]}/"

    # --- secrets ---------------------------------------------------------------------------------------------------------

    def secret_name(self, name):
        return f"ferry/{self.stage}/{name}"

    def secret(self, name):
        """What stands in a secret; `None` if there is no such secret."""
        import botocore.exceptions

        try:
            return self.aws("secretsmanager").get_secret_value(SecretId=self.secret_name(name))["SecretString"]
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise

    def secrets_are_since(self):
        """When what a host is handed changed last."""
        read = self.aws("secretsmanager").get_secret_value
        return max(read(SecretId=self.secret_name(name))["CreatedDate"] for name in SECRETS_OF_HOSTS)

    def put_secret(self, name, value):
        """Puts what is not there yet."""
        if self.secret(name) != value:
            self.aws("secretsmanager").put_secret_value(SecretId=self.secret_name(name), SecretString=value)

    def hand_over_secrets(self):
        """Gives the function the secrets of now; whether it had others. CloudFormation looks them up only when the function changes."""
        function, name = self.aws("lambda"), must(self.resource("Webhook"), "function")
        variables = function.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        wanted = {"FERRY_BOT_TOKEN": self.secret("bot-token"), "FERRY_WEBHOOK_SECRET": self.secret("webhook-secret")}
        if all(variables.get(variable) == value for variable, value in wanted.items()):
            return False
        function.update_function_configuration(FunctionName=name, Environment={"Variables": {**variables, **wanted}})
        function.get_waiter("function_updated_v2").wait(FunctionName=name)
        return True

    def left_behind(self):
        """What a stack that was deleted leaves, so that nobody loses it by a slip. Secrets count until their names are free again."""
        secrets, ecr = self.aws("secretsmanager"), self.aws("ecr")
        looks = [(f"the secret {name}", lambda name=name: secrets.describe_secret(SecretId=name)) for name in map(self.secret_name, SECRETS)]
        looks.append((f"the table {self.table_name}", lambda: self.aws("dynamodb").describe_table(TableName=self.table_name)))
        looks.append((f"the registry {self.registry_name}", lambda: ecr.describe_repositories(repositoryNames=[self.registry_name])))
        return [what for what, look in looks if _is_there(look)]

    # --- images ----------------------------------------------------------------------------------------------------------

    @property
    def registry_name(self):
        return f"ferry-{self.stage}"

    def has_image(self, tag):
        """Whether the image stands in the registry; `None` if there is no registry."""
        import botocore.exceptions

        try:
            return bool(self.aws("ecr").describe_images(repositoryName=self.registry_name, imageIds=[{"imageTag": tag}])["imageDetails"])
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in NOT_THERE:
                raise
            return None if error.response["Error"]["Code"] == "RepositoryNotFoundException" else False

    # --- data ------------------------------------------------------------------------------------------------------------

    @property
    def table_name(self):
        return f"ferry-{self.stage}"

    def data_schema(self):
        """The newest schema under which a host wrote to the table; `None` without data."""
        import botocore.exceptions

        key = {"pk": {"S": "BOT#0#INSTALLATION"}, "sk": {"S": "SCHEMA"}}
        try:
            item = self.aws("dynamodb").get_item(TableName=self.table_name, Key=key, ConsistentRead=True).get("Item")
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise
        return int(item["newest_schema"]["N"]) if item and "newest_schema" in item else None

    def listed(self, name):
        """The items of a list, such as HOSTS, whole."""
        dynamodb, keys, page = self.aws("dynamodb"), [], {}
        while True:
            found = dynamodb.query(
                TableName=self.table_name,
                IndexName="listed",
                KeyConditionExpression="#list = :list",
                ExpressionAttributeNames={"#list": "list"},
                ExpressionAttributeValues={":list": {"S": f"BOT#0#{name}"}},
                **page,
            )
            keys += [{"pk": key["pk"], "sk": key["sk"]} for key in found["Items"]]
            if "LastEvaluatedKey" not in found:
                break
            page = {"ExclusiveStartKey": found["LastEvaluatedKey"]}
        items = [dynamodb.get_item(TableName=self.table_name, Key=key, ConsistentRead=True).get("Item") for key in keys]
        return [item for item in items if item]


def _is_there(look):
    import botocore.exceptions

    try:
        look()
        return True
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in NOT_THERE:
            return False
        raise


def outputs(stack):
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def parameters(stack):
    return {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack.get("Parameters", [])}


def must(found, what):
    if found is None:
        raise Failed(f"the stack has no {what}; deploy again: infra/deploy")
    return found
