#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Fuzz with libFuzzer, ASan and UBSan, a counted number of inputs.

  tests/fuzz/run.py BUILD [NAME...] [--lane LANE] [--inputs N] [--jobs J]
                    [--seed S]

The harnesses are the [[fuzz]] rows of tests/tests.toml. A run starts from the
seeds that scripts make and from tests/fuzz/corpus/NAME, and fails for a
finding, for fewer inputs than asked, and if what it kept reaches fewer lines
of the row's parser than the row's gate. A finding is written into
tests/fuzz/corpus/NAME, which every later run starts with. Prints TAP, and a
line per harness that is a record of the run.

--inputs is per harness, --jobs that many fuzzers at once, each with a seed of
its own: `run.py build elf --inputs 1000000000 --jobs 2` is a long run.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", "coverage"),
                os.path.join(ROOT, "tests")]

import native           # noqa: E402  (needs the path above)
import run as coverage  # noqa: E402

LANES = {"quick": 0, "normal": 1, "full": 2}
PLANTED_INPUTS = 100_000
FULL_INPUTS_MIN = 10_000_000    # of all harnesses of the full lane
FLAGS = [flag for flag in native.C_FLAGS if flag != native.SANITIZE] \
    + ["-fsanitize=fuzzer,address,undefined"]
# A large quarantine costs more page faults than the harnesses compute
ENVIRONMENT = dict(os.environ, LC_ALL="C", UBSAN_OPTIONS="print_stacktrace=1",
                   ASAN_OPTIONS="detect_leaks=1:quarantine_size_mb=8")
EXECUTED = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.M)


def commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty"],
                          cwd=ROOT, capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() or "unknown"


class Harness:
    """A row: its program, its inputs, and what they reach."""

    def __init__(self, row, table, options):
        self.row = row
        self.table = table
        self.options = options
        self.name = row["name"]
        self.kept = os.path.join(HERE, "corpus", self.name)
        self.program = self.compile(row, ".fuzz")
        self.corpus = self.program + ".corpus"

    def compile(self, row, suffix):
        quiet = []
        if "quiet" in row:
            path = os.path.join(ROOT, row["quiet"])
            quiet = ["-fsanitize-coverage-ignorelist=" + path]
        return native.compile_program(row, native.find_clang(),
                                      FLAGS + quiet, self.options, suffix)

    def finds_planted(self):
        """Prints a test: is the row's bug found in a copy of its file?"""
        path, was, becomes = self.row["planted"]
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            text = file.read()
        if text.count(was) != 1:
            raise ValueError(f"{path}: not once: {was}")
        copy = os.path.join(self.corpus, "..", os.path.basename(path))
        with open(copy, "w", encoding="utf-8") as file:
            file.write(text.replace(was, becomes))
        program = self.compile(
            self.row | {"sources": self.row["sources"] + [copy],
                        "except": [path]}, ".planted")
        done = subprocess.run(
            [program, f"-runs={PLANTED_INPUTS}", "-seed=1",
             f"-artifact_prefix={program}-", *self.row.get("args", []),
             self.corpus, self.kept], cwd=ROOT, env=ENVIRONMENT,
            capture_output=True, text=True, errors="replace", check=False)
        said = re.search(r"^not ok - (.*)", done.stdout, re.M)
        print(f"{'ok' if said else 'not ok'} - fuzz {self.name}: a bug "
              f"planted in {path} is found: {said[1] if said else 'no'}",
              flush=True)
        return bool(said)

    def seed_corpus(self):
        shutil.rmtree(self.corpus, ignore_errors=True)
        os.makedirs(self.corpus)
        os.makedirs(self.kept, exist_ok=True)
        if "seeds" in self.row:
            subprocess.run([*self.row["seeds"], self.corpus], cwd=ROOT,
                           check=True)

    def start(self, job, inputs):
        command = [self.program, f"-runs={inputs}",
                   f"-seed={self.options.seed + job}", "-timeout=10",
                   "-rss_limit_mb=2048", "-print_final_stats=1",
                   f"-artifact_prefix={self.kept}/finding-",
                   *self.row.get("args", []), self.corpus, self.kept]
        with open(f"{self.program}.log{job}", "w", encoding="utf-8") as log:
            return subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT,
                                    stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=subprocess.STDOUT)

    def end(self, job, process):
        """Inputs that a job ran, and whether it found nothing."""
        status = process.wait()
        with open(f"{self.program}.log{job}", encoding="utf-8",
                  errors="replace") as log:
            text = log.read()
        if status != 0:
            print("# " + text[-4000:].replace("\n", "\n# "))
        found = EXECUTED.search(text)
        return int(found[1]) if found else 0, status == 0

    def line_rate(self):
        """Percent of the parser's lines that the corpora reach."""
        group = coverage.Group(
            {"name": "fuzz-" + self.name, "files": self.row["parser"]},
            self.table, self.options.build)
        shutil.rmtree(group.folder, ignore_errors=True)
        os.makedirs(group.folder)
        program = group.link(self.row, [
            os.path.join(ROOT, "tests", "coverage", "replay.c")])
        for folder in (self.corpus, self.kept):
            coverage.run([program, folder])
        tally = coverage.Tally()
        for file, lines in group.counters().items():
            for number, what, text in coverage.measure_file(
                    file, lines, coverage.Excuses([]), tally):
                if what == "never reached":
                    print(f"#   {file}:{number}: {what}: {text}")
        return tally.line_rate()

    def run(self):
        """Prints the harness's test; true if it passed."""
        wanted = self.options.inputs or \
            self.row["inputs"][LANES[self.options.lane]]
        self.seed_corpus()
        jobs = self.options.jobs
        started = [self.start(job, -(-wanted // jobs)) for job in range(jobs)]
        ended = [self.end(job, p) for job, p in enumerate(started)]
        inputs = sum(count for count, _ in ended)
        findings = sum(not clean for _, clean in ended)
        rate = self.line_rate() if findings == 0 else 0.0
        good = findings == 0 and inputs >= wanted and rate >= self.row["lines"]
        files = len(os.listdir(self.corpus)) + len(os.listdir(self.kept))
        print(f"# record: {self.name}: {inputs} inputs, seeds "
              f"{self.options.seed} to {self.options.seed + jobs - 1}, commit "
              f"{commit()}, {files} files of corpus, {findings} findings")
        if findings:
            print("# the inputs found are in "
                  + os.path.relpath(self.kept, ROOT))
        print(f"{'ok' if good else 'not ok'} - fuzz {self.name}: {inputs} of "
              f"{wanted} inputs, {rate:.2f} % of the parser's lines, gate "
              f"{self.row['lines']} %", flush=True)
        if good and self.options.lane == "full" and "planted" in self.row:
            good = self.finds_planted()
        return good


def parse_options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--lane", choices=LANES, default="normal")
    parser.add_argument("--inputs", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    options.root = ROOT
    return options


def main():
    options = parse_options()
    table = native.read_table(os.path.join(ROOT, "tests", "tests.toml"))
    total = sum(row["inputs"][LANES["full"]] for row in table["fuzz"])
    if total < FULL_INPUTS_MIN:
        sys.exit(f"not ok - the full lane has {total} inputs only")
    rows = [row for row in table["fuzz"]
            if not options.names or row["name"] in options.names]
    good = [Harness(row, table, options).run() for row in rows]
    return 0 if good and all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
