"""Checks of the project itself: `make check` runs them."""
