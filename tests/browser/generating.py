"""Steps on the page `Generate a new private key`, shared by the tests that prove what comes of it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, Download, Page, Route, expect

from certauthority.chains import issuers_of
from certauthority.models import Certificate
from connect.models import User
from portal.models import Credential
from tests.browser.leaks import PrivateKey
from tests.browser.recorder import Recorder

KEY_TYPES = ("RSA 2048", "RSA 3072", "RSA 4096", "EC P-256", "EC P-384")
ALIAS = "payouts"
# Whatever a form, JSON, a shell or an address would write in another way; no reader may stumble over it.
PASSWORD = ' Tr0ub4dor & "three" $\\ 100%+/~\'<e>'
# Nothing here is timed: a step that takes longer hangs.
HANG_MILLISECONDS = 90_000

# Every breach of the policy in words that the fixture ``page`` knows, also where the browser's console is silent.
REPORT_BREACHES = (
    "addEventListener('securitypolicyviolation', (event) => "
    "console.error('Content Security Policy', event.violatedDirective, event.blockedURI))"
)


@dataclass(frozen=True, slots=True)
class Keystore:
    """A keystore that a browser has downloaded."""

    path: Path
    password: str

    @property
    def key(self) -> PrivateKey:
        """The private key in it."""
        return cast(PrivateKey, load_pkcs12(self.path.read_bytes(), self.password.encode()).key)

    @property
    def leaf(self) -> bytes:
        """DER of the certificate in it."""
        entry = load_pkcs12(self.path.read_bytes(), self.password.encode()).cert
        assert entry is not None
        return entry.certificate.public_bytes(Encoding.DER)


def sign_in(context: BrowserContext, user: User, site: str) -> None:
    """Give the browser a session of its own; cookies know no ports."""
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": site}])


def fill_in(page: Page, *, alias: str, key_type: str = "EC P-256", password: str = PASSWORD) -> None:
    """Type what the form asks for."""
    page.get_by_label("Certificate alias").fill(alias)
    page.get_by_label("Keystore password", exact=True).fill(password)
    page.get_by_label("Repeat the keystore password").fill(password)
    page.get_by_label("Key type").select_option(label=key_type)


def press_create(page: Page) -> None:
    page.get_by_role("button", name="Create certificate").click()


def create(page: Page, folder: Path, *, alias: str, key_type: str = "EC P-256", password: str = PASSWORD) -> Keystore:
    """The whole way from the empty form to the file, which downloads by itself."""
    fill_in(page, alias=alias, key_type=key_type, password=password)
    with page.expect_download(timeout=HANG_MILLISECONDS) as download:
        press_create(page)
        wait_until_ready(page, alias)
    return Keystore(saved(download.value, folder), password)


def wait_until_ready(page: Page, alias: str) -> None:
    """Wait for the end, and fail with the page's own words where it is another."""
    ready = page.get_by_text(f"{alias} is ready")
    wrong = page.locator("#form-alert, #form-fields .error, #interrupted, #ended").locator("visible=true")
    expect(ready.or_(wrong).first).to_be_visible(timeout=HANG_MILLISECONDS)
    assert ready.is_visible(), wrong.all_inner_texts()


def finish(page: Page, folder: Path, *, alias: str, password: str = PASSWORD) -> Keystore:
    """`Finish <alias>` with the right password."""
    type_password_again(page, alias, password)
    with page.expect_download(timeout=HANG_MILLISECONDS) as download:
        page.get_by_role("button", name=f"Finish {alias}").click()
        wait_until_ready(page, alias)
    return Keystore(saved(download.value, folder), password)


def type_password_again(page: Page, alias: str, password: str) -> None:
    page.get_by_label(f"Keystore password of {alias}").fill(password)


def download_zip(page: Page, folder: Path) -> dict[str, bytes]:
    """The files of the ZIP by name."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Download ZIP").click()
    with zipfile.ZipFile(saved(download.value, folder)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def confirm_saved(page: Page) -> None:
    """Say that the keystore is safe, and wait until the page has seen to it."""
    page.get_by_role("button", name="The keystore is saved").click()
    expect(page.get_by_role("status").filter(has_text="The copy in this browser was deleted.")).to_be_visible()


def saved(download: Download, folder: Path) -> Path:
    """The file under the name that the page gave it."""
    path = folder / download.suggested_filename
    download.save_as(path)
    return path


def altering_answers(page: Page, alter: Callable[[dict[str, Any]], None]) -> None:
    """Let somebody on the way change what the site answers to the page's request for a certificate."""

    def change(route: Route) -> None:
        if route.request.method != "POST":
            route.fallback()
            return
        response = route.fetch()
        answer = response.json()
        alter(answer)
        route.fulfill(response=response, json=answer)

    page.route("**/add/generate/", change)


@contextmanager
def no_download(page: Page) -> Iterator[None]:
    """Fail where the page hands out a file meanwhile."""
    begun: list[str] = []
    page.on("download", lambda download: begun.append(download.suggested_filename))
    yield
    assert begun == []


def chain_of(credential: Credential) -> list[bytes]:
    """DER of the certificate and those above it, as the site has them."""
    certificate = Certificate.objects.get(pk=credential.certificate_id)
    return [bytes(certificate.der), *issuers_of(certificate)]


# Every database of the page with every value, octets as hex; and both stores of text.
EVERYTHING_KEPT = """async () => {
  const plain = (value) => {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      const octets = value instanceof ArrayBuffer ? new Uint8Array(value)
        : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      return [...octets].map((octet) => octet.toString(16).padStart(2, "0")).join("");
    }
    if (value instanceof CryptoKey) return `CryptoKey ${value.type}`;
    if (Array.isArray(value)) return value.map(plain);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
    }
    return value;
  };
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const found = {};
  for (const { name } of await indexedDB.databases()) {
    const database = await done(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      found[`${name}/${store}`] = (await done(database.transaction(store).objectStore(store).getAll())).map(plain);
    }
    database.close();
  }
  return {
    databases: found,
    texts: [{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state],
    caches: await caches.keys(),
  };
}"""


COPIES = """() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("rehearsal-keys", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("copies", { keyPath: "id" });
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const asking = opening.result.transaction("copies").objectStore("copies").getAll();
    asking.onsuccess = () => { opening.result.close(); resolve(asking.result.map((copy) => copy.alias)); };
  };
})"""


def kept_in(page: Page) -> list[str]:
    """The aliases of the copies in this browser."""
    return list(page.evaluate(COPIES))


def requests_of(relay: Recorder) -> int:
    """How often the page has sent something to the portal."""
    return len([sent for sent in relay.requests if sent.method == "POST"])
