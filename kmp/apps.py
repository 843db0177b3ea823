from django.apps import AppConfig


class KmpConfig(AppConfig):
    name = "kmp"

    def ready(self) -> None:
        from certauthority.signals import certificate_revoked, public_key_compromised
        from kmp import entries

        certificate_revoked.connect(entries.on_certificate_revoked, dispatch_uid="kmp")
        public_key_compromised.connect(entries.on_public_key_compromised, dispatch_uid="kmp")
