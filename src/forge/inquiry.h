/*
 * One question about a token while it is being answered: which requests have been made, what came
 * back, and the judgement.
 *
 * Pure: answers in, the next requests and in the end a report out.  preflight.c sends; a file for
 * each kind of forge says in a table what is asked when, and judges.
 */
#pragma once

#include "base/json.h"
#include "forge/adapter.h"
#include "forge/preflight.h"

#define FORGE_PROBES_MAX 24
#define FORGE_MADE_MAX   256

enum forge_step { STEP_API, STEP_GIT, STEP_REGISTRY };

enum forge_auth {
        AUTH_API,    /* as the forge's API takes it */
        AUTH_BASIC,  /* user name and token */
        AUTH_JOB,    /* as the API of GitLab takes a job's own token */
        AUTH_BEARER, /* what a registry's token endpoint gave: the evidence's bearer() */
        AUTH_NONE,
};

/* Git's first step of a fetch and of a push, which advertises what is there
 * (gitprotocol-http(5)). */
#define FORGE_FETCH_URL "{base}/{repository}.git/info/refs?service=git-upload-pack"
#define FORGE_PUSH_URL  "{base}/{repository}.git/info/refs?service=git-receive-pack"

/* Of the needs, those that are about the repository. */
#define FORGE_NEEDS_REPOSITORY ((1u << NEED_COUNT) - 1 - (1u << NEED_PACKAGES_WRITE))

struct forge_inquiry;

/* One request that may be made.  Names in braces: see find_value() of words.c, and the evidence's
 * own. */
struct forge_probe {
        const char *method;
        const char *url;
        enum forge_step step;
        enum forge_auth auth;
        const char *body; /* JSON, or NULL */
        bool cleans_up;   /* it is made however late it is */
        unsigned needs;   /* 1u << those that it is for; 0: it is for all, and for none */
        /* True if it is to be made now; asked again whenever an answer has come, until it was
         * made.  NULL: at once. */
        bool (*wanted)(const struct forge_inquiry *inquiry, size_t of);
        size_t of; /* for wanted() */
};

enum forge_reply_state { REPLY_NOT_ASKED, REPLY_AWAITED, REPLY_NONE, REPLY_THERE };

struct forge_reply {
        enum forge_reply_state state;
        struct http_response response; /* without its body */
        json_t *root;                  /* a JSON document, or NULL */
        char text[256];     /* what the forge says: of its JSON, else the first line of its text */
        char *url;          /* what was asked */
        struct error error; /* REPLY_NONE: why */
};

/* One refusal in the forge's own words.  The first row that fits decides. */
struct forge_refusal {
        enum forge_step step;
        int status;       /* 0: any */
        const char *text; /* a glob on reply->text */
        /* forge-cannot-tell and the upstream codes decide nothing, the others say no */
        enum diagnosis code;
        const char *evidence, *remedy; /* templates; a NULL remedy is the diagnosis' own */
};

/* What is asked of one kind of forge, and how it is read. */
struct forge_evidence {
        const struct forge_probe *probes; /* the first asks who it is, alone */
        size_t n_probes;
        size_t second; /* the probe that asks it again, another way; 0: none */
        const struct forge_refusal *refusals; /* ended by a row without a text */
        /* A job's own token, to which nobody gives a scope or a right: this helps instead.  NULL:
         * as for all others. */
        bool (*is_job)(const struct forge_inquiry *inquiry);
        const char *job_remedy;
        /* headers of answers that are looked at, ended by NULL; NULL: none */
        const char *const *keep;
        /* What stands for a name in a template, besides what all have; NULL if it is not known
         * (yet).  @made: room for it. */
        const char *(*value)(const struct forge_inquiry *inquiry, const char *name,
                             char made[static FORGE_MADE_MAX]);
        /* A whole address that an answer gave, for a template that begins with its name: a new
         * string, or NULL if there is none that may be asked.  NULL: no template does. */
        char *(*address)(const struct forge_inquiry *inquiry, const char *name);
        /* for AUTH_BEARER; NULL if there is none (yet) */
        const char *(*bearer)(const struct forge_inquiry *inquiry);
        enum forge_life (*second_life)(const struct forge_inquiry *inquiry, struct error *err);
        /* Fills login, kind, scopes and expiry of a token that is alive. */
        void (*identify)(const struct forge_inquiry *inquiry, struct forge_report *report);
        /* In the order of enum forge_need. */
        void (*judge[NEED_COUNT])(const struct forge_inquiry *inquiry, struct forge_finding *ret);
        /* What has to be said besides: of clean-up. */
        void (*warn)(const struct forge_inquiry *inquiry, struct forge_report *report);
};

struct forge_inquiry {
        struct forge_question question;
        const struct forge_adapter *adapter;
        const struct forge_evidence *evidence;
        struct secret *token;
        char *api;
        char registry[FORGE_PLACE_MAX]; /* its address; "": none is known */
        char tag[FORGE_PLACE_MAX + 64]; /* of a write probe, never used before */
        struct forge_reply replies[FORGE_PROBES_MAX];
        enum forge_life life; /* once the first probe was answered */
        struct error life_error;
};

int inquiry_new(const struct forge_question *question, struct secret *token,
                struct forge_inquiry **ret, struct error *err);
struct forge_inquiry *inquiry_free(struct forge_inquiry *inquiry);
DEFINE_CLEANUP(struct forge_inquiry *, inquiry_free);

/** inquiry_next() - the index of a probe that is to be made now, which then counts as made; or
 * -1 */
int inquiry_next(struct forge_inquiry *inquiry);

/**
 * inquiry_fill() - the address that a probe asks and the body that it sends
 * @ret_url:  borrowed from the inquiry
 * @ret_body: a reference, or NULL if it has none
 *
 * Return: 0, or -DIAG_INTERNAL_ERROR for lack of memory or a value that is not known or too long.
 */
int inquiry_fill(struct forge_inquiry *inquiry, size_t probe, const char **ret_url,
                 struct secret **ret_body, struct error *err);

/** inquiry_answered() - takes in what came back: @response, or NULL and @err */
void inquiry_answered(struct forge_inquiry *inquiry, size_t probe,
                      const struct http_response *response, const struct error *err);

/** inquiry_judge() - the report on all that was answered; allocates nothing */
void inquiry_judge(const struct forge_inquiry *inquiry, struct forge_report *ret);

/** inquiry_repeats_token() - true if the token stands in a text */
bool inquiry_repeats_token(const struct forge_inquiry *inquiry, const char *text);

/** inquiry_quote() - a text of the forge's, cut at @size, with '?' wherever the token stands in
 * it */
void inquiry_quote(const struct forge_inquiry *inquiry, char *buffer, size_t size,
                   const char *text);

/* For the files of the forges. */

static inline bool inquiry_needs(const struct forge_inquiry *inquiry, enum forge_need need) {
        return inquiry->question.needs & (1u << need);
}

/** inquiry_status() - what a probe was answered with; 0: nothing usable, or it was not made */
static inline int inquiry_status(const struct forge_inquiry *inquiry, size_t probe) {
        return inquiry->replies[probe].state == REPLY_THERE
                   ? inquiry->replies[probe].response.status
                   : 0;
}

/** inquiry_is_over() - a probe was answered, or never will be */
static inline bool inquiry_is_over(const struct forge_inquiry *inquiry, size_t probe) {
        return inquiry->replies[probe].state >= REPLY_NONE;
}

/** inquiry_wants_branch(), inquiry_wants_tag() - the question's ref is one; for
 * forge_probe.wanted */
bool inquiry_wants_branch(const struct forge_inquiry *inquiry, size_t of);
bool inquiry_wants_tag(const struct forge_inquiry *inquiry, size_t of);

/** inquiry_delete_failed() - a probe that deletes is over and has not done so; for
 * forge_probe.wanted of a second try */
bool inquiry_delete_failed(const struct forge_inquiry *inquiry, size_t probe);

/** inquiry_is_gone() - a probe that deletes has done so, or there was nothing */
static inline bool inquiry_is_gone(const struct forge_inquiry *inquiry, size_t probe) {
        return inquiry_status(inquiry, probe) == 204 || inquiry_status(inquiry, probe) == 404;
}

/** inquiry_object() - what a probe was answered with if that is a JSON object and the status is
 * this one, else NULL */
const json_t *inquiry_object(const struct forge_inquiry *inquiry, size_t probe, int status);

/* The longest page of a list that forges give, and that they are asked for. */
#define FORGE_PAGE_MAX 100

/** inquiry_list() - what a probe was answered with if that is a JSON list; @ret_whole: no page of
 * it is left out */
const json_t *inquiry_list(const struct forge_inquiry *inquiry, size_t probe, bool *ret_whole);

/** inquiry_branch(), inquiry_tag() - the short name of the question's ref, or NULL if it is none */
const char *inquiry_branch(const struct forge_inquiry *inquiry);
const char *inquiry_tag(const struct forge_inquiry *inquiry);

/** inquiry_advertised() - true if a probe was answered with the advertisement of that service of
 * git */
bool inquiry_advertised(const struct forge_inquiry *inquiry, size_t probe, const char *service);

/** forge_finding_yes() - proven; @evidence is a template */
void forge_finding_yes(const struct forge_inquiry *inquiry, struct forge_finding *finding,
                       const char *evidence);

/** forge_finding_set() - not proven: "no", or "cannot tell" where @code decides nothing; a NULL
 * @remedy is the diagnosis' own */
void forge_finding_set(const struct forge_inquiry *inquiry, struct forge_finding *finding,
                       enum diagnosis code, const char *evidence, const char *remedy);

/** forge_finding_refusal(), forge_finding_error() - as that row of refusals, or that error, says */
void forge_finding_refusal(const struct forge_inquiry *inquiry, const struct forge_reply *reply,
                           struct forge_finding *finding, const struct forge_refusal *refusal);
void forge_finding_error(struct forge_finding *finding, const struct error *err);

/** forge_finding_remedy() - a template for a finding that has no remedy of its own yet */
void forge_finding_remedy(const struct forge_inquiry *inquiry, struct forge_finding *finding,
                          const char *remedy);

/** forge_finding_refused() - what an answer means that is not the one that proves something */
void forge_finding_refused(const struct forge_inquiry *inquiry, size_t probe,
                           struct forge_finding *finding);

/** forge_finding_unseen() - what only shows a protection was refused: that is no verdict on what it
 * protects */
void forge_finding_unseen(struct forge_finding *finding);

/** forge_finding_worst() - @finding becomes @other if that is the worse verdict */
void forge_finding_worst(struct forge_finding *finding, const struct forge_finding *other);

/** forge_report_login() - as whom it comes; NULL: undisclosed */
void forge_report_login(const struct forge_inquiry *inquiry, struct forge_report *report,
                        const char *login);

/** forge_report_scope() - one more of scopes that are known; a list that does not fit is not known,
 * and not shown in part */
void forge_report_scope(struct forge_report *report, const char *text, size_t length);

/** forge_report_scopes() - those of a list; not known if it is none */
void forge_report_scopes(struct forge_report *report, const json_t *list);

/** forge_report_warn() - one more warning, from a template; those that do not fit are left out */
void forge_report_warn(const struct forge_inquiry *inquiry, struct forge_report *report,
                       const char *template);
