"""The tests: one folder per app."""
