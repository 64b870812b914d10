#include "job/environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static bool is_set_anew(const char *string, const struct child_variable *variables, size_t count) {
        for (size_t i = 0; i < count; i++) {
                size_t length = strlen(variables[i].name);

                if (strncmp(string, variables[i].name, length) == 0 && string[length] == '=')
                        return true;
        }
        return false;
}

/* "NAME=value" and a NUL.  The room was reserved: the strings never move. */
static char *append_string(struct locked_buffer *buffer, const struct child_variable *variable) {
        char *string = buffer->bytes + buffer->used;

        (void)locked_buffer_append(buffer, variable->name, strlen(variable->name));
        (void)locked_buffer_append(buffer, "=", 1);
        (void)locked_buffer_append(buffer, variable->value, variable->value_length);
        (void)locked_buffer_append(buffer, "", 1);
        return string;
}

int environment_extend(struct environment *ret, const struct child_variable *variables,
                       size_t count, struct failure *failure) {
        size_t inherited = 0, bytes = 0, used = 0;

        while (environ && environ[inherited])
                inherited++;
        for (size_t i = 0; i < count; i++)
                bytes += strlen(variables[i].name) + variables[i].value_length + 2;
        ret->strings = calloc(inherited + count + 1, sizeof(*ret->strings));
        if (!ret->strings || (bytes > 0 && !locked_buffer_reserve(&ret->set, bytes)))
                return failure_set(failure, EXIT_CANNOT_RUN, "out of memory");
        for (size_t i = 0; i < inherited; i++)
                if (!is_set_anew(environ[i], variables, count))
                        ret->strings[used++] = environ[i];
        for (size_t i = 0; i < count; i++)
                ret->strings[used++] = append_string(&ret->set, &variables[i]);
        return 0;
}

void environment_done(struct environment *environment) {
        free(environment->strings);
        environment->strings = NULL;
        locked_buffer_done(&environment->set);
}

bool environment_is_name(const char *name) {
        static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

        return name[0] && strchr(first, name[0]) &&
               strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789") ==
                   strlen(name);
}
