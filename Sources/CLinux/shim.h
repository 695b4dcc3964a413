// What Linux has beyond POSIX and Swift's Glibc module leaves out.
#pragma once
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

// <sys/socket.h> declares it under _GNU_SOURCE only; socklen_t is unsigned int.
struct sockaddr;
int accept4(int socket, struct sockaddr *address, unsigned int *length, int flags);

#include <linux/filter.h>

int setsockopt(int socket, int level, int name, const void *value, unsigned int length);

/// Has the kernel drop the SYNs that come to a listener from now on; what else comes is taken. 0, or -1 with errno.
static inline int clinux_drop_newcomers(int listener) {
  // The flags stand in byte 13 of a TCP header (RFC 9293 §3.1): SYN is 0x02, ACK 0x10.
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  return setsockopt(listener, 1 /* SOL_SOCKET */, 26 /* SO_ATTACH_FILTER */, &program, sizeof program);
}

#include <linux/sockios.h>
#include <sys/ioctl.h>

/// How many bytes that were written to a TCP socket its peer has not acknowledged (tcp(7)); 0 where the kernel does not tell.
static inline int clinux_unacknowledged_bytes(int socket) {
  int count = 0;
  return ioctl(socket, SIOCOUTQ, &count) == 0 ? count : 0;
}

#include <sys/syscall.h>
#include <unistd.h>

/// The cores that the kernel may run this process on (sched_getaffinity(2)); 0 where it does not tell.
static inline int clinux_allowed_cores(void) {
  // A bit a core, for as many as a kernel can be built for; the C library's cpu_set_t has 1,024.
  unsigned long mask[8192 / sizeof(unsigned long)];
  long length = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
  int count = 0;
  for (long index = 0; index < length / (long)sizeof mask[0]; index++)
    count += __builtin_popcountl(mask[index]);
  return count;
}

/// recv(2) without flags and send(2). Not the C library's, which may end the thread that calls them (pthreads(7), cancellation
/// points) and makes four atomic operations for that; nothing here ends threads.
static inline long clinux_receive(int socket, void *bytes, unsigned long count) {
  return syscall(SYS_recvfrom, socket, bytes, count, 0, (void *)0, (void *)0);
}

static inline long clinux_send(int socket, const void *bytes, unsigned long count, int flags) {
  return syscall(SYS_sendto, socket, bytes, count, flags, (void *)0, 0);
}
