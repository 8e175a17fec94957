# SPDX-License-Identifier: BSL-1.0
"""Files that are no programs: each an error with the cause, and the shell
goes on. And files of our own making, written and read back."""

import hashlib
import struct

ENOEXEC_STATUS = (126, 127)


def check_refused(guest, path):
    output, status = guest.run(path)
    if status not in ENOEXEC_STATUS or not output.strip():
        raise AssertionError(f"`{path}` gave status {status}: {output!r}")
    guest.check("echo still here", "still here")


def patch(data, offset, value):
    return data[:offset] + value + data[offset + len(value):]


def test_broken_programs(bench):
    """text, truncated, x86, 32-bit, huge, W+X: refused, shell goes on"""
    card = bench.card()
    good = card.read("/bin/hello")
    phoff = struct.unpack_from("<Q", good, 32)[0]
    bad = {
        "text": b"just some words\n",
        "empty": b"",
        "short": good[:40],
        "cut": good[:len(good) // 3],
        "x86": patch(good, 18, struct.pack("<H", 62)),
        "narrow": patch(good, 4, b"\x01"),
        "bigend": patch(good, 5, b"\x02"),
        "huge": patch(good, phoff + 40, struct.pack("<Q", 3 << 30)),
        "rwx": patch(good, phoff + 4, struct.pack("<I", 7)),
        "entry": patch(good, 24, struct.pack("<Q", 0x7000_0000)),
    }
    for name, data in bad.items():
        card.write(f"/bin/{name}", data)
    guest = bench.boot(card)
    for name in bad:
        check_refused(guest, f"/bin/{name}")
    guest.check("hello", "ello")
    guest.poweroff()


def test_big_copy(bench):
    """8 MiB copied by the guest come out identical; fsck is clean"""
    card = bench.card()
    data = b"".join(hashlib.sha256(struct.pack("<I", i)).digest()
                    for i in range(8 << 15))
    card.write("/big.bin", data)
    guest = bench.boot(card)
    guest.check("cp /big.bin /copy.bin", timeout=240)
    guest.check("cat /big.bin | cat > /piped.bin", timeout=240)
    guest.poweroff()
    card.fsck()
    for name in ("/copy.bin", "/piped.bin"):
        if card.read(name) != data:
            raise AssertionError(f"{name} differs from its source")


def test_many_files(bench):
    """a folder of many long names made, listed, renamed, removed"""
    card = bench.card()
    guest = bench.boot(card)
    guest.check("mkdir -p /a/b/c")
    for number in range(40):
        guest.raw_run(f"echo {number} > '/a/b/c/file number {number}.text'")
    guest.check("ls /a/b/c | wc -l", "40")
    guest.check("mv /a/b/c /a/d")
    guest.check("cat '/a/d/file number 39.text'", "39")
    guest.check("rm -r /a/b")
    guest.check("rm /a/d", status=1)
    guest.poweroff()
    card.fsck()
    names = [name for name in card.names() if name.startswith("/a/d/file")]
    if len(names) != 40:
        raise AssertionError(f"mtools sees {len(names)} of 40 files")


def test_lua(bench):
    """the Lua REPL and the scripts on the card"""
    guest = bench.boot()
    start = guest.wait_prompt()
    guest.type("lua")
    guest.expect(r"Lua 5\.4", timeout=60)
    guest.expect(r"> ")
    guest.type("print(6 * 7, #('x'):rep(10))")
    guest.expect(r"\n42\s+10")
    guest.type("nonsense(")
    guest.expect(r">> ")
    guest.type("1)")
    guest.expect(r"attempt to call a nil value")
    guest.expect(r"\n> ")
    guest.send("\x04")
    guest.wait_prompt(after=start)
    guest.check("lua -e 'print(string.format(\"%.3f\", math.pi))'", "3.142")
    guest.check("lua -e 'error(\"boom\")'", "boom", status=1)
    guest.check("lua /no.lua", "cannot open", status=1)
    for script in guest.check("ls /samples/lua").split():
        output, status = guest.run(
            f"lua /samples/lua/{script} < /samples/readme.txt", timeout=60)
        if status != 0 or not output:
            raise AssertionError(f"{script}: status {status}: {output}")
    guest.poweroff()


def test_example_apps(bench):
    """`tour` runs every example of docs/writing-apps.md"""
    guest = bench.boot()
    output, status = guest.run("tour", timeout=120)
    if status != 0 or "not ok" in output or "ok" not in output:
        raise AssertionError(f"tour: status {status}\n{output}")
    guest.poweroff()
