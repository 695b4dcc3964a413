#define _GNU_SOURCE
#include "confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int limit(int resource, uint64_t value) {
  struct rlimit limits;
  if (getrlimit(resource, &limits) != 0) return -1;
  if (limits.rlim_max != RLIM_INFINITY && limits.rlim_max < value) value = limits.rlim_max;
  limits.rlim_cur = limits.rlim_max = value;
  return setrlimit(resource, &limits);
}

static int limit_resources(const confinement *wanted) {
  return limit(RLIMIT_AS, wanted->memory_bytes) == 0 && limit(RLIMIT_FSIZE, wanted->memory_bytes) == 0 &&
         limit(RLIMIT_CPU, wanted->cpu_seconds) == 0 && limit(RLIMIT_CORE, 0) == 0;
}

// The rights on what is only read: to read files and to list folders.
enum { read_rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR };
// The rights under control: the 13 of landlock's first version, and truncation, which the third added and older headers lack.
enum { first_rights = (1 << 13) - 1, truncate_right = 1 << 14 };
// The rights that apply to files; all others apply only to folders (landlock(7)).
enum { file_rights = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | truncate_right };

static int allow(int ruleset, const char *path, uint64_t rights) {
  struct landlock_path_beneath_attr rule = {.allowed_access = rights};
  rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
  if (rule.parent_fd < 0) return errno == ENOENT ? 0 : -1;
  struct stat status;
  if (fstat(rule.parent_fd, &status) == 0 && !S_ISDIR(status.st_mode)) rule.allowed_access &= file_rights;
  long result = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  close(rule.parent_fd);
  return (int)result;
}

static int limit_files(const confinement *wanted) {
  long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return 0;
  uint64_t rights = first_rights | (version >= 3 ? truncate_right : 0);
  struct landlock_ruleset_attr attributes = {.handled_access_fs = rights};
  int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
  if (ruleset < 0) return 0;
  int result = allow(ruleset, wanted->writable, rights & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE);
  for (int index = 0; result == 0 && index < wanted->readable_count; index++)
    result = allow(ruleset, wanted->readable[index], read_rights);
  if (result == 0) result = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
  close(ruleset);
  return result == 0;
}

#if defined(__x86_64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef THIS_ARCHITECTURE
#define DENY(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

static int limit_calls(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCHITECTURE, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      // The x32 interface has other numbers for the same calls, so all of its numbers are refused.
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      DENY(SYS_socket),
      DENY(SYS_io_uring_setup),
      DENY(SYS_execve),
      DENY(SYS_execveat),
      DENY(SYS_ptrace),
      DENY(SYS_process_vm_writev),
      DENY(SYS_kill),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}
#else
static int limit_calls(void) { return 0; }
#endif

static int confine(const confinement *wanted) {
  int result = limit_resources(wanted) ? confined_resources : 0;
  // Without PR_SET_NO_NEW_PRIVS, limit_files and limit_calls need privileges.
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return result;
  if (limit_files(wanted)) result |= confined_files;
  if (limit_calls()) result |= confined_calls;
  return result;
}

int confine_child(const confinement *wanted, int *in_force) {
  pid_t child = fork();
  if (child < 0) return NO_CHILD;
  if (child == 0) {
    // Lets the kernel kill the child when its parent ends.
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    *in_force = confine(wanted);
    return 0;
  }
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return NO_CHILD;
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status) + 1;
}
