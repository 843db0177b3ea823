from django.apps import AppConfig


class KmpConfig(AppConfig):
    name = "kmp"
