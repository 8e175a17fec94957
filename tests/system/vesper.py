# SPDX-License-Identifier: BSL-1.0
"""A running Vesper as a test sees it: QEMU, its SD card and its terminal.

Guest boots a kernel in QEMU with the serial line on a pipe, keeps what the
guest prints on a Terminal (a small model of a screen, so that a line editor's
redrawing does not matter), and types like a user. Every wait has a time
limit, stretched by VESPER_PATIENCE (default 1.0) on slow machines.
"""

import os
import re
import select
import shutil
import subprocess
import threading
import time

PATIENCE = float(os.environ.get("VESPER_PATIENCE", "1"))
PROMPT = re.compile(r"(/\S*)\$ $")
BOOT_S = 60
COMMAND_S = 30
SCREEN_LINES_MAX = 100_000


class Timeout(AssertionError):
    """The guest did not print what the test waited for."""


class Terminal:
    """Lines as a user sees them after \\r, backspace and cursor escapes."""

    ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_]|\[[0-9;?]*$|$)")

    def __init__(self):
        self.lines = [""]
        self.column = 0
        self.rest = ""

    def feed(self, text):
        text = self.rest + text
        self.rest = ""
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                at += self._plain(text, at)
                continue
            match = self.ESCAPE.match(text, at)
            if match and match.end() == len(text) and not \
                    re.search(r"[@-~]$", match.group()[2:]):
                self.rest = text[at:]       # cut in the middle: wait for more
                return
            if match:
                self._escape(match.group())
                at = match.end()
            else:
                at += 1

    def _plain(self, text, at):
        """Handle one control character or a run of printable ones."""
        char = text[at]
        if char == "\n":
            self.lines.append("")
            self.column = 0
        elif char == "\r":
            self.column = 0
        elif char == "\b":
            self.column = max(0, self.column - 1)
        elif char >= " " and char != "\x7f" or char == "\t":
            end = at
            while end < len(text) and (text[end] >= " " or text[end] == "\t") \
                    and text[end] != "\x7f":
                end += 1
            self._put(text[at:end])
            return end - at
        return 1

    def _put(self, run):
        line = self.lines[-1].ljust(self.column)
        self.lines[-1] = (line[:self.column] + run
                          + line[self.column + len(run):])
        self.column += len(run)

    def _escape(self, sequence):
        final = sequence[-1]
        digits = re.sub(r"\D.*", "", sequence[2:-1])
        count = int(digits) if digits else 1
        line = self.lines[-1]
        if final == "C":
            self.column += count
        elif final == "D":
            self.column = max(0, self.column - count)
        elif final == "G":
            self.column = count - 1
        elif final == "K" and (not digits or digits == "0"):
            self.lines[-1] = line[:self.column]
        elif final == "K":
            self.lines[-1] = ""
        elif final in "JH":
            pass                            # `clear`: the text stays for us


def symbol(elf, name):
    """The address of a symbol in a file of the build."""
    out = subprocess.run(["aarch64-linux-gnu-nm", elf], capture_output=True,
                         text=True, check=True).stdout
    for line in out.splitlines():
        if line.endswith(f" {name}"):
            return int(line.split()[0], 16)
    raise KeyError(f"{elf} has no symbol {name}")


class Guest:
    """One QEMU process. Use as a context manager: it always ends."""

    def __init__(self, kernel, card=None, qemu=None, log=None, extra=()):
        """kernel: kernel8.img; card: image file or None; log: transcript."""
        command = [qemu or os.environ.get("QEMU", "qemu-system-aarch64"),
                   "-M", "raspi3b", "-display", "none", "-monitor", "none",
                   "-serial", "stdio", "-kernel", kernel, *extra]
        if card:
            command += ["-drive", f"if=sd,format=raw,file={card}"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, bufsize=0)
        os.set_blocking(self.process.stdin.fileno(), False)
        self.terminal = Terminal()
        self.text = ""                      # all output, escapes and all
        self.seen = 0                       # expect() looks after this
        self.changed = threading.Condition()
        self.log = open(log, "wb") if log else None
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _read(self):
        while chunk := self.process.stdout.read(65536):
            if self.log:
                self.log.write(chunk)
                self.log.flush()
            with self.changed:
                text = chunk.decode("utf-8", "replace")
                self.text += text
                self.terminal.feed(text)
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(5)
        if self.log and not self.log.closed:
            self.log.close()

    def _wait(self, ready, timeout, what):
        """Wait until ready() gives something true; return it."""
        limit = time.monotonic() + timeout * PATIENCE
        with self.changed:
            while not (found := ready()):
                left = limit - time.monotonic()
                if not self.reader.is_alive():
                    raise Timeout(f"QEMU ended while waiting for {what}\n"
                                  + self.tail())
                if left <= 0:
                    raise Timeout(f"not seen in {timeout} s: {what}\n"
                                  + self.tail())
                self.changed.wait(min(left, 0.5))
            return found

    def tail(self, count=25):
        """The last lines on the screen, for error messages."""
        return "\n".join("    | " + line
                         for line in self.terminal.lines[-count:])

    def expect(self, pattern, timeout=COMMAND_S):
        """Wait for a regular expression in new output; return its match."""
        compiled = re.compile(pattern)

        def ready():
            match = compiled.search(self.text, self.seen)
            if match:
                self.seen = match.end()
            return match
        return self._wait(ready, timeout, repr(pattern))

    def wait_prompt(self, after=-1, timeout=COMMAND_S):
        """Wait for a prompt below screen line `after`; its line number."""
        def ready():
            last = len(self.terminal.lines) - 1
            line = self.terminal.lines[last]
            at_end = self.terminal.column == len(line)
            if last > after and at_end and PROMPT.search(line):
                self.seen = len(self.text)
                return (last,)
            return None
        return self._wait(ready, timeout, "a shell prompt")[0]

    def wait_quiet(self, quiet_s=3, timeout=COMMAND_S):
        """Wait until nothing has been printed for quiet_s seconds."""
        limit = time.monotonic() + timeout * PATIENCE
        size = -1
        while size != len(self.text):
            if time.monotonic() > limit:
                raise Timeout(f"still printing after {timeout} s\n"
                              + self.tail(5))
            size = len(self.text)
            time.sleep(quiet_s * PATIENCE)

    def boot(self, timeout=BOOT_S):
        """Wait for the first prompt after power-on; return self."""
        self.wait_prompt(timeout=timeout)
        return self

    def send(self, data, timeout=COMMAND_S):
        """Type raw characters, e.g. "\\x03" for Ctrl-C."""
        if isinstance(data, str):
            data = data.encode()
        view = memoryview(data)
        limit = time.monotonic() + timeout * PATIENCE
        while view:
            left = limit - time.monotonic()
            if left <= 0 or not select.select([], [self.process.stdin], [],
                                              left)[1]:
                raise Timeout(f"{len(view)} of {len(data)} bytes not taken "
                              f"in {timeout} s\n" + self.tail(5))
            view = view[self.process.stdin.write(view) or 0:]

    def type(self, line):
        """Type a line and Enter."""
        self.send(line + "\r")

    def raw_run(self, line, timeout=COMMAND_S):
        """Type a command at the prompt; what it printed, without status."""
        start = self.wait_prompt()
        self.type(line)
        end = self.wait_prompt(after=start, timeout=timeout)
        lines = self.terminal.lines[start + 1:end + 1]
        lines[-1] = PROMPT.sub("", lines[-1])
        return "\n".join(lines).rstrip("\n")

    def run(self, line, timeout=COMMAND_S):
        """Run a command; (its output, its exit status by `echo $?`)."""
        output = self.raw_run(line, timeout)
        status = self.raw_run("echo $?")
        if not re.fullmatch(r"\d+", status):
            raise AssertionError(f"`echo $?` after `{line}` gave {status!r}")
        return output, int(status)

    def check(self, line, contains="", status=0, timeout=COMMAND_S):
        """Run a command and check status and that output contains a text."""
        output, got = self.run(line, timeout)
        if got != status or contains not in output:
            raise AssertionError(
                f"`{line}`: expected status {status} and {contains!r}, got "
                f"status {got} and:\n{output}")
        return output

    def interrupt(self, settle_s=1.5):
        """Give the program time to start, Ctrl-C, and wait for the prompt."""
        time.sleep(settle_s * PATIENCE)
        start = len(self.terminal.lines) - 1
        self.send("\x03")
        self.wait_prompt(after=start)

    def reboot(self):
        """Type `reboot` and wait for the prompt of the new boot."""
        self.wait_prompt()
        before = len(self.terminal.lines) - 1
        self.type("reboot")
        self.expect(r"(?i)vesper", BOOT_S)
        self.wait_prompt(after=before + 1, timeout=BOOT_S)

    def poweroff(self, timeout=COMMAND_S):
        """Type `poweroff`; QEMU must end by itself. Returns its status."""
        self.wait_prompt()
        self.type("poweroff")
        try:
            return self.process.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Timeout("QEMU still runs after poweroff\n"
                          + self.tail()) from None
        finally:
            self.reader.join(5)


class Card:
    """An SD image of a test, looked at from the host."""

    OFFSET = 2048 * 512

    def __init__(self, path):
        self.path = path

    @classmethod
    def copy(cls, source, path):
        # sparse: an image is mostly holes
        subprocess.run(["cp", "--sparse=always", source, path], check=True)
        return cls(path)

    def mtool(self, program, *args):
        env = dict(os.environ, MTOOLSRC="/dev/null", TZ="UTC", LC_ALL="C")
        done = subprocess.run(
            [program, "-i", f"{self.path}@@{self.OFFSET}", *args], env=env,
            stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{program} {args}: "
                                 + done.stderr.decode(errors="replace"))
        return done.stdout

    def read(self, path):
        """The bytes of a file on the card."""
        return self.mtool("mtype", "::" + path)

    def write(self, path, data):
        """Put bytes into a file on the card (its folder exists)."""
        spool = self.path + ".spool"
        with open(spool, "wb") as out:
            out.write(data)
        self.mtool("mcopy", "-o", spool, "::" + path)
        os.unlink(spool)

    def names(self):
        """All paths on the card, folders ending in '/'."""
        listed = self.mtool("mdir", "-/", "-b", "-a", "::/").decode()
        return {line.strip()[2:] for line in listed.splitlines()}

    def fsck(self):
        """fsck.fat must find nothing to complain about."""
        part = self.path + ".part"
        with open(self.path, "rb") as card, open(part, "wb") as out:
            card.seek(self.OFFSET)
            while chunk := card.read(1 << 20):
                if chunk.count(0) == len(chunk):
                    out.seek(len(chunk), os.SEEK_CUR)
                else:
                    out.write(chunk)
            out.truncate()
        tool = shutil.which("fsck.fat") or "/sbin/fsck.fat"
        done = subprocess.run([tool, "-n", part], capture_output=True,
                              text=True, check=False)
        os.unlink(part)
        if done.returncode != 0:
            raise AssertionError("fsck.fat -n:\n" + done.stdout + done.stderr)
