"""What fuzzers found, through the pages: a sample of the seeds, as files and as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from certauthority.models import Certificate
from portal.models import Credential
from tests import corpus
from tests.hostile.forms_found import FoundForm, file_of
from tests.whole_site import WholeSite

EVERY = 20


def seeds() -> list[Path]:
    """Every twentieth seed, so that each kind is among them."""
    found = sorted(path for path in (corpus.ROOT / "fuzz").rglob("*") if path.is_file())
    return found[::EVERY]


def test_a_sample_of_the_seeds_is_judged_by_every_form_that_takes_a_file_or_pem(
    site: WholeSite, forms: list[FoundForm]
) -> None:
    sample = seeds()
    assert len(sample) > 100
    taking = [form for form in forms if form.files or "csr" in form.boxes]
    clients = {person: site.client(person) for person in {form.person for form in taking}}
    before = (Credential.objects.count(), Certificate.objects.count())
    wrong = []
    for path in sample:
        content = path.read_bytes()
        for form in taking:
            seed: dict[str, Any] = {box: file_of(content, "seed") for box in form.files}
            sent = form.filled(site, **(seed or {"csr": content.decode("latin-1")}))
            response = clients[form.person].post(form.action, sent)
            if response.status_code != 200:
                wrong.append(f"{path.parent.name}/{path.name} to {form.action}: {response.status_code}")
    assert not wrong, "\n".join(wrong)
    assert (Credential.objects.count(), Certificate.objects.count()) == before


def test_what_was_found_elsewhere_is_judged_as_well(site: WholeSite, forms: list[FoundForm]) -> None:
    """Inputs on which the X.509 library itself failed with errors of no kind of its own."""
    found = [path for path in sorted((corpus.ROOT / "found").iterdir()) if path.suffix == ".der"]
    assert len(found) >= 2
    before = (Credential.objects.count(), Certificate.objects.count())
    for path in found:
        for form in forms:
            for box in form.files:
                sent = form.filled(site, **{box: file_of(path.read_bytes(), path.name)})
                # A draft of KMP keeps what can be read at all, and its review names what is wrong with it.
                response = site.client(form.person).post(form.action, sent, follow=True)
                assert response.status_code == 200, (path.name, form.action)
    assert (Credential.objects.count(), Certificate.objects.count()) == before
