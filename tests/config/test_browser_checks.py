"""What `make check` says about the browser's code: its sources, its pins, and the committed bundles."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools import check_pins, check_sources

ROOT = Path(__file__).resolve().parent.parent.parent
NODE = Path(sys.executable).with_name("node")
HANG_SECONDS = 120
PACKAGE: dict[str, Any] = {"dependencies": {"pkijs": "4.0.0"}, "devDependencies": {"esbuild": "0.28.2"}}


def lock(**entry: Any) -> dict[str, Any]:
    return {"packages": {"": PACKAGE, "node_modules/pkijs": {"version": "4.0.0", "integrity": "sha512-00", **entry}}}


@pytest.mark.parametrize(
    "source",
    [
        "console.log(password)",
        "localStorage.setItem('key', key)",
        "document.cookie",
        "place.innerHTML = answer",
        "document.write(answer)",
        "eval(answer)",
        "new Function(answer)",
        'fetch("https://elsewhere.example/")',
        "// line\n" * 301,
    ],
)
def test_what_must_not_stand_beside_a_private_key_is_found(source: str) -> None:
    assert len(list(check_sources.check_script(source))) == 1


def test_a_script_that_keeps_the_rules_passes() -> None:
    source = 'secure.protocol = "https:";\nplace.textContent = `https://${host}`;\n' + "// line\n" * 298
    assert list(check_sources.check_script(source)) == []


def test_packages_with_exact_versions_and_hashes_pass() -> None:
    assert check_pins.check_packages(PACKAGE, lock()) == []


@pytest.mark.parametrize(
    ("package", "locked", "sentence"),
    [
        (PACKAGE, lock(integrity=""), "node_modules/pkijs has no SHA-512."),
        (PACKAGE, lock(integrity="sha1-00"), "node_modules/pkijs has no SHA-512."),
        (PACKAGE, lock(resolved="https://packages.test/pkijs.tgz"), "names an address for node_modules/pkijs"),
        (PACKAGE, lock(funding={"url": "https://money.test/pkijs"}), "names an address for node_modules/pkijs"),
        ({**PACKAGE, "dependencies": {"pkijs": "4.0.1"}}, lock(), "is not that of the dependencies"),
        ({**PACKAGE, "devDependencies": {}}, lock(), "is not that of the devDependencies"),
        ({"dependencies": {"pkijs": "^4.0.0"}}, {"packages": {"": {"dependencies": {"pkijs": "^4.0.0"}}}}, "exact"),
    ],
)
def test_packages_that_are_not_pinned_are_named(package: dict[str, Any], locked: dict[str, Any], sentence: str) -> None:
    problems = check_pins.check_packages(package, locked)
    assert len(problems) == 1
    assert sentence in problems[0]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the bundles are made from, and of the bundles."""
    for name in ("browser", "static/js"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "tools").mkdir()
    for name in ("package.json", "tools/build_browser.mjs"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    return tmp_path


def build(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(NODE), str(checkout / "tools" / "build_browser.mjs"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=HANG_SECONDS, check=False)


def test_a_bundle_that_is_not_what_its_sources_give_is_named(checkout: Path) -> None:
    build(checkout)
    assert build(checkout, "--check").returncode == 0
    (checkout / "static/js/kept-copy.js").write_text("export {};\n")
    done = build(checkout, "--check")
    assert done.returncode == 1
    assert done.stderr == "static/js/kept-copy.js is not what browser/ gives. Run make bundle and commit it.\n"
    assert (checkout / "static/js/kept-copy.js").read_text() == "export {};\n"


def test_the_same_sources_give_the_same_bytes_wherever_they_stand(checkout: Path, tmp_path: Path) -> None:
    bundle = checkout / "static/js/generate-key.js"
    build(checkout)
    first = bundle.read_bytes()
    moved = checkout.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))
    build(moved)
    assert (moved / "static/js/generate-key.js").read_bytes() == first


@pytest.mark.parametrize("code", ["eval(location.hash)", "Function('return 1')()", "import(location.hash)"])
def test_code_that_the_policy_forbids_is_found_in_a_bundle(checkout: Path, code: str) -> None:
    with open(checkout / "browser/kept_copy.js", "a") as script:
        script.write(f"globalThis.made = {code};\n")
    done = build(checkout)
    assert done.returncode == 1
    assert f"static/js/kept-copy.js holds “{code.partition('(')[0]}(”" in done.stderr


def test_every_bundled_library_brings_its_licence() -> None:
    bundle = (ROOT / "static/js/generate-key.js").read_text(encoding="utf-8")
    for name in ("pkijs 4.0.0", "asn1js 4.0.0", "fflate 0.8.3", "bytestreamjs", "@noble/hashes"):
        assert f"\n{name}" in bundle
    assert bundle.count("Redistributions in binary form must reproduce the above copyright notice") == 3
