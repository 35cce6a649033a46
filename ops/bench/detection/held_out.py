# SPDX-License-Identifier: Apache-2.0
"""The tweets of SemEval that the default model was not trained on."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))
import texts  # noqa: E402

LABELS = texts.LABELS


def held_out(data):
    """One of each text, in the files' order."""
    found = {}
    for text in texts.read_semeval(data + "/semeval"):
        key = texts.split_key(text.raw)
        if texts.split_of(key) in ("test", "dev"):
            found.setdefault(key, text)
    return list(found.values())
