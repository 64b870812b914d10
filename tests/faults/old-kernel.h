/*
 * The system calls' filter that makes a kernel as old as Debian 12's own 6.1: no memfd_secret(2)
 * (ENOSYS) and no SO_PEERPIDFD (ENOPROTOOPT).
 */
#pragma once

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#define PEERPIDFD    77  /* SO_PEERPIDFD, Linux 6.5 */
#define MEMFD_SECRET 447 /* the same on every architecture */

#define LOAD(member)       BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define UNLESS(value, off) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (off))
#define ANSWER(error)      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define ALLOW              BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static struct sock_filter old_kernel[] = {
        LOAD(nr),      UNLESS(MEMFD_SECRET, 1), ANSWER(ENOSYS),      UNLESS(SYS_getsockopt, 3),
        LOAD(args[2]), UNLESS(PEERPIDFD, 1),    ANSWER(ENOPROTOOPT), ALLOW,
};
