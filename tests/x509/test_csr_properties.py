"""Whatever the octets, a judgement: no exception, and nothing accepted that is not a good CSR."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import example, given, settings
from hypothesis import strategies as st

from certauthority.x509.armor import certificate_ders, csr_der, recognise
from certauthority.x509.csr_rules import judge_csr
from certauthority.x509.errors import UnreadableInput
from certauthority.x509.keys import read_public_key, read_signature_algorithm
from certauthority.x509.names import encode_subject, read_name
from certauthority.x509.verdicts import broken
from tests.x509.requests_made import REQUIREMENT, csr, extension_request, pem, rsa_key, spki

Reader = Callable[[bytes], object]
# One request of each kind, made once, so that an example found by chance can be repeated in the same run.
GOOD = [
    csr(),
    csr(key=rsa_key()),
    csr(attributes=extension_request(("2.5.29.19", b"\x30\x03\x01\x01\xff"), ("2.5.29.17", b"\x30\x03\x82\x01a"))),
]
READERS: list[Reader] = [csr_der, certificate_ders, read_name, read_public_key, read_signature_algorithm, recognise]


def judged(data: bytes) -> None:
    """Judge, and check what holds of every judgement."""
    judgement = judge_csr(data, requirement=REQUIREMENT)
    assert judgement.verdicts
    assert judgement.acceptable == (judgement.csr is not None and not broken(judgement.verdicts))
    assert all(verdict.title and verdict.found and verdict.wanted for verdict in judgement.verdicts)
    assert len({verdict.id for verdict in judgement.verdicts}) == len(judgement.verdicts)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good request with some octets changed, taken out or put in."""
    data = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 4))):
        position = draw(st.integers(0, len(data) - 1))
        match draw(st.sampled_from(["change", "remove", "insert"])):
            case "change":
                data[position] = draw(st.integers(0, 255))
            case "remove":
                del data[position : position + draw(st.integers(1, 8))]
            case "insert":
                data[position:position] = draw(st.binary(min_size=1, max_size=8))
        if not data:
            return b""
    return bytes(data)


@given(st.binary(max_size=2000))
def test_any_octets_are_judged(data: bytes) -> None:
    judged(data)
    judged(b"\x30" + data)
    judged(pem(data))


@given(st.text(max_size=500))
def test_any_text_is_judged(text: str) -> None:
    judged(text.encode("utf-8", "surrogatepass"))
    judged(f"-----BEGIN CERTIFICATE REQUEST-----{text}-----END CERTIFICATE REQUEST-----".encode("utf-8", "ignore"))


@settings(max_examples=400)
@given(mutated())
def test_mutated_requests_are_judged(data: bytes) -> None:
    judged(data)
    judged(pem(data))


@given(mutated())
def test_a_mutated_request_is_accepted_only_when_its_signature_still_fits(data: bytes) -> None:
    judgement = judge_csr(data)
    if judgement.acceptable:
        assert judgement.csr
        assert judgement.csr.signature_valid
        assert judgement.csr.der == data


@given(st.binary(max_size=300), st.sampled_from(READERS))
@example(spki(rsa_key()), read_public_key)
def test_every_reader_raises_nothing_but_its_own_kind(data: bytes, reader: Reader) -> None:
    try:
        reader(data)
    except UnreadableInput as refusal:
        code, message = refusal.code, str(refusal)
    else:
        return
    assert code
    assert message.endswith(".")


_VALUES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64)


@given(_VALUES, _VALUES, _VALUES)
def test_what_is_written_as_a_subject_is_read_back(organisation: str, unit: str, common_name: str) -> None:
    read = read_name(encode_subject([("CN", common_name), ("OU", unit), ("O", organisation), ("C", "GB")]))
    assert [(a.label, a.value) for a in read.attributes] == [
        ("C", "GB"),
        ("O", organisation),
        ("OU", unit),
        ("CN", common_name),
    ]
    assert read.text.isprintable()
    assert len(read.digest) == 64


@given(_VALUES)
def test_every_name_in_a_request_is_judged(common_name: str) -> None:
    judged(csr(encode_subject([("CN", common_name)])))
