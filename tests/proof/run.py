#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Prove with Frama-C's Eva that code has no undefined behaviour.

  tests/proof/run.py [BUILD] [-k NAME]

The targets, and the alarms that may stay, are in tests/proof/proofs.toml. Each
target is analysed as a whole: alarms that are not listed, warnings (a function
without a body, say) and listed alarms that do not come up make it fail. Then
the same with a bug planted in it, which must give more alarms. What must be
reached is looked for by name: an analysis that stops early has no alarms, too.
Logs are left in BUILD/tests/proof. Prints TAP.
"""

import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TIMEOUT_S = 600
REACHED_MIN = 0.98   # of the statements of the functions that are reached
FLAGS = ["-c11", "-machdep", "gcc_x86_64", "-eva", "-eva-no-show-progress",
         "-metrics", "-metrics-eva-cover",
         "-kernel-warn-key", "asm:clobber=inactive"]
KERNEL = ["-include", "tests/proof/kernel_config.h", "-Ikernel/core",
          "-Ikernel/abi/include", "-DCONFIG_ASSERTS=0"]
REACHED = re.compile(r"(\d+) statements reached \(out of (\d+)\)")
MESSAGE = re.compile(r"^\[([a-z:-]+)\] (\S+?):(\d+): (Warning|User Error): *$")
FUNCTION = re.compile(r"^  (\w+): (\d+) stmts out of (\d+) \(", re.M)
DEFINED = re.compile(r"^(?:static )?[a-z][\w ]*[ *](\w+)\([^;]*?\)\n\{", re.M)
BAD_END = re.compile(r"^\[kernel\].*(error|aborted)|Frama-C aborted", re.I)


class Broken(Exception):
    """The analysis did not come to an end."""


def generate(folder):
    """The headers that kernel/abi/abi.toml becomes."""
    os.makedirs(os.path.join(folder, "abi"), exist_ok=True)
    for kind, name in [("header", "abi/gen.h"), ("decode", "calls.inc")]:
        subprocess.run([sys.executable, "scripts/gen_abi.py", kind,
                        "kernel/abi/abi.toml", os.path.join(folder, name)],
                       cwd=ROOT, check=True)


def command_of(target, folder, planted):
    cpp = ["-I.", "-I" + os.path.join(folder, "include")]
    cpp += KERNEL if target.get("kernel") else []
    cpp += ["-D" + d for d in target.get("defines", [])]
    cpp.append(f"-DPLANT={int(planted)}")
    sources = []
    for pattern in target["sources"]:
        found = sorted(glob.glob(pattern, root_dir=ROOT))
        if not found:
            raise Broken(f"no source matches {pattern}")
        sources += found
    exact = str(target.get("exact", ""))
    split = ",".join(name + ":0" for name in target.get("split", []))
    states = ",".join(f"{name}:{n}"
                      for name, n in target.get("states", {}).items())
    return ["frama-c", *FLAGS, "-cpp-extra-args=" + " ".join(cpp), *sources,
            "-eva-precision", str(target["precision"]),
            *(["-eva-split-return-function", split] if split else []),
            *(["-eva-slevel-function", states] if states else []),
            *(["-eva-plevel", exact, "-eva-ilevel", exact] if exact else [])]


def analyse(target, folder, planted=False):
    """Eva's log."""
    log = os.path.join(folder, target["name"]
                       + (".planted" if planted else "") + ".log")
    try:
        done = subprocess.run(command_of(target, folder, planted), cwd=ROOT,
                              stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise Broken(f"no end after {TIMEOUT_S} s") from error
    text = done.stdout.decode(errors="replace")
    with open(log, "w", encoding="utf-8") as file:
        file.write(text)
    if done.returncode != 0 or not REACHED.search(text):
        last = " / ".join(text.strip().splitlines()[-3:])
        raise Broken(f"exit status {done.returncode}: {last}; see {log}")
    return text


def messages(text):
    """All warnings and alarms as (kind, file, line, text)."""
    found = []
    lines = text.splitlines()
    for i, line in enumerate(lines):
        match = MESSAGE.match(line)
        if not match:
            continue
        words = []
        for more in lines[i + 1:]:
            if not more.startswith("  "):
                break
            words += more.split()
        kind, file, number, _ = match.groups()
        found.append((kind, file, number, " ".join(words)))
    return found


def functions(text):
    """All that were analysed: {name: (statements reached, of how many)}."""
    return {name: (int(reached), int(total))
            for name, reached, total in FUNCTION.findall(text)}


def calls():
    """The functions that carry out system calls."""
    with open(os.path.join(ROOT, "kernel/abi/abi.toml"), "rb") as file:
        abi = tomllib.load(file)
    return (["op_" + call["name"] for call in abi["syscall"]]
            + ["syscall_dispatch", "call_enter", "call_reply",
               "call_enter_fast", "call_reply_fast"])


def judge(target, text):
    """What is wrong, line by line, and the number of exceptions used."""
    left = messages(text)
    used = 0
    wrong = []
    for e in target.get("exception", []):
        same = [m for m in left if m[0] == "eva:alarm"
                and m[1] == e["file"] and m[3] == e["alarm"]]
        if len(same) != e["count"]:
            wrong.append(f"exception for {e['file']}: expected {e['count']}, "
                         f"saw {len(same)}: {e['alarm']}")
        used += len(same)
        left = [m for m in left if m not in same]
    wrong += [f"{file}:{line}: {what} [{kind}]"
              for kind, file, line, what in left]
    reached, total = map(int, REACHED.search(text).groups())
    if reached < REACHED_MIN * total:
        wrong.append(f"only {reached} statements reached of {total}")
    if target.get("calls"):
        wrong += [f"{name} is not reached"
                  for name in calls() if name not in functions(text)]
    return wrong, used


def prove(target, folder):
    """Analyse a target; prints its TAP lines. Returns whether all is well, and
    the functions that were reached."""
    name = target["name"]
    begin = time.monotonic()
    try:
        text = analyse(target, folder)
    except Broken as error:
        print(f"not ok - eva: {name}: {error}", flush=True)
        return False, {}
    wrong, used = judge(target, text)
    reached, total = REACHED.search(text).groups()
    alarms = len([m for m in messages(text) if m[0] == "eva:alarm"]) - used
    for e in target.get("exception", []):
        print(f"# exception, {e['count']} times in {e['file']}: {e['why']}")
    for line in wrong:
        print("# " + line)
    print(f"{'not ok' if wrong else 'ok'} - eva: {name}: {alarms} alarms, "
          f"{used} exceptions, {reached} statements reached of {total} "
          f"({time.monotonic() - begin:.0f} s)", flush=True)
    return not wrong, functions(text)


def cover(entry, found):
    """Is each function of the files reached, all of it, in one of the targets?
    found: {target: its functions}, of those that ran."""
    wrong = []
    count = 0
    for path in sorted(p for f in entry["files"]
                       for p in glob.glob(f, root_dir=ROOT)):
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            names = DEFINED.findall(file.read())
        count += len(names)
        for name in names:
            seen = [found[t][name] for t in entry["targets"]
                    if name in found[t]]
            if not any(reached == total for reached, total in seen):
                wrong.append(f"{path}: {name}: reached {seen or 'nowhere'}")
    for line in wrong:
        print("# " + line)
    what = ", ".join(entry["files"])
    print(f"{'not ok' if wrong or not count else 'ok'} - eva: {what}: "
          f"{count - len(wrong)} of {count} functions reached, all of each",
          flush=True)
    return not wrong and count > 0


def control(target, folder):
    """The same with the planted bug: there must be alarms."""
    name = target["name"]
    try:
        text = analyse(target, folder, planted=True)
    except Broken as error:
        print(f"not ok - eva: {name}: planted bug: {error}", flush=True)
        return False
    alarms = len([m for m in messages(text) if m[0] == "eva:alarm"])
    more = alarms - sum(e["count"] for e in target.get("exception", []))
    print(f"{'ok' if more > 0 else 'not ok'} - eva: {name}: the planted bug "
          f"gives {more} alarms", flush=True)
    return more > 0


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build", nargs="?",
                        default=os.path.join(ROOT, "build"))
    parser.add_argument("-k", dest="pattern", default="")
    options = parser.parse_args()
    if not shutil.which("frama-c"):
        print("ok - eva # skip no frama-c; scripts/setup --full installs it")
        return 0
    folder = os.path.join(os.path.abspath(options.build), "tests", "proof")
    generate(os.path.join(folder, "include"))
    with open(os.path.join(HERE, "proofs.toml"), "rb") as file:
        proofs = tomllib.load(file)
    good = True
    found = {}
    for target in proofs["target"]:
        name = target["name"]
        if options.pattern in name:
            well, found[name] = prove(target, folder)
            good = well and good
            if target.get("planted"):
                good = control(target, folder) and good
    for entry in proofs["cover"]:
        if set(entry["targets"]) <= set(found):
            good = cover(entry, found) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
