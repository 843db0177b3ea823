"""A token that is away, locked, empty or the wrong one, and keys that are in two places: each has its sentence."""

from __future__ import annotations

import os
import threading
import traceback

import pkcs11
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from django.utils import timezone
from pkcs11 import Attribute, ObjectClass
from pytest_django import Settings

from certauthority import readiness, revocation_lists, signers
from certauthority.authorities import create_hierarchy, create_next_generation
from certauthority.errors import SigningUnavailable
from certauthority.models import Authority
from certauthority.models.authority import AuthorityPurpose
from certauthority.signers import token, token_keys
from tests.certauthority.ocsp_client import issue
from tests.softhsm import SoftToken

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("soft_token")]


def test_a_token_that_was_pulled_out_is_told_and_works_again_afterwards(
    hierarchy: dict[str, Authority],
    soft_token: SoftToken,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signers, "PROOF_SECONDS", 0.0)
    assert readiness.problems(now=timezone.now()) == {}
    soft_token.take_away()
    with pytest.raises(SigningUnavailable, match=r"token rehearsal-ca is not there. Connect it"):
        issue("away")
    with pytest.raises(SigningUnavailable, match="is not there"):
        revocation_lists.publish(hierarchy["kmp"], now=timezone.now())
    assert "is not there" in readiness.problems(now=timezone.now())["ca_key"]
    soft_token.bring_back()
    assert readiness.problems(now=timezone.now()) == {}
    issue("back")


def test_readiness_asks_the_token_again_after_a_while_and_not_each_time(
    hierarchy: dict[str, Authority],
    soft_token: SoftToken,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signers, "PROOF_SECONDS", 3600.0)
    signers.self_test()
    soft_token.take_away()
    signers.self_test()
    monkeypatch.setattr(signers, "PROOF_SECONDS", 0.0)
    with pytest.raises(SigningUnavailable, match="is not there"):
        signers.self_test()


def test_a_wrong_pin_is_tried_once_and_told_nowhere(
    hierarchy: dict[str, Authority],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    signers.forget_keys()
    settings.PKCS11_PIN = "not-the-pin-of-it"
    logins = []
    library = pkcs11.lib

    def counted(module: str) -> object:
        logins.append(module)
        return library(module)

    monkeypatch.setattr(pkcs11, "lib", counted)
    for attempt in range(3):
        with pytest.raises(SigningUnavailable, match=r"does not open with PKCS11_PIN. Set the right PIN") as failure:
            issue(f"pin-{attempt}")
        assert settings.PKCS11_PIN not in "".join(traceback.format_exception(failure.value))
        assert failure.value.__cause__ is None
        if attempt == 0:
            asked = len(logins)
    assert len(logins) == asked, "a token locks itself after a few wrong PINs"
    assert not readiness.prove_keys_at_start()
    assert "does not open with PKCS11_PIN" in caplog.text
    assert settings.PKCS11_PIN not in caplog.text


def test_a_token_without_the_key_is_told(
    hierarchy: dict[str, Authority],
    soft_token: SoftToken,
    settings: Settings,
) -> None:
    signers.forget_keys()
    soft_token.make("another")
    settings.PKCS11_TOKEN = "another"
    with pytest.raises(SigningUnavailable, match=r"token another has no key developers. Connect the right token"):
        issue()
    signers.create_key("developers")
    with pytest.raises(SigningUnavailable, match="keys developers in the token another belong to other certificates"):
        issue()


def test_several_tokens_with_one_label_are_told(
    hierarchy: dict[str, Authority],
    soft_token: SoftToken,
) -> None:
    signers.forget_keys()
    soft_token.make(soft_token.label)
    with pytest.raises(SigningUnavailable, match="Several tokens have the label rehearsal-ca"):
        issue()


@pytest.mark.parametrize(
    ("module", "sentence"),
    [("/no/such/module.so", "There is no PKCS#11 module /no/such/module.so"), (__file__, "cannot be loaded")],
    ids=["absent", "no library"],
)
def test_a_wrong_module_is_told(
    module: str, sentence: str, hierarchy: dict[str, Authority], settings: Settings
) -> None:
    signers.forget_keys()
    settings.PKCS11_MODULE = module
    with pytest.raises(SigningUnavailable, match=sentence):
        issue()


def test_a_key_file_beside_the_token_is_refused(hierarchy: dict[str, Authority], settings: Settings) -> None:
    signers.forget_keys()
    signers.key_path("developers").write_text("whatever it holds")
    with pytest.raises(SigningUnavailable, match=r"key file developers.key.pem .*although SIGNER is pkcs11"):
        issue()
    assert "although SIGNER is pkcs11" in readiness.problems(now=timezone.now())["ca_key"]
    signers.key_path("developers-g2").write_text("left over")
    with pytest.raises(SigningUnavailable, match=r"developers-g2.key.pem"):
        signers.create_key("developers-g2")


def test_keys_in_a_token_are_not_looked_for_in_files(hierarchy: dict[str, Authority], settings: Settings) -> None:
    signers.forget_keys()
    settings.SIGNER = "file"
    with pytest.raises(SigningUnavailable, match="if the key is in a token, set SIGNER=pkcs11"):
        issue()
    with pytest.raises(SigningUnavailable, match="set SIGNER=pkcs11"):
        create_next_generation(AuthorityPurpose.DEVELOPERS, now=timezone.now())
    assert not signers.key_path("developers-g2").exists(), "no key is made that nobody could certify"


def test_a_token_that_lets_keys_out_is_not_used(
    soft_token: SoftToken,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    template = dict(token_keys._STAYS)
    generate = token_keys._generate

    def careless(session: pkcs11.Session, name: str, algorithm: str) -> object:
        with monkeypatch.context() as patched:
            patched.setattr(token_keys, "_STAYS", {Attribute.EXTRACTABLE: True, Attribute.SENSITIVE: False})
            return generate(session, name, algorithm)

    monkeypatch.setattr(token_keys, "_generate", careless)
    with pytest.raises(SigningUnavailable, match="made a key root that could leave it"):
        create_hierarchy(begin=timezone.now(), now=timezone.now())
    assert template == token_keys._STAYS
    assert not Authority.objects.exists()
    assert soft_token.objects(ObjectClass.PRIVATE_KEY) == {}


def test_a_forked_process_signs_for_itself(hierarchy: dict[str, Authority]) -> None:
    signer = signers.signer_of(hierarchy["developers"])
    verified = _sign_and_verify(signer.key)
    child = os.fork()
    if child == 0:
        good = False
        try:
            good = _sign_and_verify(signer.key)
        finally:
            os._exit(0 if good else 1)
    _, status = os.waitpid(child, 0)
    assert verified
    assert os.waitstatus_to_exitcode(status) == 0
    assert _sign_and_verify(signer.key), "the parent's session is still good"


def test_threads_take_turns(hierarchy: dict[str, Authority]) -> None:
    keys = [signers.signer_of(authority).key for authority in hierarchy.values()]
    results: list[bool] = []

    def sign_often(key: signers.PrivateKey) -> None:
        results.extend(_sign_and_verify(key, f"message {number}".encode()) for number in range(25))

    threads = [threading.Thread(target=sign_often, args=(key,)) for key in keys * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 200
    assert all(results)


def test_a_session_that_the_token_ended_is_opened_again(hierarchy: dict[str, Authority]) -> None:
    key = signers.signer_of(hierarchy["developers"]).key
    session = token.current().use(lambda session: session)
    session.close()
    assert _sign_and_verify(key)


def _sign_and_verify(key: signers.PrivateKey, message: bytes = b"message") -> bool:
    public = key.public_key()
    if isinstance(key, rsa.RSAPrivateKey) and isinstance(public, rsa.RSAPublicKey):
        public.verify(
            key.sign(message, padding.PKCS1v15(), hashes.SHA256()), message, padding.PKCS1v15(), hashes.SHA256()
        )
    elif isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(key.sign(message, ec.ECDSA(hashes.SHA256())), message, ec.ECDSA(hashes.SHA256()))
    return True
