"""What becomes of running flows when a part of the site fails: `make faults`, on the stack of `make stack`."""
