from django.apps import AppConfig


class KmpConfig(AppConfig):
    name = "kmp"

    def ready(self) -> None:
        from certauthority.signals import certificate_revoked, public_key_compromised
        from connect.expiry import sources
        from connect.signals import access_withdrawn
        from kmp import entries, hand_over, lifetimes, sample_notices

        certificate_revoked.connect(entries.on_certificate_revoked, dispatch_uid="kmp")
        public_key_compromised.connect(entries.on_public_key_compromised, dispatch_uid="kmp")
        access_withdrawn.connect(hand_over.on_access_withdrawn, dispatch_uid="kmp")
        sources.register(lifetimes.Entries())
        sample_notices.register_all()
