from __future__ import annotations

import hashlib
import time

import badkeys  # type: ignore[import-untyped, unused-ignore]  # it ships no types
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519

from certauthority.x509 import der
from certauthority.x509.errors import UnreadableInput
from certauthority.x509.keys import judge_key, judge_signature_algorithm, read_public_key, read_signature_algorithm
from certauthority.x509.verdicts import broken
from certauthority.x509.weak_keys import weaknesses
from tests.x509.requests_made import ec_key, rsa_key, spki

# Far more than it takes: it tells a hang from a busy machine, and claims no speed.
HANG_SECONDS = 10

RSA = der.write_oid("1.2.840.113549.1.1.1") + b"\x05\x00"
EC = der.write_oid("1.2.840.10045.2.1")
P256 = der.write_oid("1.2.840.10045.3.1.7")
# Numbers so close to each other that their product is factored at once.
CLOSE_FACTORS = (
    0xD54FCE2F9AB7B6A14A5CCB0D55F6B9B8A1D6A1F1,
    0xD54FCE2F9AB7B6A14A5CCB0D55F6B9B8A1D6A29F,
)


def number(value: int) -> bytes:
    return der.write(der.INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def public_key(algorithm: bytes, key: bytes) -> bytes:
    return der.write(der.SEQUENCE, der.write(der.SEQUENCE, algorithm) + der.write(der.BIT_STRING, b"\x00" + key))


def rsa_spki(modulus: int, exponent: int = 65537) -> bytes:
    return public_key(RSA, der.write(der.SEQUENCE, number(modulus) + number(exponent)))


def broken_rules(encoded: bytes) -> list[str]:
    return [verdict.id for verdict in broken(judge_key(read_public_key(encoded)))]


def other_spki(key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | dsa.DSAPublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def test_the_facts_of_an_rsa_key() -> None:
    encoded = spki(rsa_key())
    facts = read_public_key(encoded)
    assert (facts.kind, facts.size, facts.curve, facts.exponent) == ("RSA", 2048, "", 65537)
    assert facts.description == "RSA 2048"
    assert facts.modulus == rsa_key().public_key().public_numbers().n
    assert facts.spki == encoded
    assert facts.fingerprint == hashlib.sha256(encoded).hexdigest()


def test_the_facts_of_an_ec_key() -> None:
    facts = read_public_key(spki(ec_key()))
    assert (facts.kind, facts.size, facts.curve, facts.exponent) == ("EC", 256, "P-256", 0)
    assert facts.description == "EC P-256"


@pytest.mark.parametrize("size", [2048, 3072])
def test_good_rsa_keys_keep_every_rule(size: int) -> None:
    verdicts = judge_key(read_public_key(spki(rsa_key(size))))
    assert [verdict.id for verdict in verdicts] == ["key.type", "key.rsa-size", "key.rsa-exponent", "key.weak"]
    assert not broken(verdicts)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()], ids=lambda curve: curve.name)
def test_good_ec_keys_keep_every_rule(curve: ec.EllipticCurve) -> None:
    verdicts = judge_key(read_public_key(spki(ec.generate_private_key(curve))))
    assert [verdict.id for verdict in verdicts] == ["key.type", "key.curve"]
    assert not broken(verdicts)


@pytest.mark.parametrize(
    "curve",
    [ec.SECP192R1(), ec.SECP224R1(), ec.SECP521R1(), ec.SECP256K1(), ec.BrainpoolP256R1()],
    ids=lambda c: c.name,
)
def test_other_curves_are_refused(curve: ec.EllipticCurve) -> None:
    assert broken_rules(other_spki(ec.generate_private_key(curve).public_key())) == ["key.curve"]


def test_other_kinds_of_keys_are_refused_by_name() -> None:
    ed = read_public_key(other_spki(ed25519.Ed25519PrivateKey.generate().public_key()))
    assert [(v.id, v.found, v.wanted) for v in broken(judge_key(ed))] == [("key.type", "Ed25519", "RSA or EC")]
    assert broken_rules(other_spki(dsa.generate_private_key(2048).public_key())) == ["key.type"]


@pytest.mark.parametrize("size", [1024, 2047, 2056, 4104, 8192])
def test_other_sizes_of_rsa_are_refused_and_said_in_bits(size: int) -> None:
    modulus = (1 << (size - 1)) + 0x6B8F3  # Odd, and of the right length: the size is judged before anything else.
    (verdict,) = [v for v in judge_key(read_public_key(rsa_spki(modulus))) if v.id == "key.rsa-size"]
    assert not verdict.ok
    assert (verdict.found, verdict.wanted) == (f"{size} bits", "2048, 3072 or 4096 bits")


@pytest.mark.parametrize("exponent", [1, 3, 17, 65539, 2**64 + 1])
def test_other_exponents_are_refused(exponent: int) -> None:
    assert "key.rsa-exponent" in broken_rules(rsa_spki(rsa_key().public_key().public_numbers().n, exponent))


def test_a_key_with_close_primes_is_weak() -> None:
    first, second = CLOSE_FACTORS
    assert "its two primes are too close to each other (Fermat)" in weaknesses(first * second, 65537)


def test_a_key_with_a_small_factor_is_weak() -> None:
    modulus = rsa_key().public_key().public_numbers().n * 3
    assert "its modulus has a small factor" in weaknesses(modulus, 65537)


def test_an_even_modulus_is_weak() -> None:
    assert broken_rules(rsa_spki(1 << 2047)) == ["key.weak"]


def test_a_key_with_a_weakness_names_it_in_the_rule() -> None:
    first, second = CLOSE_FACTORS
    (verdict,) = [v for v in judge_key(read_public_key(rsa_spki(first * second))) if v.id == "key.weak"]
    assert not verdict.ok
    assert "Fermat" in verdict.found


@pytest.mark.parametrize("failure", [SystemExit(1), OSError("no data"), RuntimeError()], ids=repr)
def test_a_check_that_cannot_be_done_refuses_the_key_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise failure

    monkeypatch.setattr(badkeys, "checkrsa", fail)
    assert broken_rules(spki(rsa_key())) == ["key.weak"]


def test_only_checks_that_need_no_data_from_the_internet_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def note(_modulus: int, *, e: int, checks: list[str]) -> dict[str, object]:
        asked.extend(checks)
        return {"exponent": e} if e != 65537 else {}

    monkeypatch.setattr(badkeys, "checkrsa", note)
    broken_rules(spki(rsa_key()))
    assert set(asked) == {"fermat", "roca", "rsainvalid", "rsapoly", "sharedprimes", "smalld", "smallfactors"}
    assert set(asked) <= set(badkeys.allchecks)


@pytest.mark.parametrize("bits", [16_384, 260_000])
def test_huge_numbers_cost_nothing(bits: int) -> None:
    huge = (1 << bits) + 1
    started = time.perf_counter()
    assert "key.rsa-size" in broken_rules(rsa_spki(huge))
    assert "key.rsa-exponent" in broken_rules(rsa_spki(rsa_key().public_key().public_numbers().n, huge))
    assert time.perf_counter() - started < HANG_SECONDS


def test_a_curve_without_a_name_is_refused() -> None:
    explicit = der.write(der.SEQUENCE, number(1))
    facts = read_public_key(public_key(EC + explicit, b"\x04" + bytes(64)))
    assert [(v.id, v.found) for v in broken(judge_key(facts))] == [("key.curve", "parameters without a name")]


@pytest.mark.parametrize(
    "encoded",
    {
        "nothing": b"",
        "not DER": b"hello",
        "no key": der.write(der.SEQUENCE, der.write(der.SEQUENCE, RSA)),
        "half an octet": der.write(der.SEQUENCE, der.write(der.SEQUENCE, RSA) + der.write(der.BIT_STRING, b"\x04\x00")),
        "an RSA key of one number": public_key(RSA, der.write(der.SEQUENCE, number(5))),
        "a modulus of nought": rsa_spki(0),
        "a negative modulus": public_key(RSA, der.write(der.SEQUENCE, b"\x02\x01\xff" + number(3))),
        "a point off the curve": public_key(EC + P256, b"\x04" + bytes(63) + b"\x01"),
        "the point at infinity": public_key(EC + P256, b"\x00"),
        "a curve missing": public_key(EC, b"\x04" + bytes(64)),
    }.items(),
    ids=lambda item: item[0],
)
def test_a_damaged_key_is_not_readable(encoded: tuple[str, bytes]) -> None:
    with pytest.raises(UnreadableInput) as refusal:
        read_public_key(encoded[1])
    assert refusal.value.code == "input.key"


def identifier(oid: str, parameters: bytes) -> bytes:
    return der.write(der.SEQUENCE, der.write_oid(oid) + parameters)


@pytest.mark.parametrize(
    ("oid", "parameters", "rules"),
    [
        ("1.2.840.113549.1.1.11", b"\x05\x00", []),
        ("1.2.840.113549.1.1.12", b"", []),
        ("1.2.840.113549.1.1.13", b"\x05\x00", []),
        ("1.2.840.10045.4.3.2", b"", []),
        ("1.2.840.10045.4.3.3", b"", []),
        ("1.2.840.10045.4.3.4", b"", []),
        ("1.2.840.10045.4.3.2", b"\x05\x00", ["sig.parameters"]),
        ("1.2.840.113549.1.1.11", b"\x30\x00", ["sig.parameters"]),
        ("1.2.840.113549.1.1.5", b"\x05\x00", ["sig.hash"]),
        ("1.2.840.113549.1.1.4", b"\x05\x00", ["sig.hash"]),
        ("1.2.840.10045.4.1", b"", ["sig.hash"]),
        ("1.2.840.10045.4.3.1", b"", ["sig.hash"]),
        ("1.2.840.113549.1.1.10", b"\x30\x00", ["sig.hash", "sig.scheme"]),
        ("1.3.101.112", b"", ["sig.hash", "sig.scheme"]),
        ("1.2.3.4", b"", ["sig.hash", "sig.scheme"]),
    ],
)
def test_signature_algorithms(oid: str, parameters: bytes, rules: list[str]) -> None:
    verdicts = judge_signature_algorithm(read_signature_algorithm(identifier(oid, parameters)))
    assert [verdict.id for verdict in verdicts] == ["sig.hash", "sig.scheme", "sig.parameters"]
    assert [verdict.id for verdict in broken(verdicts)] == rules


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"hello", b"\x30\x03\x02\x01\x01"])
def test_a_damaged_algorithm_is_not_readable(data: bytes) -> None:
    with pytest.raises(UnreadableInput):
        read_signature_algorithm(data)
