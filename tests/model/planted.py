#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Does the comparison with the model find bugs? Each row below is planted in
a copy of the kernel core, which must then fail where the core passes.

  planted.py BUILD_FOLDER [NAME]
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
FLAGS = ["-std=gnu11", "-O1", "-DCONFIG_HOST=1", "-DCONFIG_ASSERTS=1",
         "-fno-strict-aliasing", "-w"]
OPERATIONS = "3000000"

# name: file, function, what is there, what comes instead, and for what shows
# itself only once in millions of operations the seed to begin with
BUGS = {
    "fence not set": ("cap.c", "cap_unlink",
                      "n->attr |= ATTR_FENCE", "(void)0"),
    "fence not handed on": ("cap.c", "cap_unlink",
                            "(depth_of(s) == 1 || (s->attr & ATTR_FENCE))",
                            "depth_of(s) == 1"),
    "rights not masked": ("cap.c", "cap_derive",
                          "rights &= s->rights;", ";"),
    "sibling behind its source": ("cap.c", "cap_derive",
                                  "insert_before(src, dst)",
                                  "cap_insert(src, dst)"),
    "badge given twice": ("cap.c", "may_derive",
                          "badge == 0 || s->word == 0", "true"),
    "rank may be equal": ("cap.c", "may_derive", ">= rank", "> rank"),
    "event keeps no class": ("cap.c", "class_of",
                             "type == TYPE_EVENT ? TYPE_DISPATCHER : type",
                             "type"),
    "TLB: page, unmap": ("frame.c", "frame_set",
                         "arch_tlb_page(va)", "(void)0"),
    "TLB: domain, detach": ("space.c", "clear_entry",
                            "arch_tlb_domain(domain_asid(ref))", "(void)0"),
    "TLB: domain, attach": ("space.c", "set_entry",
                            "arch_tlb_domain(domain_asid(ref))", "(void)0"),
    "TLB: domain that ends": ("object.c", "destroy_domain",
                              "arch_tlb_domain(domain_asid(z->obj))",
                              "(void)0"),
    "TLB: pages of a dispatcher": ("frame.c", "frame_unmap_pages",
                                   "arch_tlb_page(va + i * PAGE_BYTES)",
                                   "(void)0"),
    "frame stays mapped": ("cap.c", "delete_leaf",
                           "frame_unmap(s)", "(void)0"),
    "copy of a frame is mapped": ("frame.c", "check_frame",
                                  "(f->attr & ATTR_DEPTH) != 0", "false"),
    "mapping of an earlier stretch": (
        "frame.c", "frame_ptes",
        "(*pte & PTE_ADDRESS) == ref_address(s->obj) && ", "", "8"),
    "attach ignores rights": ("space.c", "op_stretch_attach",
                              "RIGHT_ATTACH | (uint32_t)x[2]", "RIGHT_ATTACH"),
    "memory not zeroed anew": ("untyped.c", "find_room",
                               "r->watermark = r->cleaned = 0",
                               "r->watermark = 0"),
    "watermark not raised": ("untyped.c", "make_one",
                             "r->watermark = r->at", "(void)0"),
    "room counted for one": ("untyped.c", "find_room",
                             "size * r->count", "size"),
    "huge frame is copied": ("cap.c", "may_derive", "is_huge_frame(s)",
                             "false"),
    "huge frame goes before its stretch": ("cap.c", "delete_leaf",
                                           "is_huge_frame(s) && ",
                                           "false && "),
    "huge frame has two stretches": ("space.c", "check_source",
                                     "e == ERR_OK && has_stretch",
                                     "has_stretch && false"),
    "block is taken for a table": ("frame.c", "is_free",
                                   "entry & ENTRY_BLOCK", "false"),
    "block can be written": ("space.c", "attachment",
                             "pte_of(address, rights,",
                             "pte_of(address, rights | RIGHT_WRITE,"),
    "stretch of a frame has all rights": ("space.c", "make_of_frame",
                                          "(uint8_t)(rights | RIGHT_ATTACH)",
                                          "RIGHTS_ALL"),
    "remap leaves the old place": ("frame.c", "change_frame",
                                   "r->stretch != NULL || r->rights == 0",
                                   "r->rights == 0"),
    "remap is in its own way": ("frame.c", "check_place", "here || ", ""),
    "row of frames is cut short": ("frame.c", "change_frames",
                                   "arch_interrupt_pending()",
                                   "done == 2"),
    "neighbours change places": ("cap.c", "settle",
                                 "s->prev = s->prev == at ? from : s->prev;",
                                 "(void)from;"),
    "sweep stops early": ("space.c", "space_destroy_stretch",
                          "d->visited == kernel.epoch", "i == 3"),
}


def run(command, **options):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True,
                          check=False, **options)


class Bench:
    """Objects of everything but the mutated file, compiled once."""

    def __init__(self, build, folder):
        self.folder = folder
        self.flags = [*FLAGS, "-Itests/unit", "-Ikernel/core",
                      "-Ikernel/abi/include", f"-I{build}/kernel/abi"]
        self.objects = {}
        for place, pattern in (("tests/model", r".*\.c$"),
                               ("tests/unit", r"kernel_(abi|check.*)\.c$"),
                               ("kernel/core", r".*\.c$")):
            for name in sorted(os.listdir(os.path.join(ROOT, place))):
                if re.match(pattern, name):
                    path = f"{place}/{name}"
                    self.objects[path] = self.compile(path)

    def compile(self, path):
        target = os.path.join(self.folder, path.replace("/", "_") + ".o")
        done = run(["gcc", *self.flags, "-c", path, "-o", target])
        if done.returncode != 0:
            raise SystemExit("not ok - compiles\n# " + done.stderr)
        return target

    def differs(self, objects, seed="7"):
        """What the comparison says with these objects, or None."""
        program = os.path.join(self.folder, "program")
        done = run(["gcc", *objects.values(), "-o", program])
        if done.returncode != 0:
            raise SystemExit("not ok - links\n# " + done.stderr)
        done = run([program, OPERATIONS, seed, "2048"], timeout=250)
        found = re.search(r"^not ok 1 - (.*)$", done.stdout, re.M)
        return found.group(1) if found else None

    def try_bug(self, file, function, old, new, seed="7"):
        path = f"kernel/core/{file}"
        with open(os.path.join(ROOT, path), encoding="utf-8") as source:
            text = source.read()
        start = re.search(rf"^[a-z][^\n;]*\b{function}\([^;]*?\)\n{{",
                          text, re.M)
        end = text.index("\n}\n", start.end())
        body = text[start.end():end]
        if body.count(old) != 1:
            return "there is not one place for it"
        text = text[:start.end()] + body.replace(old, new) + text[end:]
        mutant = os.path.join(self.folder, file)
        with open(mutant, "w", encoding="utf-8") as target:
            target.write(text)
        objects = dict(self.objects)
        objects[path] = self.compile(mutant)
        found = self.differs(objects, seed)
        print(f"# {found}")
        return None if found else "not found"


def main():
    folder = tempfile.mkdtemp(prefix="planted-")
    try:
        bench = Bench(os.path.abspath(sys.argv[1]), folder)
        only = sys.argv[2] if len(sys.argv) > 2 else ""
        wrong = bench.differs(bench.objects)
        print("not ok - the core as it is: " + wrong if wrong
              else "ok - the core as it is: no difference")
        bad = bool(wrong)
        for name, bug in BUGS.items():
            if only in name:
                why = bench.try_bug(*bug)
                print(f"not ok - {name}: {why}" if why else f"ok - {name}",
                      flush=True)
                bad = bad or bool(why)
        return 1 if bad else 0
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
