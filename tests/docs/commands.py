"""The commands that pages show, held against the programs: our own by their `--help`, cargo by the workspace, others by a list."""

import json
import re
import shlex
import subprocess
import tomllib
from functools import cache
from pathlib import Path

from demo import ROOT

FOREIGN = ROOT / "tests" / "docs" / "foreign.toml"
# Fences whose lines are commands; in other blocks a line counts when one of its commands begins with a program.
SHELLS = {"sh", "bash", "console"}
# What stands before a command, or ends a list of them.
BEFORE_COMMAND = {"do", "then", "else", "if", "while", "until", "!"}
NO_COMMAND = {"for", "done", "fi"}
# What stands in foreign.toml as well, but begins many a line that is no command.
COMMONPLACE = {".", "cd", "chmod", "chown", "install", "tee"}
# Where variables of the environment are read.
SOURCES = ("local", "session-host", "transfer", "functions")
# Printing a help is a moment's work, but not on a machine that builds with all it has.
COMMAND_SECS_MAX = 240


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
def variables():
    """The variables of the environment that something of ours reads."""
    looked = [*(ROOT / "infra").rglob("*"), *(path for top in SOURCES for path in (ROOT / top).rglob("*.rs"))]
    return {name for path in looked if path.is_file() for name in re.findall(r"\bFERRY_[A-Z_]+\b", path.read_text(errors="replace"))}


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


def variable_faults(words):
    """What `export` is given: a value for a variable that something reads."""
    for word in words:
        name, _, value = word.partition("=")
        if not value:
            yield f"export {word} gives no value"
        elif name.startswith("FERRY_") and name not in variables():
            yield f"nothing reads {name}"


def without_comment(line):
    return re.sub(r"(^|\s)#.*$", "", line).strip()


def parts_of(line):
    """The commands of a line, each as words; of a loop, those that it repeats. `None` if it cannot be read."""
    lexer = shlex.shlex(re.sub(r"\d?>&\d", "", without_comment(line)), posix=True, punctuation_chars=";|&")
    lexer.whitespace_split, lexer.commenters = True, ""
    parts = [[]]
    try:
        for word in lexer:
            if re.fullmatch(r"[;|&]+", word):
                parts.append([])
            elif parts[-1] or word not in BEFORE_COMMAND:
                parts[-1].append(word)
    except ValueError:
        return None
    return [part for part in parts if part and part[0] not in NO_COMMAND]


def bare(words):
    """A command without what is set for it, where its output goes, and as whom it is run."""
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    words = [word for word in words if not re.fullmatch(r"\d?[<>]+", word)]
    return words[3:] if words[:2] == ["sudo", "-u"] else words


def is_ours(word):
    return word in ("ferry", "cargo", "target/release/ferry", "target/debug/ferry") or re.match(r"(\.ci|infra|tests)/[\w/-]*\w$", word)


def is_program(word):
    """Ours, or one of others that does more than the shell's own."""
    return is_ours(word) or (word in foreign() and word not in COMMONPLACE)


def is_known(words):
    return bool(words) and (is_ours(words[0]) or words[0] in foreign())


def has_program(line):
    """Whether one of a line's commands begins with a program."""
    return any(is_program(part[0]) for part in map(bare, parts_of(line) or [line.split()]) if part)


def is_cut_short(line):
    """With an ellipsis in it, it is no whole command; in place of a variable's value it says that the value is yours."""
    return bool(re.search(r"…|\.\.\.", re.sub(r"=\.\.\.(?=\s|$)", "=", line)))


def command_faults(line, ferry, strict):
    """What is wrong with one line; `strict`: each program in it has to be known."""
    parts = parts_of(line)
    if parts is None:
        if strict:
            yield "cannot be read as a command"
        return
    for words in map(bare, parts):
        if not words:
            continue
        program, rest = words[0], words[1:]
        if program.rpartition("/")[2] == "ferry":
            yield from ferry.faults(rest)
        elif program == "cargo":
            yield from cargo_faults(rest, ferry)
        elif is_ours(program):
            yield from script_faults(program, rest)
        elif program == "export":
            yield from variable_faults(rest)
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
            if text.split() and (shell or has_program(text)):
                yield start, text, shell
            text = ""
    for number, span in page.spans():
        # A program's name alone is no command, and a sentence with a command behind a semicolon is none either.
        begins = len(span.split()) > 1 and is_known(bare(span.split())[:1])
        if begins and has_program(span) and not is_cut_short(span):
            yield number, span, False


def page_command_faults(page, ferry):
    for number, line, strict in commands(page):
        for fault in command_faults(line, ferry, strict):
            yield f"{page.name}:{number}: {without_comment(line)}: {fault}"
