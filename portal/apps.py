from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from certauthority.signals import certificate_revoked, public_key_compromised
        from connect import clock, places_to_upload
        from connect.expiry import sources
        from portal import lifetimes, revocation, sample_notices
        from portal.places_to_upload import places_to_upload as of_projects

        certificate_revoked.connect(revocation.on_certificate_revoked, dispatch_uid="portal")
        public_key_compromised.connect(revocation.on_public_key_compromised, dispatch_uid="portal")
        places_to_upload.register("portal", of_projects)
        sources.register(lifetimes.Credentials())
        clock.register_keepers("portal", lifetimes.is_keeper)
        sample_notices.register_all()
