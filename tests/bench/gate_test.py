#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Does the benchmark refuse what it must refuse? Prints TAP.

usage: gate_test.py BUILD

Among it bench-planted.img, an image whose null call takes four instructions
more: the gate must name that row, and no other. And the pages in docs/ that
follow from the record must be what it says.
"""

import os
import subprocess
import sys
import tomllib

import measure
import pages
import record

BENCH = os.path.join(measure.ROOT, "scripts/bench")
NULL = "null system call"
failures = 0


def check(good, title, *notes):
    global failures
    failures += not good
    for note in () if good else notes:
        print(f"# {note}")
    print(f"{'ok' if good else 'not ok'} - {title}")


def refuses(call, *arguments):
    try:
        call(*arguments)
    except measure.BenchError:
        return True
    return False


def runs(*totals, irq=0):
    return [measure.Run(0, total, 0, 0, 0, 0, irq) for total in totals]


def unstable_test():
    check(measure.settle("row", runs(9, 5, 5, 5, 5, 5, 5, 5), {}).total == 5,
          "five warm runs that agree are a figure, whatever the first was")
    check(refuses(measure.settle, "row", runs(5, 5, 5, 6, 5, 5, 5, 5), {}),
          "one instruction more in one of them is refused")
    check(refuses(measure.settle, "row", runs(5, 5, 5, 5), {}),
          "so are too few")
    calm, hit = runs(5, 5, 5, 5, 5, 5), runs(99, 99, irq=1)
    check(measure.settle("row", calm + hit, {}).total == 5
          and refuses(measure.settle, "row", calm[:5] + hit, {}),
          "runs with an interrupt do not count, and are not replaced")


def proof_test():
    def rows(**wrong):
        table = {name: [measure.Run(el0, 9 if kernel else 0, 0, 0, 0, 0, 0)]
                 for name, (el0, kernel) in measure.PROOF.items()}
        table[NULL] = runs(9)
        return table | {f"proof: {name}": runs(total)
                        for name, total in wrong.items()}
    measure.prove(rows())
    check(refuses(measure.prove, rows(**{"empty region": 1}))
          and refuses(measure.prove, rows(**{"100 nops": 100})),
          "a counter that is wrong by one, or takes EL0 for EL1, is refused")


def limits_test():
    def figure(total):
        return measure.Figure(*[total] * len(measure.Figure._fields))

    def grows(old, new):
        return bool(record.compare({"row": figure(new)}, {"row": figure(old)}))
    check(not grows(100, 103) and grows(100, 104) and not grows(1000, 1010)
          and grows(1000, 1011) and grows(1.0, 1.02) and not grows(100, 50),
          "a row may grow by 1 % or 3 instructions")
    check(len(record.compare({"new": figure(1)}, {"gone": figure(1)})) == 2,
          "rows that are new or gone need a record")


def complete_test():
    with open(os.path.join(measure.ROOT, "kernel/abi/abi.toml"), "rb") as file:
        calls = [row["name"] for row in tomllib.load(file)["syscall"]]
    names = " ".join(row["name"] for row in measure.load_rows()["row"])
    missing = [call for call in calls if call not in names]
    check(not missing, "every system call has a row", *missing)


def peers_test(found):
    straight = "interrupt straight into the driver"
    slower = found | {straight: found[straight]._replace(
        total=found[straight].total + 10)}
    check(pages.behind(slower) == [straight], "a row behind a peer is told",
          *pages.behind(slower))
    late = pages.behind(found)
    check(not late, "no row is, but where the scheduler of domains decides",
          *late)


def planted_test(build):
    done = subprocess.run(
        [BENCH, "--quick", "--check", "--build", build, "--image",
         "bench-planted.img"], capture_output=True, text=True, check=False)
    named = [line for line in done.stdout.splitlines()
             if line.startswith("not ok")]
    check(done.returncode == 1 and len(named) == 1 and NULL in named[0],
          "four instructions more in a null call fail, and nothing else",
          *done.stdout.splitlines(), *done.stderr.splitlines())


def main():
    unstable_test()
    proof_test()
    limits_test()
    complete_test()
    problems = pages.unexplained(record.load())
    check(not problems, "a goal is reached, or what is in its way is told",
          *problems)
    peers_test(record.load())
    problems = pages.stale(record.load())
    check(not problems, "docs/ follows from the record", *problems)
    planted_test(sys.argv[1])
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
