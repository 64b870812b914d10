#include "broker/expiry.h"

#include <stddef.h>

#include "base/cleanup.h"

static const unsigned thresholds[] = { 1, 3, 7, 14 };

bool expiry_is_near(usec_t until, usec_t now) {
        return until > 0 &&
               usec_sub(until, now) <= thresholds[ELEMENTS(thresholds) - 1] * USEC_PER_DAY;
}

bool expiry_due(struct expiry *expiry, usec_t until, usec_t now, unsigned *ret) {
        usec_t left = usec_sub(until, now);

        if (expiry->until != until)
                *expiry = (struct expiry){ .until = until };
        if (until == 0 || left == 0)
                return false;
        for (size_t i = 0; i < ELEMENTS(thresholds); i++) {
                if (left > thresholds[i] * USEC_PER_DAY)
                        continue;
                if (expiry->told > 0 && expiry->told <= thresholds[i])
                        return false;
                expiry->told = thresholds[i];
                *ret = (unsigned)((left + USEC_PER_DAY - 1) / USEC_PER_DAY);
                return true;
        }
        return false;
}
