#!/bin/sh
# Which job gets which token: every kind of job, at every forge, with every proof that it has there, against every rule.
#
# A job is the real client in the environment that the forge's runner makes, the proof is asked of the stand-in of that forge.
# There are four tokens, and a column of the table has a letter for each of them, in this order:
#
#   deploy  job_events as they are without the setting: push, create, schedule, workflow_dispatch, release
#   any     job_events =
#   review  job_events = push, pull_request, pull_request_target
#   tagged  job_events =, job_refs = refs/tags/v*
#
#   I issued, on record as proven the way that the row says         Q proof-required
#   refused for what the proof tells (peer-refused):                E its event   R its ref   P its repository   F it is a fork's
#   for what the proof does not tell (proof-insufficient):          e the event   r the ref   f whether it is a fork's
#                                                                   s no job with the right to push shows it
#   X proof-rejected                                                -  there is no such job, or no such proof of it
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3

forges="forgejo16 forgejo15 gitea github gitlab"
table() {
        grep -v -e '^#' -e '^$' <<'EOT'
# job     | proof      | forgejo16 | forgejo15 | gitea | github | gitlab
push      | none       | QQQQ      | QQQQ      | QQQQ  | QQQQ   | QQQQ
push      | oidc       | IIIR      | IIIR      | -     | IIIR   | IIIR
push      | automatic  | IIIR      | eIer      | eIer  | efer   | IIIR
tag       | none       | QQQQ      | QQQQ      | QQQQ  | QQQQ   | QQQQ
tag       | oidc       | IIII      | IIII      | -     | IIII   | IIII
tag       | automatic  | IIII      | eIer      | eIer  | efer   | IIII
schedule  | none       | QQQQ      | QQQQ      | QQQQ  | QQQQ   | QQQQ
schedule  | oidc       | IIER      | IIER      | -     | IIER   | IIER
schedule  | automatic  | IIER      | eIer      | eIer  | efer   | IIER
dispatch  | none       | QQQQ      | QQQQ      | QQQQ  | QQQQ   | QQQQ
dispatch  | oidc       | IIER      | IIER      | -     | IIER   | IIER
dispatch  | automatic  | IIER      | eIer      | eIer  | efer   | IIER
# A pull request from a branch of the repository itself.  GitLab's job does not say whose merge request it is.
same      | none       | QQQQ      | QQQQ      | QQQQ  | QQQQ   | QQQQ
same      | oidc       | EIIR      | EIIR      | -     | EffR   | EIIR
same      | automatic  | EIIr      | eIer      | eIer  | efer   | EffR
# Forgejo gives a fork's pull request no ID token; GitHub does where an administrator lets it.
fork      | none       | QQQQ      | QQQQ      | QQQQ  | QQQQ   | QQQQ
fork      | oidc       | -         | -         | -     | EffR   | FFFF
fork      | automatic  | FFFF      | ssss      | ssss  | efer   | EffR
agit      | none       | QQQQ      | QQQQ      | QQQQ  | -      | -
agit      | oidc       | -         | -         | -     | -      | -
agit      | automatic  | FFFF      | ssss      | ssss  | -      | -
# Set off by a fork's pull request, and run in the repository itself with all its rights.
target    | none       | QQQQ      | QQQQ      | QQQQ  | QQQQ   | -
target    | oidc       | EffR      | EffR      | -     | EffR   | -
target    | automatic  | FFFF      | eIer      | eIer  | efer   | -
# In a reusable workflow, or a child's pipeline: not what set it off.
call      | none       | QQQQ      | QQQQ      | QQQQ  | QQQQ   | QQQQ
call      | oidc       | efeR      | efeR      | -     | efeR   | efeR
call      | automatic  | efeR      | eIer      | eIer  | efer   | efeR
# A pull request whose fork is gone.
deleted   | none       | QQQQ      | QQQQ      | QQQQ  | QQQQ   | -
deleted   | oidc       | -         | -         | -     | EffR   | -
deleted   | automatic  | FFFF      | ssss      | ssss  | efer   | -
unknown   | none       | QQQQ      | QQQQ      | QQQQ  | QQQQ   | QQQQ
unknown   | oidc       | EIER      | EIER      | -     | EIER   | EfER
unknown   | automatic  | EIER      | eIer      | eIer  | efer   | EfER
# A job of another repository, of a token that is no job's, of one that has ended.
elsewhere | none       | QQQQ      | QQQQ      | QQQQ  | QQQQ   | QQQQ
elsewhere | oidc       | PPPP      | PPPP      | -     | PPPP   | PPPP
elsewhere | automatic  | PPPP      | PPPP      | PPPP  | PPPP   | PPPP
user      | automatic  | XXXX      | XXXX      | XXXX  | XXXX   | XXXX
ended     | automatic  | XXXX      | XXXX      | XXXX  | XXXX   | XXXX
EOT
}

# What the forge knows: each kind of job with its automatic token (job-KIND) and its request for an ID token (request-KIND).
state() {
        python3 - "$1" "$secret_value" <<'EOT'
import json, sys
forge, value = sys.argv[1:]
gitlab = forge == "gitlab"
here, fork = {"full_name": "platform/app"}, {"full_name": "mallory/app"}


def pull(head, **more):
    return {"event_payload": {"pull_request": {"head": {"repo": head}, "base": {"repo": here}, **more}}, "ref": "refs/pull/7/head"}


if gitlab:
    jobs = {"push": {}, "tag": {"ref": "v1.0", "tag": True}, "schedule": {"event": "schedule"}, "dispatch": {"event": "web"},
            "same": {"event": "merge_request_event", "ref": "topic", "runs_in": "platform/app"},
            "fork": {"event": "merge_request_event", "ref": "topic", "runs_in": "platform/app"},
            "call": {"event": "parent_pipeline"}, "unknown": {"event": "something_new"},
            "elsewhere": {"repository": "others/app"}}
else:
    jobs = {"push": {}, "tag": {"ref": "refs/tags/v1.0"}, "schedule": {"event": "schedule"},
            "dispatch": {"event": "workflow_dispatch"},
            "same": {"event": "pull_request", **pull(here, flow=0)},
            "fork": {"event": "pull_request", "fork": True, **pull(fork, flow=0)},
            # Before 16 the forge decides: what it takes for a fork's may not push.
            "agit": {"event": "pull_request", "fork": forge != "forgejo16", **pull(here, flow=1)},
            "target": {"event": "pull_request_target", **pull(fork, flow=0), "ref": "refs/heads/main"},
            "call": {"event": "workflow_call"},
            "deleted": {"event": "pull_request", "fork": forge != "forgejo16", **pull(None, flow=0)},
            "unknown": {"event": "something_new"}, "elsewhere": {"repository": "others/app"}}
for name, job in jobs.items():
    job.setdefault("repository", "platform/app")
    if forge == "github" and name in ("same", "fork", "deleted"):
        job["ref"] = "refs/pull/7/merge"
kind = "installation" if forge == "github" else "job"
tokens = {f"job-{name}": {"kind": kind, "job": job, "repositories": [job["repository"]]} for name, job in jobs.items()}
tokens["job-ended"] = {"kind": kind, "state": "ended", "job": jobs["push"], "repositories": ["platform/app"]}
tokens["job-user"] = {"user": "alice"}
tokens[value] = {"user": "deploy-bot"}
if gitlab:  # an ID token of a fork's merge request names the fork
    jobs["fork"] = {**jobs["fork"], "repository": "mallory/app"}
print(json.dumps({
    "users": {"deploy-bot": {}, "alice": {}, "mallory": {}}, "organizations": {"platform": {}, "others": {}}, "tokens": tokens,
    "repositories": {"platform/app": {"private": True, "access": {"deploy-bot": "write", "alice": "write"}},
                     "mallory/app": {}, "others/app": {"private": True, "access": {"alice": "write"}}},
    "settings": {"forgejo16": {"version": "16.0.0"}, "forgejo15": {"version": "15.0.1"}}.get(forge, {}),
    "oidc": {"requests": {f"request-{name}": {"job": job} for name, job in jobs.items()}}}))
EOT
}

token() { # NAME, settings
        printf '[token %s]\nforge = home\nsecret_path = /forges\nsecret_name = deploy-bot@example.org\nusername = deploy-bot\n%s\n' "$1" "$2"
}
proven='proof = required
job_repositories = platform/*'
tokens="deploy any review tagged"

# job FORGE KIND PROOF NAME - the client asks for NAME
job() {
        case $1 in
        forgejo*) set -- "$@" FORGEJO_ACTIONS=true FORGEJO_TOKEN FORGEJO_REPOSITORY ;;
        gitea) set -- "$@" GITEA_ACTIONS=true GITHUB_TOKEN GITHUB_REPOSITORY ;;
        github) set -- "$@" GITHUB_ACTIONS=true GITHUB_TOKEN GITHUB_REPOSITORY ;;
        gitlab) set -- "$@" GITLAB_CI=true CI_JOB_TOKEN CI_PROJECT_PATH ;;
        esac
        repository=platform/app
        [ "$2" = elsewhere ] && repository=others/app
        case $1:$3 in
        *:automatic) proof="$6=job-$2" ;;
        gitlab:oidc) proof=FORGE_BROKER_PROOF=$(forge_ask /id-token -X POST -d "$(jq -c --arg of "request-$2" '.oidc.requests[$of]' "$work/forge.json")" | jq -r .value) ;;
        *:oidc) proof="ACTIONS_ID_TOKEN_REQUEST_URL=$forge_url/api/actions/_apis/pipelines/workflows/42/idtoken?placeholder=true ACTIONS_ID_TOKEN_REQUEST_TOKEN=request-$2" ;;
        *:none) proof= ;;
        esac
        # shellcheck disable=SC2086 # words without blanks
        env -i "$5" "$7=$repository" $proof "$broker" --socket "$jobs_socket" get "$4" >"$work/out" 2>"$work/err"
}

# letter FORGE KIND PROOF NAME - what came of it
letter() {
        if job "$@"; then
                case $(cat "$work/out") in
                "$secret_value") ;;
                *) echo '[no value]'; return ;;
                esac
                last=$(records issued | tail -n 1)
                case $3:$1 in
                oidc:*) verified=oidc ;;
                automatic:forgejo16 | automatic:gitlab) verified=run-api ;;
                *) verified=repository ;;
                esac
                case $last in
                *" token=$4 "*" rule=\"job_repositories platform/*"*"\" verified=$verified proven_repo=platform/app"*) echo I ;;
                *) echo "[$last]" ;;
                esac
                return
        fi
        [ -s "$work/out" ] && { echo '[output]'; return; }
        case $(sed -n 's/^forge-broker: //p' "$work/err" | head -n 1) in
        "proof-required: "*) echo Q ;;
        "proof-rejected: "*) echo X ;;
        "peer-refused: "*" is of a fork's or an AGit pull request"*) echo F ;;
        "peer-refused: "*" is not for event "*": job_events "*) echo E ;;
        "peer-refused: "*" is not for ref "*": job_refs refs/tags/v*") echo R ;;
        "peer-refused: "*" is not for repository "*": job_repositories platform/*") echo P ;;
        "proof-insufficient: "*": job_events "*) echo e ;;
        "proof-insufficient: "*": job_refs refs/tags/v*") echo r ;;
        "proof-insufficient: "*" does not tell whether it is of a fork's pull request"*) echo f ;;
        "proof-insufficient: "*" may not push to "*) echo s ;;
        *) echo "[$(head -n 1 "$work/err")]" ;;
        esac
}

standin_state >"$work/state.json"
standin_start "$work/state.json"
column=3
for forge in $forges; do
        state "$forge" >"$work/forge.json"
        forge_start "$(echo "$forge" | tr -d 0-9)" "$work/forge.json"
        forge_settings="oidc_audience = forge-broker"
        # A host's own GitHub: github.com's issuer has another name.
        [ "$forge" = gitea ] && forge_settings=
        : >"$work/daemon.log"
        { token deploy "$proven"; token any "$proven
job_events ="; token review "$proven
job_events = push, pull_request, pull_request_target"; token tagged "$proven
job_events =
job_refs = refs/tags/v*"; } | write_config
        daemon_start
        daemon_ready || bail "not ready: $(tail -n 5 "$work/daemon.log")"
        table | tr -d ' ' | cut -d '|' -f "1,2,$column" | tr '|' ' ' >"$work/rows"
        while read -r kind proof expected; do
                [ "$expected" = - ] && continue
                found=
                for name in $tokens; do
                        found=$found$(letter "$forge" "$kind" "$proof" "$name")
                done
                is "$forge: $kind, $proof" "$found" "$expected"
        done <"$work/rows"
        daemon_stop
        is "$forge: a clean stop" $? 0
        forge_stop
        column=$((column + 1))
done

# A job of another forge: its proof counts for a token that names that forge in vouched_by, and for no other.
# whose job | proof     | a token of its own forge | one that the other forge vouches for
foreign() {
        grep -v '^#' <<'EOT'
home        | oidc      | I                        | X
home        | automatic | I                        | X
home        | none      | Q                        | Q
other       | oidc      | X                        | I
other       | automatic | X                        | I
other       | none      | Q                        | Q
EOT
}
# Each forge has jobs and keys of its own.
state forgejo16 | sed 's/job-push/job-at-other/; s/request-push/request-at-other/' >"$work/forge.json"
forge_start forgejo "$work/forge.json"
other_url=$forge_url
state forgejo16 >"$work/forge.json"
forge_start forgejo "$work/forge.json"
home_url=$forge_url
forge_settings="oidc_audience = forge-broker
[forge other]
type = forgejo
url = $other_url
oidc_audience = forge-broker"
: >"$work/daemon.log"
{ token deploy "$proven"; token mirror "$proven
vouched_by = other"; } | write_config
daemon_start
daemon_ready || bail "not ready: $(tail -n 5 "$work/daemon.log")"
foreign | tr -d ' ' | tr '|' ' ' >"$work/rows"
while read -r whose proof at_home at_other; do
        kind=push
        forge_url=$home_url
        [ "$whose" = other ] && { kind=at-other; forge_url=$other_url; }
        is "a job of forge $whose, $proof, asks for its own token" "$(letter forgejo16 "$kind" "$proof" deploy)" "$at_home"
        is "a job of forge $whose, $proof, asks for the one that forge other vouches for" \
                "$(letter forgejo16 "$kind" "$proof" mirror)" "$at_other"
done <"$work/rows"
daemon_stop
is "a clean stop" $? 0
done_testing
