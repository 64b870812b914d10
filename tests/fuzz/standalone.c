/*
 * main() for a fuzz target without a fuzzer: runs it once on each file of its arguments, and on
 * each file in the directories among them, so that the corpus is replayed by `make check` with any
 * compiler.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define INPUT_MAX_BYTES (2 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The file's bytes in a block of exactly their size, so that a read behind them is noticed; NULL
 * after a message. */
static uint8_t *read_file(const char *path, size_t *ret_size) {
        uint8_t *data = malloc(INPUT_MAX_BYTES), *exact = NULL;
        FILE *file = fopen(path, "rbe");

        if (file && data) {
                *ret_size = fread(data, 1, INPUT_MAX_BYTES, file);
                if (!ferror(file))
                        exact = realloc(data, *ret_size > 0 ? *ret_size : 1);
        }
        if (file)
                (void)fclose(file);
        if (!exact) {
                perror(path);
                free(data);
        }
        return exact;
}

static int run_file(const char *path) {
        size_t size;
        uint8_t *data = read_file(path, &size);

        if (!data)
                return -1;
        (void)LLVMFuzzerTestOneInput(data, size);
        free(data);
        return 1;
}

/* The number of inputs that were run, or -1. */
static int run_path(const char *path) {
        const struct dirent *entry;
        struct stat st;
        DIR *directory;
        int total = 0;

        if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
                return run_file(path);
        directory = opendir(path);
        if (!directory) {
                perror(path);
                return -1;
        }
        while (total >= 0 && (entry = readdir(directory))) {
                char child[4096];
                int n;

                if (entry->d_name[0] == '.')
                        continue;
                (void)snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
                n = run_path(child);
                total = n < 0 ? n : total + n;
        }
        (void)closedir(directory);
        return total;
}

int main(int argc, char **argv) {
        int total = 0;

        for (int i = 1; i < argc; i++) {
                int n = run_path(argv[i]);

                if (n < 0)
                        return EXIT_FAILURE;
                total += n;
        }
        (void)printf("%d inputs\n", total);
        return total > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
