"""How often a web server looks for what nothing refers to any more.

Making a page makes thousands of objects, and Python looks for circles among those that are left each time there are
700 more: a tenth of a page's time, for objects that nearly all go by themselves when the page is done.
"""

from __future__ import annotations

import gc

# Objects made and not gone yet, before the youngest are looked through; then how many such looks until older ones are.
THRESHOLDS = (10_000, 20, 20)


def collect_less() -> None:
    """Call it once everything is loaded: that stays for good, and is never looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
