# SPDX-License-Identifier: Apache-2.0
"""plot.py PLANTED OUT: recall, and what was caught within 20 minutes, of each rule as horizontal bars."""
import re
import sys

source = open(sys.argv[1]).read()
ours = re.search(r"ours: recall (\S+) \+- \S+, within 20 min (\S+)", source)
rows = [("Squall, defaults", float(ours[1]), float(ours[2]))]
for name, recall, early in re.findall(r"peer (.{14,15}?) recall (\S+) .*?within 20 min (\S+)", source):
    rows.append((name.strip(), float(recall), float(early)))
rows.sort(key=lambda row: -row[1])
left, width, step = 150, 380, 44
height = 40 + step * len(rows) + 26
svg = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 60}" height="{height}" font-family="sans-serif" font-size="13">',
       '<rect width="100%" height="100%" fill="white"/>',
       f'<text x="{left}" y="22" fill="#333">found (dark), found within 20 minutes (light), of planted events</text>']
for i, (name, recall, early) in enumerate(rows):
    y, dark, light = 40 + i * step, *(("#1f5fa8", "#9cc0e7") if name.startswith("Squall") else ("#666", "#bbb"))
    svg.append(f'<text x="{left - 8}" y="{y + 20}" text-anchor="end" fill="#222">{name}</text>')
    for value, top, colour in ((recall, y + 2, dark), (early, y + 18, light)):
        svg.append(f'<rect x="{left}" y="{top}" width="{value * width:.1f}" height="14" fill="{colour}"/>')
        svg.append(f'<text x="{left + value * width + 5:.1f}" y="{top + 12}" fill="#222">{value:.2f}</text>')
for share in (0, 0.25, 0.5, 0.75, 1):
    x = left + share * width
    svg.append(f'<line x1="{x}" y1="36" x2="{x}" y2="{height - 24}" stroke="#ddd"/><text x="{x}" y="{height - 8}" text-anchor="middle" fill="#666">{share:g}</text>')
open(sys.argv[2], "w").write("\n".join(svg) + "\n</svg>\n")
