"""How a script ends when it does not end well: one line for each thing that is wrong, and an exit status as `ferry` has them."""

import sys


class BadInput(Exception):
    """What was asked for cannot be done, and nothing was changed. Exit status 2. Several lines: several things are wrong."""

    def __init__(self, *lines):
        super().__init__("\n".join(lines))
        self.lines = lines


class Failed(Exception):
    """Something went wrong on the way. Exit status 1."""


def ends_with_a_line(act):
    """Runs a script's main function; whatever it raises becomes lines and an exit status."""
    try:
        status = act()
    except BadInput as error:
        for line in error.lines:
            print(f"error: {line}", file=sys.stderr)
        status = 2
    except Failed as error:
        print(f"error: {error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        status = 130
    except Exception as error:
        if not _is_of_aws(error):
            raise
        print(f"error: AWS: {' '.join(str(error).split())}", file=sys.stderr)
        status = 1
    sys.exit(status or 0)


def _is_of_aws(error):
    """Errors of boto3, which is not installed before it is needed."""
    return any(kind.__module__.startswith(("botocore.", "boto3.")) for kind in type(error).__mro__)
