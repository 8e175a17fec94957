# SPDX-License-Identifier: BSL-1.0
"""What the tests of the shell stand on: a build, a batch, a terminal.

Bench builds shell, tools, hello and crash for Linux with ASan and UBSan and
runs commands; Terminal is an interactive shell on a pty, whose output is read
as a user would see it. check() prints one `ok` or `not ok` line a case.
"""
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
APPS = os.path.dirname(HERE)
SHARED = ["catalog", "columns", "names", "number", "path", "signals",
          "transfer"]
FLAGS = ("-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wundef -Wvla "
         "-Wstrict-prototypes -Wmissing-prototypes -Werror -g -O1 "
         "-fsanitize=address,undefined -fno-sanitize-recover=all").split()
LIMIT_S = 10

results = []


def check(name, passed, detail=""):
    passed = bool(passed)
    results.append(passed)
    print(f"{'ok' if passed else 'not ok'} {len(results)} - {name}",
          flush=True)
    if not passed and detail:
        for line in str(detail).splitlines()[:20]:
            print(f"#   {line}")


def sources(folder):
    return sorted(os.path.join(folder, name) for name in os.listdir(folder)
                  if name.endswith(".c"))


def build(out):
    """Compiles both programs; returns their paths."""
    tools = os.path.join(APPS, "tools")
    root = os.path.dirname(APPS)
    subprocess.run([f"{root}/scripts/gen_abi.py", "header",
                    f"{root}/kernel/abi/abi.toml", f"{out}/gen.h"], check=True)
    os.makedirs(f"{out}/abi")
    os.rename(f"{out}/gen.h", f"{out}/abi/gen.h")
    shared = [os.path.join(tools, f"{name}.c") for name in SHARED]
    plans = {
        "tools": sources(tools) + sources(os.path.join(tools, "host")) +
        sources(os.path.join(root, "libos", "sched")) +
        [os.path.join(root, "libos", "posix", "threads_fit.c")],
        "shell": sources(HERE) + sources(os.path.join(HERE, "host")) +
        shared + ["-Wl,--wrap=tcsetpgrp"],
        "crash": [os.path.join(APPS, "crash", "host", "thread.c"),
                  os.path.join(APPS, "crash", "main.c")],
        "hello": [os.path.join(APPS, "hello", "main.c")],
    }
    paths = {}
    jobs = []
    for name, files in plans.items():
        paths[name] = os.path.join(out, name)
        flags = FLAGS
        if name == "crash":  # it is to die of the fault, not of a report
            flags = [f for f in FLAGS if "sanitize" not in f]
        jobs.append((name, subprocess.Popen(
            ["gcc", *flags, f"-I{tools}/host", f"-I{APPS}/crash/host",
             f"-I{out}", f"-I{root}/kernel/abi/include",
             f"-I{root}/libos/include", "-o", paths[name], *files])))
    for name, job in jobs:
        if job.wait(timeout=120) != 0:
            sys.exit(f"not ok - building {name}")
    return paths


class Terminal:
    """A shell on a pty; `seen` is all that it printed."""

    def __init__(self, shell, environment, cwd):
        self.seen = ""
        self.mark = 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execve(shell, ["shell"], environment)
        self.status = None

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # Linux: the other side has closed the terminal
            return False
        self.seen += data.decode("utf-8", "replace")
        return bool(data)

    def expect(self, pattern, seconds=LIMIT_S):
        """Waits for the regex after the last match; the text, or None."""
        end = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.seen[self.mark:])
            if found:
                text = self.seen[self.mark:self.mark + found.end()]
                self.mark += found.end()
                return text
            left = end - time.monotonic()
            if left <= 0 or (not self.read(left) and left > 1
                             and self.ended()):
                return None

    def send(self, text):
        data = text.encode() if isinstance(text, str) else text
        while data:
            _, ready, _ = select.select([], [self.fd], [], 0.01)
            if ready:
                data = data[os.write(self.fd, data[:1024]):]
            self.read(0)

    def run(self, line):
        """Types a line and returns what it printed, up to the prompt."""
        self.send(line + "\r")
        text = self.expect(r"\r\n(?:[^\r\n]*\r?\n)*?[^\r\n]*\$ $")
        return text

    def ended(self):
        if self.status is None:
            pid, word = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(word)
        return self.status is not None

    def wait(self):
        end = time.monotonic() + LIMIT_S
        while not self.ended() and time.monotonic() < end:
            self.read(0.05)
        return self.status

    def close(self):
        if "Sanitizer" in self.seen or "runtime error" in self.seen:
            check("no sanitizer report", False, self.seen[-2000:])
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


class Bench:
    """The built programs and a working directory."""

    def __init__(self, folder):
        self.paths = build(folder)
        self.home = os.path.join(folder, "home")
        os.mkdir(self.home)
        self.environment = {
            "TOOLS": self.paths["tools"],
            "SHELL": self.paths["shell"],
            "PATH": folder,
            "ASAN_OPTIONS": "detect_leaks=0",
        }

    def shell(self, *arguments, **options):
        options.setdefault("cwd", self.home)
        try:
            done = subprocess.run(
                [self.paths["shell"], *arguments], env=self.environment,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                timeout=LIMIT_S, **options)
        except subprocess.TimeoutExpired as late:
            return None, (late.stdout or b"").decode() + "\n<timeout>"
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def case(self, commands, expected, status=0, name=None):
        got, output = self.shell("-c", commands)
        check(name or commands[:60].replace("\n", "; "),
              got == status and output == expected,
              f"status {got}, wanted {status}\n{output!r}\n{expected!r}")

    def match(self, commands, pattern, status=0, name=None):
        got, output = self.shell("-c", commands)
        check(name or commands[:60].replace("\n", "; "),
              got == status and re.fullmatch(pattern, output, re.S),
              f"status {got}, wanted {status}\n{output!r}\n{pattern!r}")

    def terminal(self):
        terminal = Terminal(self.paths["shell"], self.environment, self.home)
        if terminal.expect(r"\$ $") is None:
            check("the prompt appears", False, repr(terminal.seen))
        return terminal
