/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/demo_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGS_MAX = 16, LOG_SHOWN_BYTES = 3000, LOOK_EVERY_MS = 20 };

extern char **environ;

/* Between fork and exec of a process with threads: only what may be called in a signal handler. A group of its own keeps the terminal's
 * Ctrl-C for the parent, who stops the children in order. */
static void become(const char *const *argv, int out_fd, int log_fd, pid_t parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    int null_fd = open("/dev/null", O_RDONLY);
    if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(out_fd, 1) < 0 || dup2(log_fd, 2) < 0) _exit(1);
    execv("/proc/self/exe", (char *const *)(const void *)argv);
    _exit(127);
}

int sq_child_start(struct sq_child *child, const char *name, const char *folder, const char *const *args, bool pipes_stdout,
                   struct sq_err *err)
{
    const char *argv[ARGS_MAX + 2] = {"squall"};
    for (unsigned i = 0; i < ARGS_MAX && args[i]; i++) argv[i + 1] = args[i];
    *child = (struct sq_child){.out_fd = -1};
    snprintf(child->name, sizeof child->name, "%s", name);
    snprintf(child->log_path, sizeof child->log_path, "%s/%s.log", folder, name);

    int log_fd = open(child->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), ends[2] = {-1, -1};
    if (log_fd < 0) return sq_err_set(err, SQ_E_IO, "%s: %s", child->log_path, strerror(errno));
    if (pipes_stdout && pipe2(ends, O_CLOEXEC) != 0) {
        close(log_fd);
        return sq_err_set(err, SQ_E_IO, "no pipe for %s: %s", name, strerror(errno));
    }
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) become(argv, pipes_stdout ? ends[1] : log_fd, log_fd, parent);
    int reason = errno;
    close(log_fd);
    if (pipes_stdout) close(ends[1]);
    if (pid < 0) {
        if (pipes_stdout) close(ends[0]);
        return sq_err_set(err, SQ_E_FAILED, "%s would not start: %s", name, strerror(reason));
    }
    child->pid = pid;
    child->out_fd = ends[0];
    return 0;
}

bool sq_child_is_running(struct sq_child *child)
{
    if (child->pid && waitpid(child->pid, &child->exit_status, WNOHANG) == child->pid) child->pid = 0;
    return child->pid != 0;
}

static bool any_runs(struct sq_child *children, unsigned count)
{
    bool any = false;
    for (unsigned i = 0; i < count; i++) any |= sq_child_is_running(&children[i]);
    return any;
}

static void signal_all(struct sq_child *children, unsigned count, int number)
{
    for (unsigned i = 0; i < count; i++)
        if (sq_child_is_running(&children[i])) kill(children[i].pid, number);
}

void sq_children_stop(struct sq_child *children, unsigned count, unsigned wait_ms)
{
    static const struct timespec pause = {.tv_nsec = LOOK_EVERY_MS * 1000000};
    signal_all(children, count, SIGTERM);
    for (unsigned waited_ms = 0; waited_ms < wait_ms && any_runs(children, count); waited_ms += LOOK_EVERY_MS) nanosleep(&pause, NULL);
    signal_all(children, count, SIGKILL);
    while (any_runs(children, count)) nanosleep(&pause, NULL);
}

void sq_child_show_log(const struct sq_child *child)
{
    char text[LOG_SHOWN_BYTES];
    FILE *file = fopen(child->log_path, "r");
    if (!file) return;
    if (fseek(file, -(long)sizeof text, SEEK_END) != 0) rewind(file);
    size_t bytes = fread(text, 1, sizeof text, file);
    fclose(file);
    fprintf(stderr, "the end of %s:\n%.*s", child->log_path, (int)bytes, text);
}
