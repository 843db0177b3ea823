"""Run the named processes of the `Procfile` under honcho: `python -m config.run.supervise web worker`.

A program of its own, because honcho forks and takes the signals for itself. When one process ends, or when this
program is told to end, honcho ends all the others, and those that do not heed it are killed after five seconds.
"""

from __future__ import annotations

import multiprocessing
import os
import sys

from honcho.environ import parse_procfile
from honcho.manager import Manager

from config.env import BASE_DIR

# honcho takes a process for alive as long as anybody holds its output. A server that was killed leaves workers that do:
# its shell ends them, so that honcho notices. (Told to end, the shell is gone first, and they end in their own time.)
LAST_ACT = '; echo "Ended with code $?."; kill -KILL 0'


def commands() -> dict[str, str]:
    """The lines of the `Procfile`: name and shell command."""
    procfile = parse_procfile((BASE_DIR / "Procfile").read_text(encoding="utf-8"))
    return {str(name): str(command) for name, command in procfile.processes.items()}


def main(names: list[str]) -> int:
    """Run until the processes have ended; the exit code is the first one's."""
    multiprocessing.set_start_method("fork")  # honcho hands its children objects that cannot be pickled.
    manager = Manager()
    for name, command in commands().items():
        if name in names:
            manager.add_process(name, command + LAST_ACT, cwd=str(BASE_DIR), env=dict(os.environ))
    manager.loop()
    return int(manager.returncode or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
