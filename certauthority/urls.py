"""Public addresses under /ca/, named in every certificate."""

from django.urls import path, register_converter
from django.urls.converters import IntConverter

from certauthority import views


class ShardConverter(IntConverter):
    """The number of a CRL of several, from 1 on, written in one way only: caches keep each address."""

    regex = "[1-9][0-9]{0,3}"


register_converter(ShardConverter, "shard")

app_name = "certauthority"

urlpatterns = [
    path("<slug:name>.crl", views.revocation_list, name="crl"),
    path("<slug:name>/<shard:shard>.crl", views.revocation_list, name="crl_shard"),
    path("<slug:name>.crt", views.certificate, name="certificate"),
    path("<slug:name>.pem", views.bundle, name="bundle"),
]
