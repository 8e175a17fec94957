#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What the kernel's ELF file may not contain: an allocator, a C library,
floating-point registers, writable code, recursion. Prints TAP.

  kernel_test.py BUILD
"""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/system"))

from vesper import symbol           # noqa: E402  (needs the path above)

PREFIX = "aarch64-linux-gnu-"
ALLOCATORS = re.compile(
    r"^_*(malloc|calloc|realloc|free|sbrk|kmalloc|kfree|alloc|aligned_alloc|"
    r"memalign|mmap|\w+_malloc|heap_\w+)$")
LIBRARY = re.compile(r"^(printf|puts|fopen|fwrite|errno|exit|_exit|stdout)$")
# q0.., v0.., s0.., d0.. as operands; system registers are no match
FLOAT = re.compile(r"\t(?:ldr|str|ldp|stp|f[a-z]+|mov|dup|movi)\w*"
                   r"\s+(?:\{?[qvd]\d+|s\d+\b)")
COUNT = 0
FAILED = 0


def point(good, title, found=()):
    global COUNT, FAILED
    COUNT += 1
    FAILED += not good
    for line in list(found)[:10]:
        print("# " + line)
    print(f"{'ok' if good else 'not ok'} {COUNT} - {title}")


def tool(name, *args):
    return subprocess.run([PREFIX + name, *args], capture_output=True,
                          text=True, check=True).stdout


def check_symbols(elf):
    names = [line.split()[-1] for line in tool("nm", elf).splitlines()
             if line.strip()]
    found = [name for name in names if ALLOCATORS.match(name)]
    point(names and not found, "no allocator symbol", found)
    found = [name for name in names if LIBRARY.match(name)]
    point(names and not found, "no C library symbol", found)
    undefined = tool("nm", "-u", elf).split()
    point(not undefined, "no undefined symbol", undefined)


def check_code(elf):
    """FP registers may appear only where contexts are saved and restored."""
    function = "?"
    found = {}
    for line in tool("objdump", "-d", "--no-show-raw-insn",
                     elf).splitlines():
        if match := re.match(r"[0-9a-f]+ <(.+)>:", line):
            function = match.group(1)
        elif FLOAT.search(line):
            found.setdefault(function, line.strip())
    found = [f"{name}: {line}" for name, line in found.items()
             if "fp_" not in name and "_fp" not in name]
    point(function != "?" and not found,
          "FP registers only in functions named fp_*", found)


def check_segments(elf):
    flags = re.findall(r"^\s*LOAD.*?\s([R ][W ][E ])\s+0x",
                       tool("readelf", "-lW", elf), re.M)
    found = [flag for flag in flags if "W" in flag and "E" in flag]
    point(flags and not found, "no segment both writable and executable",
          found)


# What moves the stack pointer down, and what goes to another function
FRAME = re.compile(r"\tsub\s+sp, sp, #(0x[0-9a-f]+|\d+)"
                   r"|\[sp, #-(\d+)\]!")
JUMP = re.compile(r"\t(?:bl?|cbn?z|tbn?z|b\.\w+)\s.*<([^+>]+)>$")


def call_graph(elf):
    """{function: (bytes of its frame, functions it goes to)}; an indirect call
    may go to any system call."""
    graph, name = {}, ""
    for line in tool("objdump", "-d", "--no-show-raw-insn",
                     elf).splitlines():
        if match := re.match(r"[0-9a-f]+ <(.+)>:", line):
            name = match.group(1)
            graph[name] = [0, set()]
        elif match := FRAME.search(line):
            graph[name][0] += int(match.group(1) or match.group(2), 0)
        elif match := JUMP.search(line):
            if match.group(1) != name or "\tbl\t" in line:
                graph[name][1].add(match.group(1))
        elif "\tblr\t" in line:
            graph[name][1].add("*")
        elif "\tbr\t" in line:     # the vectors' table
            graph[name][1].add("user_other")
    graph["*"] = [0, {f for f in graph if f.startswith("op_")}]
    return graph


def deepest(graph, name, path=()):
    """(bytes, names) of the deepest way down; raises if it comes round."""
    if name in path:
        raise RecursionError(" > ".join((*path, name)))
    frame, callees = graph.get(name, (0, ()))
    below = max((deepest(graph, callee, (*path, name)) for callee in callees),
                default=(0, ()))
    return frame + below[0], (name, *below[1])


def check_stack(elf):
    """No recursion, and the deepest way takes half of the stack at most."""
    graph = call_graph(elf)
    room = symbol(elf, "__stack_top") - symbol(elf, "__stack_guard") - 4096
    try:
        ways = [deepest(graph, name)
                for name in ("user_sync", "user_irq", "user_error")]
    except RecursionError as error:
        point(False, "no recursion in the kernel", [str(error)])
        return
    size, path = max(ways)
    print(f"# {size} of {room} bytes of stack: {' > '.join(path)}")
    point(len(path) > 3 and size <= room // 2,
          "the deepest way takes half of the stack at most")


def main():
    with open(os.path.join(sys.argv[1], "debug.list"),
              encoding="utf-8") as lines:
        elf = lines.readline().strip()
    check_symbols(elf)
    check_code(elf)
    check_segments(elf)
    check_stack(elf)
    print(f"1..{COUNT}")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
