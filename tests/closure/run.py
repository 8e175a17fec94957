#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Exhaustive closure of the kernel core in small scopes (see closure.h).

  run.py [--quick | --full | --long] [--build DIR]

Builds each scope with kernel/core at -O2 and searches all that it can reach.
A scope that does not close within its limits fails, and so does a planted bug
that is not found. Prints TAP. Beside the scopes as they are:

- restarts: copies of the core whose restartable operations stop after every
  step, and each stop is a state in which anything may come between;
- orbits: without symmetry; the states must be as many up to symmetry as the
  search with symmetry found;
- planted: copies of the core with one bug each, that must be found.
"""

import argparse
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests"))

import native                       # noqa: E402  (needs the path above)

FLAGS = ["-std=gnu11", "-g", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Wundef",
         "-Wvla", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Werror",
         "-fno-strict-aliasing", "-DCONFIG_HOST=1", "-DCONFIG_ASSERTS=1"]
LIMIT_S = 240                       # of processor time, a search
LIMIT_MIB = 3072
WANTED = 300_000_000                # transitions of the full and long lanes

# Each takes in the one before. long: a size larger in each scope, by hand
LANES = ["quick", "full", "long"]

# (scope, size, restarts, lane); sizes are listed in the scope's file
SEARCHES = [
    ("caps", 0, False, "quick"),
    ("space", 0, False, "quick"),
    ("space", 5, False, "quick"),
    ("calls", 3, False, "quick"),
    ("calls", 1, False, "quick"),
    ("calls", 5, False, "quick"),
    ("calls", 9, False, "quick"),
    ("upcalls", 0, False, "quick"),
    ("caps", 0, True, "quick"),
    ("caps", 1, False, "full"),
    ("caps", 2, False, "full"),
    ("caps", 3, False, "full"),
    ("caps", 1, True, "full"),
    ("caps", 2, True, "full"),
    ("caps", 3, True, "full"),
    ("space", 0, True, "full"),
    ("space", 2, False, "long"),
    ("space", 4, False, "long"),
    ("calls", 0, False, "full"),
    ("calls", 6, False, "long"),
    ("calls", 7, False, "full"),
    ("calls", 8, False, "long"),
    ("upcalls", 1, False, "full"),
    ("upcalls", 2, False, "full"),
    ("upcalls", 3, False, "long"),
    ("upcalls", 4, False, "long"),
    ("upcalls", 5, False, "full"),
]
ORBITS = [("caps", 0, "quick"), ("caps", 1, "full"), ("space", 0, "full")]

# How the core is cut into smaller steps: (file, pattern, replacement)
SMALL_STEPS = [
    ("core.h", r"(#define STEPS\s+)\w+", r"\g<1>1u"),
    ("core.h", r"(#define STEP_SLOTS\s+)\w+", r"\g<1>1u"),
    ("core.h", r"(#define STEP_BYTES\s+)\w+", r"\g<1>2048u"),
    ("space.c", r"(#define SWEEP\s+)\w+", r"\g<1>1u"),
]

# (scope, size, lane, name, file, text, text with the bug); the text is there
# once
PLANTED = [
    ("caps", 0, "quick", "used memory counts as clean", "untyped.c",
     "r->watermark = r->cleaned = 0;", "r->watermark = 0;"),
    ("space", 0, "quick", "unmapping forgets the TLB", "frame.c",
     "            arch_tlb_page(va);\n", "            ;\n"),
    ("space", 5, "quick", "a huge frame goes before its stretch", "cap.c",
     "is_huge_frame(s) && cap_derives(s, slot_at(s->next))", "false"),
    ("caps", 0, "quick", "neighbours that change places lose each other",
     "cap.c", "    s->prev = s->prev == at ? from : s->prev;\n", ""),
    ("calls", 3, "quick", "a ring of calls is seen only if it is short",
     "call.c", "if (to == d->self) {", "if (to == d->self && i == 0) {"),
    ("calls", 5, "quick", "a caller that ends leaves the reply to it",
     "call.c", "        drop_reply(d);\n", "        d->reply = 0;\n"),
    ("calls", 9, "quick", "an answer leaves what was lent", "call.c",
     "    space_take_back(d);\n    return end_fast", "    return end_fast"),
    ("upcalls", 0, "quick", "block does not look for news", "sched.c",
     "        return ERR_SWITCHED;\n    }\n    wait_until(d, x[0]);",
     "    }\n    wait_until(d, x[0]);"),
    ("caps", 2, "full", "orphans are adopted by an elder sibling", "cap.c",
     "n->attr |= ATTR_FENCE;", ";"),
    ("space", 0, "full", "rights change after the TLB was told", "frame.c",
     "        *pte = rights ? entry + i * PAGE_BYTES : 0;\n"
     "        if (was != 0) { /* the same frame: no break before make */\n"
     "            arch_tlb_page(va);\n        }\n",
     "        if (was != 0) {\n            arch_tlb_page(va);\n        }\n"
     "        *pte = rights ? entry + i * PAGE_BYTES : 0;\n"),
    ("space", 0, "full", "detaching forgets the first level", "space.c",
     "domain_at(ref)->level1[t->gib & 511u] = 0;", ";"),
    ("calls", 3, "full", "a cancelled call leaves its caller with the callee",
     "call.c", "        let_go(callee);\n        end_call(d, error",
     "        end_call(d, error"),
    ("calls", 1, "full", "who is next in line is not looked for", "call.c",
     "        call_next(callee); /* if it slept", "        /* if it slept"),
    ("calls", 5, "full", "a deleted reply leaves its caller waiting", "cap.c",
     "        call_forget(s);\n", ""),
    ("calls", 5, "full", "a moved reply is lost to its caller", "cap.c",
     "        dispatcher_at(s->obj)->reply = at;\n", ""),
    ("calls", 9, "full", "more is lent than the lender has", "space.c",
     "    if ((gives & denied(has, 0)) != denied(has, rights)) {",
     "    if (false) {"),
    ("calls", 9, "full", "what is given for good counts as lent", "space.c",
     "        forget_loan(domain, va);\n", ""),
    ("calls", 10, "full", "what is lent on stays when the lender loses it",
     "space.c", "        (void)detach(to->domain, va);\n        ref",
     "        ref"),
    ("upcalls", 0, "full", "urgency is not looked at", "sched.c",
     "(runs && urgency_of(d->urgency) <= urgency_of(l->urgency))", "runs"),
    ("upcalls", 5, "full", "who is let in directly may stay", "sched.c",
     "give(core, d, l->until, ", "give(core, d, ~0ull, "),
    ("upcalls", 5, "full", "who goes on oversleeps for whom it made room",
     "sched.c", "d->until < l.until ? d->until : l.until", "l.until"),
]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write_if_other(path, text):
    if not os.path.exists(path) or read(path) != text:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def copy_core(folder, change):
    """The core in another folder; change(file name, text) gives its text."""
    os.makedirs(folder, exist_ok=True)
    core = os.path.join(ROOT, "kernel/core")
    for name in os.listdir(core):
        text = change(name, read(os.path.join(core, name)))
        write_if_other(os.path.join(folder, name), text)
    return folder


def small_steps(options):
    def change(name, text):
        for file, pattern, replacement in SMALL_STEPS:
            if file == name:
                text, times = re.subn(pattern, replacement, text)
                if times != 1:
                    raise ValueError(f"{name}: {pattern} is there {times} x")
        return text
    return copy_core(os.path.join(options.folder, "core-steps"), change)


def planted_core(index, options):
    where, good, bad = PLANTED[index][-3:]

    def change(name, text):
        if name != where:
            return text
        if text.count(good) != 1:
            raise ValueError(f"{name}: {text.count(good)} x {good!r}")
        return text.replace(good, bad)
    return copy_core(os.path.join(options.folder, f"core-{index}"), change)


def build(scope, suffix, core, options):
    row = {"name": f"closure/{scope}{suffix}",
           "sources": [f"tests/closure/{scope}.c", "tests/closure/engine.c",
                       "tests/closure/machine.c", "tests/closure/family.c",
                       "tests/unit/kernel_check*.c",
                       "tests/unit/kernel_host_arch.c",
                       os.path.join(core, "*.c")],
           "include": [core, "tests/unit", "kernel/abi/include"],
           "flags": ["-I@BUILD@/kernel/abi"]}
    return native.compile_program(row, "gcc", FLAGS, options)


def run(program, *arguments):
    done = subprocess.run(
        [program, "--seconds", str(LIMIT_S), "--mib", str(LIMIT_MIB),
         *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", check=False)
    if done.returncode not in (0, 1):
        return f"not ok - {program}: exit status {done.returncode}\n" \
            + done.stdout
    return done.stdout


def number(pattern, text):
    match = re.search(pattern, text)
    return int(match.group(1)) if match else 0


class Tally:
    def __init__(self):
        self.good = True
        self.transitions = 0

    def point(self, good, text):
        print(("" if good else "not ") + "ok - closure: " + text, flush=True)
        self.good = self.good and good

    def search(self, scope, size, output, note):
        """Print a search's own lines, under a name that tells which it is;
        returns its transitions."""
        name = f"{scope} {size}{note}"
        output = output.replace(f"closure: {scope}:", f"closure: {name}:", 1)
        print(output, end="", flush=True)
        self.good = self.good and not output.startswith("not ok")
        return number(r"closed.* (\d+) transitions", output)


def search_all(options, tally):
    steps = small_steps(options)
    core = os.path.join(ROOT, "kernel/core")
    states = {}
    for scope, size, restarts, lane in SEARCHES:
        if LANES.index(lane) > options.lane:
            continue
        if restarts:
            output = run(build(scope, "-steps", steps, options), "--size",
                         str(size), "--restarts")
        else:
            output = run(build(scope, "", core, options), "--size", str(size))
            states[scope, size] = number(r"(\d+) states", output)
        tally.transitions += tally.search(scope, size, output,
                                          ", restarts" if restarts else "")
    for scope, size, lane in ORBITS:
        if LANES.index(lane) > options.lane:
            continue
        output = run(build(scope, "", core, options), "--size", str(size),
                     "--orbits")
        tally.search(scope, size, output, ", no symmetry")
        orbits = number(r"orbits (\d+)", output)
        tally.point(orbits == states[scope, size] > 0,
                    f"{scope} {size}: {orbits} states up to symmetry, "
                    f"{states[scope, size]} found with it")


def plant_all(options, tally):
    for i, (scope, size, lane, name, *_) in enumerate(PLANTED):
        if LANES.index(lane) > options.lane:
            continue
        program = build(scope, f"-planted-{i}", planted_core(i, options),
                        options)
        output = run(program, "--size", str(size))
        found = output.startswith("not ok") and "shortest way" in output
        tally.point(found, f"{scope} {size}: planted bug found: {name}")
        first = output.split("\n")[0].replace("not ok - closure: ", "")
        print(f"#   {first}; {number(r'there, ([0-9]+) moves', output)} moves",
              flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for i, lane in enumerate(LANES):
        parser.add_argument("--" + lane, dest="lane", action="store_const",
                            const=i, default=0)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    options.root = ROOT
    options.folder = os.path.join(options.build, "tests",
                                  f"closure{options.lane}")
    os.makedirs(options.folder, exist_ok=True)
    tally = Tally()
    try:
        search_all(options, tally)
        plant_all(options, tally)
    except (native.CompileError, ValueError, OSError) as error:
        tally.point(False, str(error).replace("\n", "\n# "))
    wanted = WANTED if options.lane else 1
    tally.point(tally.transitions >= wanted,
                f"{tally.transitions} transitions in all")
    return 0 if tally.good else 1


if __name__ == "__main__":
    sys.exit(main())
