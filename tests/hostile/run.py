#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A hostile domain on the emulated board: random and adversarial system calls
under timer interrupts and events, next to three neighbours that watch
themselves, on a kernel that checks its invariants (kcheck.c).

  run.py BUILD [--calls N] [--seed S] [--record]

Runs the corpus; then N calls in all, half of them twice from one seed, whose
hashes must be the same; then copies of the kernel with a bug planted, which
must be noticed. --record: one run of N calls, and its line for the records.
Prints TAP.
"""

import argparse
import os
import re
import subprocess
import sys

from build import HERE, ROOT, Images

CORPUS = os.path.join(HERE, "corpus.txt")
KINDS_LEAST = 28        # kinds of system calls that succeed
PLANT_CALLS = 20000
PLANT_TRIES = 8         # seeds
# Bugs: what breaks, file, what is there, what comes instead
PLANTS = [
    ("C1", "core/cap.c", "*s = (struct slot){0};",
     "*s = (struct slot){.rights = s->rights};"),
    ("C2", "core/cap.c", "rights &= s->rights;", "rights |= s->rights;"),
    ("V3", "core/space.c", "return ERR_WX;", "return ERR_OK;"),
    ("C9", "core/frame.c", "    if ((frame_ptes(f) != NULL) != r->mapped) {",
     """    if ((frame_ptes(f) != NULL) != r->mapped) {
        ((struct slot *)(uintptr_t)f)->word ^= PAGE_BYTES;"""),
    ("R3", "core/syscall.c", "                s->word = 0;", "(void)0;"),
    ("neighbours", "arch/vectors.S", "    EACH_FP stp, x16\n", ""),
]


def commit():
    """Of the tree that is tested; + if it is changed."""
    def git(*words):
        return subprocess.run(["git", *words], cwd=ROOT, text=True,
                              capture_output=True, check=False).stdout.strip()
    return git("rev-parse", "--short=12", "HEAD") + \
        ("+" if git("status", "--porcelain", "-uno") else "")


COMMIT = commit()               # before anybody goes on working


class Run:
    """What one boot printed."""

    def __init__(self, images, options, seed, calls):
        image = images.image(seed, calls)
        done = subprocess.run(
            [options.qemu, "-M", "raspi3b", "-display", "none", "-monitor",
             "none", "-serial", "stdio", "-no-reboot", "-icount",
             "shift=0,sleep=off", "-kernel", image],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, errors="replace",
            timeout=options.timeout, check=False)
        os.unlink(image)
        self.text = done.stdout
        self.again = f"{seed} {calls}"
        self.record = next(iter(re.findall(r"^record: (.*)$", self.text,
                                           re.MULTILINE)), "")

    def field(self, name):
        return re.search(rf"\b{name} (\w+)", self.record)[1]

    def trouble(self):
        """Why it failed, or None."""
        wrong = re.search(r"not ok - (.*)\r?\n(# seed.*)|KERNEL PANIC.*",
                          self.text)
        if wrong:
            return wrong[0]
        return None if self.record else "no end: " + self.text[-300:]


def report(good, title, run=None):
    """One TAP line; of a run that failed, how to repeat it."""
    if run and not good:
        print(f"# {run.trouble() or 'too little was done'}; commit {COMMIT}"
              f"\n# again: tests/hostile/run.py BUILD --record --seed "
              f"{run.again.replace(' ', ' --calls ')}; a line for corpus.txt: "
              f"{run.again}")
    print(f"{'ok' if good else 'not ok'} - {title}", flush=True)
    return good


def corpus_test(images, options):
    with open(CORPUS, encoding="utf-8") as file:
        rows = [line.split() for line in file if not line.startswith("#")]
    good = True
    for seed, calls in rows:
        run = Run(images, options, int(seed, 0), int(calls))
        good &= report(not run.trouble(), f"corpus: seed {seed}", run)
    return good


def seeds_test(images, options):
    """The same seed twice, and another one."""
    half = options.calls // 2
    first = Run(images, options, options.seed, half)
    print("\n".join("# " + line.lstrip("# ") for line in first.text.splitlines()
                    if line.startswith(("# in", "# never", "record"))))
    good = not first.trouble() and int(first.field("kinds")) >= KINDS_LEAST
    if not report(good, f"{half} calls: all invariants held", first):
        return False
    second = Run(images, options, options.seed, half)
    same = second.record == first.record
    report(same, f"the same {half} calls again: {first.field('hash')}", second)
    other = Run(images, options, options.seed + 1, half // 100)
    apart = not other.trouble() and other.field("hash") != first.field("hash")
    report(apart, "another seed, another hash", other)
    return same and apart


def planted_test(images, options, plant):
    """A kernel with a bug: kcheck must name the invariant."""
    name, file, before, after = plant
    images = images.planted(file, before, after)
    found = None
    for seed in range(1, PLANT_TRIES + 1):
        run = Run(images, options, seed, PLANT_CALLS)
        found = re.search(r"kcheck: (\w+): .*\s+# seed.*", run.text)
        if found or run.trouble():
            break
    print("# " + (found[0].replace("\r\n", "; ") if found
                  else run.trouble() or "nothing noticed"))
    return report(bool(found) and found[1] == name,
                  f"planted in {file}: {name} is noticed")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--calls", type=int, default=200000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--no-plants", action="store_true")
    parser.add_argument("--timeout", type=int, default=1500)
    parser.add_argument("--qemu", default=os.environ.get(
        "QEMU", "qemu-system-aarch64"))
    options = parser.parse_args()
    out = os.path.join(options.build, "tests", f"hostile{options.calls}")
    images = Images(options.build, out)
    if options.record:
        run = Run(images, options, options.seed, options.calls)
        print(f"record: commit {COMMIT}, {run.record}")
        return 0 if report(not run.trouble(), "record", run) else 1
    good = corpus_test(images, options)
    good &= seeds_test(images, options)
    for plant in [] if options.no_plants else PLANTS:
        good &= planted_test(images, options, plant)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
