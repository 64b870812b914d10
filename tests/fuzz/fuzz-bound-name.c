/* The address from which a credential is asked for: any process of this host may bind any bytes. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "credentials/bound_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct bound_name name;
        struct error err = { 0 };
        int r = bound_name_parse((const char *)data, size, &name, &err);

        if (r < 0) {
                assert(r == -(int)DIAG_MALFORMED_REQUEST && err.code == DIAG_MALFORMED_REQUEST &&
                       err.detail[0]);
                return 0;
        }
        /* Nothing is made up, and nothing is left out: the two parts are the end of the name. */
        assert(size > 1 && size <= BOUND_NAME_MAX && data[0] == '\0');
        assert(name.unit[0] && name.id[0] && !strchr(name.unit, '/') && !strchr(name.id, '/'));
        assert(memcmp(data + size - strlen(name.id), name.id, strlen(name.id)) == 0);
        assert(memcmp(data + size - strlen(name.id) - 1 - strlen(name.unit), name.unit,
                      strlen(name.unit)) == 0);
        assert(name.unit[strspn(
                   name.unit,
                   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@")] ==
               '\0');
        return 0;
}
