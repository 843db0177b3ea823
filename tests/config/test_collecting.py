"""The web server leaves alone what it has loaded. In a process of its own: it holds for a whole process."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc
from config.collecting import THRESHOLDS, collect_less

loaded = [[] for _ in range(1_000)]
collect_less()
assert gc.get_freeze_count() >= 1_000
assert gc.get_threshold() == THRESHOLDS

class Circle:
    left = 0
    def __init__(self):
        self.itself = self
        Circle.left += 1
    def __del__(self):
        Circle.left -= 1

for _ in range(100 * THRESHOLDS[0]):
    Circle()
print(Circle.left)
"""


def test_what_is_loaded_is_left_alone_and_circles_are_still_found() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120, check=True)
    assert int(done.stdout) <= 10_000
