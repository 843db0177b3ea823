"""Commands as a page shows them, run as they stand: in a folder with the files that the page speaks of."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

# What a tab's text is put into, and what runs it.
_FILES = {"Python": "client.py", "Java": "Client.java", "Node": "client.js"}
_STARTERS = {"Python": sys.executable, "Java": "java", "Node": "node"}
_PANEL = re.compile(r'<div class="panel code"><h3 class="hidden">([^<]*)</h3>.*?data-copy="([^"]*)"', re.DOTALL)
HANG_SECONDS = 120
# Every client that a panel has a program for.
CLIENTS = ("curl", "Python", "Java", "Node", "openssl")


def panel_on(page: str) -> dict[str, str]:
    """The texts of the panel `Try it` by label, as its copy buttons have them."""
    _, found, panel = page.partition('id="try-it"')
    assert found, "the page has no panel"
    return {
        html.unescape(label): html.unescape(text) for label, text in _PANEL.findall(panel.partition("</section>")[0])
    }


def run(
    label: str, text: str, folder: Path, *, password: str = "", typed: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run one text: a program by its own tool, everything else by a shell.

    The password stands in the environment; ``typed`` answers what is asked.
    """
    file = folder / _FILES.get(label, "commands.sh")
    file.write_text(text)
    with_our_programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    starter = _STARTERS.get(label, "bash")
    return subprocess.run(
        [shutil.which(starter, path=with_our_programs) or starter, file.name],
        cwd=folder,
        env=os.environ | {"KEYSTORE_PASSWORD": password},
        input=typed,
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )


def answered(label: str, text: str, folder: Path, *, password: str = "") -> str:
    """The answer's body, from a client that must have got one."""
    done = run(label, text, folder, password=password)
    assert done.returncode == 0, f"{label}: {done.stderr}"
    return done.stdout[done.stdout.index("{") :]
