"""Parts of addresses that are numbers of KMP. Anything of another form is no address of ours (404)."""

from __future__ import annotations

from django.urls import register_converter


class RequestNumberConverter:
    """Such as ``REQ-00000012``."""

    regex = "REQ-[0-9]{8,12}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(RequestNumberConverter, "request_number")
