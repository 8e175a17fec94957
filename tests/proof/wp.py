#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Prove contracts of leaf functions with Frama-C's WP and CVC4.

  tests/proof/wp.py [BUILD] [--write] [-k NAME]

The targets are in tests/proof/wp.toml. What closes is in the table of
docs/assurance.md, which --write makes anew: a goal that is proven there and is
not any more fails, and so does a table that is not that of this run. A bug
planted in a copy of the source must leave more goals open. A prover's effort
is counted in steps, not in time. Prints TAP.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib

from run import generate

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PAGE = os.path.join(ROOT, "docs/assurance.md")
BEGIN, END = "<!-- wp -->\n", "<!-- end of wp -->\n"
STEPS = 200000
TIMEOUT_S = 300
FLAGS = ["-c11", "-machdep", "gcc_x86_64", "-wp", "-wp-model", "Typed",
         "-wp-prover", "cvc4", "-wp-steps", str(STEPS), "-wp-timeout", "60",
         "-wp-par", "2"]
GOAL = re.compile(r"^\[wp\] \[([^\]]+)\] Goal typed_(\w+) : (\w+)", re.M)
TOTAL = re.compile(r"Proved goals: +(\d+) */ *(\d+)")


def prepare(folder):
    """The ABI's headers, and what Why3 knows of the provers here."""
    generate(os.path.join(folder, "include"))
    os.environ["WHY3CONFIG"] = os.path.join(folder, "why3.conf")
    subprocess.run(["why3", "config", "detect"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def plant(target, folder):
    """A folder with the broken copy of the source."""
    with open(os.path.join(ROOT, target["file"]), encoding="utf-8") as file:
        text = file.read()
    if text.count(target["old"]) != 1:
        raise ValueError(f"{target['file']}: not once: {target['old']}")
    copy = os.path.join(folder, "planted", target["name"], target["file"])
    os.makedirs(os.path.dirname(copy), exist_ok=True)
    with open(copy, "w", encoding="utf-8") as file:
        file.write(text.replace(target["old"], target["new"]))
    return os.path.join(folder, "planted", target["name"])


def prove(target, folder, tree=ROOT):
    """{goal: (prover, is it valid)}; tree: where sources are looked for first,
    since Frama-C puts -I. before all else."""
    paths = [ROOT, os.path.join(folder, "include")]
    paths += [os.path.join(ROOT, p)
              for p in ("kernel/core", "kernel/abi/include",
                        os.path.dirname(target["file"]))]
    cpp = " ".join(["-I" + p for p in paths]
                   + ["-DCONFIG_HOST=1", "-DCONFIG_ASSERTS=0"])
    done = subprocess.run(
        ["frama-c", *FLAGS, "-cpp-extra-args=" + cpp,
         os.path.join(HERE, "wp", target["name"] + ".c"),
         "-wp-fct", ",".join(target["functions"])],
        cwd=tree, check=False, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S)
    goals = {name: (prover, verdict == "Valid")
             for prover, name, verdict in GOAL.findall(done.stdout)}
    total = TOTAL.search(done.stdout)
    valid = sum(well for _, well in goals.values())
    if done.returncode or not total or \
            (valid, len(goals)) != tuple(map(int, total.groups())):
        last = " / ".join(done.stdout.strip().splitlines()[-3:])
        raise ValueError(f"{target['name']}: no result: {last}")
    return goals


def rows(target, goals):
    """The table's lines, one a function."""
    for function in target["functions"]:
        mine = {name: found for name, found in goals.items()
                if name.startswith(function + "_")}
        by = {}
        for prover, well in mine.values():
            if well:
                by[prover] = by.get(prover, 0) + 1
        yield (f"| `{function}` | {target['shows']} | {len(mine)} | "
               f"{sum(by.values())} | "
               + ", ".join(f"{p} {n}" for p, n in sorted(by.items())) + " |")


def run(targets, folder):
    """Prints TAP; returns whether all is well, and the table's lines."""
    good, lines = True, []
    for target in targets:
        name = target["name"]
        try:
            goals = prove(target, folder)
            broken = prove(target, folder, plant(target, folder))
        except (ValueError, subprocess.TimeoutExpired) as error:
            print(f"not ok - wp: {name}: {error}", flush=True)
            good = False
            continue
        lines += rows(target, goals)
        still_open = sorted(g for g, (_, well) in goals.items() if not well)
        more = sum(not well for _, well in broken.values()) - len(still_open)
        for goal in still_open:
            print(f"# open: {goal}")
        good = good and more > 0
        print(f"{'ok' if more > 0 else 'not ok'} - wp: {name}: "
              f"{len(goals) - len(still_open)} of {len(goals)} goals proven, "
              f"the planted bug leaves {more} more open", flush=True)
    return good, lines


def page_with(lines):
    with open(PAGE, encoding="utf-8") as file:
        before, _, rest = file.read().partition(BEGIN)
    old, _, after = rest.partition(END)
    head = ["| function | what holds | goals | proven | by |",
            "|---|---|---|---|---|"]
    new = "\n".join(head + lines) + "\n"
    return old, new, before + BEGIN + new + END + after


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build", nargs="?",
                        default=os.path.join(ROOT, "build"))
    parser.add_argument("--write", action="store_true")
    parser.add_argument("-k", dest="pattern", default="")
    options = parser.parse_args()
    for tool in ("frama-c", "why3", "cvc4"):
        if not shutil.which(tool):
            print(f"ok - wp # skip no {tool}; scripts/setup --full installs it")
            return 0
    folder = os.path.join(os.path.abspath(options.build), "tests/proof/wp")
    prepare(folder)
    with open(os.path.join(HERE, "wp.toml"), "rb") as file:
        targets = tomllib.load(file)["target"]
    chosen = [t for t in targets if options.pattern in t["name"]]
    good, lines = run(chosen, folder)
    if chosen == targets:
        old, new, page = page_with(lines)
        if options.write and good:
            with open(PAGE, "w", encoding="utf-8") as file:
                file.write(page)
        elif old != new:
            print("not ok - wp: docs/assurance.md says otherwise; if no goal "
                  "was lost: tests/proof/wp.py build --write")
            good = False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
