#!/bin/sh
# skopeo, which finds its credentials as docker and podman do, against a registry that says who asked.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3
need skopeo skopeo
secret_value=fb-canary-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')

registry_start() { # basic|bearer - sets registry_port
        rm -f "$work/$1.port"
        python3 "$top_srcdir/tests/integration/registry.py" "$1" "$work/$1.port" "$work/registry.log" deploy-bot \
                "$work/etc/password" >"$work/$1.log" 2>&1 &
        lib_pids="$lib_pids $!"
        wait_for 10 test -s "$work/$1.port" || bail "the registry did not start: $(cat "$work/$1.log")"
        registry_port=$(cat "$work/$1.port")
}

mkdir -p "$work/etc" "$work/bin" "$work/user" "$work/seen"
(umask 077 && printf '%s\n' "$secret_value" >"$work/etc/password")
registry_start basic
basic=localhost:$registry_port
registry_start bearer
bearer=localhost:$registry_port
standin_state >"$work/state.json"
standin_start "$work/state.json"
forge_settings="registry = $basic"
{
        token_deploy
        cat <<EOT
[forge other]
type = gitea
url = https://apps.example.org
registry = $bearer

[token apps]
forge = other
secret_path = /forges
secret_name = deploy-bot@example.org
username = deploy-bot
EOT
} | write_config
daemon_start
ok "every token is usable" daemon_ready

# The helper as a job has it, by its name on PATH; what it is called with is kept for the canary.
ln "$broker" "$work/bin/real" 2>/dev/null || cp "$broker" "$work/bin/real"
mkdir "$work/bin/named"
ln -s ../real "$work/bin/named/docker-credential-forge-broker"
cat >"$work/bin/docker-credential-forge-broker" <<EOT
#!/bin/sh
{ tr '\0' '\n' <"/proc/\$\$/cmdline"; tr '\0' '\n' <"/proc/\$\$/environ"; } >>"$work/seen/helper"
exec "$work/bin/named/docker-credential-forge-broker" "\$@" 2>>"$work/seen/stderr"
EOT
chmod +x "$work/bin/docker-credential-forge-broker"
unset DOCKER_CONFIG XDG_RUNTIME_DIR XDG_CONFIG_HOME REGISTRY_AUTH_FILE DOCKER_AUTH_CONFIG
FORGE_BROKER_SOCKET=$jobs_socket PATH=$work/bin:$PATH HOME=$work/user
export FORGE_BROKER_SOCKET PATH HOME

helper() { # ACTION, its input on standard input
        docker-credential-forge-broker "$@"
}
asks() { # skopeo, by docker's own file
        : >"$work/registry.log"
        skopeo inspect --tls-verify=false --raw "docker://$1" >"$work/skopeo.out" 2>"$work/skopeo.err"
}
config=$work/user/.docker/config.json

# setup docker
"$broker" setup docker >"$work/seen/setup" 2>&1
is "setup docker names the registries" "$(jq -c .credHelpers "$config" | jq -S -c .)" \
        "$(printf '{"%s":"forge-broker","%s":"forge-broker"}' "$basic" "$bearer" | jq -S -c .)"
is "a new file is its user's alone" "$(stat -c %a "$config") $(stat -c %a "$work/user/.docker")" "600 700"
unlike "the helper is on PATH, so nothing is said of that" "$(cat "$work/seen/setup")" PATH
before=$(stat -c %i "$config")
"$broker" setup docker -q
is "a second time changes nothing" "$(stat -c %i "$config")" "$before"

# Lookups by a real client
ok "skopeo gets in with Basic" asks "$basic/platform/site"
like "as the token's user, with its value" "$(cat "$work/registry.log")" '^GET /v2/platform/site/manifests/latest Basic deploy-bot right$'
ok "and where the registry gives out bearer tokens" asks "$bearer/platform/site"
like "with the value at its token endpoint" "$(cat "$work/registry.log")" '^GET /token Basic deploy-bot right$'
like "and the registry's token after that" "$(cat "$work/registry.log")" '^GET /v2/platform/site/manifests/latest Bearer$'
like "each lookup is on record" "$(records issued)" 'token=deploy .*peer_uid=0'
is "podman's own file does as well" \
        "$("$broker" setup docker --config "$work/auth.json" -q && rm "$config" && skopeo inspect --tls-verify=false --raw --authfile "$work/auth.json" "docker://$basic/a/b" | jq .schemaVersion)" 2
"$broker" setup docker -q

# The protocol
is "get answers with the server as it was asked for" \
        "$(printf 'https://%s/v2/\n' "$basic" | helper get | jq -c '[.ServerURL, .Username, .Secret == $s]' --arg s "$secret_value")" \
        "[\"https://$basic/v2/\",\"deploy-bot\",true]"
for form in "$basic" "https://$basic" "https://$basic/" "$basic/" "https://$basic/v1/" "  $basic  "; do
        is "get knows '$form'" "$(printf '%s' "$form" | helper get | jq -r .Username)" deploy-bot
done
is "list has them all" "$(printf unused | helper list | jq -S -c .)" \
        "$(printf '{"https://%s":"deploy-bot","https://%s":"deploy-bot"}' "$basic" "$bearer" | jq -S -c .)"
like "version names it" "$(helper version)" '^docker-credential-forge-broker \(forge-broker\) [0-9]'
not_ok "another registry has none" sh -c 'echo containers.example | docker-credential-forge-broker get'
is "in the words that docker goes by" "$(echo containers.example | helper get)" 'credentials not found in native keychain'
is "without a server there is none to ask about" "$(printf '\n' | helper get; echo $?)" "no credentials server URL
1"
is "nor to forget" "$(printf '' | helper erase)" "no credentials server URL"
like "store says why it does not" "$(printf '{"ServerURL":"%s","Username":"u","Secret":"s"}' "$basic" | helper store; echo " $?")" \
        'nothing is stored: .* leave out the login'
not_ok "with exit status 1" sh -c 'echo {} | docker-credential-forge-broker store'
is "erase has nothing to do" "$(echo "$basic" | helper erase; echo $?)" 0
is "an unknown action is said" "$(helper forget </dev/null; echo $?)" "docker-credential-forge-broker: unknown action: forget
1"
head -c 100000 /dev/zero | tr '\0' a >"$work/long"
like "endless input is refused" "$(helper get <"$work/long"; echo " $?")" 'is too long'
like "so is a URL that is none" "$(printf 'a\033[31m b' | helper get)" 'a character that no URL has'
: >"$work/registry.log"
is "a docker login by this user fails" "$(printf %s "$secret_value" | skopeo login --tls-verify=false --authfile "$config" -u deploy-bot --password-stdin "$basic" >"$work/login" 2>&1; echo $?)" 1
like "and says why" "$(cat "$work/login")" 'nothing is stored'

# When something is wrong nobody goes on as anonymous.
printf '{"credHelpers":{"127.0.0.1:%s":"forge-broker"}}' "${basic#*:}" >"$work/unknown.json"
: >"$work/registry.log"
skopeo inspect --tls-verify=false --raw --authfile "$work/unknown.json" "docker://127.0.0.1:${basic#*:}/a/b" >/dev/null 2>&1
like "for a registry without a token skopeo goes on as anonymous" "$(cat "$work/registry.log")" 'anonymous$'
unlike "and as nobody else" "$(cat "$work/registry.log")" 'Basic'
standin_ask /secret -X DELETE -d '{"path":"/forges","name":"deploy-bot@example.org"}' >/dev/null
for token in deploy apps; do control "/v1/tokens/$token/refresh" -X POST >/dev/null; done
not_ok "a token without a value fails the lookup" asks "$basic/a/b"
like "with the diagnosis" "$(cat "$work/skopeo.err")" 'no-usable-value: .*secret-not-found'
like "and the remedy" "$(cat "$work/skopeo.err")" 'remedy: '
is "the registry was not asked at all" "$(cat "$work/registry.log")" ""
cat >>"$config_file" <<'EOT'
[token twin]
forge = home
secret_path = /forges
secret_name = second
EOT
is "with two tokens for one registry" "$(control /v1/reload -X POST | jq -r .status)" reloaded
not_ok "the lookup fails" asks "$basic/a/b"
like "and names them" "$(cat "$work/skopeo.err")" "'deploy' and 'twin'"
daemon_stop
not_ok "without the broker the lookup fails" asks "$basic/a/b"
like "with its cause" "$(cat "$work/skopeo.err")" 'the broker'
like "which is on the helper's standard error too, for docker shows it when it goes on regardless" \
        "$(tail -n 2 "$work/seen/stderr")" '^forge-broker: .*the broker is not running'
unlike "and never as not found" "$(cat "$work/skopeo.err")" 'not found in native keychain'
is "nor is the registry asked" "$(cat "$work/registry.log")" ""

# The rest of the file
daemon_start
rm -f "$config"
printf '{\n  "auths" : {"a.example":{"auth":"QQ=="}},"x":[1, 2] ,\n "credHelpers":{ "other.example":"gcloud" }}\n' >"$work/user/kept.json"
chmod 0640 "$work/user/kept.json"
ln -s ../kept.json "$config"
"$broker" setup docker -q
is "what else is in the file stays, byte for byte" "$(tr -d '\n\t' <"$config" | sed "s/\"$basic\": \"forge-broker\",//; s/\"$bearer\": \"forge-broker\",//")" \
        '{  "auths" : {"a.example":{"auth":"QQ=="}},"x":[1, 2] , "credHelpers":{ "other.example":"gcloud" }}'
is "a link stays one, and a mode" "$(readlink "$config") $(stat -c %a "$work/user/kept.json")" "../kept.json 640"
is "all three helpers are there" "$(jq -r '.credHelpers | length' "$config")" 3
unchanged() { # NAME REGEXP CONTENT
        printf '%s' "$3" >"$work/user/kept.json"
        "$broker" setup docker >"$work/seen/error" 2>&1
        is "$1: refused" "$?" 1
        like "$1: said" "$(cat "$work/seen/error")" "$2"
        is "$1: left as it was" "$(cat "$work/user/kept.json")" "$3"
}
unchanged "broken JSON" 'not docker.s configuration: .* at byte' '{"auths":'
unchanged "no object" 'no object' '[]'
unchanged "a credHelpers that is none" 'credHelpers that is no object' '{"credHelpers":[]}'
unchanged "another helper for it" "has the credential helper 'pass' already" "{\"credHelpers\":{\"$bearer\":\"pass\"}}"
"$broker" setup docker --force -q
is "which --force replaces" "$(jq -r ".credHelpers[\"$bearer\"]" "$config")" forge-broker
printf '' >"$work/user/kept.json"
"$broker" setup docker -q
is "an empty file is as good as none" "$(jq -r '.credHelpers | length' "$config")" 2
is "nothing is left beside it" "$(find "$work/user" -type f | wc -l)" 1
like "a helper that is not on PATH is said" "$(PATH=/usr/bin:/bin "$broker" setup docker 2>&1)" 'not on PATH.*PATH=/run/forge-broker/bin'
like "in a workflow with the line to add" "$(GITHUB_ACTIONS=true PATH=/usr/bin:/bin "$broker" setup docker 2>&1)" \
        '^::warning title=.*echo /run/forge-broker/bin >> "\$GITHUB_PATH"'
is "elsewhere there is nothing to set up" "$("$broker" setup podman >/dev/null 2>&1; echo $?)" 2
sed -i '/^registry = /d' "$config_file"
control /v1/reload -X POST >/dev/null
like "nor without a registry" "$("$broker" setup docker 2>&1)" 'set registry = in the \[forge NAME\] section'
daemon_stop

# The canary went through every lookup.
rm -f "$work/etc/password" "$work/state.json"
is "the canary is in no argument, environment, file or log" "$(grep -rlF "$secret_value" "$work" | sort)" ""
done_testing
