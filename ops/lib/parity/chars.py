# SPDX-License-Identifier: Apache-2.0
"""Writes engine/tokenizer/chars_table.h: how Hugging Face's `tokenizers` classes characters, asked of the package itself.

Its crates froze their Unicode tables in different years, so no one version of Unicode gives the same ids. What the package answers for
every code point is the only truth there is; run `ops/parity --update-chars` after moving to another release of it.
"""
import unicodedata

from tokenizers import __version__, normalizers, pre_tokenizers

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]

HEADER = """/* SPDX-License-Identifier: Apache-2.0 */
/* Character classes as Hugging Face's `tokenizers` {version} has them, sorted, both ends included. Written by `ops/parity --update-chars`,
 * which asks the package about every code point; not edited by hand. Included by chars.c alone. */
"""


def ranges(code_points):
    rows = []
    for c in sorted(code_points):
        if rows and rows[-1][1] == c - 1:
            rows[-1][1] = c
        else:
            rows.append([c, c])
    return rows


def bert(**flags):
    options = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False, **flags}
    return normalizers.BertNormalizer(**options).normalize_str


def table(name, comment, rows):
    lines, line = [], "   "
    for row in rows:
        item = " {" + ", ".join(f"0x{value:04x}" if i < 2 else str(value) for i, value in enumerate(row)) + "},"
        if len(line) + len(item) > 130:
            lines.append(line)
            line = "   "
        line += item
    kind = "shifted" if rows and len(rows[0]) == 3 else "range"
    return f"\n/* {comment} */\nstatic const struct {kind} {name}[] = {{\n" + "\n".join([*lines, line]) + "\n};\n"


def ordered_rows(marks):
    """Characters that the accent stripping leaves and that canonical ordering still moves, with their combining class."""
    nfd = normalizers.NFD().normalize_str
    moved = lambda text: nfd(text) != text
    rows = []
    for c in CODE_POINTS:
        if c in marks or moved(chr(c)):
            continue
        if moved("a\u0345" + chr(c)) or moved("a" + chr(c) + "\u0334"):
            combining = unicodedata.combining(chr(c))
            if rows and rows[-1][1] == c - 1 and rows[-1][2] == combining:
                rows[-1][1] = c
            else:
                rows.append([c, c, combining])
    return rows


def lower_rows():
    """Where lower-casing is newer than Python's own table: first, last, distance."""
    lower = bert(lowercase=True)
    rows = []
    for c in CODE_POINTS:
        to = lower(chr(c))
        if len(to) != 1 or to == chr(c) or to == chr(c).lower():
            continue
        distance = ord(to) - c
        if rows and rows[-1][1] == c - 1 and rows[-1][2] == distance:
            rows[-1][1] = c
        else:
            rows.append([c, c, distance])
    return rows


def write(path):
    clean, strip, nfd = bert(clean_text=True), bert(strip_accents=True), normalizers.NFD().normalize_str
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    pieces = {c: len(split("a" + chr(c) + "b")) for c in CODE_POINTS}
    marks = {c for c in CODE_POINTS if strip(chr(c)) == "" and nfd(chr(c)) == chr(c)}
    whole = {c for c in CODE_POINTS if nfd(chr(c)) == chr(c) and unicodedata.decomposition(chr(c))[:1] not in ("", "<")}
    with open(path, "w", encoding="ascii") as out:
        out.write(HEADER.format(version=__version__))
        out.write(table("removed", "clean_text takes these out.", ranges(c for c in CODE_POINTS if clean(chr(c)) == "")))
        out.write(table("spaces", "They end a word; what clean_text leaves of them becomes a plain space.",
                        ranges(c for c in CODE_POINTS if pieces[c] == 2)))
        out.write(table("punctuation", "Each is a word by itself.", ranges(c for c in CODE_POINTS if pieces[c] == 3)))
        out.write(table("chinese", "handle_chinese_chars puts spaces around these.",
                        ranges(c for c in CODE_POINTS if len(bert(handle_chinese_chars=True)(chr(c))) == 3)))
        out.write(table("marks", "strip_accents takes these out, after canonical decomposition.", ranges(marks)))
        out.write(table("ordered", "Combining characters that strip_accents leaves, with the class by which they are put in order.",
                        ordered_rows(marks)))
        out.write(table("whole", "Unicode decomposes these; the package's older tables don't.", ranges(whole | NEWER)))
        out.write(table("lowered", "Lower-casing newer than utf8proc's: the distance to the small letter.", lower_rows()))


# Canonical decompositions of Unicode 13 and 16, in case Python's own tables are older than the ones that Squall is linked with.
NEWER = {0x11938, 0x105C9, 0x105E4, 0x11383, 0x11385, 0x1138E, 0x11391, 0x113C5, 0x113C7, 0x113C8,
         *range(0x16121, 0x16129), *range(0x16D68, 0x16D6B)}
