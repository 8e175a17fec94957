#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""kernel/arch/vectors.S against the kernel's core, as a program for AArch64
under qemu-aarch64: fastpath_test.c says what is compared. With --plant each
condition of the fast paths is then taken out of a copy of the vectors, and the
test of just that condition must fail. Prints TAP.

  tests/fastpath/run.py BUILD [--plant]
"""

import glob
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
GCC = "aarch64-linux-gnu-gcc"
RAM = "0x40000000"              # one mov; adrp reaches it
FLAGS = ["-std=gnu11", "-O2", "-w", "-fno-strict-aliasing", "-static",
         "-fno-pie", "-no-pie", "-fno-stack-protector",
         "-DCONFIG_HOST=1", "-DCONFIG_ASSERTS=1", "-DRAM_CELLS=(1u<<17)",
         "-Itests/unit", "-Ikernel/core", "-Ikernel/abi/include"]
CORE = ["tests/fastpath/fastpath_test.c", "tests/unit/kernel_host*.c",
        "tests/unit/kernel_check*.c", "tests/unit/kernel_abi.c",
        "kernel/core/*.c"]
SLOW = ["call_enter_fast", "call_reply_fast", "trap_sync", "trap_irq",
        "trap_error", "trap_event", "trap_next", "trap_load",
        "op_block", "panic_exception"]
# The test of a condition, what is in the vectors, what comes instead
BUGS = [
    ("call: in its bounds", "    b.hs    call_flagged\n",
     "    tst     x16, #0xffffffff00000000\n    b.ne    call_flagged\n"),
    ("call: no other flag", "    cmp     x16, x14 ",
     "    tbnz    x8, #LEND, call_flagged\n    cmp     w16, w14 "),
    ("lend: in its bounds", "    cmp     x16, x14\n    b.lo    1b\n",
     "    tst     x16, #0xffffffff00000000\n    b.ne    call_other\n"
     "    tbnz    x8, #LEND, 1b\n"),
    ("lend: no other flag", "    cmp     x16, x14\n    b.lo    1b\n",
     "    tbz     x8, #LEND, call_other\n"
     "    cmp     w16, w14\n    b.lo    1b\n"),
    ("lend: nobody is told", "    tbnz    x8, #LEND, call_other\n", ""),
    ("lend: what it has", "    cbnz    w0, 5f\n", ""),
    ("lend: back with the answer", "    cbnz    x17, reply_lent\n", ""),
    ("nested: serves the top", "    cmp     w13, w15\n    b.ne    call_other\n",
     "    cbz     w15, call_other\n"),
    ("nested: who serves nobody",
     "    cbz     w15, 2b\n    b       call_other\n", "    b       2b\n"),
    ("nested: nobody is told",
     "    ldr     w30, [sp, #DISPATCHER_CALLER]\n    ccmp    w30, #0, #0, eq",
     "    nop"),
    ("call: an endpoint",
     "    cmp     w13, #ENDPOINT\n    b.ne    call_other\n",
     ""),
    ("call: the right", "    tbz     x15, #SLOT_CALL, call_other\n", ""),
    ("call: bound", "    cbz     w29, call_other\n", ""),
    ("call: blocked", "    cmp     x30, #BLOCKED    ",
     "    tst     x30, #0xffffffffffff0000 "),
    ("call: blocked", "    cmp     x30, #BLOCKED\n    ldr ",
     "    lsr     x30, x30, #32\n    cmp     x30, #0\n    ldr "),
    ("call: serves nobody", "    cmp     x30, #BLOCKED    ",
     "    cmp     w30, #BLOCKED    "),
    ("call: serves nobody", "    cmp     x30, #BLOCKED\n    ldr ",
     "    cmp     w30, #BLOCKED\n    ldr "),
    ("call: accepts", "    cbz     x13, call_other\n", ""),
    ("call: own time", "    cmp     w13, w12 ", "    cmp     w12, w12 "),
    ("call: not for another", "    ccmp    w15, #0, #0, eq\n", ""),
    ("reply: a caller", "    cbz     x16, reply_other\n", ""),
    ("reply: no flags or slot", "    orr     x14, x14, x8 ", "    nop "),
    ("reply: nobody in line", "    cmp     x17, #BLOCKED",
     "    cmp     w17, #BLOCKED"),
    ("reply: not told", "    cmp     x17, #BLOCKED",
     "    lsr     x17, x17, #32\n    cmp     x17, #0"),
    ("reply: nothing pending", "    orr     w14, w14, w17\n",
     "    mov     w14, w17\n"),
    ("reply: nor at the caller", "    orr     w14, w14, w17\n", ""),
    ("fault: pages", "    cbz     x16, user_all\n", ""),
    ("fault: unmasked", "    cbnz    w16, user_all\n    ldr     x17",
     "ldr x17"),
    ("fault: an entry", "    cbz     x17, user_all\n", ""),
    ("fault: a slot", "masked */\n    b.hs    user_all\n", "masked */\n"),
    ("fault: no system call", "    cmp     w16, #CLASS_SVC\n",
     "    cmp     w16, #CLASS_FP\n"),
    ("fault: no system call", "    b.ne    user_all                /*",
     "    /*"),
    ("fp: an owner", "    cbz     w16, fp_load\n", ""),
    ("event: in its bounds", "    b.hs    event_other\n", ""),
    ("event: an event", "    cmp     w16, #EVENT\n    b.ne    event_other\n",
     ""),
    ("event: the right", "    tbz     x15, #SLOT_SIGNAL, event_other\n", ""),
    ("event: who runs", "    b.eq    event_wakes\n", ""),
    ("event: pages", "    cbz     x16, event_other\n", ""),
    ("event: later", "    cbz     w16, event_other  ", "    nop //"),
    ("leave: nothing pending", "    cbnz    w17, user_all\n", ""),
    ("run: nothing pending",
     "user_runs:\n    ldr     w17, [sp, #UPCALL + UPCALL_MASK + 4]\n"
     "    cbnz    w17, user_all           /*", "user_runs:\n    /*"),
    ("resume: a slot", "    cmp     x0, #SLOTS\n    b.hs    user_all\n", ""),
    ("resume: nothing pending", "    cbnz    w16, user_all           /*",
     "    /*"),
]


class Machine:
    """The program, of which the vectors are compiled anew for each bug."""

    def __init__(self, build, name):
        self.folder = os.path.join(os.path.abspath(build), "tests", name)
        self.flags = [*FLAGS, f"-I{os.path.abspath(build)}/kernel/abi"]
        os.makedirs(self.folder, exist_ok=True)
        sources = sorted(path for pattern in CORE
                         for path in glob.glob(os.path.join(ROOT, pattern)))
        self.objects = [self.compile(path) for path in sources]
        self.call("aarch64-linux-gnu-objcopy", "--rename-section",
                  ".bss.ram_host=.machine,alloc",
                  next(o for o in self.objects if "kernel_host_arch" in o))

    def call(self, *command):
        subprocess.run(command, cwd=ROOT, check=True)

    def compile(self, path, *flags):
        target = os.path.join(self.folder, os.path.basename(path) + ".o")
        if "/core/" in path:    # FP registers are the user's
            flags += ("-mgeneral-regs-only",)
        self.call(GCC, *self.flags, *flags, "-fdata-sections", "-c", path,
                  "-o", target)
        return target

    def run(self, vectors, *args):
        """What the test prints with these vectors."""
        with open(os.path.join(self.folder, "vectors.S"), "w",
                  encoding="utf-8") as file:
            file.write(vectors)
        machine = self.compile(os.path.join(HERE, "machine.S"),
                               "-DRAM_WINDOW=" + RAM, "-I" + self.folder,
                               "-Ikernel/arch",
                               "-Dop_run=machine_fails",
                               "-Dsyscalls=machine_syscalls",
                               *(f"-D{name}=machine_slow" for name in SLOW))
        program = os.path.join(self.folder, "fastpath")
        self.call(GCC, *self.flags, *self.objects, machine, "-o", program,
                  "-Wl,--section-start=.machine=" + RAM)
        return subprocess.run(["qemu-aarch64", program, *args], text=True,
                              cwd=ROOT, capture_output=True, check=False,
                              timeout=300).stdout


def main():
    with open(os.path.join(ROOT, "kernel/arch/vectors.S"),
              encoding="utf-8") as file:
        vectors = file.read()
    plant = "--plant" in sys.argv
    if not shutil.which("qemu-aarch64"):
        print("ok - the vectors # SKIP no qemu-aarch64; "
              "scripts/setup --full installs it")
        return 0
    machine = Machine(sys.argv[1], "fastpath-plant" if plant else "fastpath")
    text = machine.run(vectors)
    print(re.sub(r"^1\.\.", "# ", text, flags=re.MULTILINE))
    good = "not ok" not in text and "\n1.." in text
    print(f"{'ok' if good else 'not ok'} - all of it ran")
    tested = set(re.findall(r"^ok \d+ - (\w+: .*)$", text, re.MULTILINE))
    planted = {name for name, _, _ in BUGS}
    if tested != planted:
        good = False
        print(f"# {tested ^ planted}\nnot ok - a bug for each condition")
    for name, was, becomes in BUGS if plant else ():
        found = vectors.count(was) == 1
        text = machine.run(vectors.replace(was, becomes), "conditions") \
            if found else "# this is not there once: " + was
        seen = re.findall(r"^not ok \d+ - (.*)$", text, re.MULTILINE)
        good = good and seen == [name]
        print(f"{'ok' if seen == [name] else 'not ok'} - without its check "
              f"fails: {name}")
        if seen != [name]:
            print("# " + "\n# ".join(text.splitlines()[-5:]))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
