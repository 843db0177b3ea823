"""The production site on one machine without containers: `make stack`. For trying it out, for faults and for load."""
