#!/bin/sh
# Who would get a token, and by which rule, said beforehand: the same decision that a request meets, and nothing is issued.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq

standin_state >"$work/state.json"
standin_start "$work/state.json"
same_secret='forge = home
secret_path = /forges
secret_name = deploy-bot@example.org'
forge_settings='oidc_audience = forge-broker'
# forge NAME TYPE [SETTING] - one more, and a token for all of its jobs that are none of forks
forge() {
        forge_settings="$forge_settings
[forge $1]
type = $2
url = https://$1.example.org
${3-}"
        any="${any-}
[token any-of-$1]
$same_secret
proof = required
vouched_by = $1
job_repositories = platform/*
job_events ="
}
forge away gitea
forge hub github 'oidc_audience = forge-broker'
forge plain github
forge lab gitlab 'oidc_audience = forge-broker'
write_config <<EOT
[token open]
$same_secret
[token narrow]
$same_secret
units = forgejo-runner.service, docker-*.scope
[token deploy]
$same_secret
units = docker-*.scope
proof = required
job_repositories = platform/*
job_refs = refs/heads/main, refs/tags/v*
[token elsewhere]
$same_secret
proof = required
vouched_by = away
job_repositories = platform/*
[token any]
$same_secret
proof = required
job_repositories = platform/*
job_events =
$any
EOT
daemon_start
daemon_ready
records_before=$(wc -l <"$work/daemon.log")

explain() {
        "$brokerctl" --socket "$control_socket" explain "$@" >"$work/out" 2>"$work/err"
}
says() { # what, status, sentence, words...
        says_what=$1 says_status=$2 says_sentence=$3
        shift 3
        explain "$@"
        is "$says_what" $? "$says_status"
        like "... and says so" "$(cat "$work/out")" "$says_sentence"
}
id=$(printf '%064d' 7)

# Who gets it, in one sentence.
says "a token without rules" 0 "^Token 'open' is for every process of uid 0 that reaches the socket: every container with the mount gets this token, fork pull requests included\.$" open
says "one of some units" 0 "^Token 'narrow' is for every process of uid 0 in units forgejo-runner.service, docker-\*.scope: every root process of its units" narrow
says "one of proven jobs" 0 "^Token 'deploy' is for jobs that forge 'home' vouches for, in repositories platform/\*, for events push, create, .*, on refs refs/heads/main, refs/tags/v\*, from units docker-\*.scope; never for those of fork and AGit pull requests\.$" deploy
says "one whose forge's proof tells too little for its rules" 0 "never for those of fork and AGit pull requests\. No job gets it: forge 'away' proves no more than the repository" elsewhere
says "one of GitHub without ID tokens" 0 "No job gets it: forge 'plain' does not prove whether a job is a fork's" any-of-plain
explain any-of-away
unlike "one whose rules ask no more than that" "$(cat "$work/out")" 'No job gets it'
explain any-of-hub
unlike "GitHub with ID tokens" "$(cat "$work/out")" 'No job gets it'
is "it is one line" "$(wc -l <"$work/out")" 1

# A case.
says "anybody, where there is no rule" 0 "gets token 'open': it has no rule" open --unit any.service
says "a unit that fits" 0 "^A process of uid 0 in unit forgejo-runner.service without a proof gets token 'narrow' by units forgejo-runner.service\.$" \
        narrow --unit forgejo-runner.service
says "a container of docker's" 0 "in unit docker-$id.scope .* by units docker-\*.scope" narrow --container "$id"
says "one of podman's" 4 "in unit libpod-$id.scope .* does not get it: peer-refused: token 'narrow' is not for unit" narrow --container "podman:$id"
says "another unit" 4 "does not get it: peer-refused: token 'narrow' is not for unit 'cron.service'" narrow --unit cron.service
says "no proof" 4 "without a proof does not get it: proof-required" deploy --container "$id"
says "a job that fits" 0 "whose job in platform/site for push on refs/heads/main is proven (\(oidc\)) gets token 'deploy' by units docker-\*.scope, job_repositories platform/\*, job_events push, job_refs refs/heads/main" \
        deploy --container "docker:$id" --repo platform/site --event push --ref refs/heads/main
says "another event" 4 "peer-refused: token 'deploy' is not for event 'pull_request'" \
        deploy --container "$id" --repo platform/site --event pull_request --ref refs/heads/main
like "... with a remedy" "$(cat "$work/out")" '^remedy: .*job_events = in \[token deploy\]'
says "a fork's job" 4 "peer-refused: the job is of a fork's or an AGit pull request" \
        deploy --container "$id" --repo platform/site --event push --ref refs/heads/main --fork
says "a proof that does not tell the event" 4 "proof-insufficient: the job's proof does not tell the event" \
        deploy --container "$id" --repo platform/site --event push --ref refs/heads/main --proof repository
says "the most that a Gitea proves" 4 "is proven \(repository\) does not get it: proof-insufficient" \
        elsewhere --repo platform/site --event push
says "an event that is not told" 4 "proof-insufficient" deploy --container "$id" --repo platform/site --proof run-api

# Whether a proof tells a fork's job from others: each row is one of the table in 48-policy-table.t, said beforehand.
whose() { # what, status, sentence, TOKEN, PROOF, EVENT
        says "$1" "$2" "$3" "$4" --repo platform/site --proof "$5" --event "$6"
}
gets='gets token'
untold="proof-insufficient: the job's proof does not tell whether it is of a fork's pull request"
whose "Forgejo's pull request, by its ID token" 0 "$gets" any oidc pull_request
whose "... by the run" 0 "$gets" any run-api pull_request
whose "what a pull request sets off in the repository itself, by its ID token" 4 "$untold" any oidc pull_request_target
whose "... by the run" 0 "$gets" any run-api pull_request_target
whose "a called workflow" 4 "$untold" any run-api workflow_call
whose "Gitea's repository" 0 "$gets" any-of-away repository push
whose "GitHub's push" 0 "$gets" any-of-hub oidc push
whose "GitHub's pull request" 4 "$untold" any-of-hub oidc pull_request
whose "GitHub's repository" 4 "$untold" any-of-hub repository push
whose "GitLab's merge request, by its ID token" 0 "$gets" any-of-lab oidc pull_request
whose "... by its job's token" 4 "$untold" any-of-lab run-api pull_request
whose "GitLab's push, by its job's token" 0 "$gets" any-of-lab run-api push
says "... which is said of the case all the same" 4 'for pull_request of a fork.s or AGit pull request is proven' any-of-hub --repo platform/site --event pull_request --fork
says "a called workflow does not tell its event either" 4 "proof-insufficient: the job's proof does not tell the event" \
        deploy --container "$id" --repo platform/site --event workflow_call --ref refs/heads/main

# As JSON; and what is no case.
explain --json deploy --container "$id" --repo other/site --event push --ref refs/heads/main
is "a refusal as JSON" $? 4
is "... with its code and its rule" "$(jq -c '[.name, .allowed, .code, .rule, .proof]' "$work/out")" \
        '["deploy",false,"peer-refused","job_repositories platform/*","oidc"]'
explain --json open
is "who gets it, as JSON" "$(jq -c '[.allowed, .rule, .code, (.exposure | length > 0), (.sentence == .rules)]' "$work/out")" '[null,null,null,true,true]'
explain nope
is "there is no such token" $? 3
explain deploy --proof oidc
is "a proof of no repository is no case" $? 2
like "... which is said" "$(cat "$work/err")" 'a proof names a repository'
explain deploy --proof believe-me --repo a/b
is "nor is one that there is not" $? 2
explain elsewhere --proof oidc --repo a/b
is "nor one that the forge does not give" $? 2
like "... which is said" "$(cat "$work/err")" "forge 'away' gives no such proof: it has no oidc_audience"
explain deploy --container 12ab
is "nor a container's short ID" $? 2
explain deploy --unit a.service --unit b.service
is "nor two units" $? 2
explain deploy --ref "$(printf '%05000d' 0)"
is "nor a ref without end" $? 2
explain
is "a name is wanted" $? 2

is "nothing of it is on record" "$(tail -n "+$((records_before + 1))" "$work/daemon.log" | grep -cE '(issued|refused) ')" 0
is "jobs have no such route" "$(ask_status /v1/tokens/open/explain)" 400

# Each token that asks for no proof is named, however many there are.
for number in $(seq 10 59); do
        printf '[token a-token-with-quite-a-long-name-so-that-a-line-is-full-%s]\n%s\n' "$number" "$same_secret"
done >>"$config_file"
ok "with fifty more" control /v1/reload -X POST
is "the log names them all, in lines that are whole" \
        "$(grep 'proof = none: .*: every container with the mount gets this token, fork pull requests included$' "$work/daemon.log" |
                grep -o 'a-token-with-quite-a-long-name-so-that-a-line-is-full-[0-9]*' | sort -u | wc -l)" 50
is "... and the status in one" "$("$brokerctl" --socket "$control_socket" status | grep '^proof = none: open' | wc -w)" 66

daemon_stop
is "it stops cleanly" $? 0
done_testing
