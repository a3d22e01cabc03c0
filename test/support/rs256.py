"""JSON Web Tokens signed with RS256, verified with plain integers; shared by the doubles.

RFC 7519 (tokens), RFC 7515 (signatures), RFC 8017 (RSASSA-PKCS1-v1_5, keys).
"""

import base64
import hashlib
import json

# DigestInfo of SHA-256, RFC 8017 section 9.2
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")

_INTEGER, _BIT_STRING, _OCTET_STRING, _SEQUENCE = 0x02, 0x03, 0x04, 0x30


def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _elements(der):
    """(tag, content) of the DER elements that stand one after the other."""
    at, found = 0, []
    while at + 1 < len(der):
        tag, length = der[at], der[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(der[at:at + size], "big")
            at += size
        found.append((tag, der[at:at + length]))
        at += length
    return found


def key_numbers(pem):
    """The integers of an RSA key in any of its PEM forms, without a version number.

    Of a public key that is (modulus, exponent); of a private one more follow.
    """
    lines = [line for line in pem.split("\n") if line.strip() and not line.startswith("-")]
    content = _elements(base64.b64decode("".join(lines)))[0][1]
    parts = _elements(content)
    while parts[0][0] == _SEQUENCE or parts[1][0] == _SEQUENCE:  # PKCS #8, or a SubjectPublicKeyInfo
        tag, inner = next(p for p in parts if p[0] in (_BIT_STRING, _OCTET_STRING))
        parts = _elements(_elements(inner[1:] if tag == _BIT_STRING else inner)[0][1])
    numbers = [int.from_bytes(data, "big") for tag, data in parts if tag == _INTEGER]
    return numbers if numbers[0] else numbers[1:]


def public_key(pem):
    """(modulus, exponent) of a public or private key."""
    return tuple(key_numbers(pem)[:2])


def padded_digest(signed, size):
    """What a signature of `signed` is before the RSA operation, `size` bytes."""
    digest = hashlib.sha256(signed).digest()
    filling = b"\xff" * (size - len(_SHA256) - len(digest) - 3)
    return b"\x00\x01" + filling + b"\x00" + _SHA256 + digest


def verify(token, key):
    """The claims of a token; ValueError when it is none or its signature is wrong."""
    try:
        head, claims, signature = token.split(".")
        modulus, exponent = key
        size = (modulus.bit_length() + 7) // 8
        opened = pow(int.from_bytes(unbase64(signature), "big"), exponent, modulus)
        algorithm = json.loads(unbase64(head)).get("alg")
        content = json.loads(unbase64(claims))
    except (AttributeError, TypeError) as error:
        raise ValueError(str(error)) from None
    if algorithm != "RS256" or not isinstance(content, dict):
        raise ValueError(f"algorithm {algorithm!r}")
    if opened.to_bytes(size, "big") != padded_digest(f"{head}.{claims}".encode(), size):
        raise ValueError("signature")
    return content
