"""Refuse in templates what the content security policy would stop, or what lets a template carry code.

`python -m tools.check_templates [FILE …]`; without files, every template and style sheet of the project.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE_MARKUP = re.compile(r"\{#.*?#\}|\{%-?\s*comment\b.*?\{%\s*endcomment\s*%\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
EXTERNAL = re.compile(r"^(https?:)?//", re.IGNORECASE)
EXTERNAL_IN_CSS = re.compile(r"(url\(\s*['\"]?|@import\s+['\"])(https?:)?//", re.IGNORECASE)
# Attributes whose address the browser or htmx fetches by itself or sends a form to; a link's href is not among them.
FETCHED = {"src", "srcset", "poster", "data", "background", "action", "formaction", "xlink:href"}
FETCHING_ELEMENTS = {"link", "use", "image", "base"}
HTMX_REQUESTS = {"hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete"}
HTMX_EVALUATES = {"hx-vals", "hx-vars", "hx-headers", "hx-request"}


class TemplateChecker(HTMLParser):
    """Collects what is wrong in one template: pairs of line and sentence."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[tuple[int, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag == "style":
            self._add("<style> is inline style; put it into static/css/.")
        if tag == "script" and "src" not in names:
            self._add("<script> without src is inline script; put it into static/js/.")
        for name, value in attrs:
            for sentence in attribute_problems(tag, name, value or ""):
                self._add(sentence)

    def _add(self, sentence: str) -> None:
        self.problems.append((self.getpos()[0], sentence))


def attribute_problems(tag: str, name: str, value: str) -> Iterator[str]:
    """The sentences about one attribute; none where it is harmless."""
    plain = name.removeprefix("data-")
    # Browsers drop white space and control characters inside the scheme of an address.
    address = re.sub(r"[\x00-\x20]", "", value).lower()
    if name == "style":
        yield "style= is inline style; give the element a class."
    if plain.startswith("hx-on") or (name.startswith("on") and len(name) > 2):
        yield f"{name}= is inline script; listen in static/js/."
    if plain == "hx-vars" or (plain in HTMX_EVALUATES and address.startswith(("js:", "javascript:"))):
        yield f"{name}= is evaluated as script; give plain JSON in hx-vals."
    elif address.startswith(("javascript:", "vbscript:", "data:text/html")):
        yield f"{name}= holds an address that is a script."
    if plain == "hx-trigger" and "[" in value:
        yield "hx-trigger= with a filter is evaluated as script; decide in static/js/ or in the view."
    fetched = name in FETCHED or plain in HTMX_REQUESTS or (name == "href" and tag in FETCHING_ELEMENTS)
    if fetched and any(EXTERNAL.match(part.strip()) for part in value.split(",")):
        yield f"{name}= fetches from another site; serve it from static/."


def check_template(text: str) -> list[tuple[int, str]]:
    """What is wrong in a template's text: pairs of line and sentence."""
    checker = TemplateChecker()
    # Django's own marks become blanks, so that what stands between and inside attributes stays where it is.
    checker.feed(TEMPLATE_MARKUP.sub(lambda mark: re.sub(r"[^\n]", " ", mark.group()), text))
    checker.close()
    return checker.problems


def check_style_sheet(text: str) -> list[tuple[int, str]]:
    """What a style sheet fetches from another site: pairs of line and sentence."""
    return [
        (number, "This style sheet fetches from another site; serve it from static/.")
        for number, line in enumerate(text.splitlines(), start=1)
        if EXTERNAL_IN_CSS.search(line)
    ]


def project_files() -> list[Path]:
    """Every template and style sheet that is ours, but mails: mail programs know no style sheets."""
    templates = {*ROOT.glob("templates/**/*.html"), *ROOT.glob("*/templates/**/*.html")}
    templates -= {*ROOT.glob("templates/notices/*.html")}
    return sorted({*templates, *ROOT.glob("static/css/**/*.css")})


def main(arguments: list[str]) -> int:
    """Print what is wrong, one line each; 1 where anything is."""
    files = [Path(argument) for argument in arguments] or project_files()
    count = 0
    for file in files:
        check = check_style_sheet if file.suffix == ".css" else check_template
        for line, sentence in check(file.read_text(encoding="utf-8")):
            count += 1
            sys.stdout.write(f"{file}:{line}: {sentence}\n")
    sys.stdout.write(f"templates: {len(files)} files, {count} problems\n")
    return 1 if count or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
