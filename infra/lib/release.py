"""Releases: what a state of the sources is called, and those that were deployed, kept so that one can go back.

A kept release is a JSON file beside SAM's artifacts, `releases/<stage>/<release>.json`: the template as it was packaged, the
parameters, the schema of data that its code knows, when it was deployed last, and which release was there before it."""

import json
import os
import re
import subprocess
import tempfile
import time

from .failure import BadInput, Failed
from .tools import ROOT


def of_sources():
    """A name for what stands here: the commit, and for changes beyond it the tree that they make."""
    def git(*arguments, **environment):
        told = subprocess.run(["git", *arguments], cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if told.returncode != 0:
            raise BadInput(f"git cannot name this release ({' '.join(told.stderr.split())}): name it with --release")
        return told.stdout.strip()

    commit = git("describe", "--always", "--abbrev=12")
    if not git("status", "--porcelain"):
        return commit
    with tempfile.TemporaryDirectory(prefix="ferry-index-") as directory:
        index = {"GIT_INDEX_FILE": os.path.join(directory, "index")}
        git("read-tree", "HEAD", **index)
        git("add", "--all", **index)
        return f"{commit}-dirty-{git('write-tree', **index)[:12]}"


def known_schema():
    """The newest schema of data that the sources here know."""
    found = re.search(r"pub const SCHEMA: u32 = (\d+);", (ROOT / "transfer" / "src" / "table" / "item.rs").read_text())
    if not found:
        raise Failed("transfer/src/table/item.rs names no SCHEMA")
    return int(found.group(1))


class Releases:
    """Those that were kept, in the bucket of SAM's artifacts."""

    def __init__(self, installation):
        self._installation, self._s3 = installation, installation.aws("s3")
        self._prefix = f"releases/{installation.stage}/"

    def bucket(self):
        """SAM's own bucket, which `--resolve-s3` makes; `None` before the first deployment."""
        import botocore.exceptions

        try:
            stacks = self._installation.aws("cloudformation").describe_stacks(StackName="aws-sam-cli-managed-default")["Stacks"]
        except botocore.exceptions.ClientError:
            return None
        return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}.get("SourceBucket")

    def keep(self, release, template, parameters, schema, before):
        bucket = self.bucket()
        if bucket is None:
            raise Failed("SAM has no bucket of artifacts, so this release cannot be kept for infra/rollback")
        if before == release:
            # Deployed once more. If it was not kept the first time, that died on the way, and the newest other one was there before.
            others = {kept["release"]: kept.get("before") for kept in self.all()}
            before = others[release] if release in others else next(iter(others), None)
        kept = {"release": release, "schema": schema, "at": time.time(), "before": before, "parameters": parameters, "template": template}
        self._s3.put_object(Bucket=bucket, Key=f"{self._prefix}{release}.json", Body=json.dumps(kept).encode())

    def all(self):
        """Every kept release, the newest deployment first."""
        bucket = self.bucket()
        if bucket is None:
            return []
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=self._prefix)
        names = [found["Key"] for page in pages for found in page.get("Contents", [])]
        kept = [json.loads(self._s3.get_object(Bucket=bucket, Key=name)["Body"].read()) for name in names]
        return sorted(kept, key=lambda release: release["at"], reverse=True)
