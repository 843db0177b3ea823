from __future__ import annotations

import ipaddress
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certauthority.x509.alternative_names import MAX_ALTERNATIVE_NAMES, read_alternative_names

# Far more than it takes: it tells a hang from a busy machine, and claims no speed.
HANG_SECONDS = 10


def names(text: str) -> tuple[str, ...]:
    read = read_alternative_names(text)
    assert read.problems == ()
    return read.names


def problem(text: str) -> str:
    read = read_alternative_names(text)
    assert read.names == ()
    (sentence,) = read.problems
    return sentence


def test_commas_and_line_ends_separate_and_spaces_do_not_count() -> None:
    assert names(" a.example ,b.example\r\n\tc.example\u00a0,\n,d.example,") == (
        "a.example",
        "b.example",
        "c.example",
        "d.example",
    )


@pytest.mark.parametrize("text", ["", " ", ",", " ,\n, ", "\u3000"])
def test_nothing_is_no_name_and_no_problem(text: str) -> None:
    assert names(text) == ()


def test_each_name_stands_once_in_lower_case_where_it_was_first_typed() -> None:
    assert names("B.example, a.example, b.EXAMPLE, A.example") == ("b.example", "a.example")


@pytest.mark.parametrize(
    ("typed", "certified"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),  # IDNA 2008 keeps ß; that of 2003 made it ss.
        ("日本。jp", "xn--wgv71a.jp"),
        ("l·l.example", "xn--ll-0ea.example"),  # The middle dot is allowed between two l (RFC 5892, A.3).
        ("نامه‌ای.example", "xn--mgba3gch31f060k.example"),  # Zero width non-joiner (A.1).
        ("1and1.example", "1and1.example"),
        ("a-b--c.example", "a-b--c.example"),
        ("4.3.2.1.in-addr.arpa", "4.3.2.1.in-addr.arpa"),
    ],
)
def test_names_of_every_language_become_a_labels(typed: str, certified: str) -> None:
    assert names(typed) == (certified,)


def test_two_ways_to_write_one_name_are_one_name() -> None:
    assert names("bücher.example, xn--bcher-kva.example, BU\u0308CHER.EXAMPLE") == ("xn--bcher-kva.example",)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("*.example.com", "has a wildcard"),
        ("a.*.example", "has a wildcard"),
        ("192.0.2.1", "is an IP address"),
        ("2001:db8::1", "is an IP address"),
        ("[2001:db8::1]", "is an IP address"),
        ("fe80::1%eth0", "is an IP address"),
        ("192.0.2.0/24", "is an IP address"),
        ("１９２.0.2.1", "is"),  # Full-width digits are no way around.
        ("127.1", "is an IP address, or ends like one"),
        ("0x7f.0x1", "is an IP address, or ends like one"),
        ("example.123", "is an IP address, or ends like one"),
        ("https://api.example.com/", "is an address on the web"),
        ("api.example.com/path", "is an address on the web"),
        ("api.example.com:8443", "has a colon"),
        ("ops@example.com", "is an e-mail address"),
        ("a.example b.example", "has a space in it. Separate names by commas"),
        ("a.example;b.example", "has a semicolon"),
        ("example.com.", "ends with a dot"),
        (".example.com", "has two dots in a row, or one at its start"),
        ("a..example", "has two dots in a row, or one at its start"),
        ("..", "has two dots in a row, or one at its start"),
        ("localhost", "is not a full domain name"),
        ("a_b.example", "U+005F “_”"),
        ("-a.example", "begins or ends with a hyphen"),
        ("a-.example", "begins or ends with a hyphen"),
        ("-.example", "begins or ends with a hyphen"),
        ("r3---sn.example", "two hyphens are reserved"),
        ("xn--.example", "no domain name can have"),
        ("xn--a.example", "U+0080"),
        ("xn--bcher-kva-.example", "no domain name can have"),
        ("xn---bbk.example", "no domain name can have"),  # Another spelling of xn--bbk (RFC 5891, 5.3).
        ("☃.example", "U+2603 “☃”"),
        ("💩.example", "U+1F4A9"),
        ("a\u200bb.example", "U+200B"),
        ("a\u202eb.example", "U+202E"),
        ("a\u00adb.example", "U+00AD"),
        ("a\x00b.example", "U+0000"),
        ("a\u200db.example", "no domain name can have"),  # A joiner where nothing joins (RFC 5892, A.2).
        ("\u0301a.example", "no domain name can have"),
        ("ab·.example", "no domain name can have"),
        ("אa.example", "no domain name can have"),  # Both directions in one label (RFC 5893).
        ("ｅｘａｍｐｌｅ.com", "U+FF45"),
        ("a‚b.example", "U+201A"),  # A low quotation mark looks like a comma, and separates nothing.
        ("\ud800.example", "U+D800"),
        ("example.com\\0.evil", "U+005C"),
        ("<b>.example", "U+003C"),
    ],
)
def test_what_is_no_domain_name_is_named_with_its_reason(typed: str, reason: str) -> None:
    sentence = problem(typed)
    assert sentence.startswith("“")
    assert reason in sentence
    assert sentence.endswith(".")


def test_every_bad_name_is_named_and_the_good_ones_stay() -> None:
    read = read_alternative_names("a.example, *.b.example, c.example, 10.0.0.1, *.b.example")
    assert read.names == ("a.example", "c.example")
    assert [sentence.split("”")[0] for sentence in read.problems] == ["“*.b.example", "“10.0.0.1"]


def test_what_cannot_be_seen_is_shown_by_its_number() -> None:
    assert "[U+202E]" in problem("a\u202eb.example")
    assert "[U+0007]" in problem("a\x07b.example")


def test_lengths_are_those_of_the_dns() -> None:
    longest = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
    assert len(longest) == 253
    assert names(longest) == (longest,)
    assert "has 254 characters" in problem(f"{longest}d")
    assert "a part of 64 characters" in problem(f"{'a' * 64}.example")


def test_lengths_are_counted_in_a_labels() -> None:
    assert names(f"{'ü' * 40}.example")[0].startswith("xn--")
    assert "no domain name can have" in problem(f"{'ü' * 62}.example")
    assert "a part of 64 characters" in problem(f"{'ü' * 64}.example")
    assert "has 3" in problem(".".join(["日本語"] * 25))


def test_at_most_fifty_names() -> None:
    fifty = [f"n{number}.example" for number in range(MAX_ALTERNATIVE_NAMES)]
    assert names(",".join(fifty)) == tuple(fifty)
    assert names(",".join(fifty + fifty)) == tuple(fifty)
    read = read_alternative_names(",".join([*fifty, "one-more.example"]))
    assert read.problems == ("There are 51 names. A certificate has at most 50.",)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "a." * 500_000,
        "," * 1_000_000,
        "a.example," * 100_000,
        "-" * 100_000 + ".example",
        "\u0301\u0323" * 100_000,  # Composing these takes quadratic time.
        ",".join(["ü" * 63 + ".example"] * 20_000),
        ",".join(["xn--" + "9" * 59 + ".example"] * 20_000),
        "1." * 200_000,
        "[" * 100_000,
        "%" * 100_000,
        "\ud800" * 100_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_hostile_texts_cost_little_and_are_answered(text: str) -> None:
    started = time.perf_counter()
    read = read_alternative_names(text)
    assert time.perf_counter() - started < HANG_SECONDS
    assert len(read.names) <= MAX_ALTERNATIVE_NAMES
    assert len(read.problems) <= 4 * MAX_ALTERNATIVE_NAMES + 1
    assert all(len(sentence) < 1200 for sentence in read.problems)


_LABELS = st.text(st.characters(), max_size=70) | st.from_regex("[a-z0-9-]{1,64}", fullmatch=True)


@given(st.lists(st.lists(_LABELS, max_size=4).map(".".join), max_size=60).map(",".join))
def test_what_is_understood_is_certifiable_and_understood_again(text: str) -> None:
    read = read_alternative_names(text)
    assert len(set(read.names)) == len(read.names) <= MAX_ALTERNATIVE_NAMES
    for name in read.names:
        assert len(name) <= 253
        assert all(re.fullmatch("(?!-)[a-z0-9-]{1,63}(?<!-)", label) for label in name.split("."))
        with pytest.raises(ValueError, match="does not appear"):
            ipaddress.ip_address(name)
    assert read_alternative_names(", ".join(read.names)).names == read.names
