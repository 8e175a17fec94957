#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Build the upcall bench and run it on QEMU: libos, bare metal, with upcalls
injected while it is single-stepped, and then by interrupts at full speed.

usage: run.py [--steps N] [--interrupts N] [--seed N] [--qemu PATH]
              [--keep FOLDER]

Prints the guest's ok/not ok lines. Status 0: all ok, and the guest came to its
end within the time limit. QEMU counts instructions as time, so a seed gives the
same run everywhere.
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PREFIX = 'aarch64-linux-gnu-'
PICOLIBC = '/usr/lib/picolibc/aarch64-linux-gnu'
FLAGS = ('-std=gnu11 -O2 -g -mcpu=cortex-a53 -mno-outline-atomics -fno-pie '
         '-fno-stack-protector -fno-asynchronous-unwind-tables '
         '-ftls-model=local-exec -fno-omit-frame-pointer -fno-common '
         '-ffunction-sections -fdata-sections -fno-strict-aliasing '
         '-U__linux__ -Ulinux -U__gnu_linux__ -U__unix__ -Uunix -nostdinc '
         '-Wall -Wextra -Wshadow -Werror').split()

LIMIT_S = 600

# Of POSIX threads, what does not stand on posix/
THREAD = ('barrier', 'cancel', 'cond', 'deadline', 'key', 'mutex', 'once',
          'rwlock', 'semaphore')


def run(command, **options):
    return subprocess.run(command, check=True, **options)


def compile_all(out, steps, interrupts, seed):
    gen = os.path.join(out, 'abi')
    os.makedirs(gen, exist_ok=True)
    abi = os.path.join(ROOT, 'kernel/abi/abi.toml')
    for kind, name in (('header', 'gen.h'), ('calls', 'calls.h')):
        run([sys.executable, os.path.join(ROOT, 'scripts/gen_abi.py'), kind,
             abi, os.path.join(gen, name)])
    gcc = run([PREFIX + 'gcc', '-print-file-name=include'],
              capture_output=True, text=True).stdout.strip()
    flags = FLAGS + [
        '-isystem', ROOT + '/libos/include/posix',
        '-isystem', PICOLIBC + '/include/release', '-idirafter', gcc,
        '-I', ROOT + '/libos/include', '-I', ROOT + '/kernel/abi/include',
        '-I', out, '-DBENCH_STEPS=%dull' % steps,
        '-DBENCH_INTERRUPTS=%dull' % interrupts,
        '-DBENCH_SEED=%dull' % seed]
    objects = []
    sources = sorted(glob.glob(ROOT + '/libos/core/*.[cS]')
                     + glob.glob(ROOT + '/libos/sched/*.c'))
    sources += [ROOT + '/libos/thread/%s.c' % name for name in THREAD]
    sources.remove(ROOT + '/libos/core/nested.c')  # idles in its own way
    for source in sources + [HERE + '/boot.S', HERE + '/workers.S',
                             HERE + '/bench.c', HERE + '/program.c']:
        plain = os.path.basename(source) != 'program.c'
        target = os.path.join(out, os.path.basename(source) + '.o')
        general = ['-mgeneral-regs-only'] if plain else []
        run([PREFIX + 'gcc', *flags, *general,
             '-c', source, '-o', target])
        objects.append(target)
    image = os.path.join(out, 'bench.elf')
    run([PREFIX + 'gcc', '-nostdlib', '-static', '-no-pie',
         '-Wl,--build-id=none,--no-warn-rwx-segments', '-T',
         HERE + '/bench.ld', '-o', image, *objects,
         '-L' + PICOLIBC + '/lib/release', '-Wl,--start-group', '-lc', '-lgcc',
         '-Wl,--end-group'])
    # A raw image starts at EL2, as firmware would; an ELF file at EL3.
    run([PREFIX + 'objcopy', '-O', 'binary', image, image[:-4] + '.img'])
    return image[:-4] + '.img'


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--steps', type=int, default=10000000)
    parser.add_argument('--interrupts', type=int, default=300000)
    parser.add_argument('--seed', type=int, default=88172645463325252,
                        help='of the instructions where upcalls come')
    parser.add_argument('--qemu', default=os.environ.get(
        'QEMU', 'qemu-system-aarch64'))
    parser.add_argument('--keep', help='build here and leave it')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = args.keep or scratch
        os.makedirs(out, exist_ok=True)
        image = compile_all(out, args.steps, args.interrupts, args.seed)
        try:
            guest = subprocess.run(
                [args.qemu, '-M', 'raspi3b', '-display', 'none', '-serial',
                 'stdio', '-monitor', 'none', '-semihosting',
                 '-icount', 'shift=0,sleep=off', '-kernel', image],
                stdin=subprocess.DEVNULL, capture_output=True, text=True,
                errors='replace', timeout=LIMIT_S)
        except subprocess.TimeoutExpired as late:
            print((late.stdout or b'').decode(errors='replace'), end='')
            print(f'not ok - the bench ends within {LIMIT_S} s')
            return 1
    print(guest.stdout + '# seed %d' % args.seed)
    bad = ('not ok' in guest.stdout or guest.returncode != 0
           or guest.stdout.count('ok - ') < 10)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
