# SPDX-License-Identifier: Apache-2.0
"""The throughputs as an SVG: a panel a part, a bar an engine and order."""
from html import escape

WIDTH, MARGIN, LABEL, VALUE = 760, 16, 150, 110
BAR, GAP, TITLE, PANEL_GAP = 16, 5, 30, 22
COLOURS = {"squall": "#1f5fa8", "arrival": "#c9772b", "sorted": "#e3c39d"}
LEGEND = {"squall": "Squall, tokenising included", "arrival": "others, arrival order", "sorted": "others, sorted by length beforehand"}
FONT = "font-family='system-ui, sans-serif' font-size='12'"


def text(x, y, content, extra=""):
    return f"<text x='{x:g}' y='{y:g}' {FONT} fill='#222' {extra}>{escape(content)}</text>"


def bar(y, label, value, largest, colour):
    width = (WIDTH - 2 * MARGIN - LABEL - VALUE) * value / largest
    return [text(MARGIN + LABEL - 8, y + BAR - 4, label, "text-anchor='end'"),
            f"<rect x='{MARGIN + LABEL}' y='{y}' width='{width:.1f}' height='{BAR}' fill='{colour}'/>",
            text(MARGIN + LABEL + width + 6, y + BAR - 4, f"{value:,.0f}" if value >= 100 else f"{value:.1f}")]


def panel(top, title, bars):
    """bars: (label, value, colour). Returns the elements and where they end."""
    drawn = [text(MARGIN, top + 18, title, "font-weight='600'")]
    top, largest = top + TITLE, max(value for _, value, _ in bars)
    for label, value, colour in bars:
        drawn += bar(top, label, value, largest, colour)
        top += BAR + GAP
    return drawn, top + PANEL_GAP


def legend(y):
    drawn, x = [], MARGIN
    for name, told in LEGEND.items():
        drawn += [f"<rect x='{x}' y='{y}' width='12' height='12' fill='{COLOURS[name]}'/>", text(x + 18, y + 10, told)]
        x += 30 + 7 * len(told)
    return drawn


def svg(panels):
    """panels: (title, bars)"""
    drawn, top = legend(MARGIN), MARGIN + 26
    for title, bars in panels:
        elements, top = panel(top, title, bars)
        drawn += elements
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {top}' width='{WIDTH}' height='{top}'>"
    return "\n".join([head, f"<rect width='{WIDTH}' height='{top}' fill='#fff'/>", *drawn, "</svg>", ""])
