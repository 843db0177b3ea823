"""Measurements of the whole site under load, on the servers of `make stack`: the second half of `make bench`.

The modules can be imported before Django is set up; what needs it is imported inside functions.
"""
