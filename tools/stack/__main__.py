"""`make stack`: the production site on this machine, until Ctrl-C. `python -m tools.stack [DIRECTORY]`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from config.run.checks import Refusal
from tools.stack.layout import layout_in
from tools.stack.running import Stack, StackProblem

STAFF = "staff@rehearsal.localhost"


class EndRequested(BaseException):
    """Somebody pressed Ctrl-C or sent a signal to end."""


def main(arguments: list[str]) -> int:
    """Run the stack until it is told to end; 1 where it cannot start."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _request_end)
    layout = layout_in(Path(arguments[0] if arguments else "var/stack").absolute())
    print(f"Starting the stack; its data and logs are in {layout.directory}", flush=True)
    try:
        with Stack(layout) as stack:
            _make_staff(stack)
            print(
                f"\nStaff: {STAFF}, the password is in {layout.secret('staff_password')}\n"
                f"Mails: {layout.mails / 'caught' / 'new'}\n"
                f"Sandbox of the mTLS endpoint:    {layout.gateway_url}\n"
                f"Production of the mTLS endpoint: {layout.gateway_production_url}\n"
                f"Root to trust: {layout.directory / 'root.pem'}\n\n"
                f"Ready: {layout.site_url}",
                flush=True,
            )
            stack.wait()
    except (StackProblem, Refusal) as problem:
        print(problem, file=sys.stderr)
        return 1
    except EndRequested:
        print("The stack has ended.", flush=True)
    return 0


def _make_staff(stack: Stack) -> None:
    """An account for the stack's owner, once."""
    made = stack.layout.directory / "staff-is-made"
    if not made.exists():
        password = stack.layout.secret_text("staff_password")
        arguments = ("createsuperuser", "--noinput", "--email", STAFF, "--name", "Staff of the stack")
        stack.manage("manage", *arguments, DJANGO_SUPERUSER_PASSWORD=password)
        made.touch()


def _request_end(number: int, frame: FrameType | None) -> NoReturn:
    for other in (signal.SIGINT, signal.SIGTERM):
        signal.signal(other, signal.SIG_IGN)
    raise EndRequested


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
