"""Sizes that are checked before anything is parsed."""

MAX_CSR_BYTES = 64 * 1024
MAX_CHAIN_BYTES = 256 * 1024
MAX_CHAIN_CERTIFICATES = 10
# A serial number has at most 20 octets (RFC 5280, 4.1.2.2).
MAX_SERIAL_OCTETS = 20
# A request for one certificate has about 80 octets; signed ones carry a chain.
MAX_OCSP_REQUEST_BYTES = 16 * 1024
MAX_OCSP_CERTIFICATES = 20
