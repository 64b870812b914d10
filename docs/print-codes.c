/*
 * Prints forge-broker-codes(7) from the table of diagnoses (src/base/error.c).  Runs when the package is built, and is not
 * installed.
 */
#include <stdio.h>

#include "base/error.h"

static const char head[] =
        ".Dd November 21, 2026\n"
        ".Dt FORGE-BROKER-CODES 7\n"
        ".Os\n"
        ".Sh NAME\n"
        ".Nm forge-broker-codes\n"
        ".Nd what goes wrong, and what to do about it\n"
        ".Sh DESCRIPTION\n"
        "Whatever cannot be done has a code: in the answers of the broker, in its records, in the messages of\n"
        ".Xr forge-broker 1\n"
        "and\n"
        ".Xr forge-brokerctl 8 .\n"
        "The text beside it names the values in question; what follows is the code's general remedy, the status of the\n"
        "HTTP answer, and the exit status of\n"
        ".Xr forge-broker 1 .\n";

static const char tail[] = ".Sh SEE ALSO\n"
                           ".Xr forge-broker 1 ,\n"
                           ".Xr forge-broker.conf 5 ,\n"
                           ".Xr forge-brokerctl 8 ,\n"
                           ".Xr forge-brokerd 8\n";

static const struct {
        enum diagnosis first;
        const char *title;
} groups[] = {
        { DIAG_MALFORMED_REQUEST, "The request" },
        { DIAG_CREDENTIAL_MISSING, "The credential of an identity" },
        { DIAG_PERMISSION_DENIED, "The secret" },
        { DIAG_UPSTREAM_BLOCKED, "The way to Infisical, or to a forge" },
        { DIAG_FALLBACK_DISABLED, "The direct token" },
        { DIAG_FORGE_TOKEN_REJECTED, "The forge" },
};

int main(void) {
        (void)fputs(head, stdout);
        for (int code = DIAG_NONE + 1; code < DIAG_COUNT; code++) {
                const struct diagnosis_info *info = diagnosis_info((enum diagnosis)code);

                for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
                        if ((int)groups[i].first == code)
                                (void)printf("%s.Ss %s\n.Bl -tag -width Ds\n", i > 0 ? ".El\n" : "", groups[i].title);
                (void)printf(".It Li %s\n%s.\nHTTP %d, exit status %d.\n.br\n%s\n", info->name, info->title,
                             info->http_status, info->exit_code, info->remedy);
        }
        (void)printf(".El\n%s", tail);
        return ferror(stdout) || fflush(stdout) != 0;
}
