"""What pages say of this repository: its files, its buttons, the lines that its programs end with, its figures and keys."""

import fnmatch
import html
import re
import subprocess
from functools import cache

from commands import COMMAND_SECS_MAX, is_ours
from demo import ROOT


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
