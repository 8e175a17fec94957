#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Run Vesper's tests; scripts/test builds everything first and calls this.

  tests/run.py [--quick | --full] [--lint] [-k PATTERN] [--qemu PATH] [--list]

Kinds of tests, by the first part of their name:
  unit    C programs of tests/tests.toml, compiled natively with ASan and UBSan
  fuzz    libFuzzer harnesses of tests/tests.toml, a short run each (clang-14)
  host    programs and scripts of tests/tests.toml that run on this machine
  target  programs run by the guest's shell; they print TAP on the serial line
  system  functions of tests/system/test_*.py: QEMU, an SD card and typing
  lint    with --lint: scripts/lint

--quick runs unit tests and what is marked quick; --full adds what is marked
full and longer fuzzing. Prints each test with its time; ends with the line
`N passed, N failed` (and `, N skipped`). Exit status 1 if anything failed or
nothing ran. A program that prints `ok`/`not ok` lines counts one test a line.
Transcripts of failed system tests stay in build/tests/.
"""

import argparse
import concurrent.futures
import os
import shutil
import subprocess
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(HERE, "system")]

import native                       # noqa: E402  (needs the path above)
from bench import Bench, make_card  # noqa: E402
from outcome import Outcome, read_tap  # noqa: E402

LANES = {"quick": 0, "normal": 1, "full": 2}
SHOWN_LINES = 40


class Case:
    """One entry of the list: a name, a lane, and how to run it."""

    def __init__(self, name, lane, title, action):
        self.name = name
        self.lane = lane
        self.title = title
        self.action = action        # action(options) -> Outcome


def host_case(row):
    def action(options):
        command = [part.replace("@BUILD@", options.build)
                   for part in row["command"]]
        return native.run_program(command, row.get("timeout", native.TIMEOUT_S),
                                      options)
    return Case(f"host/{row['name']}", row.get("lane", "normal"),
                row.get("title", ""), action)


def target_case(row):
    """Type a command into a booted guest and read TAP from the screen."""
    def action(options):
        bench = open_bench(options, f"target/{row['name']}")
        try:
            guest = bench.boot()
            text, status = guest.run(row["command"],
                                     row.get("timeout", native.TIMEOUT_S))
            outcome = read_tap(text, status)
        except AssertionError as error:
            outcome = Outcome.failure(str(error))
        bench.close(keep=outcome.failed)
        return outcome
    return Case(f"target/{row['name']}", row.get("lane", "normal"),
                row.get("title", ""), action)


def system_case(name, function):
    title = (function.__doc__ or "").strip().split("\n")[0]

    def action(options):
        bench = open_bench(options, name)
        try:
            function(bench)
            outcome = Outcome(passed=1)
        except Exception as error:  # a broken test is a failed test
            lines = traceback.format_exception_only(error)
            frame = traceback.extract_tb(error.__traceback__)
            where = [f"  line {f.lineno}: {f.line}" for f in frame
                     if os.path.basename(f.filename).startswith("test_")]
            outcome = Outcome.failure("\n".join(where) + "\n"
                                      + "".join(lines))
        bench.close(keep=outcome.failed)
        return outcome
    return Case(name, getattr(function, "lane", "normal"), title, action)


def open_bench(options, name):
    folder = os.path.join(options.build, "tests", name.replace("/", "."))
    shutil.rmtree(folder, ignore_errors=True)
    return Bench(folder, options.build, options.qemu)


def system_cases():
    folder = os.path.join(HERE, "system")
    for file in sorted(os.listdir(folder)):
        if file.startswith("test_") and file.endswith(".py"):
            module = __import__(file[:-3])
            for key, value in vars(module).items():
                if key.startswith("test_") and callable(value):
                    yield system_case(f"system/{file[5:-3]}.{key[5:]}", value)


def lint_case():
    def action(options):
        return native.run_program([os.path.join(ROOT, "scripts/lint")], 1500,
                                  options)
    return Case("lint/all", "quick", "format, tidy, cppcheck, layers, style",
                action)


def collect():
    table = native.read_table(os.path.join(HERE, "tests.toml"))
    cases = []
    for row in table.get("unit", []):
        cases.append(Case(f"unit/{row['name']}", row.get("lane", "quick"),
                          "", lambda o, r=row: native.run_unit(r, o)))
    for row in table.get("fuzz", []):
        cases.append(Case(f"fuzz/{row['name']}", row.get("lane", "normal"),
                          "", lambda o, r=row: native.run_fuzz(r, o)))
    cases += [host_case(row) for row in table.get("host", [])]
    cases += [target_case(row) for row in table.get("target", [])]
    cases += system_cases()
    names = [case.name for case in cases]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        sys.exit("tests: error: more than one test is called "
                 + ", ".join(twice))
    return cases


class Report:
    """Prints results as they come; counts them."""

    def __init__(self):
        self.lock = threading.Lock()
        self.total = Outcome()

    def add(self, case, outcome, seconds):
        with self.lock:
            self.total.add(outcome)
            if outcome.failed:
                word = "FAIL"
            else:
                word = "ok  " if outcome.passed else "skip"
            count = outcome.passed + outcome.failed
            many = f"  ({count} tests)" if count > 1 else ""
            note = f"  {case.title}" if case.title else ""
            print(f"{word}  {case.name:32} {seconds:6.1f} s{many}{note}",
                  flush=True)
            if outcome.detail and not outcome.passed or outcome.failed:
                for line in outcome.detail.splitlines()[-SHOWN_LINES:]:
                    print("      " + line)

    def summary(self):
        total = self.total
        line = f"{total.passed} passed, {total.failed} failed"
        return line + (f", {total.skipped} skipped" if total.skipped else "")


def run_case(case, options, report):
    started = time.monotonic()
    try:
        outcome = case.action(options)
    except Exception:               # the runner's own bug is a failure too
        outcome = Outcome.failure(traceback.format_exc())
    report.add(case, outcome, time.monotonic() - started)


def parse_options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    lanes = parser.add_mutually_exclusive_group()
    lanes.add_argument("--quick", dest="lane", action="store_const",
                       const="quick", default="normal")
    lanes.add_argument("--full", dest="lane", action="store_const",
                       const="full")
    parser.add_argument("--lint", action="store_true",
                        help="also scripts/lint")
    parser.add_argument("-k", dest="pattern", default="",
                        help="only tests whose name contains PATTERN")
    parser.add_argument("-j", dest="jobs", type=int, default=2)
    parser.add_argument("--qemu", default=os.environ.get("QEMU"))
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    options.root = ROOT
    options.qemu = options.qemu or "qemu-system-aarch64"
    return options


def main():
    options = parse_options()
    cases = [case for case in collect()
             + ([lint_case()] if options.lint else [])
             if LANES[case.lane] <= LANES[options.lane]
             and options.pattern in case.name]
    if options.list:
        for case in cases:
            print(f"{case.name:36} {case.lane:7} {case.title}")
        return 0
    os.makedirs(os.path.join(options.build, "tests"), exist_ok=True)
    if any(c.name.startswith(("system/", "target/")) for c in cases) and \
            os.path.exists(os.path.join(options.build, "sdcard.list")):
        make_card(options.build)
    report = Report()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for future in [pool.submit(run_case, case, options, report)
                       for case in cases]:
            future.result()
    print(report.summary())
    return 1 if report.total.failed or not report.total.passed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"tests: error: {error}")
