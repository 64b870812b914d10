/*
 * The limit for `forge-broker get`: a static program that makes the same request, prints the answer
 * and does nothing else. No check, no deadline, no parsing.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
        static const char request[] =
            "GET /v1/tokens/deploy HTTP/1.1\r\nHost: localhost\r\nUser-Agent: raw\r\n"
            "Accept: application/json\r\nConnection: close\r\n\r\n";
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        char answer[4096];
        ssize_t n;
        int fd;

        if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path))
                return 2;
        memcpy(address.sun_path, argv[1], strlen(argv[1]));
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
            write(fd, request, sizeof(request) - 1) < 0)
                return 1;
        while ((n = read(fd, answer, sizeof(answer))) > 0)
                if (write(STDOUT_FILENO, answer, (size_t)n) < 0)
                        return 1;
        return n < 0;
}
