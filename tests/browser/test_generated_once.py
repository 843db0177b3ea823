"""However often it is asked for, there is one certificate; and none but the one for the page's own key is used."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.models import Credential, Project
from tests.browser.generating import (
    HANG_MILLISECONDS,
    PASSWORD,
    Keystore,
    altering_answers,
    chain_of,
    confirm_saved,
    fill_in,
    no_download,
    press_create,
    saved,
)
from tests.browser.recorder import Recorder
from tests.factories import make_credential

ALIAS = "payouts"


@pytest.mark.parametrize("twice", ["double click", "Enter and click", "two clicks at once"])
def test_asking_twice_makes_one_certificate(form: Page, relay: Recorder, twice: str) -> None:
    fill_in(form, alias=ALIAS)
    button = form.get_by_role("button", name="Create certificate")
    with form.expect_download(timeout=HANG_MILLISECONDS) as download:
        match twice:
            case "double click":
                button.dblclick()
            case "Enter and click":
                box = button.bounding_box()
                assert box is not None
                form.get_by_label("Certificate alias").press("Enter")
                form.mouse.click(box["x"] + 5, box["y"] + 5)
            case _:
                button.evaluate("(button) => { button.click(); button.form.requestSubmit(); button.click(); }")
    assert download.value.suggested_filename == f"{ALIAS}.p12"
    confirm_saved(form)
    assert Credential.objects.count() == 1
    assert len([sent for sent in relay.requests if sent.body and sent.path.endswith("/add/generate/")]) == 1


REPEAT = """async ({ address, token, fields }) => {
  const ask = async () => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    const response = await fetch(address, { method: "POST", body, headers: { "X-CSRFToken": token } });
    return [response.status, await response.json()];
  };
  return await Promise.all([ask(), ask(), ask()]);
}"""


def test_the_same_request_sent_thrice_at_once_makes_one_certificate(form: Page, relay: Recorder) -> None:
    relay.lose = "POST "
    fill_in(form, alias=ALIAS)
    press_create(form)
    expect(form.get_by_role("status").filter(has_text="Requesting certificate")).to_be_visible(
        timeout=HANG_MILLISECONDS
    )
    assert relay.lost.wait(HANG_MILLISECONDS / 1000)
    (request,) = [sent for sent in relay.requests if sent.method == "POST"]
    assert not Credential.objects.exists()
    relay.lose = ""
    token = form.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    fields = {name: value.decode() for name, value in request.fields.items()}
    answers = form.evaluate(REPEAT, {"address": request.target, "token": token, "fields": fields})
    assert [status for status, _ in answers] == [200, 200, 200]
    credential = Credential.objects.get()
    assert {answer["credential"]["id"] for _, answer in answers} == {str(credential.pk)}
    for _, answer in answers:
        assert [b64decode(one) for one in answer["certificates"]] == chain_of(credential)


def test_a_certificate_for_another_key_is_refused(form: Page, made_in: Project) -> None:
    another = chain_of(make_credential(made_in, alias="another"))

    certificates = [b64encode(der).decode() for der in another]
    altering_answers(form, lambda answer: answer.update(certificates=certificates))
    with no_download(form):
        fill_in(form, alias=ALIAS)
        press_create(form)
        said = form.get_by_role("alert").filter(has_text="The certificate that came back is for another key")
        expect(said).to_be_visible(timeout=HANG_MILLISECONDS)
        expect(said).to_contain_text("no keystore was built")
        expect(form.get_by_text(f"{ALIAS} is ready")).to_be_hidden()


def test_after_an_altered_answer_the_true_one_is_taken(form: Page, made_in: Project, tmp_path: Path) -> None:
    another = chain_of(make_credential(made_in, alias="another"))
    altered: list[str] = []

    def alter_once(answer: dict[str, Any]) -> None:
        if not altered:
            altered.append(answer["certificates"][0])
            answer["certificates"][0] = b64encode(another[0]).decode()

    altering_answers(form, alter_once)
    fill_in(form, alias=ALIAS)
    press_create(form)
    with form.expect_download(timeout=HANG_MILLISECONDS) as download:
        form.get_by_role("button", name="Try again").click(timeout=HANG_MILLISECONDS)
    keystore = Keystore(saved(download.value, tmp_path), PASSWORD)
    assert keystore.leaf == chain_of(Credential.objects.get(alias=ALIAS))[0]
    assert Credential.objects.filter(alias=ALIAS).count() == 1
