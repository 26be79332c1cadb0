# SPDX-License-Identifier: MIT
"""
What the results look like: a table for the terminal and a chart as SVG.

Both take the results as bench/run writes them to results.json, and labels, which maps the name of
an implementation to what it is called ("go" to "go 1.19.8"), in the order of the columns.
"""

import math
import os
import platform
from html import escape

BASE = "go"  # what the others are compared with


# ---------------------------------------------------------------------------------------- the table

def number(value):
    """A figure with three digits that matter, as people write it."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def times(base, value):
    """How many times better value is than base, when less is better."""
    ratio = base / value
    return f"{ratio:.{1 if ratio >= 0.95 else 2 if ratio >= 0.095 else 3}f}x"


def plural(procs):
    return f"{procs} processor" + ("s" if procs > 1 else "")


def table(results, labels, procs_list, failed):
    """
    Medians, and against Go: "3.0x" is three times as fast, or a third of the memory.  failed is the
    set of (figure, implementation) that a failed program would have given.
    """
    found = {(r["bench"], r["impl"], r["procs"]): r for r in results}
    names = list(dict.fromkeys(r["bench"] for r in results))
    units = {r["bench"]: r["unit"] for r in results}
    others = [i for i in labels if i != BASE]
    blocks = []
    for procs in procs_list:
        head = [plural(procs), "", *labels.values(), *(f"{i}/{BASE}" for i in others)]
        lines = [head]
        for name in names:
            cells = []
            for impl in labels:
                r = found.get((name, impl, procs))
                cells.append(number(r["median"]) if r else
                             "FAILED" if (name, impl) in failed else "n/a")
            base = found.get((name, BASE, procs))
            for impl in others:
                r = found.get((name, impl, procs))
                cells.append(times(base["median"], r["median"])
                             if r and base and r["median"] else "-")
            lines.append([name, units[name], *cells])
        blocks.append(align(lines))
    blocks.append(f"Medians.  X/{BASE}: how many times better than {labels[BASE]} "
                  "(its figure divided by that of X).")
    return "\n\n".join(blocks)


def align(lines):
    widths = [max(len(row[i]) for row in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(
        cell.ljust(w) if i < 2 else cell.rjust(w)
        for i, (cell, w) in enumerate(zip(row, widths))).rstrip() for row in lines)


# ---------------------------------------------------------------------------------------- the chart

COLOURS = {"leat": "#0b7a75", "go": "#7fb2d9", "pthread": "#b9b4aa", "boost": "#d9a45b"}
OTHER_COLOUR = "#c48db0"
UNITS = {"ns": "nanoseconds", "us": "microseconds", "ms": "milliseconds", "B": "bytes each",
         "threads": "threads"}
WIDTH, LEFT, RIGHT = 860, 165, 96
BAR, GAP, HEAD = 15, 12, 46  # of a bar, between rows, above a panel


def machine():
    """The processor's name, as far as the system tells it."""
    try:
        with open("/proc/cpuinfo") as f:
            for line in f:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


class Svg:
    def __init__(self, width=WIDTH):
        self.width = width
        self.parts = []

    def text(self, x, y, words, size=13, anchor="start", fill="#222", weight="normal"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}" '
                          f'text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>')

    def box(self, x, y, w, h, fill, title=""):
        inside = f"<title>{escape(title)}</title>" if title else ""
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(w, 1):.1f}" height="{h}" '
                          f'fill="{fill}">{inside}</rect>')

    def line(self, x1, y1, x2, y2, stroke, width=1):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'stroke="{stroke}" stroke-width="{width}"/>')

    def whole(self, height):
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{height:.0f}" '
            f'viewBox="0 0 {self.width} {height:.0f}" font-family="DejaVu Sans, Helvetica, Arial, '
            'sans-serif">',
            f'<rect width="{self.width}" height="{height:.0f}" fill="#fff"/>',
            *self.parts, "</svg>", ""])


def panel(svg, top, results, labels):
    """One unit's figures on one logarithmic axis, from top on; returns where it ends."""
    unit = results[0]["unit"]
    rows = {}
    for r in results:
        rows.setdefault(r["bench"], {})[r["impl"]] = r
    values = [v for r in results for v in (r["median"], r["max"]) if v > 0]
    # A bar begins a little below the smallest figure, at a power of ten, or it could not be seen.
    low = math.floor(math.log10(min(values) * 0.8))
    high = max(math.ceil(math.log10(max(values) * 1.02)), low + 1)
    scale = (WIDTH - LEFT - RIGHT) / (high - low)

    def place(v):
        return LEFT + (math.log10(max(v, 10 ** low)) - low) * scale

    bottom = top + HEAD + sum(BAR * len(r) + GAP for r in rows.values())
    svg.text(LEFT, top + 16, UNITS.get(unit, unit) + ", less is better, logarithmic", 12,
             fill="#555")
    for power in range(low, high + 1):
        x = LEFT + (power - low) * scale
        svg.line(x, top + HEAD - 8, x, bottom - GAP + 4, "#ddd")
        svg.text(x, top + HEAD - 14, f"{10 ** power:,}" if power >= 0 else f"{10 ** power:g}", 11,
                 "middle", "#777")
    y = top + HEAD
    for name, of in rows.items():
        svg.text(LEFT - 10, y + BAR * len(of) / 2 + 4, name, 13, "end", weight="bold")
        for impl in [i for i in labels if i in of]:
            r = of[impl]
            spread = f'{number(r["min"])} to {number(r["max"])} {unit} in {r["runs"]} runs'
            svg.box(LEFT, y, place(r["median"]) - LEFT, BAR - 2, COLOURS.get(impl, OTHER_COLOUR),
                    f"{name}, {labels[impl]}: {spread}")
            svg.line(place(r["min"]), y + 6.5, place(r["max"]), y + 6.5, "#333", 1.2)
            words = number(r["median"])
            base = of.get(BASE)
            if impl == "leat" and base and r["median"] > 0:
                words += f'  ({times(base["median"], r["median"])})'
            svg.text(max(place(r["max"]), place(r["median"])) + 6, y + 11, words, 11)
            y += BAR
        y += GAP
    return y


def chart(results, labels, procs):
    """The medians at one number of processors, a panel for each unit."""
    svg = Svg()
    shown = [r for r in results if r["procs"] == procs]
    present = [i for i in labels if any(r["impl"] == i for r in shown)]
    others = [labels[i] for i in present if i != "leat"]
    beside = " and ".join(filter(None, [", ".join(others[:-1]), *others[-1:]]))
    svg.text(20, 30, f"leat beside {beside} on {plural(procs)}", 18, weight="bold")
    svg.text(20, 50, f"{machine()}, {os.uname().sysname} {os.uname().release}; medians, lines from "
             "least to most; (x): times better than Go", 11, fill="#555")
    x = 20
    for impl in present:
        svg.box(x, 62, 12, 12, COLOURS.get(impl, OTHER_COLOUR))
        svg.text(x + 17, 72, labels[impl], 12)
        x += 40 + 8 * len(labels[impl])
    y = 84
    for unit in dict.fromkeys(r["unit"] for r in shown):
        y = panel(svg, y, [r for r in shown if r["unit"] == unit], labels) + 8
    return svg.whole(y + 6)
