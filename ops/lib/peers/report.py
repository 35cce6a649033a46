# SPDX-License-Identifier: Apache-2.0
"""From the JSON to the page: rows of its first table, what stands between its two marks, and the plot beside it."""
from . import plot

BEGIN, END = "<!-- ops/bench/peers writes from here -->", "<!-- to here -->"
PLOT = "peers.svg"
SHAPES = {"minilm": "MiniLM-L6", "base": "BERT-base"}
NAMES = {"ctranslate2": "CTranslate2", "openvino": "OpenVINO", "onnxruntime": "ONNX Runtime", "torch": "PyTorch"}
FIGURES = {"int8": "int8", "fp32": "fp32", "avx2": "int8, held to AVX2"}

# what, part, order, asked. The ratio is to the peer that comes closest.
ASKED = [
    ("int8 in arrival order, MiniLM-L6", "throughput/minilm/int8", "arrival", "1.6"),
    ("int8 in arrival order, BERT-base", "throughput/base/int8", "arrival", "1.4"),
    ("int8 over sorted, MiniLM-L6", "throughput/minilm/int8", "sorted", "1.2"),
    ("int8 over sorted, BERT-base", "throughput/base/int8", "sorted", "1.2"),
    ("int8 in arrival order, held to AVX2, MiniLM-L6", "throughput/minilm/avx2", "arrival", "1.4"),
    ("int8 in arrival order, held to AVX2, BERT-base", "throughput/base/avx2", "arrival", "1.25"),
    ("fp32 in arrival order, MiniLM-L6", "throughput/minilm/fp32", "arrival", "1.25"),
    ("fp32 in arrival order, BERT-base", "throughput/base/fp32", "arrival", "1.15"),
    ("latency of one text, int8, MiniLM-L6", "latency/minilm/int8", "single", "1.5"),
    ("latency of one text, fp32, MiniLM-L6", "latency/minilm/fp32", "single", "1.5"),
]
# the same of what has one part
ASKED_ALONE = [
    ("tokenizer over the Rust `tokenizers`", "tokenizer", "3"),
    ("`squall run` over a Python worker, scores a CPU second", "stream", "3"),
    ("CPU seconds a message of `squall run` over `squall bench`", "cost", "at most 1.10"),
]


def shape_of(part):
    return SHAPES[part.split("/")[1]]


def spread(value):
    return f"{value['median']:.2f} ({value['min']:.2f} to {value['max']:.2f})"


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *("| " + " | ".join(row) + " |" for row in rows), ""]


def closest(peers, order):
    """The peer that leaves Squall the least ahead."""
    return min((row for row in peers if row["order"] == order), key=lambda row: row["ratio"]["median"], default=None)


def command(name):
    kind, *rest = name.split("/")
    shape = f" --shape {rest[0]}" if rest else ""
    return f"`ops/bench/peers --only {rest[1] if kind == 'throughput' else kind}{shape}`"


def asked_rows(about, parts):
    """The table's rows that are known: figure, asked, measured, rounds, CPU and instruction set, against what, command."""
    cpu = f"{about['machine']['cpu']} {about['machine']['family']}"

    def row(what, name, asked, ratio, against):
        part = parts[name]
        return [what, asked, spread(ratio), str(part["rounds"]), ", ".join(filter(None, [cpu, part.get("isa")])), against, command(name)]

    for what, name, order, asked in ASKED:
        best = closest(parts[name]["peers"], order) if name in parts else None
        if best:
            yield row(what, name, asked, best["ratio"], NAMES[best["engine"]])
    for what, name, asked in ASKED_ALONE:
        if name in parts:
            yield row(what, name, asked, parts[name]["ratio"], parts[name]["against"])


def throughput_rows(part):
    own = part["squall"]
    yield ["Squall", f"{own['all']['median']:.1f}", "", "", "", f"{own['encode_only']['median']:.1f} without tokenising"]
    for engine in NAMES:
        found = {row["order"]: row for row in part["peers"] if row["engine"] == engine}
        if found:
            cells = [NAMES[engine]]
            for order in ("arrival", "sorted"):
                row = found.get(order)
                cells += [f"{row['texts_per_second']['median']:.1f}", spread(row["ratio"])] if row else ["", ""]
            yield [*cells, "; ".join(dict.fromkeys(f"{row['variant']}, batches of {row['batch']}" for row in found.values()))]


def throughput_section(name, part):
    _, _, figure = name.split("/")
    return [f"**{shape_of(name)} shape, {FIGURES[figure]}** ({part['texts']} texts, {part['tokens']:.1f} tokens on average, {part['rounds']} rounds; "
            f"Squall ran `{part['isa']}`; {part['at']}, revision {part['revision']})", "",
            *table(["texts a CPU second", "arrival order", "Squall over it", "sorted", "Squall over it", "settings"], throughput_rows(part))]


def latency_section(parts):
    rows = []
    for name, part in parts.items():
        if name.startswith("latency/"):
            _, shape, precision = name.split("/")
            rows.append([f"{SHAPES[shape]}, {precision}", f"{1000 / part['squall']['all']['median']:.2f}",
                         *(next((f"{1000 / row['texts_per_second']['median']:.2f}" for row in part["peers"] if row["engine"] == engine), "")
                           for engine in NAMES)])
    return ["**One text of 25 tokens, one thread: milliseconds**", "", *table(["", "Squall", *NAMES.values()], rows)] if rows else []


def detail_section(name, parts, title):
    return [f"**{title}**", "", *table(["", "figure"], parts[name]["rows"])] if name in parts else []


def machine_lines(about):
    machine = about["machine"]
    versions = ", ".join(about["versions"].values())
    return [f"{machine['cpu']} (family/model {machine['family']}; {', '.join(machine['instructions'])}), {machine['cores']} cores, of which one is used; "
            f"{machine['system']}, Linux {machine['kernel']}; {machine['compiler']}; Python {machine['python']}; {versions}.", ""]


def section(results):
    parts = {name: results["parts"][name] for name in sorted(results["parts"], key=order_of)}
    lines = [*machine_lines(results["about"]), f"![texts a second]({PLOT})", ""]
    for name, part in parts.items():
        if name.startswith("throughput/"):
            lines += throughput_section(name, part)
    lines += latency_section(parts)
    lines += detail_section("tokenizer", parts, "Tokenising alone")
    lines += detail_section("stream", parts, "Worker against worker")
    lines += detail_section("cost", parts, "Worker against bare engine")
    return "\n".join(lines)


def order_of(name):
    kinds, shapes, figures = ["throughput", "latency", "tokenizer", "stream", "cost"], list(SHAPES), list(FIGURES)
    kind, *rest = name.split("/")
    return kinds.index(kind), [(figures + shapes).index(word) for word in rest]


def panels(parts):
    for name in sorted(parts, key=order_of):
        if not name.startswith("throughput/"):
            continue
        part = parts[name]
        bars = [("Squall", part["squall"]["all"]["median"], plot.COLOURS["squall"])]
        bars += [(f"{NAMES[row['engine']]}", row["texts_per_second"]["median"], plot.COLOURS[row["order"]]) for row in part["peers"]]
        yield f"{shape_of(name)} shape, {FIGURES[name.split('/')[2]]}: texts a second", bars


def between_marks(page, content):
    head, _, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not end:
        raise ValueError(f"the page has no '{BEGIN}' followed by '{END}'")
    return f"{head}{BEGIN}\n\n{content}\n{END}{tail}"


def with_row(page, row):
    """The page with the line of its first table that is about the same figure replaced."""
    lines = page.split("\n")
    at = next((at for at, line in enumerate(lines) if line.startswith(f"| {row[0]} |")), None)
    if at is None:
        raise ValueError(f"the page has no row '{row[0]}'")
    lines[at] = "| " + " | ".join(row) + " |"
    return "\n".join(lines)


def rewrite(page, results):
    written = between_marks(page.read_text(), section(results))
    for row in asked_rows(results["about"], results["parts"]):
        written = with_row(written, row)
    page.write_text(written)
    (page.parent / PLOT).write_text(plot.svg(panels(results["parts"])))
