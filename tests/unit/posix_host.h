/* SPDX-License-Identifier: BSL-1.0 */
/*
 * posix_host.h - lets libos/posix run on the build machine beside its own libc.
 *
 * Included before everything else in every file of such a test (-include): the
 * functions of libos get another name, and the machine's headers declare them
 * under it. Types are the machine's, but for spawn's, which libos needs opaque.
 */
#pragma once

#define _GNU_SOURCE
#include <spawn.h>

struct __posix_spawn_file_actions;
typedef struct __posix_spawn_file_actions *host_spawn_actions;
#define posix_spawn_file_actions_t        host_spawn_actions
#define posix_spawn_file_actions_init     host_spawn_actions_init
#define posix_spawn_file_actions_destroy  host_spawn_actions_destroy
#define posix_spawn_file_actions_addopen  host_spawn_actions_addopen
#define posix_spawn_file_actions_addclose host_spawn_actions_addclose
#define posix_spawn_file_actions_adddup2  host_spawn_actions_adddup2
#define posix_spawn                       host_posix_spawn
#define posix_spawnp                      host_posix_spawnp

int posix_spawn_file_actions_init(posix_spawn_file_actions_t *actions);
int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions);
int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *actions,
                                     int fd, const char *path, int flags,
                                     mode_t mode);
int posix_spawn_file_actions_addclose(posix_spawn_file_actions_t *actions,
                                      int fd);
int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions,
                                     int source, int fd);
int posix_spawn(pid_t *pid, const char *path,
                const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const argv[],
                char *const envp[]);
int posix_spawnp(pid_t *pid, const char *file,
                 const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[],
                 char *const envp[]);

#define posix_directory __dirstream /* what the machine's DIR is */
#define access          host_access
#define chdir           host_chdir
#define close           host_close
#define closedir        host_closedir
#define creat           host_creat
#define dirfd           host_dirfd
#define dup             host_dup
#define dup2            host_dup2
#define dup3            host_dup3
#define fcntl           host_fcntl
#define fdatasync       host_fdatasync
#define fdopendir       host_fdopendir
#define fstat           host_fstat
#define fstatvfs        host_fstatvfs
#define fsync           host_fsync
#define ftruncate       host_ftruncate
#define getcwd          host_getcwd
#define lseek           host_lseek
#define lstat           host_lstat
#define mkdir           host_mkdir
#define open            host_open
#define opendir         host_opendir
#define pipe            host_pipe
#define pipe2           host_pipe2
#define pread           host_pread
#define pwrite          host_pwrite
#define read            host_read
#define readdir         host_readdir
#define realpath        host_realpath
#define remove          host_remove
#define rename          host_rename
#define rewinddir       host_rewinddir
#define rmdir           host_rmdir
#define stat            host_stat
#define statvfs         host_statvfs
#define sync            host_sync
#define truncate        host_truncate
#define unlink          host_unlink
#define write           host_write

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
