"""Names of key usages and purposes, as RFC 5280 spells them, and their object identifiers."""

from __future__ import annotations

# In the order of their bits (RFC 5280, 4.2.1.3), with the names that the library gives them.
KEY_USAGES = {
    "digitalSignature": "digital_signature",
    "contentCommitment": "content_commitment",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
    "keyCertSign": "key_cert_sign",
    "cRLSign": "crl_sign",
    "encipherOnly": "encipher_only",
    "decipherOnly": "decipher_only",
}
# RFC 5280, 4.2.1.12.
PURPOSES = {
    "anyExtendedKeyUsage": "2.5.29.37.0",
    "serverAuth": "1.3.6.1.5.5.7.3.1",
    "clientAuth": "1.3.6.1.5.5.7.3.2",
    "codeSigning": "1.3.6.1.5.5.7.3.3",
    "emailProtection": "1.3.6.1.5.5.7.3.4",
    "timeStamping": "1.3.6.1.5.5.7.3.8",
    "OCSPSigning": "1.3.6.1.5.5.7.3.9",
}
PURPOSE_NAMES = {oid: name for name, oid in PURPOSES.items()}
# What lets a certificate be used by a TLS client.
CLIENT_PURPOSES = frozenset({"clientAuth", "anyExtendedKeyUsage"})
