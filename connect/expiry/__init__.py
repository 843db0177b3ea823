"""The ends of certificates: which are watched, what is due when, and who is told.

Neither portal is known here. Each registers a ``Source`` (``connect.expiry.sources``) that reads its rows.
"""
