"""Quantities ("250m", "1.5Gi") and the form in which the API server gives them back."""

import re
from fractions import Fraction

_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL = {"n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 10**3), "": Fraction(1),
            "k": Fraction(10**3), "M": Fraction(10**6), "G": Fraction(10**9), "T": Fraction(10**12),
            "P": Fraction(10**15), "E": Fraction(10**18)}
_FORM = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?")


def _split(value):
    match = _FORM.fullmatch(str(value))
    if match is None:
        return None
    number = Fraction(match[2] if not match[2].endswith(".") else match[2][:-1])
    return (-number if match[1] == "-" else number), match[3] or ""


def amount(value):
    """The quantity as a Fraction; None when it is none."""
    parts = _split(value)
    if parts is None:
        return None
    number, suffix = parts
    if suffix in _BINARY:
        return number * _BINARY[suffix]
    if suffix in _DECIMAL:
        return number * _DECIMAL[suffix]
    return number * Fraction(10) ** int(suffix[1:])


def canonical(value):
    """The largest suffix without a fraction; None when it is no quantity."""
    parts = _split(value)
    if parts is None:
        return None
    total = amount(value)
    if total == 0:
        return "0"
    if parts[1] in _BINARY and abs(total) >= 1024:
        suffixes = _BINARY.items()
    else:
        suffixes = _DECIMAL.items()
    best = "n"
    for suffix, size in sorted(suffixes, key=lambda pair: pair[1]):
        if (total / size).denominator == 1:
            best = suffix
    size = {**_DECIMAL, **_BINARY}[best]
    return f"{-(-total // size)}{best}"
