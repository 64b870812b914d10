/*
 * A counting allocator to be loaded in front of a program (LD_PRELOAD): it lists the places from
 * which memory is asked for, and lets one of them get none.
 *
 * A place is the nearest call in the program itself together with that one's caller: so an
 * allocation deep in a library counts where the program called the library.  Calls in the program's
 * own wrappers of the allocator are passed over.  Whoever runs the program shares the file
 * FAILING_ALLOC_STATE with it, sets the wrappers, mode and target there, and reads what was met.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

#define PLACES_MAX   8192
#define FRAMES_MAX   64
#define WRAPPERS_MAX 16

enum mode { MODE_OFF, MODE_LIST, MODE_FAIL_ONCE, MODE_FAIL_ALWAYS };

/* tests/faults/memory.py reads it by these offsets. */
struct state {
        uint32_t mode;
        uint32_t n_places;
        uint64_t target;
        uint64_t failed;
        struct {
                uint32_t from, to; /* offsets in the program's text */
        } wrappers[WRAPPERS_MAX];
        uint64_t places[PLACES_MAX];
};

static struct state *state;
static uintptr_t base, text_end;
static __thread bool inside;

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *old, size_t bytes);

struct walk {
        uintptr_t calls[2];
        unsigned found, depth;
};

static bool is_wrapper(uintptr_t offset) {
        for (size_t i = 0; i < WRAPPERS_MAX; i++)
                if (offset > state->wrappers[i].from && offset <= state->wrappers[i].to)
                        return true;
        return false;
}

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *userdata) {
        struct walk *walk = userdata;
        uintptr_t at = _Unwind_GetIP(context);

        if (at >= base && at < text_end && !is_wrapper(at - base))
                walk->calls[walk->found++] = at - base;
        return walk->found == 2 || ++walk->depth == FRAMES_MAX ? _URC_NORMAL_STOP : _URC_NO_REASON;
}

/* 0: not from the program. */
static uint64_t place(void) {
        struct walk walk = { 0 };

        (void)_Unwind_Backtrace(on_frame, &walk);
        return (uint64_t)walk.calls[0] << 32 | (uint32_t)walk.calls[1];
}

static void list(uint64_t here) {
        for (uint32_t i = 0; i < state->n_places; i++)
                if (state->places[i] == here)
                        return;
        if (state->n_places < PLACES_MAX)
                state->places[state->n_places++] = here;
}

/* True if this one gets no memory. */
static bool fails(void) {
        uint64_t here;
        bool failing = false;

        if (!state || state->mode == MODE_OFF || inside)
                return false;
        inside = true;
        here = place();
        if (here != 0 && state->mode == MODE_LIST) {
                list(here);
        } else if (here != 0 && here == state->target &&
                   (state->mode == MODE_FAIL_ALWAYS || state->failed == 0)) {
                state->failed++;
                errno = ENOMEM;
                failing = true;
        }
        inside = false;
        return failing;
}

void *malloc(size_t bytes) {
        return fails() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes) {
        return fails() ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes) {
        return fails() ? NULL : __libc_realloc(old, bytes);
}

/* The program itself comes first. */
static int on_object(struct dl_phdr_info *info, size_t size, void *userdata) {
        (void)size;
        (void)userdata;
        base = info->dlpi_addr;
        for (size_t i = 0; i < info->dlpi_phnum; i++)
                if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X))
                        text_end = base + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
        return 1;
}

__attribute__((constructor)) static void begin(void) {
        const char *path = getenv("FAILING_ALLOC_STATE");
        int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
        void *map;

        if (fd < 0)
                return;
        map = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        (void)close(fd);
        if (map == MAP_FAILED)
                return;
        state = map;
        inside = true;
        (void)dl_iterate_phdr(on_object, NULL);
        (void)place(); /* the unwinder sets itself up, which allocates */
        inside = false;
}
