from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from certauthority.signals import certificate_revoked, public_key_compromised
        from portal import revocation

        certificate_revoked.connect(revocation.on_certificate_revoked, dispatch_uid="portal")
        public_key_compromised.connect(revocation.on_public_key_compromised, dispatch_uid="portal")
