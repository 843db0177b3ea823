"""The template tags: what comes in is shown harmlessly, whatever it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from django import forms
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.template import Context, Template
from django.template.loader import render_to_string
from django.utils.html import format_html

from certauthority.x509.verdicts import Verdict
from connect.badges import BADGES
from connect.templatetags import look

ROOT = Path(__file__).resolve().parent.parent.parent
HOSTILE = "<script>alert(1)</script>\"'&"
BIDIRECTIONAL = "abc\u202edef"

pytestmark = pytest.mark.usefixtures("static_files")


def render(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


@pytest.mark.parametrize(
    "source",
    [
        "{% badge 'active' label=x %}",
        "{% copy_button x x %}",
        "{% copy_button label=x source=x %}",
        "{% serial x %}",
        "{% fingerprint x %}",
        "{% marked x 'script' %}",
        "{% marked 'script' x %}{{ x }}",
        "{% when None none=x %}",
        "{{ x|visible }}",
        "{{ x|breakable }}",
        "{{ x|colon_hex }}",
        "{% icon x %}",
        "{% breadcrumbs x x x %}",
        "{% include '_alert.html' with title=x text=x icon='info' %}",
        "{% include '_empty.html' with title=x text=x action_url=x action=x %}",
        "{% include '_code.html' with text=x mark=x label=x %}",
        "{% include '_code_tabs.html' with tabs=tabs name=x %}",
        "{% include '_verdicts.html' with verdicts=verdicts heading=x %}",
    ],
)
def test_hostile_text_stays_text(source: str) -> None:
    tabs = [{"label": HOSTILE, "text": HOSTILE, "mark": HOSTILE}]
    verdicts = [
        Verdict("a", HOSTILE, ok=False, found=HOSTILE, wanted=HOSTILE, source=HOSTILE),
        Verdict("b", HOSTILE, ok=True, found=HOSTILE),
        Verdict("c", HOSTILE, ok=True, found=HOSTILE, wanted=HOSTILE, kind="note"),
    ]
    html = render(source, x=HOSTILE, tabs=tabs, verdicts=verdicts)
    assert "<script" not in html
    # In an attribute, a quotation mark would end it.
    assert "\"'&" not in html.replace("&quot;", "").replace("&#x27;", "")
    assert "alert(1)" in html


def test_messages_are_escaped_and_markup_of_ours_is_kept() -> None:
    messages = [
        Message(constants.ERROR, f"{HOSTILE} is odd. Try again."),
        Message(constants.SUCCESS, format_html('Added. <a href="/x">{}</a>\nThen go on.', HOSTILE)),
    ]
    html = render_to_string("_messages.html", {"messages": messages})
    assert "<script" not in html
    assert '<a href="/x">&lt;script&gt;' in html
    assert "<p>Then go on.</p>" in html


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One sentence only.", ["One sentence only."]),
        ("It was added. It expires.", ["It was added.", "It expires."]),
        (
            "v1.2 was added to api.example. Now use it. Then go.",
            ["v1.2 was added to api.example.", "Now use it. Then go."],
        ),
        ("It was added. It expires.\nNext: use it.", ["It was added. It expires.", "Next: use it."]),
    ],
)
def test_the_bold_part_of_a_message_is_its_first_sentence(text: str, parts: list[str]) -> None:
    assert list(look.message_parts(Message(constants.INFO, text))) == parts


@pytest.mark.parametrize(("level", "role"), [(constants.ERROR, "alert"), (constants.WARNING, "alert"), (25, "status")])
def test_errors_interrupt_and_successes_wait(level: int, role: str) -> None:
    html = render_to_string("_messages.html", {"messages": [Message(level, "Text.")]})
    assert f'role="{role}"' in html


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("\x00", "U+0000"),
        ("\x1b", "U+001B"),
        ("\n", "U+000A"),
        ("\x85", "U+0085"),
        ("\u202e", "U+202E"),
        ("\u2066", "U+2066"),
        ("\u200b", "U+200B"),
        ("\ud800", "U+D800"),
        ("\U000e0041", "U+E0041"),
    ],
)
@pytest.mark.parametrize("show", [look.visible, look.breakable])
def test_what_cannot_be_seen_is_shown_by_its_code_point(character: str, shown: str, show: object) -> None:
    assert callable(show)
    html = show(f"a{character}b")
    assert html == f'a<mark class="code-point">{shown}</mark>b'


def test_letters_of_every_script_stay_as_they_are() -> None:
    assert look.visible("Zoë Ωmega 漢字 ok") == "Zoë Ωmega 漢字 ok"


def test_a_long_name_breaks_after_its_hyphens_and_keeps_its_text() -> None:
    html = look.breakable("1794355200-Client-MTF-245901")
    assert html == "1794355200-<wbr>Client-<wbr>MTF-<wbr>245901"
    assert look.breakable("a<wbr>-b") == "a&lt;wbr&gt;-<wbr>b"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0a1b", "0A:1B"),
        ("a1b", "0A:1B"),
        (0xA1B, "0A:1B"),
        (b"\x0a\x1b", "0A:1B"),
        (memoryview(b"\x0a\x1b"), "0A:1B"),
        (0, "00"),
        ("", ""),
        ("not hex", "not hex"),
    ],
)
def test_hex_is_written_in_pairs(value: object, text: str) -> None:
    assert look.colon_hex(value) == text


def test_a_moment_is_given_in_utc_whatever_its_zone() -> None:
    moment = datetime(2027, 1, 5, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert look.when(moment) == '<time datetime="2027-01-04T23:30:00Z">4 Jan 2027</time>'
    assert look.when(moment, "time") == '<time datetime="2027-01-04T23:30:00Z">4 Jan 2027, 23:30 UTC</time>'
    assert look.when(moment.astimezone(UTC), "long").endswith(">4 January 2027</time>")


def test_no_moment_has_words_of_its_own() -> None:
    assert render("{% when moment none='Never used' %}", moment=None) == "Never used"


@pytest.mark.parametrize(
    ("days", "words"), [(12, "12 days left"), (1, "1 day left"), (0, "today"), (-1, "1 day ago"), (-3, "3 days ago")]
)
def test_days_are_counted_in_words(days: int, words: str) -> None:
    assert look.days_left(days) == words


def test_a_badge_has_an_icon_and_a_word() -> None:
    html = render("{% badge 'expiring_soon' %}")
    assert re.search(r'<span class="badge warn"><svg.*?#clock"/></svg>Expiring soon</span>', html)


def test_an_unknown_state_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError):
        look.badge("sleeping")


def test_every_icon_that_templates_name_is_in_the_sprite() -> None:
    drawn = set(re.findall(r'<symbol id="([a-z-]+)"', (ROOT / "static" / "icons.svg").read_text()))
    named = {badge.icon for badge in BADGES.values()} | {icon for _, icon in look._MESSAGE_LOOK.values()}
    for template in (ROOT / "templates").rglob("*.html"):
        text = template.read_text()
        named |= set(re.findall(r"{% icon \"([^\"]+)\"", text))
        named |= set(re.findall(r"icon=\"([^\"]+)\"", text))
    assert len(named) > 10
    assert named <= drawn


def test_the_breadcrumbs_end_with_the_page_itself() -> None:
    html = render("{% breadcrumbs 'My Projects' '/projects/' 'Team' %}")
    assert '<li><a href="/projects/">My Projects</a></li><li aria-current="page">Team</li>' in html


def test_verdicts_stand_broken_first_then_notes_then_kept() -> None:
    verdicts = [
        Verdict("note", "A note", ok=True, kind="note"),
        Verdict("good", "A kept rule", ok=True),
        Verdict("bad", "A broken rule", ok=False, found=BIDIRECTIONAL, wanted="abc"),
    ]
    html = render_to_string("_verdicts.html", {"verdicts": verdicts})
    assert re.findall(r'data-rule="(\w+)"', html) == ["bad", "note", "good"]
    assert "1 broken" in html
    assert "1 kept" in html
    assert 'abc<mark class="code-point">U+202E</mark>def' in html


def test_a_rule_that_found_nothing_says_so() -> None:
    html = render_to_string("_verdicts.html", {"verdicts": [Verdict("bad", "CN", ok=False, wanted="one CN")]})
    assert "<dt>Found</dt><dd>nothing</dd>" in html


def test_without_verdicts_nothing_is_counted() -> None:
    assert "badge" not in render_to_string("_verdicts.html", {"verdicts": None})


@dataclass(frozen=True)
class Tab:
    label: str
    text: str


def test_code_tabs_take_objects_without_a_mark() -> None:
    html = render_to_string("_code_tabs.html", {"tabs": [Tab("openssl", "openssl req"), Tab("keytool", "keytool -x")]})
    assert html.count("checked") == 1
    assert '<pre tabindex="0">openssl req</pre>' in html


class OneOfEach(forms.Form):
    alias = forms.CharField(help_text="Unique in Sandbox.")
    file = forms.FileField()
    format = forms.ChoiceField(choices=[("pem", "PEM"), ("der", "DER")], widget=forms.RadioSelect)
    chain = forms.BooleanField(required=False)


def rendered_field(form: forms.Form, name: str, **context: object) -> str:
    return render_to_string("_field.html", {"field": form[name], **context})


def test_a_field_is_tied_to_its_label_hint_and_errors() -> None:
    html = rendered_field(OneOfEach({}), "alias")
    assert '<label for="id_alias">' in html
    assert 'aria-describedby="id_alias_error id_alias_helptext"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_alias_error"' in html
    assert '<small id="id_alias_helptext">Unique in Sandbox.</small>' in html


def test_a_hint_replaces_the_help_text_and_is_tied_as_well() -> None:
    html = rendered_field(OneOfEach(), "file", hint="PEM or DER.")
    assert 'aria-describedby="id_file_helptext"' in html
    assert '<small id="id_file_helptext">PEM or DER.</small>' in html
    assert 'data-drop="id_file"' in html


def test_a_group_of_choices_has_a_legend() -> None:
    html = rendered_field(OneOfEach({}), "format")
    assert '<fieldset class="field" aria-describedby="id_format_error">' in html
    assert "<legend>Format</legend>" in html
    assert html.count("</fieldset>") == 1


def test_a_tick_box_stands_before_its_label_and_is_not_called_optional() -> None:
    html = rendered_field(OneOfEach(), "chain")
    assert re.search(r'<label class="check" for="id_chain"><input type="checkbox"[^>]*>Chain</label>', html)
    assert "optional" not in html


def test_an_optional_field_says_so_unless_it_is_one_of_two_ways() -> None:
    form = OneOfEach()
    form.fields["alias"].required = False
    assert "(optional)" in rendered_field(form, "alias")
    assert "(optional)" not in rendered_field(form, "alias", plain=True)


def test_errors_of_a_form_show_what_cannot_be_seen() -> None:
    form = OneOfEach({})
    form.add_error(None, f"{HOSTILE}{BIDIRECTIONAL} cannot be used.")
    html = render_to_string("_form_errors.html", {"form": form, "title": "No."})
    assert "<script" not in html
    assert "U+202E" in html


def test_a_badge_with_markup_for_a_label_leaves_the_same_text_escaped() -> None:
    assert "<b>Now</b>" in look.badge("active", format_html("<b>{}</b>", "Now"))
    assert "&lt;b&gt;Now&lt;/b&gt;" in look.badge("active", "<b>Now</b>")


def test_moments_of_one_second_are_shown_alike_in_whatever_zone_they_come() -> None:
    moment = datetime(2027, 1, 4, 9, 41, 7, 123456, tzinfo=UTC)
    expected = '<time datetime="2027-01-04T09:41:07Z">4 Jan 2027</time>'
    assert look.when(moment) == expected
    assert look.when(moment.astimezone(timezone(timedelta(hours=14)))) == expected
    assert look.when(moment + timedelta(seconds=1)) != expected


@pytest.mark.parametrize("text", ["", "a", "-a-", "a--b@c.d/e=f,g:h_i", "<a-b>&amp;-'\"", "é-ß/ü", "a.\u202eb-c", "-"])
def test_a_text_breaks_after_the_same_characters_whatever_is_escaped_in_it(text: str) -> None:
    pieces = re.split(r"(?<=[-./@_=,:])(?=[^-./@_=,:])", text)
    assert look.breakable(text) == "<wbr>".join(look.visible(piece) for piece in pieces)
