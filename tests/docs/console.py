"""The queries of docs/console.md, asked of a table that a demo is writing: each must give something.

    python console.py FERRY

The demo runs through the bot, so that conversations, previews and reports stand in the table too. Its endpoint is asked as any DynamoDB client
would, again and again until each query was answered with an item. Prints `ok` or `FAILED` for each, and ends with 1 if one was not.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "console.md"
KEYS = ROOT / "transfer" / "src" / "table" / "key.rs"
PREFIX = "BOT#0#"
TABLE = "ferry"
# A query whose question has this mark asks for what no demo makes.
RARE = "†"
DEMO = ["demo", "--bot", "--messages", "12000", "--flood", "reported"]
DEMO_SECS_MAX = 300
CALL_SECS_MAX = 10
LOOK_SECS = 0.3
INDEXES = {"due": ("due_list", "due_at"), "listed": ("list", "list_key"), None: ("pk", "sk")}


class Query:
    """A row of the page."""

    def __init__(self, cells):
        self.question, where, self.partition, sort = cells[:4]
        self.index = code(where)
        self.partition, self.sort = code(self.partition), code(sort)
        self.begins = "begins with" in sort
        self.is_rare = RARE in self.question

    def request(self, ids):
        partition, sort = INDEXES[self.index]
        values = {":p": {"S": filled(self.partition, ids)}}
        names = {"#p": partition}
        condition = "#p = :p"
        if self.sort:
            names["#s"] = sort
            values[":s"] = {"S": filled(self.sort, ids)}
            condition += " AND begins_with(#s, :s)" if self.begins else " AND #s = :s"
        request = {
            "TableName": TABLE,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        return request | ({"IndexName": self.index} if self.index else {})

    def names_a_key(self):
        """Whether the code makes such keys."""
        kind = self.partition.removeprefix(PREFIX).split("#")[0]
        text = KEYS.read_text()
        return f'"{kind}' in text and f'"{self.sort}' in text

    def __str__(self):
        return self.question.strip()


def code(cell):
    found = re.search(r"`([^`]+)`", cell)
    return found[1] if found else None


def filled(text, ids):
    """With what is in capitals put in; None as long as something of it is not known."""
    for name, value in ids.items():
        text = text.replace(name, value)
    return text


def queries(text):
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 5 and cells[2].startswith(f"`{PREFIX}"):
            yield Query(cells)


class Table:
    """The engine on loopback, which takes any credentials."""

    def __init__(self, address):
        self.address = address

    def query(self, request):
        return self.call("Query", request)

    def call(self, operation, request):
        headers = {
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Date": "20260101T000000Z",
            "Authorization": "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=any",
        }
        call = urllib.request.Request(self.address, json.dumps(request).encode(), headers)
        with urllib.request.urlopen(call, timeout=CALL_SECS_MAX) as answer:
            return json.load(answer)["Items"]

    def keys_of(self, list_name):
        name = {":p": {"S": PREFIX + list_name}}
        request = {"TableName": TABLE, "IndexName": "listed", "KeyConditionExpression": "#p = :p"}
        request |= {"ExpressionAttributeNames": {"#p": "list"}, "ExpressionAttributeValues": name}
        return [item["pk"]["S"].removeprefix(PREFIX).partition("#")[2] for item in self.query(request)]

    def item(self, pk, sk):
        names, values = {"#p": "pk", "#s": "sk"}, {":p": {"S": PREFIX + pk}, ":s": {"S": sk}}
        request = {"TableName": TABLE, "KeyConditionExpression": "#p = :p AND #s = :s"}
        found = self.query(request | {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values})
        return found[0] if found else {}

    def due(self):
        request = {"TableName": TABLE, "IndexName": "due", "KeyConditionExpression": "due_list = :p"}
        return [item["pk"]["S"] for item in self.query(request | {"ExpressionAttributeValues": {":p": {"S": f"{PREFIX}DUE"}}})]


def learn(table, ids):
    """Ids as a person finds them: from one answer to the next question."""
    tasks, accounts, hosts = (table.keys_of(name) for name in ("TASKS", "ACCOUNTS", "HOSTS"))
    if accounts:
        ids["ACCOUNT_ID"] = accounts[0]
    if hosts:
        ids["HOST_ID"] = hosts[0]
    for pk in table.due():
        kind, _, name = pk.removeprefix(PREFIX).partition("#")
        if kind == "INQUIRY":
            ids["INQUIRY_ID"] = name
    if tasks:
        ids["TASK_ID"] = tasks[0]
        task = table.item(f"TASK#{tasks[0]}", "TASK")
        if "owner" in task:
            ids["CHAT_ID"] = task["owner"]["N"]
        peer = task.get("target", {}).get("M", {}).get("peer")
        if peer:
            ids["TARGET_ID"] = next(iter(peer.values()))
        if "account" in (checkpoint := task.get("checkpoint", {}).get("M", {})):
            ids["ACCOUNT_ID"] = checkpoint["account"]["S"]
    return ids


def update(table):
    """Nobody lists updates: people find the number in the log, this in a scan."""
    request = {"TableName": TABLE, "FilterExpression": "sk = :u", "ExpressionAttributeValues": {":u": {"S": "UPDATE"}}}
    found = table.call("Scan", request)
    return {"UPDATE_ID": found[0]["pk"]["S"].rpartition("#")[2]} if found else {}


def ask(table, wanted, ids):
    """Those that gave nothing."""
    learn(table, ids)
    if "UPDATE_ID" not in ids:
        ids |= update(table)
    return [query for query in wanted if not table.query(query.request(ids))]


def watch(ferry, wanted, left):
    """Runs the demo and asks meanwhile, until no more than so many are left. Gives what was never answered."""
    with tempfile.TemporaryDirectory(prefix="ferry-docs-") as directory:
        data = Path(directory)
        log = (data / "demo.txt").open("w+")
        demo = subprocess.Popen([ferry, *DEMO, "--data", data / "data"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        ids, ends = {}, time.monotonic() + DEMO_SECS_MAX
        try:
            while len(wanted) > left and time.monotonic() < ends:
                over = demo.poll() is not None
                addresses = data / "data" / "engines.json"
                try:
                    table = Table(json.loads(addresses.read_text())["dynamodb"])
                    wanted = ask(table, wanted, ids)
                except urllib.error.HTTPError as error:
                    refused = error.read().decode()
                    # The demo makes its table only after its engines listen.
                    if "ResourceNotFound" not in refused:
                        sys.exit(f"FAILED console: the table refuses a query: {refused}")
                except (OSError, json.JSONDecodeError):
                    # Nothing listens yet, or not any more.
                    pass
                if over:
                    break
                time.sleep(LOOK_SECS)
        finally:
            demo.terminate()
            demo.wait()
        if len(wanted) > left:
            log.seek(0)
            print("the demo's last words:", *log.read().splitlines()[-5:], sep="\n  ")
    return wanted


def main():
    found = list(queries(PAGE.read_text()))
    rare = [query for query in found if query.is_rare]
    common = [query for query in found if not query.is_rare]
    # A query for nothing has to be noticed, and a page whose tables were written differently too.
    assert len(found) > 20 and 0 < len(rare) < 8, f"{len(found)} queries, {len(rare)} of them rare"
    nonsense = Query(["Nothing?", "table", "`BOT#0#NOTHING#TASK_ID`", "= `NOTHING`", ""])
    assert not nonsense.names_a_key()
    unanswered = watch(sys.argv[1], [*common, nonsense], left=1)
    assert nonsense in unanswered, "a query for nothing gave something"
    failed = 0
    for query in common:
        failed += query in unanswered
        print(("FAILED " if query in unanswered else "ok ") + f"console: {query}")
    for query in rare:
        failed += not query.names_a_key()
        print(("ok " if query.names_a_key() else "FAILED ") + f"console: {query} (its keys)")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
