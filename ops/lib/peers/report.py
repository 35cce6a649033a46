# SPDX-License-Identifier: Apache-2.0
"""From the JSON to the page: what stands between its two marks, and the plot beside it."""
from . import plot

BEGIN, END = "<!-- ops/bench/peers writes from here -->", "<!-- to here -->"
PLOT = "peers.svg"
SHAPES = {"minilm": "MiniLM-L6", "base": "BERT-base"}
NAMES = {"ctranslate2": "CTranslate2", "openvino": "OpenVINO", "onnxruntime": "ONNX Runtime", "torch": "PyTorch"}
FIGURES = {"int8": "int8", "fp32": "fp32", "avx2": "int8, held to AVX2"}

# what, part, order, which ratio, asked. The ratio is to the peer that comes closest.
ASKED = [
    ("int8 in arrival order", "throughput/minilm/int8", "arrival", 1.6),
    ("int8 in arrival order", "throughput/base/int8", "arrival", 1.4),
    ("int8 over sorted", "throughput/minilm/int8", "sorted", 1.2),
    ("int8 over sorted", "throughput/base/int8", "sorted", 1.2),
    ("int8 in arrival order, held to AVX2", "throughput/minilm/avx2", "arrival", 1.4),
    ("int8 in arrival order, held to AVX2", "throughput/base/avx2", "arrival", 1.25),
    ("fp32 in arrival order", "throughput/minilm/fp32", "arrival", 1.25),
    ("fp32 in arrival order", "throughput/base/fp32", "arrival", 1.15),
    ("latency of one text, int8", "latency/minilm/int8", "single", 1.5),
    ("latency of one text, fp32", "latency/minilm/fp32", "single", 1.5),
    ("latency of one text, int8", "latency/base/int8", "single", 1.5),
    ("latency of one text, fp32", "latency/base/fp32", "single", 1.5),
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


def asked_rows(parts):
    for what, part, order, asked in ASKED:
        best = closest(parts[part]["peers"], order) if part in parts else None
        if best:
            yield [f"{what}, {shape_of(part)}", f"{asked:g}", spread(best["ratio"]), spread(best["encode_only_ratio"]), NAMES[best["engine"]]]
    for name, what in (("tokenizer", "tokenizer over the Rust `tokenizers`"), ("stream", "`squall run` over a Python worker, scores a CPU second")):
        if name in parts:
            yield [what, "3", spread(parts[name]["ratio"]), "", parts[name]["against"]]


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
    lines = [*machine_lines(results["about"]),
             *table(["figure", "asked", "measured", "without tokenising", "against"], asked_rows(parts)), f"![texts a second]({PLOT})", ""]
    for name, part in parts.items():
        if name.startswith("throughput/"):
            lines += throughput_section(name, part)
    lines += latency_section(parts)
    lines += detail_section("tokenizer", parts, "Tokenising alone")
    lines += detail_section("stream", parts, "Worker against worker")
    return "\n".join(lines)


def order_of(name):
    kinds, shapes, figures = ["throughput", "latency", "tokenizer", "stream"], list(SHAPES), list(FIGURES)
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


def rewrite(page, results):
    page.write_text(between_marks(page.read_text(), section(results)))
    (page.parent / PLOT).write_text(plot.svg(panels(results["parts"])))
