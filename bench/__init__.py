"""Measurements: `make bench`. Each prints what was measured beside its baseline and limit, in the same run."""
