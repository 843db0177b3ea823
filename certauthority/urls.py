"""Public addresses under /ca/, named in every certificate."""

from django.urls import path

from certauthority import views

app_name = "certauthority"

urlpatterns = [
    path("<slug:name>.crl", views.revocation_list, name="crl"),
    path("<slug:name>.crt", views.certificate, name="certificate"),
    path("<slug:name>.pem", views.bundle, name="bundle"),
]
