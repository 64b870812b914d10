#include "job/confine.h"

#include <unistd.h>

#include "base/confine.h"

void confine(void) {
        /* Another user than root asks through sudo, which is a program to run and a privilege to
         * gain. */
        if (geteuid() != 0)
                return;
        confine_to_asking();
        confine_drop_capabilities();
}
