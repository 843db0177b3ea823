"""The template check refuses what the content security policy would stop, and leaves the rest alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.check_templates import check_style_sheet, check_template, main


@pytest.mark.parametrize(
    "template",
    [
        '<p style="color: red">',
        '<p {% if late %}style="color: red"{% endif %}>',
        "<p STYLE=x>",
        "<style>p { color: red }</style>",
        "<script>alert(1)</script>",
        '<script type="module">import "./x.js"</script>',
        '<script type="application/json">{}</script>',
        '<button onclick="go()">',
        '<body onLoad="go()">',
        '<div hx-on:click="go()">',
        '<div hx-on::after-request="go()">',
        '<div data-hx-on-click="go()">',
        """<div hx-vals='js:{"a": b()}'>""",
        """<div hx-vals=" javascript:{a: b()}">""",
        '<div hx-headers="js:{a: b()}">',
        '<div hx-vars="a:b()">',
        '<div hx-trigger="click[ctrlKey]">',
        '<div data-hx-trigger="keyup[key==1] delay:1s">',
        '<a href="javascript:go()">',
        '<a href=" JAVA\tSCRIPT:go()">',
        '<form action="javascript:go()">',
        '<script src="https://cdn.test/x.js"></script>',
        '<script src="//cdn.test/x.js"></script>',
        '<link rel="stylesheet" href="http://cdn.test/x.css">',
        '<img src="https://cdn.test/x.png">',
        '<img srcset="/a.png 1x, https://cdn.test/b.png 2x">',
        '<div hx-get="https://other.test/">',
        '<form action="https://other.test/">',
        '<svg><use href="https://cdn.test/icons.svg#x"></use></svg>',
    ],
)
def test_it_refuses(template: str) -> None:
    assert len(check_template(f"<!doctype html>\n{template}")) == 1


@pytest.mark.parametrize(
    "template",
    [
        '<script src="{% static "js/copy.js" %}" defer></script>',
        '<link rel="stylesheet" href="{% static "css/base.css" %}">',
        '<a href="https://www.rfc-editor.org/rfc/rfc5280">RFC 5280</a>',
        '<a href="{{ url }}" {% if on %}aria-current="page"{% endif %}>',
        """<div hx-post="{% url 'portal:check' %}" hx-trigger="change delay:300ms" hx-vals='{"a": 1}'>""",
        "{# <p style='x'> in a comment #}{% comment %}<script>x</script>{% endcomment %}",
        "<p>Write style=&quot;…&quot; or onclick=… or javascript: in a sentence.</p>",
        '<input name="one" form="on">',
    ],
)
def test_it_accepts(template: str) -> None:
    assert check_template(template) == []


def test_it_names_the_line() -> None:
    template = "<p>\n{# two\nlines #}\n{% if a\n and b %}\n<p style='x'>"
    assert [line for line, _ in check_template(template)] == [6]


def test_a_style_sheet_may_not_fetch_from_another_site() -> None:
    fetching = "b { background: url('https://cdn.test/b.svg') }\n@import '//cdn.test/c.css';"
    sheet = f"a {{ background: url(/static/a.svg) }}\n{fetching}"
    assert [line for line, _ in check_style_sheet(sheet)] == [2, 3]


def test_the_command_names_the_file_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text("<p onclick='x'>")
    assert main([str(bad)]) == 1
    assert f"{bad}:1: onclick= is inline script" in capsys.readouterr().out


def test_our_own_templates_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0, capsys.readouterr().out
