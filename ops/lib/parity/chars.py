# SPDX-License-Identifier: Apache-2.0
"""Writes engine/tokenizer/*_table.h: how Hugging Face's `tokenizers` classes characters, asked of the package itself.

Its crates froze their Unicode tables in different years, so no one version of Unicode gives the same ids. What the package answers for
every code point is the only truth there is; run `ops/parity --update-chars` after moving to another release of it.
"""
import ctypes
import ctypes.util
import struct
import unicodedata

from tokenizers import AddedToken, Tokenizer, __version__, models, normalizers, pre_tokenizers

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]

HEADER = """/* SPDX-License-Identifier: Apache-2.0 */
/* Character classes as Hugging Face's `tokenizers` {version} has them, sorted, both ends included. Written by `ops/parity --update-chars`,
 * which asks the package about every code point; not edited by hand. Included by {owner} alone. */
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


def wordlike():
    """Where an added token that has to stand alone isn't found."""
    tokenizer = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    tokenizer.add_tokens([AddedToken("aa", single_word=True, normalized=False)])
    return {c for c, encoding in zip(CODE_POINTS, tokenizer.encode_batch([chr(c) + "aa" for c in CODE_POINTS])) if encoding.ids == [0]}


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


def write_byte_level(path):
    """Between two letters only a letter stays in their word; between two digits only a digit does."""
    split = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str
    with open(path, "w", encoding="ascii") as out:
        out.write(HEADER.format(version=__version__, owner="byte_level.c"))
        for name, comment, beside in (("letters", r"\p{L} of the ByteLevel pattern.", "a"), ("numbers", r"\p{N} of it.", "1")):
            out.write(table(name, comment, ranges(c for c in CODE_POINTS if len(split(beside + chr(c) + beside)) == 1)))


def libutf8proc():
    """What Squall is linked with: (decomposition of a code point, combining class)."""
    library = ctypes.CDLL(ctypes.util.find_library("utf8proc"))
    library.utf8proc_get_property.restype = ctypes.POINTER(ctypes.c_int16 * 2)  # category, combining_class
    parts = (ctypes.c_int32 * 32)()

    def decompose(c):
        count = library.utf8proc_decompose_char(ctypes.c_int32(c), parts, 32, 1 << 4 | 1 << 2, None)  # DECOMPOSE | COMPAT
        return "".join(map(chr, parts[:count]))

    return decompose, lambda c: library.utf8proc_get_property(ctypes.c_int32(c)).contents[1]


def write_normal_forms(path):
    decompose, combining_class = libutf8proc()
    nfkd, nfc = normalizers.NFKD().normalize_str, normalizers.NFC().normalize_str
    # A mark that is known moves before a class 1 mark or behind a class 240 one.
    moves = lambda c: nfkd(f"a\u0345{chr(c)}") != f"a\u0345{chr(c)}" or nfkd(f"a{chr(c)}\u0334") != f"a{chr(c)}\u0334"
    inert = set(NEWER)
    for c in CODE_POINTS:
        if nfkd(chr(c)) == chr(c) != decompose(c) or (combining_class(c) and not moves(c) and nfkd(chr(c)) == chr(c)):
            inert.add(c)
    inert -= {0x0334, 0x0345}
    pairs = [unicodedata.decomposition(chr(c)).split() for c in CODE_POINTS]
    seconds = {int(pair[1], 16) for pair in pairs if len(pair) == 2 and pair[0][0] != "<"}
    composing = {c for c in seconds if combining_class(c) == 0 and c not in inert} | set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    with open(path, "w", encoding="ascii") as out:
        out.write(HEADER.format(version=__version__, owner="normal_forms.c"))
        out.write(table("inert", "Newer than the package's tables, which leave them alone.", ranges(inert)))
        out.write(table("composing", "No combining characters, and yet some compose with the character before.", ranges(composing)))


def charsmap(texts):
    """SentencePiece's precompiled map of a few characters: a double array that wastes a block of 256 units on each node."""
    units, text, nodes = {}, b"", [b""]
    for key in texts:
        nodes += [key.encode()[:end] for end in range(1, len(key.encode()) + 1)]
    nodes = list(dict.fromkeys(nodes))
    block = {node: (i + 1) * 256 for i, node in enumerate(nodes)}
    keys = {key.encode(): value.encode() for key, value in texts.items()}
    for node in nodes:
        at = block[node[:-1]] ^ node[-1] if node else 0
        units[at] = (at ^ block[node]) << 10 | (node in keys) << 8 | (node[-1] if node else 0)
        if node in keys:
            units[block[node]] = 1 << 31 | len(text)
            text += keys[node] + b"\0"
    array = [units.get(at, 0) for at in range((len(nodes) + 1) * 256)]
    return struct.pack("<I", 4 * len(array)) + struct.pack(f"<{len(array)}I", *array) + text


def write_charsmap(path):
    """Precompiled keeps of a cluster of less than six bytes what its first character maps to, and drops the rest: that shows clusters."""
    trade, mark, joiner = "\u2122", "\u0301", "\u200d"
    run = normalizers.Precompiled(charsmap({"a": "A", trade: "T", "\u0340": "X"})).normalize_str
    dropped = run(trade + mark) == "T"
    assert dropped
    joining = {c for c in CODE_POINTS if run("a" + chr(c)) == "A"}
    controls = {c for c in CODE_POINTS if run(chr(c) + "\u0340" + mark).endswith("X")}
    prepending = {c for c in CODE_POINTS if c not in joining and run(chr(c) + trade + mark).endswith("T" + mark)}
    pictures = {c for c in CODE_POINTS if run(chr(c) + joiner + trade + mark).endswith("T" + mark)}
    with open(path, "w", encoding="ascii") as out:
        out.write(HEADER.format(version=__version__, owner="charsmap.c"))
        out.write(table("joining", "They belong to the cluster of the character before.", ranges(joining)))
        out.write(table("controls", "Each is a cluster by itself.", ranges(controls)))
        out.write(table("prepending", "They begin the cluster of the character behind.", ranges(prepending)))
        out.write(table("pictures", "A zero-width joiner binds two of them.", ranges(pictures)))


def write(folder):
    write_byte_level(folder / "byte_level_table.h")
    write_normal_forms(folder / "normal_forms_table.h")
    write_charsmap(folder / "charsmap_table.h")
    write_chars(folder / "chars_table.h")


def write_chars(path):
    clean, strip, nfd = bert(clean_text=True), bert(strip_accents=True), normalizers.NFD().normalize_str
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    pieces = {c: len(split("a" + chr(c) + "b")) for c in CODE_POINTS}
    marks = {c for c in CODE_POINTS if strip(chr(c)) == "" and nfd(chr(c)) == chr(c)}
    whole = {c for c in CODE_POINTS if nfd(chr(c)) == chr(c) and unicodedata.decomposition(chr(c))[:1] not in ("", "<")}
    with open(path, "w", encoding="ascii") as out:
        out.write(HEADER.format(version=__version__, owner="chars.c"))
        out.write(table("removed", "clean_text takes these out.", ranges(c for c in CODE_POINTS if clean(chr(c)) == "")))
        out.write(table("spaces", "They end a word; what clean_text leaves of them becomes a plain space.",
                        ranges(c for c in CODE_POINTS if pieces[c] == 2)))
        out.write(table("punctuation", "Each is a word by itself.", ranges(c for c in CODE_POINTS if pieces[c] == 3)))
        out.write(table("chinese", "handle_chinese_chars puts spaces around these.",
                        ranges(c for c in CODE_POINTS if len(bert(handle_chinese_chars=True)(chr(c))) == 3)))
        out.write(table("marks", "strip_accents takes these out, after canonical decomposition.", ranges(marks)))
        strip_accents = normalizers.StripAccents().normalize_str
        out.write(table("combining", "StripAccents takes these out.", ranges(c for c in CODE_POINTS if strip_accents(chr(c)) == "")))
        out.write(table("wordlike", r"\w of a regular expression: beside one of them an added token of single_word is none.", ranges(wordlike())))
        out.write(table("ordered", "Combining characters that strip_accents leaves, with the class by which they are put in order.",
                        ordered_rows(marks)))
        out.write(table("whole", "Unicode decomposes these; the package's older tables don't.", ranges(whole | NEWER)))
        out.write(table("lowered", "Lower-casing newer than utf8proc's: the distance to the small letter.", lower_rows()))


# Canonical decompositions of Unicode 13 and 16, in case Python's own tables are older than the ones that Squall is linked with.
NEWER = {0x11935, 0x11938, 0x105C9, 0x105E4, 0x11383, 0x11385, 0x1138E, 0x11391, 0x113C5, 0x113C7, 0x113C8,
         *range(0x16121, 0x16129), *range(0x16D68, 0x16D6B)}
