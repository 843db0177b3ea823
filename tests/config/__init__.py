"""Tests of the settings, the launcher, the health addresses and the checks."""
