from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.keystores.browser_code import BrowserCode, running_browser_code


@pytest.fixture(scope="session")
def browser_code() -> Iterator[BrowserCode]:
    """The browser's modules in a Node of their own."""
    with running_browser_code() as code:
        yield code
