# SPDX-License-Identifier: BSL-1.0
"""The table, the plots and the trace page, from figures."""

import collections
import math
import os
import re
import subprocess

from measure import AXIS, ROOT, load_rows, quoted

TRACED = "call and reply, 8 words, from C"
PAGE = os.path.join(ROOT, "docs/performance.md")
TRACE_PAGE = os.path.join(ROOT, "docs/call-trace.md")
DOMAIN_BYTES = 1 << 28          # of addresses: rootserver/root.h, BLOCK_LOG2
IMAGES = {                      # of domains, by name
    "uart": "drivers/uart.elf", "timer": "drivers/timer.elf",
    "dma": "drivers/dma.elf", "sd": "drivers/sd.elf",
    "files": "apps/fileserver/fileserver.elf", "shell": "apps/shell.elf",
    "bench": "tests/bench/test-bench.elf",
    "nothing": "tests/bench/test-nothing.elf",
}
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


def line(name, row, counts):
    """A line of the table: the first four of the counts, goals, the rest."""
    cells = [*counts[:4], *(row.get(key) for key in ("goal", "sel4", "linux")),
             *counts[4:]]
    per = f", each of {row['per']:,}" if "per" in row else ""
    return f"| {name}{per} | " + " | ".join(map(number, cells)) + " |"


def table(found):
    """Lines of the table of all rows."""
    known = {row["name"]: row for row in load_rows()["row"]}
    lines = ["| row | total | EL1 | EL0 | first | goal | seL4 | Linux | "
             "dsb, dmb | isb | TLBI | TTBR0 |",
             "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    lines += [line(name, known.get(name, {}), found[name])
              for name in ordered(found, known)]
    lines += [line(row["name"], row, [value] + [None] * 7)
              for row, value in quoted()]
    return lines


def remarks():
    """What is in the way of goals."""
    return [f"- **{row['name']}**: {row['obstacle']}."
            for kind in ("row", "quoted") for row in load_rows()[kind]
            if "obstacle" in row]


def unexplained(found):
    """Rows that miss their goal, of which no obstacle is told; and those that
    reach it, of which one is."""
    rows = [(row, found[row["name"]].total) for row in load_rows()["row"]
            if row["name"] in found]
    return [row["name"] for row, total in [*rows, *quoted()]
            if (total > row.get("goal", math.inf)) != ("obstacle" in row)]


def behind(found):
    """Rows that need more than seL4 or Linux, but for those that the scheduler
    of domains decides."""
    return [row["name"] for row in load_rows()["row"]
            if row["name"] in found and not row.get("decided")
            and found[row["name"]].total > min(row.get("sel4", math.inf),
                                               row.get("linux", math.inf))]


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
        places = " ".join(f"{across[n]:.1f},{y:.1f}"
                          for (n, _), y in zip(points, down))
        out.append(f'<polyline points="{places}" fill="none" stroke-width="2" '
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


def symbols(build, root):
    return (disassembly(os.path.join(build, "kernel/kernel.elf"))
            | disassembly(os.path.join(build, root)))


class SystemCode:
    """Whose code an address is, while the system runs /tests/bench."""

    def __init__(self, build, domains):
        self.fixed = symbols(build, "rootserver/rootserver.elf")
        images = {name: disassembly(os.path.join(build, path))
                  for name, path in IMAGES.items()}
        self.domains = {base: (name, images[name])
                        for base, name in domains.items()}
        self.started = ("started", images["nothing"])

    def function(self, address):
        if address in self.fixed:
            return self.fixed[address][0]
        base = address & ~(DOMAIN_BYTES - 1)
        name, code = self.domains.get(base, self.started)
        return f"{name}: {code[address - base][0]}"


def profile(functions):
    """How many instructions each function executes itself, most first."""
    count = collections.Counter(functions)
    return ", ".join(f"`{name}` {n:,}" for name, n in count.most_common(8))


def profiles(traces, build):
    """{row with a goal: its profile}, and the code of the bare set."""
    bare, system, domains = traces
    code = symbols(build, "tests/bench/bench-root.elf")
    places = SystemCode(build, domains)
    found = {name: profile(code[address][0] for address in addresses)
             for name, addresses in bare.items()}
    found |= {name: profile(places.function(address) for address in addresses)
              for name, addresses in system.items()}
    return {row["name"]: found[row["name"]] for row in load_rows()["row"]
            if "goal" in row and row["name"] in found}, code


def stages(addresses, code):
    """[(function, is it the kernel, its instructions)] in order."""
    found, last = [], None
    for address in addresses:
        function, words = code[address]
        if (function, address >> 63) != last:
            last = (function, address >> 63)
            found.append((function, address >> 63, []))
        found[-1][2].append(f"{address & 0xffffffff:08x}  {words}")
    return found


def trace_page(traces, build):
    goals, code = profiles(traces, build)
    bare = traces[0]
    lengths = {name: len(run) for run_of in traces[:2]
               for name, run in run_of.items()}
    steps = stages(bare[TRACED], code)
    lines = ["# Where the instructions go", "",
             "Written by `scripts/bench --record`; do not edit. Second runs of "
             "rows in [performance.md](performance.md).", "",
             "## By function", "",
             "What the functions of each row with a goal execute themselves, "
             "the eight that do most. Rows of", "the whole system name the "
             "domain; `started` is a program that is there for one run only.",
             "", "| row | all | functions |", "|---|--:|---|"]
    lines += [f"| {name} | {lengths[name]:,} | {functions} |"
              for name, functions in goals.items()]
    lines += ["", "## One call and its reply", "",
              f"Every instruction of *{TRACED}*: {len(bare[TRACED]):,} "
              "instructions, from the client's C", "to the client's C. "
              "Addresses are the lower 32 bits.", "",
              "| stage | level | instructions |", "|---|---|--:|"]
    lines += [f"| `{name}` | {'EL1' if kernel else 'EL0'} | {len(insns)} |"
              for name, kernel, insns in steps]
    lines += ["", "```"]
    for name, kernel, insns in steps:
        lines += [f"{name}, {'EL1' if kernel else 'EL0'}:",
                  *("    " + insn for insn in insns)]
    return "\n".join(lines + ["```"]) + "\n"


# ---- docs/ ------------------------------------------------------------------

def performance(found, page):
    """The page with its generated part made anew."""
    head, rest = page.split(BEGIN)
    tail = rest.split(END)[1]
    plots = [f"![cost by {axis}](growth-{axis}.svg)" for axis in axes(found)]
    sources = [f"- {name}: {text}." for name, text
               in load_rows()["sources"].items()]
    body = [*table(found), "", *sources, "", "## What is in the way", "",
            *remarks(), "", "## How cost grows", "",
            "Instructions of warm runs, from zero; the steps of the axis are "
            "not to scale.", "", *plots]
    return head + BEGIN + "\n" + "\n".join(body) + "\n" + END + tail


def generated(found):
    """{file: content} of all in docs/ that follows from the figures."""
    with open(PAGE, encoding="utf-8") as file:
        files = {PAGE: performance(found, file.read())}
    for axis, lines in axes(found).items():
        files[os.path.join(ROOT, f"docs/growth-{axis}.svg")] = plot(axis,
                                                                    lines)
    return files


def write(found, traces, build):
    files = generated(found) | {TRACE_PAGE: trace_page(traces, build)}
    for path, content in files.items():
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
    print("bench: written: " + ", ".join(os.path.relpath(path, ROOT)
                                         for path in files))


def stale(found):
    """What in docs/ is not what the figures say, a sentence each."""
    problems = []
    for path, content in generated(found).items():
        with open(path, encoding="utf-8") as file:
            if file.read() != content:
                problems.append(f"{os.path.relpath(path, ROOT)} is not what "
                                "tests/bench/record.toml says")
    with open(TRACE_PAGE, encoding="utf-8") as file:
        if f" {found[TRACED].total:,} instructions, from" not in file.read():
            problems.append("docs/call-trace.md is of another length than "
                            "the record")
    return problems
