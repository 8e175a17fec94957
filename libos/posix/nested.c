/* SPDX-License-Identifier: BSL-1.0
 *
 * Starting a program whose scheduler is this one (vesper/nested.h).
 */
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vesper/nested.h>

int nested_spawn(pid_t *child, const char *path,
                 const posix_spawn_file_actions_t *actions, char *const argv[],
                 const struct scheduler_params *params)
{
    posix_spawnattr_t attributes;
    enum scheduler_refusal why;
    int error = posix_spawnattr_init(&attributes);

    if (error == 0) {
        error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_NESTED_NP);
    }
    if (error == 0) {
        error = posix_spawn(child, path, actions, &attributes, argv, environ);
    }
    if (error != 0) {
        return error;
    }
    error = nested_set(*child, params, &why);
    if (error != 0) {
        (void)kill(*child, SIGKILL);
        (void)waitpid(*child, NULL, 0);
    }
    return error;
}
