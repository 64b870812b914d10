#include <stdlib.h>
#include <string.h>

#include "net/http_call.h"

static struct secret *ref(struct secret *secret) {
        return secret ? secret_ref(secret) : NULL;
}

int http_request_keep(struct http_call *call, const struct http_request *request,
                      struct error *err) {
        struct http_request *kept = &call->request;
        const char **texts[] = { &kept->url, &kept->ca_file, &kept->proxy, &kept->if_none_match };
        size_t bytes = 0;
        char *end;

        *kept = *request;
        kept->authorization = ref(request->authorization);
        kept->headers = ref(request->headers);
        kept->body = ref(request->body);
        for (size_t i = 0; i < ELEMENTS(texts); i++)
                bytes += *texts[i] ? strlen(*texts[i]) + 1 : 0;
        call->texts = malloc(bytes);
        if (!call->texts)
                return error_oom(err);
        end = call->texts;
        for (size_t i = 0; i < ELEMENTS(texts); i++) {
                if (!*texts[i])
                        continue;
                bytes = strlen(*texts[i]) + 1;
                *texts[i] = memcpy(end, *texts[i], bytes);
                end += bytes;
        }
        return 0;
}

void http_request_drop(struct http_call *call) {
        (void)secret_unref(call->request.authorization);
        (void)secret_unref(call->request.headers);
        (void)secret_unref(call->request.body);
        free(call->texts);
}
