"""An emulator of AWS on loopback, running until the `with` block ends, which gives its address."""

import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from beside import free_port

START_SECS_MAX = 60
LOOK_SECS = 0.1


class Emulator:
    def __init__(self, ministack):
        self.ministack = str(ministack)

    def __enter__(self):
        port = free_port()
        self.log = tempfile.NamedTemporaryFile(prefix="ferry-ministack-", suffix=".log")
        # It would listen to everybody otherwise.
        environment = {**os.environ, "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
        self.process = subprocess.Popen(
            [self.ministack],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        url = f"http://127.0.0.1:{port}"
        ends_at = time.monotonic() + START_SECS_MAX
        while not answers(url):
            if self.process.poll() is not None or time.monotonic() > ends_at:
                said = Path(self.log.name).read_text(errors="replace")[-2000:]
                self.__exit__()
                raise AssertionError(f"the emulator does not answer; it said: {said}")
            time.sleep(LOOK_SECS)
        return url

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log.close()


def answers(url):
    """Whatever it answers: it is there."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
