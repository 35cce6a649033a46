# SPDX-License-Identifier: Apache-2.0
"""One record of each kind that people get wrong."""
import json
import time

SECRET = "thistextmustneverbelogged"
NOW_MS = int(time.time() * 1000)


def event(**fields):
    return json.dumps({"text": f"the phone is bad {SECRET}", "entity": "acme", "ts": NOW_MS, **fields}).encode()


# name: (value, reason or None if it is scored)
KINDS = {
    "broken JSON": (b'{"text": "' + SECRET.encode(), "decode"),
    "no JSON at all": (b"\x01\x02\x03", "decode"),
    "nested too deep": (b"[" * 5000 + b"]" * 5000, "decode"),
    "missing field": (json.dumps({"entity": "acme"}).encode(), "missing_field"),
    "null field": (event(text=None), "missing_field"),
    "wrong type": (event(text=17), "wrong_type"),
    "an array": (b'["text"]', "wrong_type"),
    "time of a wrong type": (event(ts={"a": 1}), "wrong_type"),
    "invalid UTF-8": (b'{"text":"caf\xe9 ' + SECRET.encode() + b'","entity":"acme"}', "invalid_utf8"),
    "empty text": (event(text=""), "empty"),
    "blank text": (event(text=" \t\n"), "empty"),
    "null value": (None, "empty"),
    "1 MB text": (event(text="bad " * 262144), "too_large"),
    "NUL bytes": (event(text="the phone\u0000is bad"), None),
    "100,000-letter word": (event(text="a" * 100000), None),
    "far future": (event(ts=NOW_MS + 10 * 365 * 86400 * 1000), None),
    "negative time": (event(ts=-5), None),
    "no entity": (json.dumps({"text": "the phone is good"}).encode(), None),
}
SMALL_POISON = [value for value, reason in KINDS.values() if reason and (value is None or len(value) < 20000)]
