"""The Bot API, as far as deploying needs it. The token stands in each address, so none is ever shown whole."""

import http.client
import json
import re
import urllib.error
import urllib.request
from pathlib import Path

from .failure import BadInput, Failed

TELEGRAM = "https://api.telegram.org"
CALL_SECS_MAX = 30
# What the bot shows and takes, written by the program that knows: a test of `transfer` keeps the file as it is.
PROFILE = Path(__file__).resolve().parent / "bot.json"


class Bot:
    def __init__(self, token, api=""):
        if not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]{8,}", token):
            raise BadInput("the bot token is none: it is digits, a colon and letters, as @BotFather told it (FERRY_BOT_TOKEN)")
        if api and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#@]*)?", api):
            raise BadInput("BotApi is no address of a Bot API server: it is http:// or https://, and a host")
        self._api = (api or TELEGRAM).rstrip("/")
        self._base = f"{self._api}/bot{token}/"

    def call(self, method, **arguments):
        """The result; `Refused` with what Telegram said otherwise."""
        try:
            request = urllib.request.Request(self._base + method, json.dumps(arguments).encode(), {"content-type": "application/json"})
            with urllib.request.urlopen(request, timeout=CALL_SECS_MAX) as reply:
                return json.loads(reply.read())["result"]
        except urllib.error.HTTPError as error:
            raise Refused(error.code, _description(error)) from None
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            # An error's own text may quote the address, and with it the token; what the network says of a connection does not.
            reason = getattr(error, "reason", None)
            why = reason if isinstance(reason, OSError) else type(error).__name__
            raise Failed(f"the Bot API at {self._api} does not answer {method}: {why}") from None

    def introduced(self):
        """The bot's name. A token that Telegram does not know is bad input."""
        try:
            return self.call("getMe")["username"]
        except Refused as error:
            raise BadInput(f"Telegram does not know the bot ({error}): is FERRY_BOT_TOKEN what @BotFather told?") from None

    def set_webhook(self, url, secret, at_once=0):
        """Telegram delivers no more at the same time than the function answers, where that is bounded."""
        webhook = json.loads(PROFILE.read_text())["webhook"]
        if at_once:
            webhook["max_connections"] = min(at_once, webhook["max_connections"])
        try:
            self.call("setWebhook", url=url, secret_token=secret, **webhook)
        except Refused as error:
            raise Failed(f"the webhook cannot be set to {url}: Telegram said {error}; run infra/deploy again once that is mended") from None

    def set_commands(self):
        for menu in json.loads(PROFILE.read_text())["menus"]:
            try:
                self.call("setMyCommands", **menu)
            except Refused as error:
                raise Failed(f"the bot's commands cannot be set: Telegram said {error}; run infra/deploy again") from None


class Refused(Failed):
    """Telegram said no."""

    def __init__(self, code, description):
        super().__init__(f"{code} {description}")
        self.code = code


def _description(error):
    try:
        return json.loads(error.read())["description"]
    except (ValueError, KeyError, TypeError, OSError, http.client.HTTPException):
        # Not `error.reason`: of a redirection it holds the address.
        return http.client.responses.get(error.code, "")
