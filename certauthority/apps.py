from django.apps import AppConfig


class CertAuthorityConfig(AppConfig):
    name = "certauthority"
