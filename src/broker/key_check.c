#include "broker/key_check.h"

#include <stdio.h>

static bool is_relied_on(const struct config *config, const struct forge_config *forge) {
        for (size_t i = 0; forge->oidc_audience && i < config->n_tokens; i++)
                if (config->tokens[i]->proof_required && config->tokens[i]->vouched_by == forge)
                        return true;
        return false;
}

static void show(const struct key_check *check, int r, usec_t now, const struct error *err) {
        char span[CLOCK_TEXT_MAX];

        if (r == KEY_DESK_READ)
                finding_ok(check->finding, "read %s ago",
                           clock_format_span(now - check->desk->read_at, span));
        else if (err->code == DIAG_UPSTREAM_RATE_LIMITED)
                finding_unchecked(check->finding, "%s", err->detail);
        else
                finding_broken(check->finding, err);
}

static void look(struct key_check *check) {
        usec_t now = clock_boottime();
        struct error err = { 0 };
        int r = key_desk_read(check->desk, &check->waiter, now, &err);

        check->pending = r == KEY_DESK_WAIT;
        if (!check->pending)
                show(check, r, now, &err);
}

static void on_ready(struct key_waiter *waiter) {
        struct key_check *check =
            (struct key_check *)(void *)((char *)waiter - offsetof(struct key_check, waiter));

        look(check);
        if (!check->pending)
                check->done(check->userdata);
}

void key_check_start(struct key_check *check, struct generation *generation, size_t i,
                     const struct endpoint *forge) {
        char name[192];

        if (!is_relied_on(generation->config, forge->forge))
                return;
        (void)snprintf(name, sizeof(name), "ID-token keys of %.160s", forge->forge->oidc_issuer);
        check->finding = finding_add(forge->findings, forge->finding, "id-token-keys", name);
        if (forge->state == ENDPOINT_BROKEN) {
                finding_unchecked(check->finding, "the step before it is broken");
                return;
        }
        check->desk = &generation->vouching.forges[i].keys;
        check->waiter.ready = on_ready;
        look(check);
}

void key_check_done(struct key_check *check) {
        if (check->desk)
                key_desk_leave(check->desk, &check->waiter);
        check->desk = NULL;
}
