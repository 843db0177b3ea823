"""What every address of the site answers to every kind of person: it must have a row for each."""

from __future__ import annotations

PEOPLE = ("anonymous", "stranger", "reader", "admin", "staff")
IN = "in"  # sent to the sign-in page
SEEN_BY_ALL = "200 200 200 200 200"
SEEN_SIGNED_IN = f"{IN} 200 200 200 200"
SEEN_BY_TEAM = f"{IN} 404 200 200 404"
SEEN_BY_ADMINS = f"{IN} 404 403 200 404"
REFUSED_TO_ADMINS = f"{IN} 404 403 422 404"  # JSON for a script: nothing in it is right.
DONE_BY_ADMINS = f"{IN} 404 403 302 404"
SEEN_BY_STAFF = f"{IN} 403 403 403 200"
# Alice, who is ``admin`` here, is Security Administrator and security officer of her company, too.
SEEN_BY_ALICE = f"{IN} 404 404 200 404"
DONE_BY_ALICE = f"{IN} 404 404 302 404"
SEEN_BY_OFFICERS = f"{IN} 403 403 200 403"
DONE_BY_OFFICERS = f"{IN} 403 403 302 403"
# Whoever changes how they sign in confirms first that it is they.
CONFIRMED_FIRST = f"{IN} 302 302 302 302"
NEVER = "405 405 405 405 405"
NEVER_SIGNED_IN = f"{IN} 405 405 405 405"

# Name of the address: what GET answers, and what a POST of an empty form answers, to each of PEOPLE in turn.
# An empty form is refused with the page itself (200); what is sent on (302) needs no more than the address.
ROWS = {
    "home": (f"{IN} 302 302 302 302", f"{IN} 302 302 302 302"),
    "healthz": (SEEN_BY_ALL, NEVER),
    "readyz": (SEEN_BY_ALL, NEVER),
    # From this machine: tests/config/test_metrics_readers.py has who else may not.
    "metrics": (SEEN_BY_ALL, NEVER),
    "account_login": ("200 302 302 302 302", "200 302 302 302 302"),
    "account_logout": ("302 200 200 200 200", "302 302 302 302 302"),
    "account_change_password": (SEEN_SIGNED_IN, SEEN_SIGNED_IN),
    "mfa_authenticate": ("302 302 302 302 302", "302 302 302 302 302"),
    "account_reauthenticate": (SEEN_SIGNED_IN, SEEN_SIGNED_IN),
    "account_security": (SEEN_SIGNED_IN, NEVER_SIGNED_IN),
    "account_totp": (CONFIRMED_FIRST, CONFIRMED_FIRST),
    "account_passkey_add": (CONFIRMED_FIRST, CONFIRMED_FIRST),
    "account_passkey": (CONFIRMED_FIRST, CONFIRMED_FIRST),
    "account_factor_remove": (CONFIRMED_FIRST, CONFIRMED_FIRST),
    "account_recovery_codes": (CONFIRMED_FIRST, CONFIRMED_FIRST),
    "account_recovery_codes_file": (f"{IN} 403 403 403 403", NEVER_SIGNED_IN),
    "account_sessions": (SEEN_SIGNED_IN, f"{IN} 302 302 302 302"),
    # Nothing is kept for any of them: tests/connect/test_unsent.py has whom it is shown to.
    "account_unsent": (f"{IN} 302 302 302 302", f"{IN} 302 302 302 302"),
    "connect:notices": (SEEN_SIGNED_IN, NEVER_SIGNED_IN),
    "connect:notices_read": (NEVER_SIGNED_IN, f"{IN} 302 302 302 302"),
    "connect:notice_open": (NEVER_SIGNED_IN, f"{IN} 404 404 302 404"),
    "connect:notice_settings": (SEEN_SIGNED_IN, f"{IN} 302 302 302 302"),
    "connect:notice_sample": (NEVER_SIGNED_IN, f"{IN} 302 302 302 302"),
    "connect:calendar_address": (NEVER_SIGNED_IN, f"{IN} 302 302 302 302"),
    "connect:calendar_feed": (SEEN_BY_ALL, NEVER),
    "connect:digest_unsubscribe": (SEEN_BY_ALL, SEEN_BY_ALL),
    "connect:company_notices": (SEEN_BY_OFFICERS, NEVER_SIGNED_IN),
    "connect:company_notice_retry": (NEVER_SIGNED_IN, DONE_BY_ALICE),
    "connect:snooze_link": (SEEN_BY_ALL, SEEN_BY_ALL),
    "connect:mailbox": (SEEN_SIGNED_IN, NEVER_SIGNED_IN),
    "connect:mail": (f"{IN} 404 404 200 200", NEVER_SIGNED_IN),
    "connect:mail_html": (f"{IN} 404 404 200 200", NEVER_SIGNED_IN),
    "connect:store": (SEEN_SIGNED_IN, NEVER_SIGNED_IN),
    "connect:request_access": (f"{IN} 200 200 302 200", f"{IN} 200 200 302 200"),
    "connect:items": (SEEN_SIGNED_IN, NEVER_SIGNED_IN),
    "connect:item": (SEEN_BY_ALICE, NEVER_SIGNED_IN),
    "connect:item_cancel": (NEVER_SIGNED_IN, f"{IN} 404 404 302 404"),
    "connect:item_give_up": (SEEN_BY_ALICE, SEEN_BY_ALICE),
    "connect:inbox": (f"{IN} 403 403 200 200", NEVER_SIGNED_IN),
    "connect:inbox_item": (SEEN_BY_ALICE, SEEN_BY_ALICE),
    "connect:access_withdraw": (SEEN_BY_ALICE, SEEN_BY_ALICE),
    "connect:company": (f"{IN} 200 200 200 403", f"{IN} 403 403 200 403"),
    # Charlie, who is ``stranger`` here, is admin of a project of his own company.
    "connect:clock": (f"{IN} 200 403 200 200", f"{IN} 200 403 200 405"),
    "connect:company_clock": (f"{IN} 404 403 200 200", f"{IN} 404 403 200 200"),
    "connect:clock_start_over": (f"{IN} 404 403 200 200", f"{IN} 404 403 200 200"),
    "connect:webhooks": (SEEN_BY_OFFICERS, SEEN_BY_OFFICERS),
    "connect:webhook": (SEEN_BY_OFFICERS, NEVER_SIGNED_IN),
    "connect:webhook_secret": (SEEN_BY_OFFICERS, SEEN_BY_OFFICERS),
    "connect:webhook_end": (SEEN_BY_OFFICERS, DONE_BY_OFFICERS),
    "connect:webhook_test": (NEVER_SIGNED_IN, DONE_BY_OFFICERS),
    "connect:webhook_message": (SEEN_BY_OFFICERS, NEVER_SIGNED_IN),
    "connect:webhook_replay": (NEVER_SIGNED_IN, DONE_BY_OFFICERS),
    "connect:company_verify": (f"{IN} 200 200 200 403", f"{IN} 302 302 302 403"),
    "connect:verifications": (SEEN_BY_STAFF, NEVER_SIGNED_IN),
    "connect:verification": (SEEN_BY_STAFF, SEEN_BY_STAFF),
    "kmp:inventory": (f"{IN} 403 403 200 403", NEVER_SIGNED_IN),
    "kmp:inventory_file": (f"{IN} 403 403 200 403", NEVER_SIGNED_IN),
    "kmp:entry": (SEEN_BY_ALICE, NEVER_SIGNED_IN),
    "kmp:entry_download": (SEEN_BY_ALICE, NEVER_SIGNED_IN),
    "kmp:entry_calls": (f"{IN} 404 404 302 404", NEVER_SIGNED_IN),
    "kmp:entry_propagation": (f"{IN} 404 404 302 404", NEVER_SIGNED_IN),
    "kmp:entry_revoke": (SEEN_BY_ALICE, SEEN_BY_ALICE),
    "kmp:entry_snooze": (SEEN_BY_ALICE, SEEN_BY_ALICE),
    "kmp:requests": (SEEN_BY_OFFICERS, NEVER_SIGNED_IN),
    "kmp:request_new": (SEEN_BY_OFFICERS, SEEN_BY_OFFICERS),
    "kmp:renew_by_serial": (SEEN_BY_OFFICERS, SEEN_BY_OFFICERS),
    "kmp:entry_renew": (SEEN_BY_ALICE, SEEN_BY_ALICE),
    "kmp:request": (SEEN_BY_ALICE, NEVER_SIGNED_IN),
    "kmp:request_details": (SEEN_BY_ALICE, SEEN_BY_ALICE),
    "kmp:request_csr": (SEEN_BY_ALICE, DONE_BY_ALICE),
    "kmp:request_review": (SEEN_BY_ALICE, SEEN_BY_ALICE),
    "kmp:request_submit": (DONE_BY_ALICE, SEEN_BY_ALICE),
    "kmp:request_cancel": (NEVER_SIGNED_IN, DONE_BY_ALICE),
    "kmp:request_take_over": (NEVER_SIGNED_IN, DONE_BY_ALICE),
    "kmp:request_correct": (NEVER_SIGNED_IN, DONE_BY_ALICE),
    "kmp:notices": (SEEN_BY_OFFICERS, NEVER_SIGNED_IN),
    "kmp:company": (SEEN_BY_OFFICERS, SEEN_BY_OFFICERS),
    "kmp:support": (f"{IN} 403 403 200 200", NEVER_SIGNED_IN),
    "kmp:review_queue": (SEEN_BY_STAFF, NEVER_SIGNED_IN),
    "kmp:review": (SEEN_BY_STAFF, SEEN_BY_STAFF),
    "kmp:requirements": (SEEN_BY_STAFF, NEVER_SIGNED_IN),
    "kmp:application": (SEEN_BY_STAFF, SEEN_BY_STAFF),
    "kmp:requirement": (SEEN_BY_STAFF, SEEN_BY_STAFF),
    "ocsp": (SEEN_BY_ALL, SEEN_BY_ALL),  # An empty request is told malformedRequest, in OCSP's own words.
    "certauthority:crl": (SEEN_BY_ALL, NEVER),
    "certauthority:crl_shard": (SEEN_BY_ALL, NEVER),
    "certauthority:certificate": (SEEN_BY_ALL, NEVER),
    "certauthority:bundle": (SEEN_BY_ALL, NEVER),
    "portal:projects": (SEEN_SIGNED_IN, NEVER_SIGNED_IN),
    "portal:project_create": (SEEN_SIGNED_IN, SEEN_SIGNED_IN),
    "portal:project": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:project_delete": (SEEN_BY_ADMINS, SEEN_BY_ADMINS),
    "portal:team": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:team_invite": (NEVER_SIGNED_IN, SEEN_BY_ADMINS),
    "portal:team_role": (NEVER_SIGNED_IN, SEEN_BY_ADMINS),
    "portal:team_remove": (SEEN_BY_ADMINS, DONE_BY_ADMINS),
    "portal:production_access": (SEEN_BY_ADMINS, DONE_BY_ADMINS),
    "portal:production_requests": (SEEN_BY_STAFF, NEVER_SIGNED_IN),
    "portal:production_request": (SEEN_BY_STAFF, SEEN_BY_STAFF),
    "portal:notices": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:notice_retry": (NEVER_SIGNED_IN, DONE_BY_ADMINS),
    "portal:webhooks": (SEEN_BY_ADMINS, SEEN_BY_ADMINS),
    "portal:webhook": (SEEN_BY_ADMINS, NEVER_SIGNED_IN),
    "portal:webhook_secret": (SEEN_BY_ADMINS, SEEN_BY_ADMINS),
    "portal:webhook_end": (SEEN_BY_ADMINS, DONE_BY_ADMINS),
    "portal:webhook_test": (NEVER_SIGNED_IN, DONE_BY_ADMINS),
    "portal:webhook_message": (SEEN_BY_ADMINS, NEVER_SIGNED_IN),
    "portal:webhook_replay": (NEVER_SIGNED_IN, DONE_BY_ADMINS),
    "portal:activity": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:trusted_cas": (SEEN_SIGNED_IN, NEVER_SIGNED_IN),
    "portal:trusted_ca_add": (SEEN_BY_STAFF, SEEN_BY_STAFF),
    "portal:trusted_ca": (SEEN_BY_STAFF, f"{IN} 403 403 403 302"),
    "portal:credentials": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:add_certificate": (SEEN_BY_ADMINS, NEVER_SIGNED_IN),
    "portal:generate_key": (SEEN_BY_ADMINS, REFUSED_TO_ADMINS),
    "portal:upload_csr": (SEEN_BY_ADMINS, SEEN_BY_ADMINS),
    "portal:paste_csr": (SEEN_BY_ADMINS, SEEN_BY_ADMINS),
    "portal:upload_certificate": (SEEN_BY_ADMINS, SEEN_BY_ADMINS),
    "portal:check_csr": (NEVER_SIGNED_IN, SEEN_BY_ADMINS),
    "portal:check_certificate": (NEVER_SIGNED_IN, SEEN_BY_ADMINS),
    "portal:credential": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:credential_download": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:credential_calls": (f"{IN} 404 302 302 404", NEVER_SIGNED_IN),
    "portal:credential_propagation": (f"{IN} 404 302 302 404", NEVER_SIGNED_IN),
    "portal:keystore_saved": (NEVER_SIGNED_IN, DONE_BY_ADMINS),
    "portal:credential_revoke": (SEEN_BY_ADMINS, SEEN_BY_ADMINS),
    # Without htmx the parts lead to the pages that hold them.
    "portal:guides": (f"{IN} 404 302 302 404", NEVER_SIGNED_IN),
    "portal:guide": (f"{IN} 404 302 302 404", NEVER_SIGNED_IN),
    "portal:rotation_report": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:rotation_json": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:credential_snooze": (SEEN_BY_ADMINS, SEEN_BY_ADMINS),
    "portal:clinic": (SEEN_SIGNED_IN, SEEN_SIGNED_IN),
}
