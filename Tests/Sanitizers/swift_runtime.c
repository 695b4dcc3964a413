// Tells ThreadSanitizer how Swift's runtime makes threads wait for each other. The runtime is not instrumented, so that what it
// orders would look like races: scripts/sanitize loads this before it. (For tasks and jobs the runtime tells by itself, but for one case.)
//
// What is ordered here is what the runtime orders, no more: a lock by whoever had it before, a global by whoever made it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

// ThreadSanitizer's; null in processes without it, such as programs that a test starts.
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

__attribute__((used)) static void acquire(void *address) {
  if (__tsan_acquire) __tsan_acquire(address);
}
__attribute__((used)) static void release(void *address) {
  if (__tsan_release) __tsan_release(address);
}

// The function of that name that this one stands before.
static void *find(_Atomic(void *) *known, const char *name) {
  if (*known == NULL) *known = dlsym(RTLD_NEXT, name);
  return *known;
}

// swift_once: makes a global at its first use. Its result is read without a lock by whoever finds it made.

typedef struct {
  void *token;
  void (*make)(void *);
  void *context;
} making;

static void make(void *context) {
  making *one = context;
  one->make(one->context);
  release(one->token);
}

void swift_once(void *token, void (*function)(void *), void *context) {
  static _Atomic(void *) original;
  void (*once)(void *, void (*)(void *), void *) = find(&original, "swift_once");
  making one = {token, function, context};
  once(token, make, &one);
  acquire(token);
}

// A task whose continuation is resumed before it has begun to wait goes on at once, and nobody tells of that. It returns memory
// to its allocator soon after.

void swift_continuation_resume(void *task) {
  static _Atomic(void *) original;
  void (*resume)(void *) = find(&original, "swift_continuation_resume");
  release(task);
  resume(task);
}

void swift_continuation_throwingResume(void *task) {
  static _Atomic(void *) original;
  void (*resume)(void *) = find(&original, "swift_continuation_throwingResume");
  release(task);
  resume(task);
}

void swift_continuation_throwingResumeWithError(void *task, void *error) {
  static _Atomic(void *) original;
  void (*resume)(void *, void *) = find(&original, "swift_continuation_throwingResumeWithError");
  release(task);
  resume(task, error);
}

void swift_task_dealloc(void *memory) {
  static _Atomic(void *) original, current;
  void (*dealloc)(void *) = find(&original, "swift_task_dealloc");
  void *(*task)(void) = find(&current, "swift_task_getCurrent");
  dealloc(memory);
  acquire(task());
}

// Synchronization.Mutex: what nobody contends for is locked in instrumented code, the rest in these two, which have the
// mutex's address in Swift's register for `self`.

#if !defined(__x86_64__)
#error "written for x86-64: here Swift's register for self is r13"
#endif

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

__attribute__((used)) static void *lock_slow, *unlock_slow;

__attribute__((constructor)) static void find_locks(void) {
  lock_slow = dlsym(RTLD_NEXT, LOCK_SLOW);
  unlock_slow = dlsym(RTLD_NEXT, UNLOCK_SLOW);
}

__attribute__((naked)) void mutex_lock_slow(void) __asm__(LOCK_SLOW);
__attribute__((naked)) void mutex_lock_slow(void) {
  __asm__("pushq %rbp\n movq %rsp, %rbp\n pushq %r13\n pushq %rax\n"
          "callq *lock_slow(%rip)\n"
          "movq -8(%rbp), %rdi\n callq acquire\n"
          "popq %rax\n popq %r13\n popq %rbp\n retq");
}

__attribute__((naked)) void mutex_unlock_slow(void) __asm__(UNLOCK_SLOW);
__attribute__((naked)) void mutex_unlock_slow(void) {
  __asm__("pushq %rbp\n movq %rsp, %rbp\n pushq %r13\n pushq %rax\n"
          "movq %r13, %rdi\n callq release\n"
          "movq -8(%rbp), %r13\n callq *unlock_slow(%rip)\n"
          "popq %rax\n popq %r13\n popq %rbp\n retq");
}
