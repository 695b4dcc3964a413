// What Linux has beyond POSIX and Swift's Glibc module leaves out.
#pragma once
#include <malloc.h>
#include <sys/epoll.h>

// <sys/socket.h> declares it under _GNU_SOURCE only; socklen_t is unsigned int.
struct sockaddr;
int accept4(int socket, struct sockaddr *address, unsigned int *length, int flags);
