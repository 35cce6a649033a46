# SPDX-License-Identifier: Apache-2.0
"""plot.py PLANTED FOLDER: from what sim_planted printed, detection.svg, recall and what was caught within 20 minutes of each rule as horizontal
bars, and detection-early.svg, what was caught within 20 minutes by the events' strength."""
import re
import sys
from pathlib import Path

source, folder = open(sys.argv[1]).read(), Path(sys.argv[2])
KNOWING = {"knows share": "knows the share", "knows all": "knows share, volume", "onsets, share": "share, any onset", "onsets, all": "volume, any onset"}
OURS = "Squall, defaults"


def head(width, height, title, left):
    return [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="13">',
            '<rect width="100%" height="100%" fill="white"/>', f'<text x="{left}" y="22" fill="#333">{title}</text>']


def colours(name):
    return ("#1f5fa8", "#9cc0e7") if name == OURS else ("#2e7d4f", "#a5d6b5") if name in KNOWING.values() else ("#666", "#bbb")


def bars(rows):
    left, width, step = 160, 380, 44
    height = 40 + step * len(rows) + 26
    svg = head(left + width + 60, height, "found (dark), within 20 minutes (light); green: knows the truth", left)
    for i, (name, recall, early) in enumerate(rows):
        y, (dark, light) = 40 + i * step, colours(name)
        svg.append(f'<text x="{left - 8}" y="{y + 20}" text-anchor="end" fill="#222">{name}</text>')
        for value, top, colour in ((recall, y + 2, dark), (early, y + 18, light)):
            svg.append(f'<rect x="{left}" y="{top}" width="{value * width:.1f}" height="14" fill="{colour}"/>')
            svg.append(f'<text x="{left + value * width + 5:.1f}" y="{top + 12}" fill="#222">{value:.2f}</text>')
    for share in (0, 0.25, 0.5, 0.75, 1):
        x = left + share * width
        svg.append(f'<line x1="{x}" y1="36" x2="{x}" y2="{height - 24}" stroke="#ddd"/>')
        svg.append(f'<text x="{x}" y="{height - 8}" text-anchor="middle" fill="#666">{share:g}</text>')
    return svg


def lines(classes, curves):
    left, top, width, height = 50, 40, 420, 240
    svg = head(left + width + 160, top + height + 40, "found within 20 minutes, by injected over usual messages", left)
    at = [left + width * (i + 0.5) / len(classes) for i in range(len(classes))]
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = top + height * (1 - share)
        svg.append(f'<line x1="{left}" y1="{y}" x2="{left + width}" y2="{y}" stroke="#ddd"/><text x="{left - 8}" y="{y + 4}" text-anchor="end" fill="#666">{share:g}</text>')
    for x, name in zip(at, classes):
        svg.append(f'<text x="{x}" y="{top + height + 20}" text-anchor="middle" fill="#666">{name}</text>')
    for i, (name, values) in enumerate(curves):
        colour = colours(name)[0]
        points = " ".join(f"{x:.1f},{top + height * (1 - value):.1f}" for x, value in zip(at, values))
        svg.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        svg.append(f'<text x="{left + width + 8}" y="{top + 20 + 22 * i}" fill="{colour}">{name}</text>')
    return svg


ours = re.search(r"ours: recall (\S+) \+- \S+, within 20 min (\S+)", source)
rows = [(OURS, float(ours[1]), float(ours[2]))]
curves = [(OURS, [float(v) for v in re.findall(r"strength \S+ +recall \S+, within 20 min (\S+)", source)])]
classes = re.findall(r"strength (\S+) +recall", source)
for name, recall, early, by_strength in re.findall(r"peer (.{14}) recall (\S+) .*?within 20 min (\S+) .*?\n.*?early by strength ([0-9. ]+),", source):
    name = KNOWING.get(name.strip(), name.strip())
    rows.append((name, float(recall), float(early)))
    if name in ("knows the share", "knows share, volume", "binomial z"):
        curves.append((name, [float(v) for v in by_strength.split()]))
rows.sort(key=lambda row: -row[2])
curves.sort(key=lambda curve: -sum(curve[1]))
for name, svg in (("detection.svg", bars(rows)), ("detection-early.svg", lines(classes, curves))):
    (folder / name).write_text("\n".join(svg) + "\n</svg>\n")
