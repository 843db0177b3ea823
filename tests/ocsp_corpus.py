"""The OCSP part of the corpus as DER: requests, responses, certificates and keys, each with its name."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from tests import corpus

_BLOCK = re.compile(rb"-----BEGIN [^-]+-----([^-]+)-----END")


def ocsp_files() -> Iterator[tuple[str, bytes]]:
    """Every file, and of PEM files every block."""
    folder = corpus.ROOT / "ocsp"
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data, name = path.read_bytes(), path.relative_to(folder).as_posix()
        if path.suffix == ".pem":
            yield from ((name, base64.b64decode(block)) for block in _BLOCK.findall(data))
        else:
            yield name, data


def fuzz_seeds() -> Iterator[tuple[str, bytes]]:
    """What a fuzzer found worth keeping for a reader of OCSP responses."""
    for path in sorted((corpus.ROOT / "fuzz" / "boringssl-ocsp-response").iterdir()):
        yield path.name, path.read_bytes()
