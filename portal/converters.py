"""Parts of addresses that are values of the portal."""

from __future__ import annotations

from django.urls import register_converter

from portal.models import Environment


class EnvironmentConverter:
    """``sandbox`` or ``production`` in an address; anything else is no address of ours (404)."""

    regex = "|".join(Environment.values)

    def to_python(self, value: str) -> Environment:
        return Environment(value)

    def to_url(self, value: Environment | str) -> str:
        return Environment(value).value


register_converter(EnvironmentConverter, "environment")
