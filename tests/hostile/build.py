# SPDX-License-Identifier: BSL-1.0
"""Images of tests on the bare board: the kernel as meson compiled it, or with a
bug planted in a copy of one of its sources, with the checker linked in between;
and a program in the root server's place."""

import copy
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PREFIX = "aarch64-linux-gnu-"
PICOLIBC = "/usr/lib/picolibc/aarch64-linux-gnu/include/release"
VECTORS = "arch/vectors.S"
CHECKED = ("syscalls", "op_run", "op_block", "trap_sync", "trap_next")

# What an argument of abi.toml is, by what is said of it; the first that fits
KINDS = [("SLOT", r"slot"), ("EMPTY", r"(first )?empty slot|.*capability goes"),
         ("TYPE", r"TYPE_x"), ("SIZE", r"bytes$"), ("MASK", r"mask"),
         ("RIGHTS", r"READ"), ("VA", r"address "), ("CODE", r"user address"),
         ("STACK", r"user stack"), ("TIME", r"counter value|ticks"),
         ("NUMBER", r"")]


def run(command, **options):
    return subprocess.run(command, check=True, **options)


def argument(text, types):
    """{kind, low}: of a number the least, of a capability another type."""
    text = text.split(": ", 1)[1]
    words = [types.index(w) for w in re.findall(r"[A-Z_]+", text)
             if w in types]
    if re.match("|".join(types) + r"\b", text):
        return f"{{{words[0]}, {words[1] if len(words) > 1 else 0}}}"
    kind = next(name for name, what in KINDS if re.match(what, text))
    number = re.match(r"\d+", text)
    return f"{{ARG_{kind}, {number[0] if number else 0}}}"


def arguments_header(abi):
    """What each system call takes, for hostile.c: new calls come by
    themselves."""
    types = [name for name, _ in abi["type"][0]["names"]]
    kinds = "".join(f"    ARG_{name} = {16 + i},\n"
                    for i, (name, _) in enumerate(KINDS))
    rows = []
    for call in abi["syscall"]:
        about = [t for t in types if call["name"].startswith(t.lower() + "_")]
        number = types.index(about[0]) if about else 0
        values = ", ".join(argument(text, types) for text in call["args"])
        rows.append(f"    [{call['nr']}] = {{{number}, {len(call['args'])}, "
                    f"{{{values or '{0, 0}'}}}}},\n")
    return ("enum {\n" + kinds + "};\nstruct argument {\n    uint8_t kind, low;"
            "\n};\nstatic const struct call {\n    uint8_t type, count;\n"
            "    struct argument argument[8];\n} calls[] = {\n"
            + "".join(rows) + "};\n")


class Kernel:
    """Compiles into a folder of its own."""

    def __init__(self, build, out):
        self.build = os.path.abspath(build)
        self.out = os.path.abspath(out)
        os.makedirs(self.out, exist_ok=True)
        self.kernel_dir = os.path.join(self.out, "kernel")
        shutil.rmtree(self.kernel_dir, ignore_errors=True)
        shutil.copytree(os.path.join(ROOT, "kernel"), self.kernel_dir)
        with open(os.path.join(self.build, "compile_commands.json"),
                  encoding="utf-8") as file:
            rows = json.load(file)
        self.sources, self.objects = {}, {}
        for row in rows:
            if row["output"].startswith("kernel/kernel.elf.p/"):
                source = row["file"].replace("../kernel", self.kernel_dir, 1)
                self.sources[source] = self.flags(shlex.split(row["command"]))
                self.objects[source] = self.checked(
                    source, os.path.join(self.build, row["output"]))
        self.linker = next(iter(self.sources.values()))
        self.plain = self.linker + ["-fno-lto"]
        self.objects |= self.compile_checker()
        self.kernel_elf = self.link_kernel("kernel.elf")

    def planted(self, file, before, after):
        """The same with another text in one source file of the kernel."""
        path = os.path.join(self.kernel_dir, file)
        with open(path, encoding="utf-8") as source:
            text = source.read()
        if text.count(before) != 1:
            raise ValueError(f"{file}: not once: {before}")
        bad = "-planted".join(os.path.splitext(path))
        with open(bad, "w", encoding="utf-8") as source:
            source.write(text.replace(before, after))
        other = copy.copy(self)
        other.objects = self.objects | {
            path: self.checked(path, self.compile(self.sources[path], bad))}
        other.kernel_elf = other.link_kernel("planted.elf")
        return other

    def flags(self, command):
        """The compiler's command without names of files, on our copy."""
        drop = {"-o", "-c", "-MQ", "-MF"}
        kept = [word for i, word in enumerate(command)
                if word not in drop and command[i - 1] not in drop
                and word != "-MD"]
        return [re.sub(r"^-I\.\./kernel", "-I" + self.kernel_dir, word)
                for word in kept]

    def compile(self, flags, source):
        name = re.sub(r"\W", "_", os.path.relpath(source, ROOT)) + ".o"
        target = os.path.join(self.out, name)
        run([*flags, "-c", source, "-o", target], cwd=self.build)
        return target

    def compile_checker(self):
        flags = self.plain + [
            "-DCHECK_CELLS=(1u<<19)", "-idirafter", PICOLIBC,
            "-I" + ROOT + "/tests/unit", "-I" + self.kernel_dir + "/arch",
            "-Wno-format", "-Wno-frame-larger-than"]
        return {file: self.compile(flags, os.path.join(ROOT, "tests", file))
                for file in ("unit/kernel_check.c", "unit/kernel_check_space.c",
                             "unit/kernel_check_sched.c", "hostile/kcheck.c")}

    def checked(self, source, compiled):
        """The object file; the vectors' with the checker in the place of what
        they call."""
        if not source.endswith(VECTORS):
            return compiled
        target = os.path.join(self.out, "checked-" + os.path.basename(compiled))
        run([PREFIX + "objcopy", compiled, target,
             *(f"--redefine-sym={name}=checked_{name}" for name in CHECKED)])
        return target

    def link_kernel(self, name):
        elf = os.path.join(self.out, name)
        run([*self.linker, "-o", elf, *self.objects.values(),
             "-nostdlib", "-static", "-no-pie",
             "-Wl,--build-id=none,--gc-sections", "-Wl,--no-warn-rwx-segments",
             "-T", self.kernel_dir + "/kernel.ld", "-lgcc"])
        return elf

    def link_image(self, name, root_elf, archive):
        """A kernel8.img with these bytes as its boot archive."""
        path = os.path.join(self.out, name)
        with open(path + ".archive", "wb") as file:
            file.write(archive)
        run([sys.executable, os.path.join(ROOT, "scripts/mkimage.py"),
             path + ".img", self.kernel_elf, root_elf, path + ".archive"])
        return path + ".img"


class Images(Kernel):
    """Of the hostile domain."""

    def __init__(self, build, out):
        super().__init__(build, out)
        self.root_elf = self.link_root()

    def link_root(self):
        with open(os.path.join(ROOT, "kernel/abi/abi.toml"), "rb") as file:
            header = arguments_header(tomllib.load(file))
        with open(os.path.join(self.out, "arguments.h"), "w",
                  encoding="utf-8") as file:
            file.write(header)
        flags = self.plain + ["-I" + self.out, "-I" + HERE, "-fno-builtin",
                         "-Wno-missing-prototypes"]
        objects = [self.compile(flags, os.path.join(HERE, name))
                   for name in ("entry.S", "root.c", "hostile.c",
                                "neighbour.c")]
        objects.append(self.compile(self.plain,
                                    self.kernel_dir + "/arch/string.c"))
        elf = os.path.join(self.out, "root.elf")
        run([PREFIX + "gcc", "-o", elf, *objects, "-nostdlib", "-static",
             "-no-pie", "-Wl,--build-id=none,--gc-sections", "-T",
             ROOT + "/rootserver/root.ld"])
        return elf

    def image(self, seed, calls):
        """A kernel8.img for one run."""
        return self.link_image(f"{seed}.{calls}", self.root_elf,
                               seed.to_bytes(8, "little")
                               + calls.to_bytes(8, "little"))
