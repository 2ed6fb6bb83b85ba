"""Session strings of four libraries, written by the libraries themselves, come into the pool and carry.

    strings_judge.py CONTROL_URL DATA_DIR FERRY PYTHON NODE_SCRIPT

One line per check; ends with status 1 at the first that fails. What was carried, and by whom, is read from the control API.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from simulator import Control

HERE = Path(__file__).resolve().parent
TARGET = -1001500000002
COMMAND_SECS_MAX = 120


class Judge:
    def __init__(self, url, data, ferry, python, node_script):
        self.control, self.data, self.ferry = Control(url), Path(data), ferry
        text = (self.data / "ferry.toml").read_text()
        (self.data / "strings.toml").write_text(re.sub(r'data_dir = ".*"', 'data_dir = "strings"', text))
        self.written = []
        for command in [[python, "-B", str(HERE / "strings_python.py")], ["node", node_script]]:
            made = run([*command, url], None)
            assert made.returncode == 0, f"{command}: {made.stderr[-2000:]}"
            self.written += [json.loads(line) for line in made.stdout.splitlines() if line.startswith("{")]

    def run(self, *arguments, said=None, env=None):
        return run([self.ferry, *arguments, "--config", "strings.toml"], self.data, said, env)

    def imported(self, one):
        output = self.run("account", "import", "--label", one["library"], said=one["text"] + "\n")
        assert output.returncode == 0, output.stderr
        assert f"{one['library']} is in the pool" in output.stdout, output.stdout
        again = self.run("account", "import", said=one["text"] + "\n")
        assert again.returncode == 2 and "in the pool already" in again.stderr, again.stderr

    def cut_off(self, one):
        for text in [one["text"][:-8], one["text"][:120]]:
            output = self.run("account", "import", said=text + "\n")
            assert output.returncode == 2, f"a string that was cut off was taken: {output.stdout}"
            assert text[20:40] not in output.stdout + output.stderr, "the string is repeated"

    def checked(self, one):
        output = self.run("account", "check", one["library"])
        assert output.returncode == 0 and "is good" in output.stdout, output.stdout + output.stderr

    def carries(self, one):
        for other in self.written:
            word = "enable" if other is one else "disable"
            assert self.run("account", word, other["library"]).returncode == 0
        first = 1 + 20 * self.written.index(one)
        before = len(self.control.created(TARGET))
        ids = f"{first}-{first + 19}"
        output = self.run("transfer", "--pace", "none", "--from", "@source", "--to", "@target", "--ids", ids)
        assert output.returncode == 0, output.stdout + output.stderr
        assert len(self.control.created(TARGET)) > before, "nothing was carried"
        forwards = [entry for entry in self.control.audit() if entry["method"] == "messages.forwardMessages"]
        assert forwards[-1]["account"] == one["user"], f"another account carried: {forwards[-1]}"


def run(command, cwd, said=None, env=None):
    return subprocess.run(
        command, cwd=cwd, input=said or "", env=env, capture_output=True, text=True, timeout=COMMAND_SECS_MAX
    )


CHECKS = [
    (Judge.cut_off, "is refused when it was cut off, and not repeated"),
    (Judge.imported, "comes into the pool, once"),
    (Judge.checked, "is good"),
    (Judge.carries, "carries"),
]


def main():
    judge = Judge(*sys.argv[1:])
    assert [one["library"] for one in judge.written] == ["Telethon", "Pyrogram", "mtcute", "gramjs"], judge.written
    for check, about in CHECKS:
        for one in judge.written:
            try:
                check(judge, one)
            except Exception as error:
                print(f"FAILED a session string of {one['library']} {about}: {error or type(error).__name__}", flush=True)
                sys.exit(1)
            print(f"ok a session string of {one['library']} {about}", flush=True)


main()
