"""A page of Markdown: its headings, links, blocks of code and code in the text; and where its links lead."""

import re
from urllib.parse import unquote, urlsplit

from commands import has_program
from demo import ROOT

# To whom pages may lead. Nobody is asked: the check needs no network.
HOSTS = {"docs.aws.amazon.com", "my.telegram.org", "t.me", "core.telegram.org", "github.com", "rustup.rs"}


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
        """A block of code by its indentation; below the text of a list only what has a program in it is taken for one."""
        if self.prose and self.prose[-1][1].strip() and not self.in_indented(number):
            return False
        return bool(re.match(r" {4}\S", line)) or (line.startswith("     ") and has_program(line))

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
