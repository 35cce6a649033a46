/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What neither we nor our libraries call once a worker runs. A list of what is refused outlives new versions of libc and libraries, which
 * one of what is allowed would not. */
static const char *const refused[] = {
    "execve", "execveat", "fork", "vfork",
    "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp",
    "mount", "umount2", "move_mount", "open_tree", "fsopen", "fsmount", "fsconfig", "fspick", "mount_setattr", "pivot_root", "chroot",
    "setns", "unshare",
    "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff",
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "add_key", "request_key", "keyctl",
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "capset",
    "settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "sethostname", "setdomainname", "acct", "quotactl", "syslog",
};

static int refuse(scmp_filter_ctx filter, const char *name)
{
    int call = seccomp_syscall_resolve_name(name);
    if (call == __NR_SCMP_ERROR || call < 0) return 0; /* unknown to this library, or not a call of this architecture */
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0);
}

/* Threads may be made, processes not. A filter can't see clone3's flags, so libc is told that there is no such call and takes clone. */
static int refuse_processes(scmp_filter_ctx filter)
{
    int status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (status) return status;
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
}

static int enter_seccomp(struct sq_sandbox *sandbox, struct sq_err *err)
{
    if (prctl(PR_GET_SECCOMP) < 0) return 0; /* a kernel without it */
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter) return sq_err_set(err, SQ_E_NOMEM, "no memory for the seccomp filter");
    int status = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (status == 0) status = refuse_processes(filter);
    for (size_t i = 0; status == 0 && i < sizeof refused / sizeof *refused; i++) status = refuse(filter, refused[i]);
    if (status == 0) status = seccomp_load(filter);
    seccomp_release(filter);
    if (status) return sq_err_set(err, SQ_E_FAILED, "the kernel refuses the seccomp filter: %s; sandbox: off runs without", strerror(-status));
    sandbox->has_seccomp = true;
    return 0;
}

/* All that Landlock's version can refuse and that isn't reading. TRUNCATE came with version 3, REFER with 2. */
static __u64 refused_access(int abi)
{
    __u64 access = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                   LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                   LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                   LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;
    const __u64 truncate = 1ULL << 14; /* LANDLOCK_ACCESS_FS_TRUNCATE, which Debian 12's headers lack */
    if (abi >= 2) access |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3) access |= truncate;
    return access;
}

static int allow_folder(int rules, const char *path, __u64 access)
{
    struct landlock_path_beneath_attr beneath = {.allowed_access = access & ~(__u64)LANDLOCK_ACCESS_FS_EXECUTE};
    beneath.parent_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (beneath.parent_fd < 0) return 0;
    int status = (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    close(beneath.parent_fd);
    return status;
}

static int enter_landlock(struct sq_sandbox *sandbox, const char *writable, struct sq_err *err)
{
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) return 0; /* a kernel without it, or started without */
    struct landlock_ruleset_attr attributes = {.handled_access_fs = refused_access(abi)};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    int status = rules < 0 ? -1 : 0;
    if (status == 0 && writable && *writable) status = allow_folder(rules, writable, attributes.handled_access_fs);
    if (status == 0) status = (int)syscall(SYS_landlock_restrict_self, rules, 0);
    int problem = errno;
    if (rules >= 0) close(rules);
    if (status) return sq_err_set(err, SQ_E_FAILED, "the kernel refuses the Landlock rules: %s; sandbox: off runs without", strerror(problem));
    sandbox->landlock_abi = abi;
    return 0;
}

int sq_sandbox_enter(struct sq_sandbox *sandbox, const char *writable, struct sq_err *err)
{
    *sandbox = (struct sq_sandbox){0};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return sq_err_set(err, SQ_E_FAILED, "the kernel refuses no_new_privs: %s; sandbox: off runs without", strerror(errno));
    int status = enter_landlock(sandbox, writable, err);
    return status ? status : enter_seccomp(sandbox, err);
}

/* Rules add up: what the first ones allow, the second ones can still refuse. */
int sq_sandbox_close_folder(struct sq_sandbox *sandbox, struct sq_err *err) { return enter_landlock(sandbox, NULL, err); }
