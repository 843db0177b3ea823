"""A common name in letters of several scripts: whoever reads the page is told."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.hostile.test_strings_corpus import csr_of
from tests.page_text import text_of
from tests.whole_site import WholeSite


@pytest.mark.parametrize(
    ("common_name", "flagged"),
    [("pаypal-Client-MTF", True), ("раураl", True), ("paypal-Client-MTF", False), ("Zürich-Client-MTF", False)],
    ids=["one Cyrillic letter", "nearly all Cyrillic", "plain", "an umlaut"],
)
@pytest.mark.parametrize("page", ["paste_csr", "clinic"])
def test_several_scripts_in_a_common_name_are_flagged_on_the_page(
    site: WholeSite, page: str, common_name: str, *, flagged: bool
) -> None:
    place = [] if page == "clinic" else [site.project.pk, "sandbox"]
    form = {"alias": "odd", "csr": csr_of(common_name), "environment": "sandbox", "project": str(site.project.pk)}
    response = site.client("admin").post(reverse(f"portal:{page}", args=place), form)
    text = text_of(response)
    assert ("letters of several scripts" in text) == flagged
    assert ("U+0430" in text) == flagged, "the letter is named by its code point"
