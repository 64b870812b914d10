#!/bin/sh
# Which token is for a URL or a registry: what git's and docker's helpers ask first.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq

standin_state >"$work/state.json"
standin_start "$work/state.json"
forge_settings='registry = registry.example.org:5000'
write_config <<'EOT'
[forge sub]
type = gitea
url = https://apps.example.org/git

[token deploy]
forge = home
secret_path = /forges
secret_name = deploy-bot@example.org
username = deploy-bot

[token site]
forge = home
secret_path = /forges
secret_name = second
username = site-bot
for = platform/site, platform/site-*

[token a]
forge = sub
secret_path = /forges
secret_name = second

[token b]
forge = sub
secret_path = /forges
secret_name = second
EOT
daemon_start
ok "every token is usable" daemon_ready

# match KEY=VALUE... - the answer; curl encodes the values
match() {
        for match_pair; do
                shift
                set -- "$@" --data-urlencode "$match_pair"
        done
        ask /v1/match --get "$@"
}
name() {
        match "$@" | jq -r '.name // .code'
}

is "a URL has its token, user and forge" \
        "$(match protocol=https host=git.example.org path=owner/repository.git | jq -c '[.name, .username, .forge, .forge_type, .forge_url]')" \
        '["deploy","deploy-bot","home","forgejo","https://git.example.org"]'
is "the pattern decides" "$(name protocol=https host=git.example.org path=platform/site.git)" site
is "in any case" "$(name protocol=https host=GIT.example.org:443 path=Platform/Site-2)" site
is "what no pattern fits has the token without one" "$(name protocol=https host=git.example.org path=platform/sites.git)" deploy
is "and so has a host alone" "$(name protocol=https host=git.example.org)" deploy
is "a registry has its token" "$(name registry=https://registry.example.org:5000/v2/)" deploy
is "an image, too" "$(name registry=registry.example.org:5000/platform/site:v1)" site
like "there is no value in it" "$(match registry=registry.example.org:5000 | jq -c keys)" \
        '^\["forge","forge_type","forge_url","name","proof","username"\]$'

is "the token of an https forge is not for http" "$(name protocol=http host=git.example.org)" unknown-token
like "which is said" "$(match protocol=http host=git.example.org | jq -r .remedy)" 'Use https://git.example.org'
is "another host has none" "$(name protocol=https host=git.example.org.evil.example)" unknown-token
like "and the known ones are named" "$(match protocol=https host=github.com | jq -r .detail)" \
        'https://git.example.org, registry registry.example.org:5000; https://apps.example.org/git'
is "with a status that helpers know from a failure" "$(ask_status '/v1/match?registry=containers.example')" 404
is "another path of a host has none" "$(name protocol=https host=apps.example.org path=wiki/o/r.git)" unknown-token
is "a tie is an error" "$(name protocol=https host=apps.example.org path=git/o/r.git)" no-usable-value
like "that names the tokens" "$(match protocol=https host=apps.example.org path=git/o/r.git | jq -r .detail)" "'a' and 'b'"
like "and the key" "$(match protocol=https host=apps.example.org path=git/o/r.git | jq -r .remedy)" 'Set for = in \[token a\]'
is "a URL with a user in it is refused" "$(name protocol=https host=user@git.example.org)" malformed-request
is "a parameter that is not known is refused" "$(name protocol=https host=git.example.org username=x)" malformed-request
is "one that is there twice is refused" "$(name registry=a registry=a)" malformed-request
is "none is refused" "$(name)" malformed-request
is "the control socket answers as well" "$(control '/v1/match?registry=registry.example.org:5000' | jq -r .name)" deploy

records=$(control /v1/status | jq .broker.records)
i=0
while [ $i -lt 20 ]; do
        name protocol=https host=elsewhere.example.org >/dev/null
        i=$((i + 1))
done
is "asking is not recorded" "$(control /v1/status | jq .broker.records)" "$records"
unlike "and nothing is in the log of what was asked" "$(cat "$work/daemon.log")" 'elsewhere'

cat >>"$config_file" <<'EOT'
for = other/*
[token a]
for = git/*
EOT
is "with patterns" "$(control /v1/reload -X POST | jq -r .status)" reloaded
is "there is none for what they leave out" "$(name protocol=https host=apps.example.org path=git/o/r.git)" unknown-token
is "and one for what they name" "$(name protocol=https host=apps.example.org path=git/other/r.git)" b
cat >>"$config_file" <<'EOT'
for = other/*
EOT
is "one pattern in two tokens is a mistake" "$(control /v1/reload -X POST | jq -r .code)" config-rejected
is "which changes nothing" "$(name protocol=https host=apps.example.org path=git/other/r.git)" b
daemon_stop
is "a clean stop" $? 0
done_testing
