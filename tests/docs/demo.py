"""The demo pages, made of what the tests check, so that they cannot go stale.

    python tests/docs/demo.py          writes docs/demo.md and docs/zh/demo.md

Conversations come from the transcripts of the function's tests, single screens from those of the domain's. `check.py` fails
when a page is not what this makes.
"""

import html
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TRANSCRIPTS = "functions/webhook/tests/transcripts/snapshots"
SCREENS = "transfer/src/screen/snapshots"
LANGUAGES = ["en", "zh"]
PAGES = {"en": "docs/demo.md", "zh": "docs/zh/demo.md"}

HEAD = {
    "en": """# Demo

What an admin and the bot say to each other. `tests/docs/demo.py` makes this page of the snapshots that the tests hold the program to,
and `tests/run --only docs` fails when it is not up to date: edit that file, never this page.

How to read it: a line with `>` is what the admin writes or presses (a press in brackets), `<3` is the bot's third message, `<3 edited` the same
message changed in place, a line in parentheses says what happens outside the chat. Brackets are buttons. Names such as `Archive <b>` and
`night <1>` are meant: the tests use names that must not be taken for markup.

To see it on your own machine, with a simulated Telegram and without any account: [quick start](quick-start.md#without-an-account).
""",
    "zh": """# 演示

管理员与机器人之间的对话。本页由 `tests/docs/demo.py` 根据测试所用的快照生成，内容不是最新时 `tests/run --only docs` 会失败：请修改该文件，不要直接修改本页。

阅读方法：以 `>` 开头的行是管理员发送的文字或按下的按钮（按钮写在方括号里），`<3` 是机器人的第三条消息，`<3 edited` 表示原消息被就地更新，圆括号里的行说明聊天之外发生的事。方括号是按钮。
`Archive <b>`、`night <1>` 这样的名称是有意的：测试特意使用不能被当作标记的名称。

想在自己的机器上看一遍（使用模拟的 Telegram，不需要任何账号），请看[快速开始](quick-start.md#不用账号)。
""",
}


@dataclass
class Scene:
    """One conversation or screen, with a heading and a sentence in each language."""

    file: str
    en: tuple
    zh: tuple

    def text(self, language):
        """What the tests hold the program to, as people read it."""
        if self.file.startswith("screen:"):
            return screen(self.file.removeprefix("screen:"), language)
        suffix = {"en": "en", "zh": "zh-hans"}[language]
        if self.file == "story__a_transfer":
            name = {"en": "story__a_transfer_in_english", "zh": "story__a_transfer_in_chinese"}[language]
        else:
            name = f"{self.file}_{suffix}"
        return shortened(body(ROOT / TRANSCRIPTS / f"transcripts__{name}.snap"))


SCENES = [
    Scene(
        "logins__by_picture",
        ("An account is added with a QR code", "Nothing secret is written in the chat but the two-step password, and that message is removed at once."),
        ("用二维码添加账号", "除两步验证密码外，聊天中不出现任何机密；含密码的消息会立即被删除。"),
    ),
    Scene(
        "logins__by_code",
        (
            "An account is added with phone and code",
            "The code is pressed on buttons. This admin makes every mistake there is; several presses in a row are shown in one line.",
        ),
        ("用手机号和验证码添加账号", "验证码用按钮输入。这位管理员把能犯的错误都犯了一遍；连续的按键合并为一行。"),
    ),
    Scene(
        "story__a_transfer",
        ("A transfer is asked for", "Eleven steps, most of which are one press. Nothing is carried before the last press."),
        ("新建搬运", "一共十一步，大多数只需按一下。最后一次确认之前不会搬运任何内容。"),
    ),
    Scene(
        "screen:task_running",
        ("A transfer runs", "Its page in `/tasks`. The progress message in the chat shows the same figures and is edited in place."),
        ("搬运进行中", "`/tasks` 中的任务页面。聊天里的进度消息显示同样的数字，并就地更新。"),
    ),
    Scene(
        "screen:task_waiting",
        ("All accounts are limited", "The transfer waits for the first account that may go on, and does so by itself."),
        ("所有账号都被限流", "任务等待最先解除限流的账号，然后自动继续。"),
    ),
    Scene(
        "screen:task_paused",
        ("A transfer is paused", "Resume goes on exactly where it stopped."),
        ("任务已暂停", "继续时从断点接着搬运。"),
    ),
    Scene(
        "screen:task_parked",
        ("A transfer needs you", "The reason says what to do; after that, resume."),
        ("任务需要处理", "原因里写明了该做什么；处理后点击继续。"),
    ),
    Scene(
        "screen:skipped",
        ("What was skipped", "The ledger: every message that did not arrive, with the reason."),
        ("跳过的消息", "台账：每一条没有送达的消息及其原因。"),
    ),
    Scene(
        "accounts__tended",
        ("An account is looked after", "Disabled, enabled, given another priority and another name."),
        ("管理账号", "禁用、启用、修改优先级和名称。"),
    ),
    Scene(
        "accounts__reset",
        ("A flood state is reset", "Possible, and seldom wise: the question says why."),
        ("重置限流", "可以重置，但很少值得：提示里说明了原因。"),
    ),
    Scene(
        "logins__again",
        ("An account logs in again", "Name, priority and statistics stay."),
        ("账号重新登录", "名称、优先级和统计都保持不变。"),
    ),
    Scene(
        "screen:statistics",
        ("Statistics", "Totals of the pool, and the last seven days."),
        ("统计信息", "账号池的总数和最近七天。"),
    ),
    Scene(
        "accounts__deleted",
        ("An account leaves the pool", "What is open is settled first; then it is signed out at Telegram and erased."),
        ("账号离开账号池", "先处理未完成的部分，然后在 Telegram 登出并清除。"),
    ),
    Scene(
        "accounts__panic",
        ("The panic button", "Everything is signed out at once. It asks twice."),
        ("退出所有账号", "立即登出全部账号，会询问两次。"),
    ),
]


def body(path):
    """A snapshot without its head."""
    _, _, text = path.read_text().split("---\n", 2)
    return text.strip("\n")


def screen(name, language):
    """One screen of a snapshot that holds both languages, without markup and without what buttons carry."""
    text = body(ROOT / SCREENS / f"transfer__screen__tests__{name}.snap")
    parts = re.split(r"^== (\w+)\n", text, flags=re.M)
    shown = dict(zip(parts[1::2], parts[2::2]))[language]
    shown = re.sub(r"</?(b|i|code)>", "", shown)
    shown = re.sub(r"\[(.+?) → [a-z]+\??(?::[^\]\s]*)?\]", r"[\1]", shown)
    return html.unescape(shown).strip("\n")


def shortened(text):
    """Several one-character presses in a row become one line, with the last screen."""
    steps = re.split(r"\n\n(?=> |\()", text)
    kept = []
    for step in steps:
        first, _, rest = step.partition("\n")
        press = re.fullmatch(r"> \[(.)\]", first)
        before = re.fullmatch(r"> ((?:\[.\] ?)+)", kept[-1].partition("\n")[0]) if kept else None
        if press and before and rest.count("\n<") == 0:
            kept[-1] = f"> {before[1]} [{press[1]}]\n{rest}"
        else:
            kept.append(step)
    return "\n\n".join(kept)


def page(language):
    """The page as it should be."""
    parts = [HEAD[language]]
    for scene in SCENES:
        heading, sentence = scene.en if language == "en" else scene.zh
        parts.append(f"## {heading}\n\n{sentence}\n\n```text\n{scene.text(language)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    for language in LANGUAGES:
        (ROOT / PAGES[language]).write_text(page(language))
