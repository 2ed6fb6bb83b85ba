"""What README and docs/ say, held against what is there: links, commands, files, buttons, error lines, both languages.

    python check.py FERRY

FERRY is the built program. Prints `ok` or `FAILED` for each page and thing, and ends with 1 if one does not hold. No network: links to
elsewhere must only be https and to a host that is expected. Before anything else the check is shown faults, each of which it has to find.
"""

import contextlib
import io
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote

import demo
from commands import SHELLS, Ferry, command_faults, page_command_faults, without_comment
from demo import ROOT
from pages import Page, link_faults, pages
from words import button_faults, command_list_faults, error_faults, file_fault, file_faults, key_faults, preset_faults

# Pages that stand in English alone; every other page of docs/ has its sister in docs/zh.
ENGLISH_ONLY = {"bot", "costs", "deploy-aws", "iam", "measurements", "operations", "security", "simulation", "soak"}
# A summary of ARCHITECTURE.md, with nothing beside it.
CHINESE_ONLY = {"architecture"}

failed = 0


def check(holds, what):
    global failed
    failed += not holds
    print(("ok " if holds else "FAILED ") + what, flush=True)


# Two languages


def plain_block(kind, lines):
    if kind in SHELLS or kind == "indented":
        return kind, [without_comment(line) for _, line in lines if without_comment(line)]
    # What a conversation says is in its own language.
    return kind, None if kind == "text" else [line for _, line in lines]


def sister_faults(english, chinese):
    def differs(what, left, right):
        for index, (one, other) in enumerate(zip(left, right)):
            if one != other:
                return f"{chinese.name}: {what} {index + 1} is {other!r}, in English it is {one!r}"
        return f"{chinese.name}: {len(right)} {what}s, in English {len(left)}"

    rows = [[line.count("|") for _, line in page.prose if line.startswith("|")] for page in (english, chinese)]
    for what, left, right in [
        ("heading", [level for level, _ in english.headings], [level for level, _ in chinese.headings]),
        ("code block", [plain_block(*block) for block in english.blocks], [plain_block(*block) for block in chinese.blocks]),
        ("row of a table", *rows),
    ]:
        if left != right:
            yield differs(what, left, right)


def sisters():
    english = {path.stem for path in (ROOT / "docs").glob("*.md")}
    chinese = {path.stem for path in (ROOT / "docs" / "zh").glob("*.md")}
    check(english - ENGLISH_ONLY <= chinese, f"each guide has its Chinese page {sorted(english - ENGLISH_ONLY - chinese)}")
    check(chinese - CHINESE_ONLY <= english, f"each Chinese page has its English one {sorted(chinese - CHINESE_ONLY - english)}")
    for name in sorted(english & chinese):
        yield Page(ROOT / "docs" / f"{name}.md"), Page(ROOT / "docs" / "zh" / f"{name}.md")
    yield Page(ROOT / "README.md"), Page(ROOT / "README.zh.md")


def index_faults(index, directory):
    """Pages that nobody would find."""
    linked = {(index.path.parent / unquote(target.partition("#")[0])).resolve() for _, target in index.links()}
    for path in sorted(directory.glob("*.md")):
        if path != index.path and path.resolve() not in linked:
            yield f"{index.name} does not lead to {path.name}"


def report(faults, what):
    faults = list(faults)
    for fault in faults:
        check(False, fault)
    if not faults:
        check(True, what)


# The check itself


def self_check(ferry):
    """A check that finds nothing is worth nothing: each of these has to be found, and none of those."""
    with tempfile.TemporaryDirectory(prefix="ferry-docs-") as directory:
        here = Path(directory) / "page.md"
        here.write_text("# A page, with `code`\n")

        def page(text):
            return Page(here, text)

        for bad in ["[x](nowhere.md)", "[x](#other)", "[x](page.md#other)", "[x](http://t.me/x)", "[x](https://elsewhere.example)"]:
            assert len(list(link_faults(page(f"# A page\n\n{bad}\n")))) == 1, bad
        good = "# A page, with `code`\n\n[x](page.md#a-page-with-code) [y](#a-page-with-code) [z](https://t.me/BotFather) `[n](o)`\n"
        assert not list(link_faults(page(good))), "a good link"

    for bad in [
        "ferry fly",
        "ferry account fly",
        "ferry demo --fly",
        "ferry transfer --from @a --to",
        "cargo build -p nothing",
        "cargo build --profile nothing",
        "cargo run -p ferry -- demo --fly",
        "cargo nextest run -p ferry no_such_test_anywhere",
        "cargo fly",
        "tests/run --only nothing",
        "tests/run --fly",
        "tests/nothing",
        "infra/nothing --help",
        "sam fly",
        "sam build --fly",
        "aws dynamodb query --fly x",
        "somebody else",
        "sudo -u ferry ferry fly",
        "ferry serve | ferry fly",
        "cd docs; ferry fly",
        "git pull && infra/deploy --fly",
        "for key in a b; do aws secretsmanager delete-secret --fly $key; done",
        "git fly",
        "rustup target fly",
        "export FERRY_FLY=1",
        "export FERRY_BOT_TOKEN",
        "FERRY_ZONE=UTC ferry fly 2>&1",
    ]:
        assert list(command_faults(bad, ferry, True)), bad
    for good in [
        "ferry account add --qr   # a comment with --fly in it",
        "ferry account priority night -5",
        "cargo run --release -p ferry -- demo --bot --lang zh",
        "tests/run --only demo",
        "sudo -u ferry ferry account list --json",
        "ferry serve --no-webhook | tee ferry.env",
        "git pull && infra/deploy --backup before.jsonl",
        "for key in a b; do aws secretsmanager delete-secret --secret-id x/$key; done",
        "export AWS_REGION=eu-central-1 FERRY_BOT_TOKEN=...",
        "FERRY_ZONE=UTC ferry serve >log 2>&1",
    ]:
        assert not list(command_faults(good, ferry, True)), good
    assert file_fault("transfer/src/nothing.rs") and file_fault("docs/nothing.md") and file_fault("nothing.rs/x.rs")
    assert not file_fault("transfer/src/pace.rs") and not file_fault("engine/run/claim.rs") and not file_fault("infra/")
    assert not file_fault("transfer/src/table/dynamo*") and not file_fault("n/size")

    def there(text):
        return Page(ROOT / "docs" / "page.md", text)

    shown = there("text `ferry fly` and `ferry\nfly on`\n\n```sh\nferry fly\n```\n\n    ferry fly\n\n| `ferry fly` |\n")
    assert len(list(page_command_faults(shown, ferry))) == 5, list(page_command_faults(shown, ferry))
    # Not first in its line, and of others; what is cut short or only tells of a command is none.
    behind = "text `git fly` and `cd docs && ferry fly`\n\n    . ./x && ferry fly\n    for a in b; do sam fly; done\n\n1. list\n\n       git fly && cd x\n"
    assert len(list(page_command_faults(there(behind), ferry))) == 5, list(page_command_faults(there(behind), ferry))
    assert not list(page_command_faults(there("`git fly …` and `it fails; ferry fly does not` and `git`\n"), ferry))
    assert list(button_faults(there("`[🚀 Fly]`"), "en")) and not list(button_faults(there("`[🚀 New transfer]`"), "en"))
    assert list(button_faults(there("`[🚀 New transfer]`"), "zh"))
    assert list(error_faults(there("| `no such error` | x |"))), "an error that nobody tells"
    assert list(error_faults(there("| x | `no such error` |"))), "an error in another column"
    assert not list(error_faults(there("| `another ferry works on … stop it` | `ferry serve` or `--config` |")))
    wrong = there("| x | 1.5 s | 2 s | 2.6 s | 0 |\n| `TASK#…` | `TASK` |\n")
    assert len(list(preset_faults(wrong))) == 3 and len(list(key_faults(wrong))) > 10, "figures and keys"
    assert list(command_list_faults(ferry, [there("`ferry serve`")])), "a command that no page explains"
    one, other = "# A\n\n```sh\nferry serve   # x\n```\n", "# 甲\n\n```sh\nferry serve   # 乙\n```\n"
    assert not list(sister_faults(there(one), there(other)))
    for planted in [other.replace("# 甲", "## 甲"), other.replace("serve", "init"), other + "\n| 甲 |\n", other + "\n# 丙\n"]:
        assert list(sister_faults(there(one), there(planted))), planted
    global failed
    before = failed
    with contextlib.redirect_stdout(io.StringIO()):
        report(["a fault"], "")
    assert failed == before + 1
    failed = before


def main():
    ferry = Ferry(str(Path(sys.argv[1]).resolve()))
    self_check(ferry)
    check(True, "planted faults are found")
    for page in pages():
        report(link_faults(page), f"{page.name}: links")
        report(page_command_faults(page, ferry), f"{page.name}: commands")
        report(file_faults(page), f"{page.name}: files")
        in_chinese = "/zh/" in page.name or page.name == "README.zh.md"
        report(button_faults(page, "zh" if in_chinese else "en"), f"{page.name}: buttons")
        if page.path.stem == "troubleshooting":
            report(error_faults(page), f"{page.name}: error lines")
        if page.path.stem == "best-practices":
            report(preset_faults(page), f"{page.name}: the presets")
        if page.path.stem == "data":
            report(key_faults(page), f"{page.name}: the keys")
    report(command_list_faults(ferry, pages()), "each command is explained")
    for english, chinese in sisters():
        report(sister_faults(english, chinese), f"{chinese.name}: as in English")
    for directory in (ROOT / "docs", ROOT / "docs" / "zh"):
        report(index_faults(Page(directory / "README.md"), directory), f"{directory.name}/README.md leads to each page")
    for language, name in demo.PAGES.items():
        fresh = (ROOT / name).read_text() == demo.page(language)
        check(fresh, f"{name} is what tests/docs/demo.py makes of the snapshots")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
