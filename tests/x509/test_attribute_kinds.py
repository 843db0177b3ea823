"""Rules for one attribute: which can be written at all, and which values they take."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certauthority.x509.attribute_rules import AttributeKind, AttributeRule
from certauthority.x509.errors import ProfileError

# Far more than it takes: it tells a hang from a busy machine, and claims no speed.
HANG_SECONDS = 10
K = AttributeKind
VALUES = {"name": "Acme Payments Ltd", "country": "IE", "cid": "123456", "environment": "MTF"}


def rule(
    label: str = "CN", kind: AttributeKind = K.PATTERN, value: str = "", *, optional: bool = False, most: int = 64
) -> AttributeRule:
    return AttributeRule(label, kind, value, optional, 2 if label == "C" else most)


def fits(made: AttributeRule, value: str) -> bool:
    return made.wanted_of(VALUES).fits(value)


CLIENT = rule(value="<unique>-Client-<environment>-<cid>")


@pytest.mark.parametrize(
    ("made", "shape", "text"),
    [
        (
            CLIENT,
            "<unique>-Client-MTF-123456",
            "<unique>-Client-MTF-123456, where <unique> is made of letters, digits, “.”, “_” and “-”; at most 64 "
            "characters",
        ),
        (rule(value="<environment> XBS"), "MTF XBS", "MTF XBS"),
        (rule("O", K.COMPANY, "name"), "Acme Payments Ltd", "Acme Payments Ltd (the company’s name)"),
        (rule("OU", K.COMPANY, "cid"), "123456", "123456 (the company’s CID)"),
        (rule("C", K.COMPANY, "country", optional=True), "IE", "IE (the company’s country), or no C"),
        (rule("OU", K.FIXED, "Payouts"), "Payouts", "Payouts"),
        (rule("OU", K.FREE, "Payouts"), "Payouts", "any text of at most 64 characters, such as Payouts"),
        (rule("L", K.FREE, optional=True, most=20), "", "any text of at most 20 characters, or no L"),
        (rule("C", K.FREE, "GB"), "GB", "two capital letters, such as GB"),
        (rule("ST", K.FORBIDDEN), "", "no ST"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_requirement_in_words_holds_the_companys_values(made: AttributeRule, shape: str, text: str) -> None:
    wanted = made.wanted_of(VALUES)
    assert (wanted.shape, wanted.text) == (shape, text)


def test_a_company_without_a_country_has_no_c() -> None:
    wanted = rule("C", K.COMPANY, "country").wanted_of(VALUES | {"country": ""})
    assert wanted.text == "no C, as the company has no country here"
    assert wanted.accepts([])
    assert not wanted.accepts(["IE"])
    assert not wanted.accepts([""])
    assert wanted.example("1") == ""


@pytest.mark.parametrize("unique", ["1", "1790000000", "a.b_c-d", "Client-MTF", "x" * 46])
def test_values_that_fit_a_pattern(unique: str) -> None:
    assert fits(CLIENT, f"{unique}-Client-MTF-123456")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "-Client-MTF-123456",
        "Client-MTF-123456",
        "1-client-MTF-123456",
        "1-Client-PROD-123456",
        "1-Client-MTF-123457",
        "1-Client-MTF-123456 ",
        "1-Client-MTF-123456\n",
        "1\n-Client-MTF-123456",
        "1 2-Client-MTF-123456",
        "é-Client-MTF-123456",
        "１-Client-MTF-123456",
        "*-Client-MTF-123456",
        "<unique>-Client-MTF-123456",
        "1\u200b-Client-MTF-123456",
        "1-Client-MTF-123456\x00",
        "x" * 47 + "-Client-MTF-123456",
    ],
)
def test_values_that_do_not_fit_a_pattern(value: str) -> None:
    assert not fits(CLIENT, value)


def test_the_ends_of_a_pattern_do_not_overlap() -> None:
    mirrored = rule(value="ab<unique>ab")
    assert fits(mirrored, "abxab")
    assert not fits(mirrored, "abab")
    assert not fits(mirrored, "ab")
    assert not fits(rule(value="aa<unique>aa"), "aaa")


def test_nothing_in_a_pattern_is_read_as_a_regular_expression() -> None:
    dotted = rule(value="a.c <unique>")
    assert fits(dotted, "a.c 1")
    assert not fits(dotted, "abc 1")


@pytest.mark.parametrize(
    ("made", "good", "bad"),
    [
        (rule("O", K.COMPANY, "name"), ["Acme Payments Ltd"], ["acme payments ltd", "Acme  Payments Ltd", "Acme", ""]),
        (rule("OU", K.FIXED, "Söhne"), ["Söhne", "So\u0308hne"], ["Sohne", "Söhne ", "SÖHNE", "Söhne\u200b"]),
        (rule("OU", K.FREE, "x", most=5), ["x", "Söhne", "a b"], ["", " ", "\u00a0", "sixsix"]),
        (rule("C", K.FREE, "GB"), ["DE", "IE"], ["de", "D", "DEU", "D1", "ＤＥ", ""]),
        (rule("ST", K.FORBIDDEN), [], ["", "x"]),
    ],
)
def test_values_that_fit_and_that_do_not(made: AttributeRule, good: list[str], bad: list[str]) -> None:
    assert [value for value in good if not fits(made, value)] == []
    assert [value for value in bad if fits(made, value)] == []


def test_one_value_or_none_where_it_is_optional() -> None:
    wanted = rule("OU", K.FIXED, "Payouts", optional=True).wanted_of(VALUES)
    assert wanted.accepts([])
    assert wanted.accepts(["Payouts"])
    assert not wanted.accepts(["Payouts", "Payouts"])
    assert not rule("OU", K.FIXED, "Payouts").wanted_of(VALUES).accepts([])


@pytest.mark.parametrize(
    ("label", "kind", "value", "sentence"),
    [
        ("DC", K.FIXED, "x", "no attribute of a subject here"),
        ("cn", K.FIXED, "x", "no attribute of a subject here"),
        ("emailAddress", K.FREE, "x", "no attribute of a subject here"),
        ("x\u202e" * 5000, K.FIXED, "x", "no attribute of a subject here"),
        ("CN", K.FORBIDDEN, "", "Every certificate has a common name"),
        ("OU", K.FORBIDDEN, "x", "it has no value"),
        ("OU", K.FIXED, "", "give the value that it always has"),
        ("OU", K.FIXED, " x", "begins or ends with a space"),
        ("OU", K.FIXED, "x" * 65, "has 65 characters, at most 64 are allowed"),
        ("OU", K.FIXED, "x" * 10_000, "at most 120 characters long"),
        ("OU", K.FIXED, "a\u202eb", "U\\+202E, which cannot be seen"),
        ("OU", K.FIXED, "a\u200bb", "U\\+200B, which cannot be seen"),
        ("OU", K.FIXED, "a\u00a0b", "U\\+00A0, which cannot be seen"),
        ("OU", K.FIXED, "a\x00b", "U\\+0000, which cannot be seen"),
        ("OU", K.FIXED, "a\ud800b", "U\\+D800, which cannot be seen"),
        ("OU", K.FIXED, "Team <cid>", "Choose a pattern"),
        ("OU", K.FIXED, "Team <Unique>", "Choose a pattern"),
        ("C", K.FIXED, "gb", "two capital letters"),
        ("C", K.FIXED, "G", "two capital letters"),
        ("CN", K.FIXED, "api.example.com", "not an address on the web"),
        ("CN", K.FIXED, "https://x", "not an address on the web"),
        ("O", K.COMPANY, "", "the value says name or cid"),
        ("O", K.COMPANY, "Name", "the value says name or cid"),
        ("O", K.COMPANY, "country", "the value says name or cid"),
        ("C", K.COMPANY, "name", "the value says country"),
        ("OU", K.FREE, "", "give an example"),
        ("OU", K.FREE, "a\nb", "U\\+000A"),
        ("CN", K.PATTERN, "", "needs a pattern"),
        ("C", K.PATTERN, "<cid>", "has no pattern"),
        ("CN", K.PATTERN, " <unique>", "begins or ends with a space"),
        ("CN", K.PATTERN, "www.<unique>", "not an address on the web"),
        ("CN", K.PATTERN, "<unique>.example", "not an address on the web"),
    ],
)
def test_rules_that_make_no_sense_are_not_made(label: str, kind: AttributeKind, value: str, sentence: str) -> None:
    with pytest.raises(ProfileError, match=sentence) as refused:
        rule(label, kind, value)
    assert len(str(refused.value)) < 1200


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("<Unique>-x", "<Unique>"),
        ("<UNIQUE>-x", "<UNIQUE>"),
        ("< unique>-x", "< unique>"),
        ("<unique >-x", "<unique >"),
        ("<uniqe>-x", "<uniqe>"),
        ("<>-x", "<>"),
        ("<<unique>>", "“<”"),
        ("<unique", "“<unique”"),
        ("<name>-x", "<name>"),
        ("<company>-x", "<company>"),
        ("<env>-x", "<env>"),
        ("<unіque>-x", "<unіque>"),  # A Cyrillic letter.
        ("<uni\u200bque>-x", "[U+200B]"),
        ("<\u202eeuqinu>-x", "[U+202E]"),
    ],
)
def test_what_looks_like_a_placeholder_is_named(pattern: str, named: str) -> None:
    with pytest.raises(ProfileError, match="is no placeholder") as refused:
        rule(value=pattern)
    assert named in str(refused.value)


@pytest.mark.parametrize(
    ("pattern", "odd"),
    [
        ("‹unique›-x", "U+2039"),
        ("＜unique＞-x", "U+FF1C"),
        ("⟨unique⟩-x", "U+27E8"),
        ("{unique}-x", "U+007B"),
        ("[unique]-x", "U+005B"),
        ("(unique)-x", "U+0028"),
        ("%unique%-x", "U+0025"),
        ("${unique}-x", "U+0024"),
        (".*", "U+002A"),
        ("(a+)+$", "U+0028"),
        ("a\\d<unique>", "U+005C"),
        ("unique>", "U+003E"),
        ("é<unique>", "U+00E9"),
        ("<unique>\x00", "U+0000"),
        ("<unique>\u202e", "U+202E"),
        ("a\nb<unique>", "U+000A"),
    ],
)
def test_a_pattern_is_plain_text_and_placeholders(pattern: str, odd: str) -> None:
    with pytest.raises(ProfileError, match="Beside <unique>, <cid> and <environment> it is made of") as refused:
        rule(value=pattern)
    assert odd in str(refused.value)


def test_a_pattern_has_one_unique_part_at_most() -> None:
    with pytest.raises(ProfileError, match="<unique> more than once"):
        rule(value="<unique>-<unique>")
    assert rule(value="<cid>-<cid>").wanted_of(VALUES).shape == "123456-123456"


def test_a_pattern_leaves_room_for_the_longest_values() -> None:
    room = 64 - len("1700000000" + "-" + "1234567890")
    rule(value=f"<unique>-{'x' * room}<cid>")
    with pytest.raises(ProfileError, match="can have 65 characters"):
        rule(value=f"<unique>-{'x' * (room + 1)}<cid>")
    with pytest.raises(ProfileError, match="at most 20 are allowed"):
        rule(value="<unique>-Client-<environment>-<cid>", most=20)


@pytest.mark.parametrize(
    ("label", "most", "sentence"),
    [("CN", 0, "1 to 64"), ("CN", 65, "1 to 64"), ("L", 129, "1 to 128"), ("C", 1, "is 2"), ("C", 3, "is 2")],
)
def test_lengths_keep_to_the_bounds_of_the_standard(label: str, most: int, sentence: str) -> None:
    with pytest.raises(ProfileError, match=sentence):
        AttributeRule(label, K.FREE, "GB", False, most)


def test_the_companys_name_has_room() -> None:
    with pytest.raises(ProfileError, match="has up to 64 characters"):
        rule("O", K.COMPANY, "name", most=63)
    with pytest.raises(ProfileError, match="has up to 10 characters"):
        rule("OU", K.COMPANY, "cid", most=9)


def test_the_common_name_is_never_optional() -> None:
    with pytest.raises(ProfileError, match="neither optional nor forbidden"):
        rule(value="<unique>", optional=True)


@pytest.mark.parametrize(
    "value",
    ["a" * 100_000 + "!", "a-Client-MTF-" * 8_000, "-" * 100_000, "\u0301\u0323" * 100_000, "\ud800" * 100_000],
    ids=lambda value: repr(value[:8]),
)
@pytest.mark.parametrize(
    "made",
    [CLIENT, rule("OU", K.FIXED, "Payouts"), rule("OU", K.FREE, "x"), rule("O", K.COMPANY, "name")],
    ids=lambda made: made.kind,
)
def test_hostile_values_cost_little(made: AttributeRule, value: str) -> None:
    started = time.perf_counter()
    assert not fits(made, value)
    assert time.perf_counter() - started < HANG_SECONDS


@given(st.text(max_size=130), st.sampled_from(["CN", "OU", "O", "L", "C"]), st.sampled_from(list(K)), st.booleans())
def test_a_rule_that_can_be_written_can_be_met(value: str, label: str, kind: AttributeKind, optional: bool) -> None:
    try:
        made = AttributeRule(label, kind, value, optional, {"C": 2, "L": 128}.get(label, 64))
    except ProfileError:
        return
    wanted = made.wanted_of(VALUES)
    example = wanted.example("1790000000")
    assert wanted.accepts([example] if example else [])


@given(st.lists(st.sampled_from(["<unique>", "<cid>", "<environment>", "a", "-", " ", ".", "XBS"]), max_size=9))
def test_every_pattern_that_can_be_written_takes_its_own_example(parts: list[str]) -> None:
    try:
        made = rule("OU", K.PATTERN, "".join(parts))
    except ProfileError:
        return
    assert fits(made, made.wanted_of(VALUES).example("1790000000"))
