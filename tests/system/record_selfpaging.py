#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A longer run of test_selfpaging.py, plotted.

  record_selfpaging.py BUILD [SECONDS]

Writes docs/self-paging.svg, and prints the line for tests/records.toml.
"""

import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests/bench")]

import pages  # noqa: E402
import test_selfpaging as experiment  # noqa: E402
from bench import Bench, make_card  # noqa: E402

STEPS = 10      # marks on the axis of time


def sampled(found, seconds):
    """{name: [(second, faults since the common start)]}"""
    begin = max(points[0][0] for points in found.values())
    lines = {}
    for share, points in found.items():
        def done(ms):
            return max((n for at, n in points if at <= ms), default=0)
        lines[f"{share} % of the CPU"] = [
            (s, done(begin + s * 1000) - done(begin))
            for s in range(0, seconds + 1, max(1, seconds // STEPS))]
    return lines


def main():
    build = os.path.abspath(sys.argv[1])
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    make_card(build)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, build, "qemu-system-aarch64")
        try:
            guest = bench.boot(extra=experiment.VIRTUAL)
            found = experiment.measure(guest, seconds + 2)
            guest.poweroff()
        finally:
            bench.close(False)
    rates = experiment.rates(found)
    experiment.check(rates, 0.1)
    with open(os.path.join(ROOT, "docs/self-paging.svg"), "w",
              encoding="utf-8") as out:
        out.write(pages.plot("seconds of the board", sampled(found, seconds)))
    least = rates[experiment.SHARES[0]]
    print(", ".join(f"{share} %: {rate:,.0f} faults a second "
                    f"({rate / least:.2f})" for share, rate in rates.items()))


if __name__ == "__main__":
    main()
