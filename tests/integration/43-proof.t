#!/bin/sh
# What a job shows as proof: genuine proofs are taken, and each forgery is refused by itself, in words that name it; the forge is
# asked no more often than it bears.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3

standin_state >"$work/state.json"
standin_start "$work/state.json"

job='"job":{"repository":"platform/app"}'
url='/api/actions/_apis/pipelines/workflows/42/idtoken?placeholder=true'

cat >"$work/forge.json" <<EOT
{ "users": { "deploy-bot": { "id": 7 }, "alice": { "id": 8 } },
  "repositories": { "platform/app": { "private": true, "access": { "alice": "write", "deploy-bot": "write" } },
                    "platform/public": {}, "other/app": {} },
  "oidc": { "requests": { "request-of-a-job": { $job }, "request-of-a-late-job": { $job, "shift": { "exp": -30 } } } },
  "tokens": { "$secret_value": { "user": "deploy-bot" },
              "token-of-alice": { "user": "alice", "scopes": ["read:repository", "read:user"] },
              "narrow-token": { "user": "alice", "scopes": ["read:repository"] },
              "token-of-a-job": { "kind": "job", "job": { "repository": "platform/app" } },
              "token-of-a-fork": { "kind": "job", "job": { "repository": "platform/app", "fork": true } },
              "token-of-another": { "kind": "job", "job": { "repository": "other/app" } } } }
EOT

# begin TYPE [SETTING...] - a forge of that type, and a daemon that has not asked it yet
begin() {
        forge_start "$1" "$work/forge.json"
        forge_settings=$2
        {
                token_deploy
                printf 'proof = required\njob_repositories = platform/*\njob_events =\n'
        } | write_config
        daemon_start
        daemon_ready || bail "not ready"
}
finish() {
        daemon_stop
        is "$1: a clean stop" $? 0
        forge_stop
}
# anew - forgets what was asked so far
anew() {
        control /v1/reload -X POST >/dev/null
        forge_ask /requests -X DELETE >/dev/null
}
mint() {
        forge_ask /id-token -d "$1" | jq -r .value
}
# show PROOF [CURL OPTION...] - the answer's code, or its source; the proof is in no argument
show() {
        printf 'Authorization: Bearer %s\n' "$1" >"$work/proof"
        shift
        ask /v1/tokens/deploy -H "@$work/proof" "$@" >"$work/answer"
        jq -r '.code // .source' "$work/answer"
}
detail() {
        jq -r .detail "$work/answer"
}
# asked PATTERN - how many requests with such a path the forge has seen
asked() {
        forge_ask /requests | jq --arg path "$1" '[.[] | select(.path | test($path))] | length'
}
taken() { # what, PROOF, CURL OPTION...
        taken_what=$1
        shift
        is "$taken_what" "$(show "$@")" infisical-token-auth
}
refused() { # what, code, detail, PROOF, CURL OPTION...
        refused_what=$1 refused_code=$2 refused_detail=$3
        shift 3
        is "$refused_what: $refused_code" "$(show "$@")" "$refused_code"
        like "$refused_what: and why" "$(detail)" "$refused_detail"
}
forged() { # what, detail, what is minted
        refused "$1" proof-rejected "$2" "$(mint "$3")"
}
fault() {
        forge_ask /fault -X PUT -d "$1" >/dev/null
}

# ID tokens.
begin forgejo 'oidc_audience = forge-broker'
is "without a proof: proof-required" "$(ask /v1/tokens/deploy | jq -r .code)" proof-required
is "and the forge is asked nothing" "$(forge_ask /requests | jq length)" 0
taken "a token of RS256" "$(mint "{$job}")"
taken "one of ES256" "$(mint "{$job,\"key\":\"four\"}")"
taken "one with several audiences" "$(mint "{$job,\"audience\":[\"https://git.example.org/platform\",\"forge-broker\"]}")"
taken "one that expired half a minute ago, for clocks differ" "$(mint "{$job,\"shift\":{\"exp\":-30}}")"
taken "one that holds in half a minute" "$(mint "{$job,\"shift\":{\"nbf\":30,\"iat\":30}}")"
taken "one without nbf" "$(mint "{$job,\"claims\":{\"nbf\":null}}")"
is "one look at the keys was enough" "$(asked keys)" 1

forged "alg none" "algorithm is 'none'" "{$job,\"algorithm\":\"none\"}"
forged "alg none in other letters" "algorithm is 'nOnE'" "{$job,\"algorithm\":\"none\",\"header\":{\"alg\":\"nOnE\"}}"
forged "RS256 without a signature" 'not signed' "{$job,\"algorithm\":\"none\",\"header\":{\"alg\":\"RS256\"}}"
forged "HS256 with the public key" "algorithm is 'HS256'" "{$job,\"algorithm\":\"HS256\"}"
forged "HS256 that says RS256" "signature is not the forge's" "{$job,\"algorithm\":\"HS256\",\"header\":{\"alg\":\"RS256\"}}"
forged "PS256" "algorithm is 'PS256'" "{$job,\"header\":{\"alg\":\"PS256\"}}"
forged "no algorithm" 'names no algorithm' "{$job,\"header\":{\"alg\":null}}"
forged "the kid of another key" "signature is not the forge's" "{$job,\"header\":{\"kid\":\"two\"}}"
forged "the kid of a key for another algorithm" 'key that is for another algorithm' "{$job,\"header\":{\"kid\":\"four\"}}"
forged "no kid" 'does not name its key' "{$job,\"header\":{\"kid\":null}}"
forged "expired" 'expired 5m' "{$job,\"shift\":{\"exp\":-300}}"
forged "not yet valid" 'holds only in' "{$job,\"shift\":{\"nbf\":300}}"
forged "issued in the future" 'holds only in' "{$job,\"shift\":{\"iat\":300}}"
forged "never expires" 'from when until when' "{$job,\"claims\":{\"exp\":null}}"
forged "expires at a fraction" 'from when until when' "{$job,\"claims\":{\"exp\":99999999999.5}}"
forged "expires at a text" 'from when until when' "{$job,\"claims\":{\"exp\":\"99999999999\"}}"
forged "expires after all years" 'from when until when' "{$job,\"claims\":{\"exp\":999999999999999}}"
forged "another audience" "another audience than 'forge-broker'" "{$job,\"audience\":\"https://git.example.org/platform\"}"
forged "an audience that begins alike" 'another audience' "{$job,\"audience\":\"forge-broker2\"}"
forged "no audience" 'another audience' "{$job,\"audience\":[]}"
forged "another issuer" "is not from $forge_url/api/actions" "{$job,\"claims\":{\"iss\":\"https://git.example.net/api/actions\"}}"
forged "an issuer that begins alike" 'is not from' "{$job,\"claims\":{\"iss\":\"$forge_url/api/actions/\"}}"
forged "no issuer" 'is not from' "{$job,\"claims\":{\"iss\":null}}"
forged "critical header parameters" 'critical header' "{$job,\"header\":{\"crit\":[\"exp\"]}}"
forged "no repository" "no claim 'repository'" "{$job,\"claims\":{\"repository\":null}}"
forged "a repository that is none" "no claim 'repository'" "{$job,\"claims\":{\"repository\":\"platform\"}}"
forged "a repository with a line in it" "no claim 'repository'" "{$job,\"claims\":{\"repository\":\"platform/app\\n\"}}"
forged "the same claim twice" 'no claims that can be read' '{"payload":"{\"iss\":\"a\",\"iss\":\"b\"}"}'
forged "the same claim in another spelling" 'no claims that can be read' '{"payload":"{\"iss\":\"a\",\"\\u0069ss\":\"b\"}"}'
forged "a claim that ends early" 'no claims that can be read' '{"payload":"{\"iss\":\"a\\u0000b\"}"}'
forged "a number without end" 'no claims that can be read' "{\"payload\":\"{\\\"exp\\\":$(printf '9%.0s' $(seq 400))}\"}"
forged "claims that nest" 'no claims that can be read' "{\"payload\":\"{\\\"a\\\":$(printf '[%.0s' $(seq 300))$(printf ']%.0s' $(seq 300))}\"}"
forged "claims that are no object" 'no claims that can be read' '{"payload":"[1]"}'
forged "claims that break off" 'no claims that can be read' '{"payload":"{\"iss\":"}'
good=$(mint "{$job}")
refused "a tampered claim" proof-rejected "signature is not the forge's" \
        "$(printf %s "$good" | python3 -c '
import base64, sys
head, body, sign = sys.stdin.read().split(".")
text = base64.urlsafe_b64decode(body + "==").replace(b"platform/app", b"platform/api")
print(head, base64.urlsafe_b64encode(text).decode().rstrip("="), sign, sep=".")')"
refused "padding" proof-rejected 'not signed' "$good=="
refused "two signatures" proof-rejected . "$good.$(printf %s "$good" | sed 's/.*\.//')"
refused "the signature of another spelling" proof-rejected 'not signed' "${good%?}$(printf %s "$good" | tail -c 1 | tr AQgw BRhx)"
refused "a longer signature" proof-rejected "signature is not the forge's" "${good}A"
is "all of that looked at the keys once" "$(asked keys)" 1
forged "an unknown kid" 'key that the forge does not publish' "{$job,\"header\":{\"kid\":\"nobody's\"}}"
is "which may be new, so the keys are read again" "$(asked keys)" 2
forged "the next unknown kid" 'key that the forge does not publish' "{$job,\"key\":\"three\"}"
forged "a key that the token brings along" 'does not publish' \
        "{$job,\"key\":\"three\",\"header\":{\"jwk\":{\"kty\":\"RSA\"},\"jku\":\"$forge_url/evil\",\"x5u\":\"$forge_url/evil\"}}"
is "the keys are not read again so soon" "$(asked keys)" 2
is "and nothing else is" "$(asked evil)" 0

# As large as it likes.
is "claims of 5 KiB are too large" "$(show "$(mint "{$job,\"claims\":{\"pad\":\"$(printf 'x%.0s' $(seq 5000))\"}}")")" \
        request-too-large
python3 - "$jobs_socket" >"$work/large" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
try:
    s.sendall(b"GET /v1/tokens/deploy HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer eyJ" + b"a" * (1 << 20) + b"\r\n\r\n")
except OSError:
    pass
try:
    print(s.recv(100).split(b"\r\n")[0].decode())
except OSError:
    print("closed")
PY
like "1 MiB of claims is not read" "$(cat "$work/large")" '^(HTTP/1\.[01] 431 .*|closed)$'
is "two proofs are none" "$(ask /v1/tokens/deploy -H 'Authorization: Bearer a' -H 'Authorization: Bearer b' | jq -r .code)" \
        malformed-request
is "another scheme is no proof" "$(ask /v1/tokens/deploy -H 'Authorization: Basic YTpi' | jq -r .code)" proof-required

# Keys that were rotated.
anew
taken "with the first key" "$(mint "{$job}")"
forge_ask /oidc -X PUT -d '{"published":["three"]}' >/dev/null
taken "with one that was published since" "$(mint "{$job,\"key\":\"three\"}")"
is "for which the keys were read once more" "$(asked keys)" 2
refused "what the old key signs now" proof-rejected 'does not publish' "$(mint "{$job,\"claims\":{\"jti\":\"2\"}}")"
forge_ask /oidc -X PUT -d '{"published":null}' >/dev/null

# Key sets that are none.  A good token is then not refused as false, but cannot be told.
broken() { # what, upstream code and detail, fault
        anew
        fault "$3"
        refused "$1" proof-insufficient "$2" "$good"
        like "$1: and when to ask again" "$(cat "$work/head")" '^Retry-After: [0-9]'
        fault '{}'
}
good=$(mint "{$job}")
broken "a redirected discovery document" 'upstream-blocked: .*redirect' \
        "{\"kind\":\"redirect\",\"path\":\"openid-configuration\",\"location\":\"$forge_url/evil\"}"
broken "a redirected key set" 'upstream-blocked: .*redirect' \
        "{\"kind\":\"redirect\",\"path\":\"keys\",\"location\":\"$forge_url/evil\"}"
is "a redirect is not followed" "$(asked evil)" 0
broken "a proxy's page" 'upstream-blocked' '{"kind":"html","path":"keys"}'
broken "a key set that breaks off" 'upstream-' '{"kind":"truncated","path":"keys"}'
broken "a key set of 100 KiB" 'upstream-malformed: .*larger' \
        "{\"kind\":\"json\",\"status\":200,\"path\":\"keys\",\"body\":{\"keys\":[],\"pad\":\"$(head -c 100000 /dev/zero | tr '\0' x)\"}}"
broken "no keys" 'upstream-malformed: .*no key' '{"kind":"json","status":200,"path":"keys","body":{"keys":[]}}'
broken "keys for nothing" 'upstream-malformed: .*no key' \
        '{"kind":"json","status":200,"path":"keys","body":{"keys":[{"kty":"oct","kid":"one","k":"AAAA"},{"kty":"RSA","kid":"two","n":"AQAB","e":"AQAB"}]}}'
broken "a discovery document of another issuer" "upstream-malformed: .*another issuer's" \
        '{"kind":"json","status":200,"path":"openid-configuration","body":{"issuer":"https://evil.example","jwks_uri":"https://evil.example/keys"}}'
broken "keys at another address" "upstream-malformed: .*not at the issuer's own address" \
        "{\"kind\":\"json\",\"status\":200,\"path\":\"openid-configuration\",\"body\":{\"issuer\":\"$forge_url/api/actions\",\"jwks_uri\":\"https://evil.example/keys\"}}"
anew
taken "with the forge well again the same token is taken" "$good"

# The job's request token, and the address that takes it.
request() { # CURL OPTION... with the address
        show request-of-a-job -H "Forge-Broker-Id-Token-Url: $1"
}
anew
taken "a request token" request-of-a-job -H "Forge-Broker-Id-Token-Url: $forge_url$url"
is "is shown where it belongs, for our audience" "$(asked 'idtoken\?placeholder=true&audience=forge-broker$')" 1
taken "one whose ID token has only the clocks' leeway left" request-of-a-late-job -H "Forge-Broker-Id-Token-Url: $forge_url$url"
is "is shown once as well" "$(asked 'idtoken')" 2
is "an address without a query" "$(request "$forge_url${url%%\?*}")" infisical-token-auth
for address in https://evil.example/idtoken "http://127.0.0.1:9$url" "${forge_url}0$url" "${forge_url%%//*}//git.example.org@127.0.0.1$url" \
        "$(echo "$forge_url" | sed 's|//|//x@|')$url" "file:///etc/passwd" "$forge_url" "$forge_url$url#x" "gopher://127.0.0.1/" "x"; do
        [ "$address" = "$forge_url" ] && continue
        is "refused as an address: $address" "$(request "$address")" proof-rejected
done
is "an address of 3 KiB" "$(request "$forge_url$url&x=$(printf 'x%.0s' $(seq 3000))")" request-too-large
refused "a request token that nobody knows" proof-rejected 'gives no ID token' nobody -H "Forge-Broker-Id-Token-Url: $forge_url$url"
anew
fault "{\"kind\":\"redirect\",\"path\":\"idtoken\",\"location\":\"$forge_url/evil\"}"
refused "a redirected request" proof-insufficient 'upstream-blocked: .*redirect' request-of-a-job \
        -H "Forge-Broker-Id-Token-Url: $forge_url$url"
is "and nobody else is shown it" "$(asked evil)" 0
fault '{}'
finish oidc

# Without an audience no ID token counts.
begin forgejo ''
good=$(mint "{$job}")
refused "an ID token without oidc_audience" proof-insufficient 'ID tokens are no proof' "$good"
is "nobody is asked" "$(forge_ask /requests | jq length)" 0

# Automatic tokens: Forgejo since 16.
taken "the token of a job that runs" token-of-a-job
for _ in 1 2 3 4 5; do show token-of-a-job >/dev/null; done
is "six tokens cost one question" "$(asked actions/run)" 1
refused "a user's token" proof-rejected "not a job's automatic token" token-of-alice
refused "what nobody knows" proof-rejected 'does not know the token' nobody
show nobody >/dev/null
is "is shown to the forge once" "$(asked actions/run)" 3
refused "a third bad token of the same process' unit" too-many-requests 'too many tokens that it does not know' nobody-either
like "and when to ask again" "$(cat "$work/head")" '^Retry-After: [0-9]'
refused "a good one of that unit has to wait as well" too-many-requests . token-of-another
taken "what was proven before goes on" token-of-a-job
finish forgejo

begin forgejo ''
# A reload in the middle: the question is put anew, under the new configuration.
fault '{"delay":1}'
show token-of-a-job >"$work/across" &
across=$!
was_asked() { [ "$(asked actions/run)" -ge 1 ]; }
wait_for 10 was_asked
control /v1/reload -X POST >/dev/null
wait "$across"
is "a reload while the forge is asked" "$(cat "$work/across")" infisical-token-auth
is "costs a second question" "$(asked actions/run)" 2
fault '{}'
anew
taken "before its end" token-of-a-job
forge_ask /tokens -X PUT -d '{"token-of-a-job":{"kind":"job","state":"over","job":{"repository":"platform/app"}}}' >/dev/null
is_over() { [ "$(show token-of-a-job)" = proof-rejected ]; }
ok "replayed after the job's end it is refused, 10 s later at most" wait_for 15 is_over
like "as the forge says" "$(detail)" 'its job has ended'
forge_stop
refused "with the forge gone nobody can tell" proof-insufficient 'upstream-unreachable' token-of-another
like "but later perhaps" "$(cat "$work/head")" '^Retry-After: [0-9]'
daemon_stop
is "a clean stop" $? 0

# Forgejo before 16, and Gitea: the token must be a job's, and may push to the repository that the job names.
app='Forge-Broker-Repository: platform/app'
older() { # type, setting of the forge
        begin "$1" ''
        forge_ask /settings -X PUT -d "$2" >/dev/null
        taken "$1: a job of the repository" token-of-a-job -H "$app"
        taken "$1: with its name in other letters" token-of-a-job -H 'Forge-Broker-Repository: Platform/App'
        refused "$1: a job that does not say where it runs" proof-insufficient 'only when it is named' token-of-a-job
        refused "$1: a job that claims another's" proof-insufficient 'may not push' token-of-another -H "$app"
        refused "$1: a fork's job" proof-insufficient 'may not push' token-of-a-fork -H "$app"
        refused "$1: a claim that would lead elsewhere" proof-insufficient . token-of-a-job \
                -H 'Forge-Broker-Repository: ../../user'
        refused "$1: a user who may push, with a token that may only read" proof-rejected "not a job's automatic token" \
                token-of-alice -H "$app"
        anew
        refused "$1: the same without read:user" proof-rejected "not a job's automatic token" narrow-token -H "$app"
        finish "$1"
}
older forgejo '{"version":"15.0.3"}'
older gitea '{}'

# GitHub and GitLab.
cat >"$work/forge.json" <<EOT
{ "users": { "deploy-bot": { "id": 7 } }, "repositories": { "platform/app": { "private": true }, "platform/api": {} },
  "tokens": { "$secret_value": { "user": "deploy-bot" },
              "one-repository": { "kind": "installation", "repositories": ["platform/app"] },
              "two-repositories": { "kind": "installation", "repositories": ["platform/app", "platform/api"] },
              "token-of-a-job": { "kind": "job", "job": { "repository": "platform/app", "ref": "main" } } } }
EOT
begin github 'oidc_audience = forge-broker'
taken "github: an ID token" "$(mint "{$job}")"
refused "github: an App's token" proof-rejected 'for 2 repositories' two-repositories
refused "github: a user's token" proof-rejected "not a job's automatic token" "$secret_value"
finish github

begin github ''
forge_ask /settings -X PUT -d '{"rate_limited":"secondary"}' >/dev/null
refused "github limits how often it is asked" proof-insufficient 'upstream-rate-limited' one-repository
refused "github: then it is left alone" too-many-requests . two-repositories
is "github: so it was asked once" "$(asked installation)" 1
finish github

# Of a job of another forge: its token is none of this one's business.
begin github ''
for token in 0123456789abcdef0123456789abcdef01234567 glcbt-64_0123456789; do
        refused "github: $token" proof-insufficient "another kind of forge's" "$token"
done
is "github is not shown them" "$(asked installation)" 0
finish github

begin gitlab 'oidc_audience = forge-broker'
refused "gitlab: a token of GitHub's" proof-insufficient "another kind of forge's" ghs_0123456789
taken "gitlab: an ID token" "$(mint '{"job":{"repository":"platform/app","ref":"main"}}')"
taken "gitlab: a job's token" token-of-a-job
refused "gitlab: a user's token" proof-rejected 'does not know the token' "$secret_value"
finish gitlab

unlike "no proof is in the log" "$(cat "$work/daemon.log")" 'token-of|request-of|eyJ|nobody-either'
done_testing
