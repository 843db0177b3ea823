"""A page that holds every shared part of the look."""

from __future__ import annotations

from django.template import Context, Template

from certauthority.x509.verdicts import Verdict

LOGIN = "/accounts/login/"
BENCH = "/bench/"
COMMAND = 'openssl req -new \\\n  -subj "/CN=<1799020800>-Client-MTF-245901"'
PARTS = """
{% extends "base.html" %}{% load static %}
{% block title %}Parts{% endblock %}
{% block heading %}Parts{% endblock %}
{% block breadcrumbs %}{% breadcrumbs "My Projects" "/projects/" "Parts" %}{% endblock %}
{% block head %}
<script src="{% static "js/typed.js" %}" type="module"></script>
<script src="{% static "js/dropfile.js" %}" type="module"></script>
{% endblock %}
{% block content %}
<form class="card stack" method="post">
  <div class="field"><label for="csr">CSR file</label>
    <div class="drop" data-drop="csr"><input type="file" id="csr"></div></div>
  <p>Chosen: <output data-file-name="csr"></output></p>
</form>
<form class="danger-zone stack" method="post">
  <h2>This cannot be undone</h2>
  <p class="field"><label for="word">Type <kbd>REVOKE</kbd> to confirm</label>
    <input class="typed" id="word" name="word"></p>
  <div><button class="btn danger" data-word="REVOKE" data-typed="word">Revoke</button></div>
</form>
<section class="card stack"><h2>Commands</h2>{% include "_code_tabs.html" %}</section>
<p>{% badge "active" %} {% badge "expiring_soon" %} {% badge "expired" %}
{% badge "revoked" %} {% badge "read-only" %}</p>
{% include "_verdicts.html" %}
{% include "_empty.html" with title="Nothing yet" text="Begin." action_url="/" action="Begin" icon="certificate" %}
{% include "_alert.html" with title="Note this." text="And that." meaning="warn" icon="alert" %}
<p><button class="btn" id="check" hx-get="/bench/check/" hx-target="#rules" hx-swap="outerHTML">Check</button></p>
{% endblock %}
"""


def parts() -> str:
    """Its HTML."""
    tabs = [
        {"label": "openssl", "text": COMMAND, "mark": "<1799020800>"},
        {"label": "keytool", "text": "keytool -certreq", "mark": ""},
    ]
    verdicts = [
        Verdict("cn", "Common name", ok=False, found="a\u202eb", wanted="1799020800-Client-MTF-245901"),
        Verdict("key", "Key", ok=True, found="RSA 2048"),
        Verdict("ext", "Extensions are not copied", ok=True, kind="note"),
    ]
    return Template(PARTS.strip()).render(Context({"tabs": tabs, "verdicts": verdicts}))
