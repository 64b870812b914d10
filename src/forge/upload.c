#include "forge/upload.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/url.h"
#include "forge/challenge.h"

enum { CHALLENGE, BEARER, OPEN, CLOSE, CLOSE_AGAIN };

#define REALM_MAX_BYTES 512

static const char *challenge_of(const struct forge_inquiry *inquiry, size_t challenge) {
        const char *header = http_header(&inquiry->replies[challenge].response, "www-authenticate");

        return inquiry_status(inquiry, challenge) == 401 ? header : NULL;
}

/* Who was shown the token could give it back in an address, and so into logs. */
const char *upload_service(const struct forge_inquiry *inquiry, size_t challenge,
                           char made[static FORGE_MADE_MAX]) {
        const char *header = challenge_of(inquiry, challenge);

        if (!header || !challenge_parameter(header, "service", made, FORGE_MADE_MAX) ||
            inquiry_repeats_token(inquiry, made))
                return NULL;
        return made;
}

/* True if @url, of a normal form, is at the scheme, host and port of @origin. */
static bool is_at(const char *url, const char *origin) {
        const char *host = strstr(origin, "://");
        size_t length = host ? (size_t)(host - origin) + 3 : 0;

        if (length == 0)
                return false;
        length += strcspn(origin + length, "/");
        return strncasecmp(url, origin, length) == 0 && (url[length] == '/' || url[length] == '\0');
}

char *upload_realm(const struct forge_inquiry *inquiry, size_t challenge) {
        const char *header = challenge_of(inquiry, challenge), *why;
        _cleanup_(freep) char *url = NULL;
        char realm[REALM_MAX_BYTES];

        if (!header || !challenge_parameter(header, "realm", realm, sizeof(realm)) ||
            inquiry_repeats_token(inquiry, realm) || !url_normalise(realm, true, &url, &why))
                return NULL;
        return is_at(url, inquiry->registry) || is_at(url, inquiry->question.forge->url) ? take(url)
                                                                                         : NULL;
}

const char *upload_bearer(const struct forge_inquiry *inquiry, size_t challenge) {
        const json_t *root = inquiry_object(inquiry, challenge + BEARER, 200);
        const char *bearer = json_member_string(root, "token");

        if (!bearer)
                bearer = json_member_string(root, "access_token");
        return bearer && *bearer ? bearer : NULL;
}

/* A registry says where an upload is as a path, or with its own address before it. */
char *upload_location(const struct forge_inquiry *inquiry, size_t challenge) {
        const char *location =
            http_header(&inquiry->replies[challenge + OPEN].response, "location");
        char *url = NULL;

        if (inquiry_status(inquiry, challenge + OPEN) != 202 || !location ||
            strpbrk(location, " \t#") || inquiry_repeats_token(inquiry, location))
                return NULL;
        if (location[0] != '/')
                return is_at(location, inquiry->registry) ? strdup(location) : NULL;
        return location[1] == '/' || asprintf(&url, "%s%s", inquiry->registry, location) < 0 ? NULL
                                                                                             : url;
}

bool upload_wants_bearer(const struct forge_inquiry *inquiry, size_t challenge) {
        _cleanup_(freep) char *realm = upload_realm(inquiry, challenge);
        char made[FORGE_MADE_MAX];

        return realm && upload_service(inquiry, challenge, made);
}

bool upload_wants_open(const struct forge_inquiry *inquiry, size_t challenge) {
        return upload_bearer(inquiry, challenge) != NULL;
}

bool upload_wants_close(const struct forge_inquiry *inquiry, size_t challenge) {
        _cleanup_(freep) char *location = upload_location(inquiry, challenge);

        return location != NULL;
}

void upload_judge(const struct forge_inquiry *inquiry, size_t challenge,
                  struct forge_finding *ret) {
        if (inquiry->registry[0] == '\0')
                forge_finding_set(
                    inquiry, ret, DIAG_FORGE_CANNOT_TELL,
                    "it is not known which registry {forge} has",
                    "Set registry of [forge {forge}] to the host of its container registry.");
        else if (inquiry_status(inquiry, challenge + OPEN) == 202)
                forge_finding_yes(inquiry, ret,
                                  "the registry opened an upload for {image}, which was closed "
                                  "again with nothing in it");
        else if (inquiry_is_over(inquiry, challenge + OPEN))
                forge_finding_refused(inquiry, challenge + OPEN, ret);
        else if (inquiry_object(inquiry, challenge + BEARER, 200))
                forge_finding_set(inquiry, ret, DIAG_FORGE_CANNOT_TELL,
                                  "the registry's token endpoint gave no token",
                                  "Check registry of [forge {forge}].");
        else if (inquiry_is_over(inquiry, challenge + BEARER))
                forge_finding_refused(inquiry, challenge + BEARER, ret);
        else if (challenge_of(inquiry, challenge))
                forge_finding_set(inquiry, ret, DIAG_FORGE_CANNOT_TELL,
                                  "the registry names a token endpoint that is neither the forge's "
                                  "nor its own: nothing was sent there",
                                  "Check registry and url of [forge {forge}]: the token endpoint "
                                  "must be at one of them.");
        else
                forge_finding_refused(inquiry, challenge, ret);
}

void upload_warn(const struct forge_inquiry *inquiry, size_t challenge,
                 struct forge_report *report) {
        size_t open = challenge + OPEN;
        bool may_be_open = inquiry_is_over(inquiry, open) && (inquiry_status(inquiry, open) == 0 ||
                                                              inquiry_status(inquiry, open) == 202);

        if (may_be_open && !inquiry_is_gone(inquiry, challenge + CLOSE) &&
            !inquiry_is_gone(inquiry, challenge + CLOSE_AGAIN))
                forge_report_warn(inquiry, report,
                                  "an upload of {image} may be left open at the registry: it is "
                                  "empty, and the registry "
                                  "ends it by itself");
}
