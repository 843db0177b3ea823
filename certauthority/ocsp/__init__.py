"""OCSP (RFC 6960): who may answer, what is answered, what is made ahead, and how it goes over HTTP."""
