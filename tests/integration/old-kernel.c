/* old-kernel CMD... - runs CMD as on Debian 12's own kernel: see old-kernel.h */
#include "old-kernel.h"

#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv) {
        if (argc < 2) {
                (void)fprintf(stderr, "usage: old-kernel CMD...\n");
                return 2;
        }
        if (old_kernel_become() < 0) {
                perror("old-kernel: no filter for system calls");
                return 125;
        }
        (void)execvp(argv[1], argv + 1);
        perror(argv[1]);
        return 127;
}
