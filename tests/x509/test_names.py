from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from asn1crypto.x509 import Name as OtherName  # type: ignore[import-untyped, unused-ignore]  # it ships no types
from hypothesis import given
from hypothesis import strategies as st

from certauthority.x509.errors import ProfileError, UnreadableInput
from certauthority.x509.names import encode_subject, escape, read_name
from certauthority.x509.string_preparation import prepare
from tests.x509.requests_made import csr, name, pem

CN, ORGANISATION, OU, C = "2.5.4.3", "2.5.4.10", "2.5.4.11", "2.5.4.6"
UTF8, PRINTABLE, T61, BMP, UNIVERSAL, IA5, BIT_STRING = 0x0C, 0x13, 0x14, 0x1E, 0x1C, 0x16, 0x03


Rdn = list[tuple[str, int, bytes]]


def digest(*rdns: Rdn) -> str:
    return read_name(name(*rdns)).digest


def cn(text: str, tag: int = UTF8, encoding: str = "utf-8") -> Rdn:
    return [(CN, tag, text.encode(encoding))]


def test_it_reads_every_part_in_the_order_of_the_der() -> None:
    read = read_name(encode_subject([("CN", "x"), ("O", "Acme"), ("C", "GB"), ("OU", "API")]))
    assert [(a.label, a.value, a.asn1_type) for a in read.attributes] == [
        ("C", "GB", "PrintableString"),
        ("O", "Acme", "UTF8String"),
        ("OU", "API", "UTF8String"),
        ("CN", "x", "UTF8String"),
    ]
    assert read.common_name == "x"
    assert read.get("O") == ("Acme",)
    assert read.get("L") == ()
    assert read.text == "CN=x,OU=API,O=Acme,C=GB"


def test_no_common_name_is_an_empty_text() -> None:
    assert read_name(encode_subject([("O", "Acme")])).common_name == ""


@pytest.mark.parametrize(
    "other",
    [
        cn("acme LTD"),
        cn("  Acme   Ltd "),
        cn("Acme\u00a0Ltd"),
        cn("Ac\u00adme Ltd"),
        cn("Acme Ltd", PRINTABLE, "ascii"),
        cn("Acme Ltd", IA5, "ascii"),
        cn("Acme Ltd", BMP, "utf-16-be"),
        cn("Acme Ltd", UNIVERSAL, "utf-32-be"),
        cn("\uff21cme Ltd"),
    ],
)
def test_case_spaces_and_string_type_make_no_difference(other: Rdn) -> None:
    assert digest(other) == digest(cn("Acme Ltd"))


def test_composed_and_decomposed_accents_and_sharp_s_are_the_same() -> None:
    assert digest(cn("Söhne Straße")) == digest(cn("So\u0308hne STRASSE"))


@pytest.mark.parametrize(
    "other",
    [cn("Acme Lt"), cn("AcmeLtd"), [(ORGANISATION, UTF8, b"Acme Ltd")], cn("Ácme Ltd"), cn("\u0410cme Ltd"), []],
)
def test_other_text_and_other_types_make_a_difference(other: Rdn) -> None:
    assert read_name(name(other) if other else name()).digest != digest(cn("Acme Ltd"))


def test_the_order_of_rdns_makes_no_difference_and_their_grouping_does() -> None:
    one, two, three = [(CN, UTF8, b"a")], [(ORGANISATION, UTF8, b"b")], [(OU, UTF8, b"c")]
    assert digest(one, two, three) == digest(three, one, two)
    assert digest(one, two) != digest(one + two)
    assert digest(one + two) == digest(two + one)
    assert digest(one, one) != digest(one)


def test_values_cannot_pretend_to_be_several() -> None:
    assert digest(cn("a"), cn("b")) != digest(cn("ab"))
    assert digest([(CN, UTF8, b"#0302"), (ORGANISATION, UTF8, b"x")]) != digest(
        [(CN, BIT_STRING, b""), (ORGANISATION, UTF8, b"x")]
    )


@pytest.mark.parametrize(
    "data",
    {
        "not DER": b"hello",
        "nothing": b"",
        "trailing data": name(cn("a")) + b"\x00",
        "an empty RDN": b"\x30\x02\x31\x00",
        "a type twice in an RDN": name([(CN, UTF8, b"a"), (CN, UTF8, b"b")]),
        "T61String": name([(CN, T61, b"a")]),
        "bad UTF-8": name([(CN, UTF8, b"\xff")]),
        "half a BMP character": name([(CN, BMP, b"a")]),
        "a lone surrogate": name([(CN, BMP, b"\xd8\x00")]),
        "a PrintableString beyond ASCII": name([(CN, PRINTABLE, b"\xe4")]),
        "101 attributes": name(*[cn("a")] * 101),
    }.items(),
    ids=lambda item: item[0],
)
def test_what_cannot_be_compared_with_certainty_is_refused(data: tuple[str, bytes]) -> None:
    with pytest.raises(UnreadableInput) as refusal:
        read_name(data[1])
    assert refusal.value.code == "input.name"


def test_a_value_that_is_not_text_is_shown_in_hex() -> None:
    read = read_name(name([(CN, BIT_STRING, b"\x00\x01")]))
    assert read.text == "CN=#03020001"
    assert not read.attributes[0].is_text


def test_an_unknown_type_goes_by_its_digits() -> None:
    assert read_name(name([("1.3.6.1.4.1.99999.1", UTF8, b"x")])).text == "1.3.6.1.4.1.99999.1=x"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ('a,b+c"d\\e<f>g;h', r"a\,b\+c\"d\\e\<f\>g\;h"),
        (" edges ", r"\ edges\ "),
        ("#first", r"\#first"),
        ("not#first", "not#first"),
        ("\x00\u202eö", r"\00\E2\80\AEö"),
        ("a=b", "a=b"),
    ],
)
def test_the_text_is_escaped_as_rfc_4514_asks(value: str, written: str) -> None:
    assert read_name(name(cn(value))).text == f"CN={written}"


def test_openssl_writes_the_same_text(tmp_path: Path) -> None:
    """Control characters are left out: openssl writes them in its own way."""
    subject = name(
        [(C, PRINTABLE, b"IE")],
        [(ORGANISATION, UTF8, 'O\'Neil & Söns, "A/B+C" \\ Co.'.encode()), (OU, UTF8, b"x=y")],
        cn(" #<1>; "),
    )
    file = tmp_path / "request.csr"
    file.write_bytes(pem(csr(subject)))
    options = ["-noout", "-subject", "-nameopt", "RFC2253,-esc_msb,utf8"]
    done = subprocess.run(
        ["openssl", "req", "-in", file, *options], capture_output=True, check=True, text=True, timeout=60
    )
    assert done.stdout.rstrip("\n").removeprefix("subject=") == read_name(subject).text


@pytest.mark.parametrize("attributes", [[("CN", "")], [("CN", "a"), ("CN", "b")], [("X", "a")], [("C", "Ü")]], ids=str)
def test_a_subject_that_breaks_its_own_rules_is_not_written(attributes: list[tuple[str, str]]) -> None:
    with pytest.raises(ProfileError):
        encode_subject(attributes)


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_preparing_twice_changes_nothing(text: str) -> None:
    assert prepare(prepare(text)) == prepare(text)


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=20))
def test_plain_text_is_prepared_like_all_other_text(text: str) -> None:
    """With a soft hyphen, which is mapped to nothing, it takes the way of text that is not plain."""
    assert prepare(text) == prepare(f"{text}\u00ad") == prepare(f"\u00ad{text}")


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=20))
def test_text_with_nothing_to_escape_is_escaped_like_all_other_text(text: str) -> None:
    """A letter of another script is written as it is, and keeps what is beside it from the edge of the text."""
    assert escape(f"ß{text}ß") == f"ß{escape(f'x{text}x')[1:-1]}ß"


# Letters that Unicode 3.2 had, so that a library that keeps to it agrees.
_LETTERS = "abcXYZ019 -.'éÉßäÄñøØçšŠžαΑβΩжЖщЩ中日\u00a0"


@given(st.lists(st.text(_LETTERS, min_size=1, max_size=8).filter(str.strip), min_size=2, max_size=2))
def test_an_independent_reader_agrees_on_what_is_the_same(texts: list[str]) -> None:
    ours = [read_name(name(cn(text))).digest for text in texts]
    theirs = [OtherName.load(name(cn(text))).hashable for text in texts]
    assert (ours[0] == ours[1]) == (theirs[0] == theirs[1])


@given(st.text(_LETTERS, min_size=1, max_size=8), st.data())
def test_an_independent_reader_agrees_on_other_case_and_spacing(text: str, data: st.DataObject) -> None:
    other = data.draw(
        st.sampled_from([text.upper(), text.lower(), text.swapcase(), f" {text} ", text.replace(" ", "  ")])
    )
    ours = [read_name(name(cn(form))).digest for form in (text, other)]
    theirs = [OtherName.load(name(cn(form))).hashable for form in (text, other)]
    assert (ours[0] == ours[1]) == (theirs[0] == theirs[1])
