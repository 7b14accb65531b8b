"""Puts each certificate that certifi trusts into a file named by its hash.

A TLS context reads a whole bundle when it is made: 20 ms of CPU, in every cold start. From a folder
like this one (what ``openssl rehash`` makes) it reads the one certificate that a server needs.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from OpenSSL.crypto import FILETYPE_PEM, load_certificate

if TYPE_CHECKING:
    from pathlib import Path

FOLDER: Final = "hashed"
"""Next to certifi's bundle, where ``till.adapters.upstream.connections`` looks for it."""

_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n", re.DOTALL
)


def spread(bundle: Path) -> None:
    """Write the certificates of a bundle into a folder next to it."""
    folder = bundle.with_name(FOLDER)
    folder.mkdir()
    same: Counter[int] = Counter()
    for pem in _CERTIFICATE.findall(bundle.read_bytes()):
        subject = load_certificate(FILETYPE_PEM, pem).subject_name_hash()
        folder.joinpath(f"{subject:08x}.{same[subject]}").write_bytes(pem)
        same[subject] += 1
