"""Backup and restore of the whole site: every table, and the CAs' keys as they lie in ``CA_DIRECTORY``, encrypted.

One archive holds one moment of one kind of database (docs/decisions/0014-backup.md). What it does not hold: sessions
(people sign in again), what is in Redis (the database is the truth), keys in a token, and the two secrets without which
an archive is of little use to a thief: ``CA_KEY_PASSPHRASE`` and ``SECRET_KEY``. Keep those somewhere else.
"""
