"""What README and docs/ say, held against what is there: links, commands, files, buttons, error lines, both languages.

    python check.py FERRY

FERRY is the built program. Prints `ok` or `FAILED` for each page and thing, and ends with 1 if one does not hold. No network: links to
elsewhere must only be https and to a host that is expected. Before anything else the check is shown faults, each of which it has to find.
"""

import contextlib
import fnmatch
import html
import io
import json
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import demo

ROOT = demo.ROOT
FOREIGN = ROOT / "tests" / "docs" / "foreign.toml"
# Pages that stand in English alone; every other page of docs/ has its sister in docs/zh.
ENGLISH_ONLY = {"bot", "costs", "deploy-aws", "measurements", "operations", "security", "simulation", "soak"}
# A summary of ARCHITECTURE.md, with nothing beside it.
CHINESE_ONLY = {"architecture"}
HOSTS = {"docs.aws.amazon.com", "my.telegram.org", "t.me", "core.telegram.org", "github.com", "rustup.rs"}
# Fences whose lines are commands; in other blocks a line counts when it begins with one of our programs.
SHELLS = {"sh", "bash", "console"}
COMMAND_SECS_MAX = 60
# What stands in foreign.toml as well, but begins many a line that is no command.
COMMONPLACE = {".", "cd", "chmod", "chown", "install", "tee"}

failed = 0


def check(holds, what):
    global failed
    failed += not holds
    print(("ok " if holds else "FAILED ") + what, flush=True)


# Pages


class Page:
    """A Markdown file: its headings, links, code blocks and code in the text."""

    def __init__(self, path, text=None):
        self.path = path
        self.text = path.read_text() if text is None else text
        self.headings, self.blocks, self.prose = [], [], []
        fence = None
        for number, line in enumerate(self.text.splitlines(), 1):
            mark = re.match(r"\s*(```+)\s*(\w*)", line)
            if fence:
                if line.strip() == fence[0]:
                    self.blocks.append((fence[1], fence[2]))
                    fence = None
                else:
                    fence[2].append((number, line))
            elif mark:
                fence = (mark[1], mark[2], [])
            elif self.is_indented(number, line):
                if not self.in_indented(number):
                    self.blocks.append(("indented", []))
                self.blocks[-1][1].append((number, line.lstrip()))
            else:
                heading = re.match(r"(#+) (.+)", line)
                if heading:
                    self.headings.append((len(heading[1]), heading[2].strip()))
                self.prose.append((number, line))

    def is_indented(self, number, line):
        """A block of code by its indentation; below the text of a list only what begins with a program is taken for one."""
        if self.prose and self.prose[-1][1].strip() and not self.in_indented(number):
            return False
        return bool(re.match(r" {4}\S", line)) or (line.startswith("     ") and is_program(line.split()[0]))

    def in_indented(self, number):
        return bool(self.blocks) and self.blocks[-1][0] == "indented" and self.blocks[-1][1][-1:] and self.blocks[-1][1][-1][0] == number - 1

    @property
    def name(self):
        return str(self.path.relative_to(ROOT)) if self.path.is_relative_to(ROOT) else self.path.name

    def links(self):
        for number, line in self.prose:
            bare = re.sub(r"`[^`]*`", "`", line)
            for text, target in re.findall(r"\[([^\]]*)\]\(([^)\s]+)\)", bare):
                yield number, target

    def spans(self):
        """Code in the text. A span may run over a line's end, but no further than its paragraph."""
        for number, paragraph in self.paragraphs():
            for span in re.findall(r"`([^`]+)`", paragraph):
                yield number, " ".join(span.split())

    def paragraphs(self):
        first, lines = None, []
        for number, line in [*self.prose, (0, "")]:
            # A row of a table stands for itself.
            if not line.strip() or line.startswith("|") or (lines and number != first + len(lines)):
                if lines:
                    yield first, "\n".join(lines)
                first, lines = (number, [line]) if line.strip() and not line.startswith("|") else (None, [])
                if line.startswith("|"):
                    yield number, line
            else:
                first = first if lines else number
                lines.append(line)

    def anchors(self):
        seen = {}
        for _, heading in self.headings:
            slug = slug_of(heading)
            count = seen.get(slug, 0)
            seen[slug] = count + 1
            yield f"{slug}-{count}" if count else slug


def slug_of(heading):
    """As GitHub makes them: lower case, without punctuation, hyphens for spaces."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return "".join(char for char in text.replace(" ", "-") if char.isalnum() or char in "-_")


def pages():
    paths = [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "ARCHITECTURE.md"]
    return [Page(path) for path in [*paths, *sorted((ROOT / "docs").rglob("*.md"))]]


# Links


def link_fault(page, target):
    if re.match(r"[a-z]+:", target):
        parts = urlsplit(target)
        if parts.scheme != "https":
            return "is not https"
        return None if parts.hostname in HOSTS else f"leads to {parts.hostname}, which is not among the hosts that are expected"
    path, _, anchor = unquote(target).partition("#")
    file = (page.path.parent / path).resolve() if path else page.path
    if not file.exists():
        return "leads nowhere"
    if not path and anchor not in page.anchors():
        return "has no such heading"
    if path and anchor and anchor not in Page(file).anchors():
        return "has no such heading"
    return None


def link_faults(page):
    for number, target in page.links():
        fault = link_fault(page, target)
        if fault:
            yield f"{page.name}:{number}: {target} {fault}"


# Commands


@cache
def help_of(command):
    ended = subprocess.run([*command, "--help"], capture_output=True, text=True, timeout=COMMAND_SECS_MAX, cwd=ROOT, stdin=subprocess.DEVNULL)
    return ended.stdout if ended.returncode == 0 else None


def options_of(text):
    """Options with whether they take a value, as clap and argparse print them."""
    found = {}
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped.startswith("-"):
            continue
        head = re.split(r"\s{2,}", stripped)[0]
        names = re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", head)
        takes = bool(re.search(r"<|=|[ \[][A-Z][A-Z_]+", head))
        for name in names:
            found[name] = takes
    return found


def argument_faults(words, text):
    """What is wrong with options, by what the help says."""
    options = options_of(text)
    value_next = False
    for word in words:
        if value_next:
            value_next = False
            continue
        if word == "--":
            return
        if not re.match(r"--?[A-Za-z]", word):
            continue
        name, _, value = word.partition("=")
        if name not in options:
            yield f"has no option {name}"
        elif options[name] and not value:
            value_next = True
    if value_next:
        yield f"{words[-1]} wants a value"


class Ferry:
    """The program's own commands."""

    def __init__(self, program):
        self.program = program

    def commands(self, *command):
        """What can stand after it."""
        names = re.search(r"^Commands:\n((?:  .*\n?)*)", help_of((self.program, *command)), flags=re.M)
        return re.findall(r"^  (\S+)", names[1], flags=re.M) if names else []

    def faults(self, words):
        command, rest = [self.program], list(words)
        while rest and not rest[0].startswith("-"):
            known = self.commands(*command[1:])
            if not known:
                break
            if rest[0] not in known:
                yield f"has no command {rest[0]}"
                return
            command.append(rest.pop(0))
        yield from argument_faults(rest, help_of(tuple(command)))


@cache
def packages():
    command = ["cargo", "metadata", "--format-version=1", "--no-deps", "--offline"]
    ended = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, timeout=COMMAND_SECS_MAX)
    return {package["name"]: package for package in json.loads(ended.stdout)["packages"]}


@cache
def stages():
    listed = subprocess.run([ROOT / "tests" / "run", "--list"], check=True, capture_output=True, text=True, timeout=COMMAND_SECS_MAX)
    return {line.split()[0] for line in listed.stdout.splitlines()}


@cache
def foreign():
    return tomllib.loads(FOREIGN.read_text())


@cache
def manifest():
    return tomllib.loads((ROOT / "Cargo.toml").read_text())


def has_test(package, word):
    """Whether a test, or a module of tests, has this in its name."""
    directory = Path(packages()[package]["manifest_path"]).parent
    for file in directory.rglob("*.rs"):
        if word in file.stem or re.search(rf"(fn|mod) \w*{re.escape(word)}", file.read_text()):
            return True
    return False


def cargo_faults(words, ferry):
    words = list(words)
    after = []
    if "--" in words:
        at = words.index("--")
        words, after = words[:at], words[at + 1 :]
    kind = words[0] if words else ""
    known = foreign()["cargo"]
    name = " ".join(words[:2]) if " ".join(words[:2]) in known else kind
    if name not in known:
        yield f"cargo {kind} is not among the commands that were tried"
        return
    rest = words[len(name.split()) :]
    package = None
    plain = []
    while rest:
        word = rest.pop(0)
        if word in ("-p", "--package"):
            package = rest.pop(0) if rest else None
            if package not in packages():
                yield f"there is no package {package}"
                return
        elif word == "--profile":
            profile = rest.pop(0) if rest else None
            if profile not in manifest()["profile"]:
                yield f"there is no profile {profile}"
        elif word in ("--test", "--bin", "--bench"):
            target = rest.pop(0) if rest else None
            within = [packages()[package]] if package else packages().values()
            if not any(target == each["name"] for one in within for each in one["targets"]):
                yield f"there is no target {target}"
        elif word.startswith("-"):
            flags = known[name]
            if word not in flags:
                yield f"cargo {name} {word} is not among the options that were tried"
            elif flags[word]:
                rest[:1] = []
        else:
            plain.append(word)
    if name in ("test", "nextest run"):
        for word in plain:
            if package and not has_test(package, word):
                yield f"no test of {package} has {word} in its name"
    elif plain and name not in ("install",):
        yield f"cargo {name} takes no {plain[0]}"
    if name == "run" and package == "ferry":
        yield from ferry.faults(after)


def script_faults(program, words):
    path = ROOT / program
    if not path.is_file():
        yield f"there is no {program}"
        return
    if program == "tests/run":
        for option, value in zip(words, [*words[1:], None]):
            if option == "--only" and value not in stages():
                yield f"there is no stage {value}"
    text = help_of((str(path),))
    if text is None:
        if words:
            yield f"{program} --help does not work, so that its options cannot be checked"
        return
    yield from argument_faults(words, text)


def foreign_faults(program, words):
    """Programs of others: what was tried is written down, with the options that were."""
    known = foreign()[program]
    name = next((" ".join(words[:n]) for n in (3, 2, 1, 0) if " ".join(words[:n]) in known), None)
    if name is None:
        yield f"{program} {' '.join(words[:2])} is not among the commands that were tried"
        return
    for word in words[len(name.split()) :]:
        option = word.partition("=")[0]
        if re.match(r"--?[A-Za-z]", word) and option not in known[name]:
            yield f"{program} {name} {option} is not among the options that were tried"


def without_comment(line):
    return re.sub(r"(^|\s)#.*$", "", line).strip()


def parts_of(line):
    """The commands of a line, each as words."""
    try:
        words = shlex.split(without_comment(line), posix=True)
    except ValueError:
        return None
    parts = [[]]
    for word in words:
        if word in ("|", "&&", ";", "||"):
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]


def is_ours(word):
    return word in ("ferry", "cargo", "target/release/ferry", "target/debug/ferry") or re.match(r"(\.ci|infra|tests)/[\w/-]*\w$", word)


def is_program(word):
    """Ours, or one of others that does more than the shell's own."""
    return is_ours(word) or (word in foreign() and word not in COMMONPLACE)


def command_faults(line, ferry, strict):
    """What is wrong with one line; `strict`: each program in it has to be known."""
    parts = parts_of(line)
    if parts is None:
        if strict:
            yield "cannot be read as a command"
        return
    for words in parts:
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words = words[1:]
        words = [word for word in words if not re.fullmatch(r"\d?[<>]+", word)]
        if words[:2] == ["sudo", "-u"]:
            words = words[3:]
        if not words:
            continue
        program, rest = words[0], words[1:]
        if program.rpartition("/")[2] == "ferry":
            yield from ferry.faults(rest)
        elif program == "cargo":
            yield from cargo_faults(rest, ferry)
        elif is_ours(program):
            yield from script_faults(program, rest)
        elif program in foreign():
            yield from foreign_faults(program, rest)
        elif strict:
            yield f"{program} is no program that this check knows"


def commands(page):
    """Each command that a page shows, with its line and whether it has to be one."""
    for kind, lines in page.blocks:
        text, start = "", None
        for number, line in lines:
            start = start if text else number
            text += line.rstrip("\\") + " " if line.endswith("\\") else line
            if line.endswith("\\"):
                continue
            shell = kind in SHELLS
            words = text.split()
            if words and (shell or is_program(words[0])):
                yield start, text, shell
            text = ""
    for number, span in page.spans():
        words = span.split()
        # A program's name alone is no command; what is cut short with an ellipsis is none either.
        if len(words) > 1 and is_ours(words[0]) and "…" not in span and "..." not in span:
            yield number, span, False


def page_command_faults(page, ferry):
    for number, line, strict in commands(page):
        for fault in command_faults(line, ferry, strict):
            yield f"{page.name}:{number}: {without_comment(line)}: {fault}"


# Files


@cache
def files():
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=COMMAND_SECS_MAX)
    return [line for line in listed.stdout.splitlines() if (ROOT / line).exists()]


def file_fault(span):
    """Names of our files in the text: whole, or from some directory on, with `*`, or of a directory with `/` at its end."""
    if not re.fullmatch(r"[\w.*-]+(/[\w.*-]+)+/?|[\w-]+/", span):
        return None
    top = span.split("/")[0]
    ours = {file.split("/")[0] for file in files()} - {"README.md"}
    if top not in ours and not span.endswith((".rs", ".py", ".ftl")):
        return None
    pattern = span.rstrip("/")
    for file in files():
        for whole in (pattern, f"*/{pattern}"):
            # A file, a file without its ending (a module), a directory.
            if any(fnmatch.fnmatchcase(file, name) for name in (whole, f"{whole}.*", f"{whole}/*")):
                return None
    return f"there is no {span}"


def file_faults(page):
    for number, span in page.spans():
        fault = file_fault(span)
        if fault and not is_built(span):
            yield f"{page.name}:{number}: {fault}"


def is_built(span):
    return span.startswith(("target/", "ferry-data/"))


# Buttons and error lines


@cache
def texts(language):
    """Every text that people see, as patterns: what stands in braces is anything."""
    found = []
    for file in sorted((ROOT / "transfer" / "texts" / language).glob("*.ftl")):
        for value in re.findall(r"^[\w-]+ = (.+)$", file.read_text(), flags=re.M):
            plain = html.unescape(re.sub(r"</?\w+>", "", value))
            pieces = re.split(r"\{[^}]*\}", plain)
            # Nothing but what is put in: such a text says everything.
            if not any(char.isalnum() for char in "".join(pieces)):
                continue
            found.append(re.compile(".+".join(re.escape(piece) for piece in pieces) + r"\Z"))
    return found


@cache
def configuration():
    return (ROOT / "local" / "src" / "configuration.rs").read_text()


def button_faults(page, language):
    for number, span in page.spans():
        button = re.fullmatch(r"\[(.+)\]", span)
        # A section of the configuration looks the same.
        if button and span in configuration():
            continue
        if button and not any(text.match(button[1]) for text in texts(language)):
            yield f"{page.name}:{number}: no button or text is called {button[1]}"


@cache
def spoken():
    """All that our programs can say: sources and texts, with each run of blanks as one."""
    sources = [file for file in files() if re.match(r"(local|session-host|transfer|functions)/.*\.(rs|ftl)$", file)]
    text = "\n".join((ROOT / file).read_text() for file in sources)
    # A string that goes on in the next line.
    text = re.sub(r"\\\n\s*", "", text)
    return re.sub(r"</?(b|code|i)>", "", text)


def error_faults(page):
    """What the tables say that people see: each part between ellipses has to stand in our sources."""
    for number, line in page.prose:
        if not line.startswith("|"):
            continue
        first, *others = line.strip("|").split("|")
        for span in re.findall(r"`([^`]+)`", first):
            yield from unsaid(page, number, span)
        # In the other columns commands, buttons, files and settings stand too: only a sentence is something said.
        for span in re.findall(r"`([^`]+)`", " ".join(others)):
            is_sentence = " " in span.strip() or re.search(r"[\u4e00-\u9fff]", span)
            if is_sentence and not is_ours(span.split()[0]) and not span.startswith("["):
                yield from unsaid(page, number, span)


def unsaid(page, number, span):
    for piece in span.split("…"):
        if piece.strip() and piece.strip() not in spoken():
            yield f"{page.name}:{number}: nothing of ours says {piece.strip()!r}"


# Figures and lists that stand in the code


def preset_rows():
    """The rows of the presets' table, as the code has them."""
    text = (ROOT / "transfer" / "src" / "pace.rs").read_text()

    def numbers(block):
        return [int(number.replace("_", "")) for number in re.findall(r"_(?:ms|files): ([\d_]+),", block)]

    small = numbers(re.search(r"impl Default for Pace \{(.*?)\n\}\n", text, flags=re.S)[1])
    paces = [small, *(numbers(re.search(rf"Self::{name} => Pace \{{(.*?)\}},", text, flags=re.S)[1]) for name in ("Medium", "Large"))]
    assert all(len(pace) == 5 for pace in paces), paces

    def secs(ms):
        return f"{ms / 1000:g}"

    for pieces in (
        [secs(pace[0]) for pace in paces],
        [(secs(pace[2]), pace[1]) for pace in paces],
        [(secs(pace[4]), pace[3]) for pace in paces],
    ):
        yield pieces


def preset_faults(page):
    """Each row of the table has the numbers of the code, in its order."""
    rows = [[float(number) for number in re.findall(r"\d+(?:\.\d+)?", line)] for _, line in page.prose if line.startswith("|")]
    for pieces in preset_rows():
        flat = [float(number) for piece in pieces for number in (piece if isinstance(piece, tuple) else (piece,))]
        # English names the pause first, Chinese after how many messages. What follows in the row is of "no pauses".
        if not any(sorted(row[: len(flat)]) == sorted(flat) for row in rows):
            yield f"{page.name}: no row of the presets has {flat}"


def key_faults(page):
    """Each key of the table stands on the page of what is kept."""
    text = (ROOT / "transfer" / "src" / "table" / "key.rs").read_text()
    for pk, sk in re.findall(r'Self::new\((?:format!\()?"(\w+)[^"]*"[^,]*, (?:format!\()?"(\w+)', text):
        if not any(line.startswith("|") and f"`{pk}" in line and f"`{sk}" in line for _, line in page.prose):
            yield f"{page.name}: says nothing of {pk}/{sk}"


def command_list_faults(ferry, every_page):
    """Each command that `ferry --help` names is explained somewhere."""
    for name in ferry.commands():
        if name != "help" and not any(f"ferry {name}" in page.text for page in every_page):
            yield f"no page says what ferry {name} does"


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
    ]:
        assert list(command_faults(bad, ferry, True)), bad
    for good in [
        "ferry account add --qr   # a comment with --fly in it",
        "ferry account priority night -5",
        "cargo run --release -p ferry -- demo --bot --lang zh",
        "tests/run --only demo",
        "sudo -u ferry ferry account list --json",
        "ferry serve --no-webhook | tee ferry.env",
    ]:
        assert not list(command_faults(good, ferry, True)), good
    assert file_fault("transfer/src/nothing.rs") and file_fault("docs/nothing.md") and file_fault("nothing.rs/x.rs")
    assert not file_fault("transfer/src/pace.rs") and not file_fault("engine/run/claim.rs") and not file_fault("infra/")
    assert not file_fault("transfer/src/table/dynamo*") and not file_fault("n/size")

    def there(text):
        return Page(ROOT / "docs" / "page.md", text)

    shown = there("text `ferry fly` and `ferry\nfly on`\n\n```sh\nferry fly\n```\n\n    ferry fly\n\n| `ferry fly` |\n")
    assert len(list(page_command_faults(shown, ferry))) == 5, list(page_command_faults(shown, ferry))
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
