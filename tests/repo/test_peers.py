# SPDX-License-Identifier: Apache-2.0
"""ops/bench/peers without the peers: what it is asked, how results meet earlier ones, what the page then says."""
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "ops" / "lib"))

from peers import main, report  # noqa: E402


def spread(value):
    return {"median": value, "min": value * 0.9, "max": value * 1.1}


def peer(engine, order, ratio):
    return {"engine": engine, "order": order, "variant": "best", "batch": 8, "agreement": 1.0, "texts_per_second": spread(1000 / ratio),
            "ratio": spread(ratio), "encode_only_ratio": spread(ratio * 1.1)}


def results():
    part = {"squall": {"all": spread(1000.0), "encode_only": spread(1100.0)}, "isa": "avx512", "tokens": 25.4,
            "texts": 512, "rounds": 5, "at": "today", "revision": "abc", "peers": [
                peer("ctranslate2", "arrival", 1.71), peer("ctranslate2", "sorted", 1.52), peer("openvino", "arrival", 2.5), peer("openvino", "sorted", 1.3)]}
    machine = {"cpu": "A CPU", "family": "26/2", "cores": 2, "instructions": ["avx2"], "kernel": "6", "system": "Debian", "compiler": "gcc", "python": "3"}
    return {"about": {"machine": machine, "versions": {"openvino": "OpenVINO 1"}}, "parts": {"throughput/minilm/int8": part}}


def test_everything_is_measured_unless_chosen():
    options = main.parse_arguments([])
    assert (options.only, options.shape, options.engines) == (main.FIGURES, main.SHAPES, main.ENGINES)
    options = main.parse_arguments(["--only", "int8,fp32", "--shape", "minilm"])
    assert (options.only, options.shape) == (["int8", "fp32"], ["minilm"])


def test_quick_leaves_what_was_chosen():
    options = main.parse_arguments(["--quick", "--only", "int8"])
    assert (options.only, options.engines, options.rounds) == (["int8"], ["ctranslate2", "openvino"], 3)


def test_unknown_names_are_refused(capsys):
    with pytest.raises(SystemExit):
        main.parse_arguments(["--only", "int4"])
    assert "'int4' is none of int8, fp32" in capsys.readouterr().err


def test_a_part_replaces_its_older_self_only():
    merged = main.merge({"parts": {"a": 1, "b": 2}}, {"b": 3}, "new")
    assert merged == {"about": "new", "parts": {"a": 1, "b": 3}}


ROWS = [["int8 in arrival order, MiniLM-L6", "1.6", "1.71 (1.54 to 1.88)", "5", "A CPU 26/2, avx512", "CTranslate2",
         "`ops/bench/peers --only int8 --shape minilm`"],
        ["int8 over sorted, MiniLM-L6", "1.2", "1.30 (1.17 to 1.43)", "5", "A CPU 26/2, avx512", "OpenVINO",
         "`ops/bench/peers --only int8 --shape minilm`"]]
PAGE = f"""before
| {ROWS[0][0]} | 1.6 | not measured |
| {ROWS[1][0]} | 1.2 | not measured |
| of another tool | 3 | 4 |
{report.BEGIN}
old
{report.END}
after
"""


def test_the_closest_peer_of_an_order_is_what_counts():
    assert list(report.asked_rows(**results())) == ROWS


def test_the_page_has_a_row_for_each_figure():
    page = (ROOT / "ops" / "docs" / "PERFORMANCE.md").read_text()
    for what, *_ in report.ASKED + report.ASKED_ALONE:
        assert f"\n| {what} |" in page


def test_the_page_keeps_what_is_outside_the_marks_and_other_rows(tmp_path):
    page = tmp_path / "PERFORMANCE.md"
    page.write_text(PAGE)
    report.rewrite(page, results())
    written = page.read_text()
    assert written.startswith("before\n") and written.endswith("\nafter\n") and "old" not in written and "not measured" not in written
    assert "| of another tool | 3 | 4 |" in written and f"| {' | '.join(ROWS[1])} |" in written
    assert "| CTranslate2 | 584.8 | 1.71 (1.54 to 1.88) | 657.9 | 1.52 (1.37 to 1.67) | best, batches of 8 |" in written
    report.rewrite(page, results())
    assert page.read_text() == written


def test_a_page_without_the_row_is_refused(tmp_path):
    page = tmp_path / "PERFORMANCE.md"
    page.write_text(PAGE.replace(ROWS[1][0], "something"))
    with pytest.raises(ValueError, match="has no row 'int8 over sorted, MiniLM-L6'"):
        report.rewrite(page, results())


def test_a_page_without_marks_is_refused(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("nothing")
    with pytest.raises(ValueError, match="has no"):
        report.rewrite(page, results())
    assert page.read_text() == "nothing"


def test_the_plot_has_a_bar_for_squall_and_each_peer():
    from peers import plot

    drawing = xml.fromstring(plot.svg(report.panels(results()["parts"])))
    bars = [element for element in drawing.iter("{http://www.w3.org/2000/svg}rect") if element.get("height") == str(plot.BAR)]
    assert len(bars) == 5
    assert float(bars[0].get("width")) > max(float(element.get("width")) for element in bars[1:])
