#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Copy kernel, settings and apps to a mounted boot volume of a real card.

  VOLUME=/media/me/boot ninja -C build device       or
  device.py build/sdcard.list [VOLUME]

Without VOLUME it looks for one mounted volume below /media, /run/media or
/mnt that holds the firmware's start.elf. The firmware itself (bootcode.bin,
start.elf, fixup.dat) is not ours to ship: prepare the card with any
Raspberry Pi system first. Existing files of other names stay.
"""

import glob
import os
import shutil
import sys


def find_volume(argument):
    given = argument or os.environ.get("VOLUME")
    if given:
        if not os.path.isdir(given):
            sys.exit(f"device: error: {given}: no such folder")
        return given
    user = os.environ.get("USER", "*")
    found = sorted({os.path.dirname(path)
                    for top in (f"/media/{user}/*", f"/run/media/{user}/*",
                                "/media/*", "/mnt", "/mnt/*")
                    for path in glob.glob(top + "/start.elf")})
    if len(found) != 1:
        what = "several: " + " ".join(found) if found else "none"
        sys.exit("device: error: looked for one mounted boot volume, found "
                 f"{what}; name it: VOLUME=/path ninja -C build device")
    return found[0]


def copy(source, target):
    if os.path.isdir(source):
        shutil.copytree(source, target, dirs_exist_ok=True,
                        copy_function=shutil.copyfile)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(source, target)


def main():
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    volume = find_volume(sys.argv[2] if len(sys.argv) == 3 else None)
    if not os.path.exists(os.path.join(volume, "start.elf")):
        print(f"device: warning: {volume} has no start.elf: a Pi will not "
              "boot from it before the firmware files are there")
    with open(sys.argv[1], encoding="utf-8") as lines:
        pairs = [line.strip().split("=", 1) for line in lines if "=" in line]
    try:
        for name, source in pairs:
            copy(source, os.path.join(volume, name))
            print(f"device: {name}")
    except OSError as error:
        sys.exit(f"device: error: {error}")
    os.sync()
    print(f"device: {len(pairs)} items copied to {volume}; unmount it now")


if __name__ == "__main__":
    main()
