# SPDX-License-Identifier: BSL-1.0
"""The table, the plots and the trace page, from figures."""

import os
import re
import subprocess

from measure import AXIS, ROOT, load_rows

TRACED = "call and reply, 8 words, from C"
PAGE = os.path.join(ROOT, "docs/performance.md")
BEGIN, END = "<!-- begin: scripts/bench -->", "<!-- end: scripts/bench -->"
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 300, 60, 20, 620, 260
COLOURS = ("#0b62a4", "#c0392b", "#1e8449")


def ordered(found, known):
    """Names as rows.toml has them, then those that show growth."""
    return ([name for name in known if name in found]
            + [name for name in found if name not in known])


def number(value):
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def table(found):
    """Lines of the table of all rows."""
    data = load_rows()
    known = {row["name"]: row for row in data["row"]}
    lines = ["| row | total | EL1 | EL0 | first | goal | seL4 | Linux | "
             "dsb, dmb | isb | TLBI | TTBR0 |",
             "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for name in ordered(found, known):
        row, figure = known.get(name, {}), found[name]
        per = f", each of {row['per']:,}" if "per" in row else ""
        cells = [figure.total, figure.el1, figure.el0, figure.first,
                 row.get("goal"), row.get("sel4"), row.get("linux"),
                 figure.warm.barrier, figure.warm.isb, figure.warm.tlbi,
                 figure.warm.ttbr]
        lines.append(f"| {name}{per} | " + " | ".join(map(number, cells))
                     + " |")
    for row in data["missing"]:
        lines.append(f"| {row['name']} | not yet | | | | {number(row['goal'])}"
                     " | | | | | | |")
    return lines


def remarks():
    """What is in the way of goals, and what is not there yet."""
    data = load_rows()
    return ([f"- **{row['name']}**: {row['obstacle']}." for row in data["row"]
             if "obstacle" in row]
            + [f"- **{row['name']}**, not yet: needs {row['needs']}."
               for row in data["missing"]])


# ---- plots ------------------------------------------------------------------

def axes(found):
    """{axis: {path: [(n, total)]}}"""
    plots = {}
    for name, figure in found.items():
        match = AXIS.fullmatch(name)
        if match:
            axis, n, path = match.groups()
            plots.setdefault(axis, {}).setdefault(path, []).append(
                (int(n), figure.total))
    return plots


def text(x, y, words, anchor="start", colour="#333"):
    return (f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" '
            f'fill="{colour}">{words}</text>')


def plot(axis, lines):
    """An SVG: points at equal distances, as the axis has them; from zero."""
    steps = sorted({n for points in lines.values() for n, _ in points})
    top = max(total for points in lines.values() for _, total in points)
    across = {n: LEFT + (RIGHT - LEFT) * i / max(len(steps) - 1, 1)
              for i, n in enumerate(steps)}
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
           f'height="{HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}" fill="none" '
           'stroke="#333"/>',
           text(LEFT - 6, TOP + 4, f"{top:,}", "end"),
           text(LEFT - 6, BOTTOM + 4, "0", "end"),
           text(RIGHT, HEIGHT - 8, axis, "end")]
    out += [text(across[n], BOTTOM + 16, f"{n:,}", "middle") for n in steps]
    for i, (path, points) in enumerate(sorted(lines.items())):
        down = [BOTTOM - (BOTTOM - TOP) * total / top for _, total in points]
        line = " ".join(f"{across[n]:.1f},{y:.1f}"
                        for (n, _), y in zip(points, down))
        out.append(f'<polyline points="{line}" fill="none" stroke-width="2" '
                   f'stroke="{COLOURS[i % len(COLOURS)]}"/>')
        out.append(text(LEFT + 10, BOTTOM - 12 - 16 * i, path,
                        colour=COLOURS[i % len(COLOURS)]))
    return "\n".join(out + ["</svg>"]) + "\n"


# ---- the trace --------------------------------------------------------------

def disassembly(elf):
    """{address: (function, instruction)}"""
    out = subprocess.run(
        ["aarch64-linux-gnu-objdump", "-d", "--no-show-raw-insn", elf],
        capture_output=True, text=True, check=True).stdout
    code, function = {}, ""
    for line in out.splitlines():
        label = re.fullmatch(r"([0-9a-f]+) <(.+)>:", line)
        insn = re.fullmatch(r"\s*([0-9a-f]+):\t(.+)", line)
        if label:
            function = label.group(2)
        elif insn:
            words = re.sub(r"\s*//.*", "", insn.group(2)).replace("\t", " ")
            code[int(insn.group(1), 16)] = (function, words)
    return code


def trace_page(addresses, build):
    code = (disassembly(os.path.join(build, "kernel/kernel.elf"))
            | disassembly(os.path.join(build, "tests/bench/bench-root.elf")))
    stages, last = [], None
    for address in addresses:
        function, words = code.get(address, ("?", "?"))
        if (function, address >> 63) != last:
            last = (function, address >> 63)
            stages.append((function, address >> 63, []))
        stages[-1][2].append(f"{address & 0xffffffff:08x}  {words}")
    lines = ["# One call and its reply", "",
             "Written by `scripts/bench --docs`; do not edit. Every instruction"
             f" of the row *{TRACED}*", f"in its second run: {len(addresses):,}"
             " instructions, from the client's C to the client's C. Addresses "
             "are the lower 32 bits.", "",
             "| stage | level | instructions |", "|---|---|--:|"]
    lines += [f"| `{name}` | {'EL1' if kernel else 'EL0'} | {len(insns)} |"
              for name, kernel, insns in stages]
    for name, kernel, insns in stages:
        lines += ["", f"## {name}, {'EL1' if kernel else 'EL0'}", "", "```",
                  *insns, "```"]
    return "\n".join(lines) + "\n"


# ---- docs/ ------------------------------------------------------------------

def performance(found, page):
    """The page with its generated part made anew."""
    head, rest = page.split(BEGIN)
    tail = rest.split(END)[1]
    plots = [f"![cost by {axis}](growth-{axis}.svg)" for axis in axes(found)]
    body = [*table(found), "", "## What is in the way", "", *remarks(), "",
            "## How cost grows", "",
            "Instructions of warm runs, from zero; the steps of the axis are "
            "not to scale.", "", *plots]
    return head + BEGIN + "\n" + "\n".join(body) + "\n" + END + tail


def generated(found, addresses, build):
    """{file: content} of all that docs/ has from here."""
    with open(PAGE, encoding="utf-8") as file:
        files = {PAGE: performance(found, file.read())}
    docs = os.path.join(ROOT, "docs")
    for axis, lines in axes(found).items():
        files[os.path.join(docs, f"growth-{axis}.svg")] = plot(axis, lines)
    files[os.path.join(docs, "call-trace.md")] = trace_page(addresses, build)
    return files


def write(found, addresses, build):
    for path, content in generated(found, addresses, build).items():
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
