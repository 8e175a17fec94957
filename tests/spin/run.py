#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Lost wake-ups: Spin searches all interleavings of wakeup.pml.

  run.py [-k NAME]

Each search must end without an error; each planted mistake must be refuted.
The numbers of the ABI come from kernel/abi. Prints TAP. What a failed search
found: run `spin -t -p` with its definitions in the folder that is printed.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LIMIT_S = 900
# -O1 compiles for longer than it searches less.
CC = ["gcc", "-O0", "-w", "-DMEMLIM=2000", "-o", "pan", "pan.c"]
SAFETY, FAIR = ["-DSAFETY", "-DNOCLAIM"], ["-DNFAIR=3"]
FAST = ["-DNOBOUNDCHECK"] # of array indices, which one model keeps

# name: definitions of the model, of the program that searches it
MODELS = {
    "calls": (["-DTURNS=0", "-DCALLS"], SAFETY),
    "nested": (["-DTURNS=0", "-DCALLS", "-DNESTED"], SAFETY + FAST),
    "turns": (["-DTURNS=1"], FAIR + FAST),
}

# (what holds, model, with RUN_DIRECT, formula if it is one)
SEARCHES = [
    ("two domains and calls: nobody sleeps while there is news",
     "calls", False, None),
    ("children that are run with RUN_DIRECT: the same", "calls", True, None),
    ("a scheduler below the first: the same", "nested", False, None),
    ("both with RUN_DIRECT: the same", "nested", True, None),
    ("each event reaches its handler", "turns", True, "heard"),
    ("each time reaches who waits for it", "turns", False, "woken"),
]

# (planted, model, what it means)
PLANTS = [
    ("RUN_BLIND", "calls", "run does not look at pending"),
    ("BLOCK_BLIND", "calls", "nor does block"),
    ("RESUME_BLIND", "calls", "nor does resume"),
    ("UNMASK_BLIND", "calls", "libos unmasks and does not look at pending"),
    ("SWAP_LATE", "calls", "a scheduler clears pending after it looked"),
    ("WAKE_UNTOLD", "calls", "a child wakes and its scheduler is not told"),
    ("WAKE_ONE_LEVEL", "nested",
     "only the scheduler, and not whose child it is"),
    ("IDLE_UNTIMED", "calls", "the timer is not set when nobody can run"),
    ("DIRECT_UNTIMED", "calls", "who is entered directly has no end"),
    ("CALL_UNTOLD", "calls", "states are not told when a scheduler is called"),
    ("REPLY_BLIND", "calls", "the fast reply does not look at pending"),
    ("CALL_FORGETS", "calls", "an upcall at a call's first step is forgotten"),
    ("BACK_UNTIMED", "calls",
     "who goes on sleeps over the time of whom it made room for"),
    ("REPLY_UNTIMED", "nested",
     "who had a deadline waits without it behind an answer"),
]


def made():
    """Numbers for the model, without parentheses: the ABI's, and the plants'.
    """
    text = subprocess.run(
        [os.path.join(ROOT, "scripts/gen_abi.py"), "header",
         os.path.join(ROOT, "kernel/abi/abi.toml"), "/dev/stdout"],
        check=True, capture_output=True, text=True).stdout
    with open(os.path.join(ROOT, "kernel/abi/include/abi/abi.h"),
              encoding="utf-8") as header:
        text += header.read()
    out = ""
    for name, value in re.findall(
            r"\b((?:REASON|CHILD|MASK)_[A-Z]+) = (\d+(?: << \d+)?),", text):
        number, _, shift = value.partition(" << ")
        out += f"#define {name} {int(number) << int(shift or 0)}\n"
    for number, (name, _, _) in enumerate(PLANTS, 1):
        out += f"#define {name} {number}\n"
    return out


def build(folder, defines, flags):
    """The program that searches; what was said if it cannot be made."""
    shutil.copy(os.path.join(HERE, "wakeup.pml"), folder)
    with open(os.path.join(folder, "made.pml"), "w", encoding="utf-8") as out:
        out.write(made())
    for command in (["spin", *defines, "-a", "wakeup.pml"], [*CC, *flags]):
        done = subprocess.run(command, cwd=folder, capture_output=True,
                              text=True, check=False, timeout=LIMIT_S)
        if done.returncode != 0:
            return (done.stdout + done.stderr)[-400:]
    return ""


def search(folder, direct, formula, plant):
    """(errors, states), None if it did not come to an end."""
    # -E: all may sleep for ever, if no event comes any more
    claim = [] if formula is None else ["-a", "-f", "-N", formula]
    size = ["-m250000", "-w20" if plant else "-w24"]
    said = subprocess.run(
        ["./pan", "-E", *size, *claim], cwd=folder, capture_output=True,
        text=True, check=False, timeout=LIMIT_S,
        env={**os.environ, "PLANT": str(plant), "DIRECT": str(int(direct))}
    ).stdout
    errors = re.search(r"errors: (\d+)", said)
    states = re.search(r"(\d[\d.e+]*) states, stored", said)
    closed = "Search not completed" not in said and \
        "max search depth" not in said
    if not errors or not (closed or int(errors.group(1))):
        print("# " + said[-600:].replace("\n", "\n# "))
        return None
    return int(errors.group(1)), states.group(1)


def report(good, name, note=""):
    print(f"{'ok' if good else 'not ok'} - {name}", flush=True)
    if note:
        print("# " + note)
    return good


def run_model(model, cases):
    """Cases: (name, with RUN_DIRECT, formula, number of the plant or 0)."""
    folder = tempfile.mkdtemp(prefix="vesper-spin-")
    said = build(folder, *MODELS[model])
    if said:
        return report(False, f"the model {model}", said.replace("\n", "\n# "))
    good = True
    for name, direct, formula, plant in cases:
        found = search(folder, direct, formula, plant)
        right = found is not None and (found[0] > 0) == (plant > 0)
        good &= report(right, name, f"{found[1]} states" if right else folder)
    if good:
        shutil.rmtree(folder)
    return good


def run(wanted):
    good = True
    for model in MODELS:
        cases = [(name, direct, formula, 0)
                 for name, of, direct, formula in SEARCHES if of == model]
        cases += [(f"planted, and found: {text}", True, None, number)
                  for number, (_, of, text) in enumerate(PLANTS, 1)
                  if of == model]
        cases = [case for case in cases if wanted in case[0]]
        good &= not cases or run_model(model, cases)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("-k", metavar="NAME", default="")
    if not shutil.which("spin"):
        report(False, "spin is not installed: scripts/setup --full")
        return 1
    return 0 if run(parser.parse_args().k) else 1


if __name__ == "__main__":
    sys.exit(main())
