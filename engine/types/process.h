/* process.h - starting a program from a process with threads. The child shares the parent's memory
 * until it is the other program (vfork), so it makes system calls and nothing else, and all that it
 * needs was prepared. */
#ifndef ENGINE_TYPES_PROCESS_H
#define ENGINE_TYPES_PROCESS_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "engine/types/command.h"

struct leat_process {
    const char *const *paths; /* to try one after the other, NULL at the end */
    const char *const *argv;
    const char *const *environment;
    const char *directory; /* NULL: the parent's */
    uint64_t limits[LEAT_COMMAND_LIMITS];
    int input; /* descriptors, each above 2 and closed by exec */
    int output;
    int error;
    bool no_new_privileges;
};

struct leat_process_started {
    pid_t pid; /* of the process, its group and its session */
    int pidfd;
};

/* Starts it, by a thread that lives as long as the child may: when it ends, the child is killed.
 * pre: all signals are blocked in it. 0, or the error of the system that stopped it; *stage is then
 * what failed, a word for a person. */
int leat_process_start(const struct leat_process *spawn, struct leat_process_started *spawned,
                       const char **stage);

#endif
