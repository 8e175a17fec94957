#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A longer run of test_sched.py's attack; prints the line for
tests/records.toml.

  record_attack.py BUILD [SECONDS of the board]
"""

import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import test_sched as experiment  # noqa: E402  (needs the path above)
from bench import Bench, make_card  # noqa: E402

SLOWEST = 50    # times what the board takes, and then something hangs


def main():
    build = os.path.abspath(sys.argv[1])
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 600
    jobs = seconds * 1000000 // experiment.PERIOD_US // 2
    make_card(build)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, build, "qemu-system-aarch64")
        try:
            share, longest = experiment.attack(experiment.boot(bench), jobs,
                                               seconds * SLOWEST)
        finally:
            bench.close(False)
    print(f"{2 * jobs:,} periods without a miss, the longest job "
          f"{longest:,} us of {experiment.PERIOD_US:,}; the 20 % had "
          f"{share:.2%}")


if __name__ == "__main__":
    main()
