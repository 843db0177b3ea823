"""The pages that every other page is made of: base, error pages, static files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import PermissionDenied
from django.template.loader import get_template, render_to_string
from django.test import Client, RequestFactory

from connect.views.errors import forbidden
from tests.factories import make_company, make_user

ROOT = Path(__file__).resolve().parent.parent.parent
HOSTILE = "<script>alert(1)</script>"


@pytest.mark.usefixtures("static_files")
def test_every_static_file_of_ours_has_a_name_that_changes_with_its_content() -> None:
    manifest = json.loads((Path(settings.STATIC_ROOT) / "staticfiles.json").read_text())["paths"]
    files = [path.relative_to(ROOT / "static").as_posix() for path in (ROOT / "static").rglob("*") if path.is_file()]
    assert {"css/tokens.css", "icons.svg", "js/theme.js"} <= set(files)
    for name in files:
        stem, ending = name.rsplit(".", 1)
        assert re.fullmatch(rf"{re.escape(stem)}\.[0-9a-f]{{12}}\.{ending}", manifest[name])
        assert (Path(settings.STATIC_ROOT) / f"{manifest[name]}").exists()


@pytest.mark.usefixtures("static_files")
def test_icons_are_taken_from_the_sprite_under_its_hashed_name() -> None:
    html = render_to_string("_alert.html", {"title": "x", "icon": "key"})
    assert f'<use href="{staticfiles_storage.url("icons.svg")}#key"/>' in html


def test_the_style_sheets_stay_small() -> None:
    assert sum(path.stat().st_size for path in (ROOT / "static" / "css").glob("*.css")) < 45_000


BUNDLES = {"generate-key.js", "kept-copy.js"}  # Their sources in browser/ are looked at by tools/check_sources.py.
SCRIPTS = [path for path in sorted((ROOT / "static" / "js").glob("*.js")) if path.name not in BUNDLES]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_short_and_make_no_markup(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) < 80
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.style\b", text
    )


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["400.html", "500.html", "503.html"])
def test_the_last_resort_pages_need_no_request_and_no_database(
    name: str, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]  # the fixture is a function
        html = get_template(name).render()
    assert "<h1>" in html
    assert "mTLS Rehearsal" in html


@pytest.mark.django_db
def test_an_unknown_address_is_shown_escaped(client: Client) -> None:
    client.force_login(make_user())
    response = client.get(f"/nowhere/{HOSTILE}/")
    html = response.content.decode()
    assert response.status_code == 404
    assert "There is nothing here for you" in html
    assert HOSTILE not in html


@pytest.mark.django_db
def test_an_unknown_address_says_nothing_to_strangers(client: Client) -> None:
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert "Sign in" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("exception", "sentence"),
    [
        (PermissionDenied("You are Read-only in this project. Ask an Admin."), "You are Read-only in this project."),
        (PermissionDenied(HOSTILE), "&lt;script&gt;alert(1)&lt;/script&gt;"),
        (PermissionDenied(), "Your account does not have the role that this needs."),
        (None, "Your account does not have the role that this needs."),
    ],
)
def test_a_refusal_gives_its_reason(rf: RequestFactory, exception: Exception | None, sentence: str) -> None:
    request = rf.get("/")
    request.user = make_user()
    response = forbidden(request, exception)
    assert response.status_code == 403
    assert sentence in response.content.decode()


@pytest.mark.django_db
def test_the_bar_names_the_person_and_the_company(client: Client) -> None:
    company = make_company(name="Harbour & Vale <Bank>", cid="245901")
    client.force_login(make_user(name="Alice <Marlow>", email="alice@company.example", company=company))
    html = client.get("/accounts/password/").content.decode()
    assert "Alice &lt;Marlow&gt;" in html
    assert "Harbour &amp; Vale &lt;Bank&gt;, CID 245901" in html
    assert 'action="/accounts/logout/"' in html
    assert "/admin/" not in html


@pytest.mark.django_db
def test_staff_find_the_admin_in_their_menu(client: Client) -> None:
    client.force_login(make_user(is_staff=True, company=None))
    assert 'href="/admin/"' in client.get("/accounts/password/").content.decode()


@pytest.mark.django_db
def test_pages_forbid_everything_that_is_not_ours(client: Client) -> None:
    policy = client.get("/accounts/login/").headers["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == "'self'"
    assert "unsafe" not in policy


@pytest.mark.usefixtures("static_files")
def test_htmx_is_told_to_run_no_code_of_pages() -> None:
    html = render_to_string("base.html")
    config = json.loads(re.search(r'name="htmx-config" content=\'([^\']+)\'', html).group(1))  # type: ignore[union-attr]  # its absence fails, too
    assert config["allowEval"] is False
    assert config["includeIndicatorStyles"] is False
    assert config["allowScriptTags"] is False
    assert config["selfRequestsOnly"] is True
