#!/bin/sh
# Root in a container is uid 0 of the host: what tells two of them apart is the control group that the engine put them in, and
# `units` decides by that.
. "${top_srcdir:-.}/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/units.sh"
need_root
need jq jq
units_possible || skip_all "$units_why"

rest=$(printf %s "$units_id" | cut -c5-)
one=3f9a$rest
two=77aa$rest
short() { printf %s "$1" | cut -c1-12; }
standin_state >"$work/state.json"
standin_start "$work/state.json"
{
        token_deploy
        echo "units = docker-3f9a*.scope, mirror-*.scope"
        token_deploy | sed 's/deploy/second/; s/^secret_name.*/secret_name = second/'
        echo "units = docker-*.scope"
} | write_config
daemon_start
wait_for 20 in_log '^config-loaded'
usable() { [ "$(control /v1/status | jq -c '[.tokens[].state]')" = '["fresh","fresh"]' ]; }
ok "both tokens are there" wait_for 20 usable

# container ID TOKEN - root in that container asks; as in a real one, in namespaces of its own
container() {
        in_unit "docker-$1.scope" unshare --pid --fork --mount --uts --ipc \
                curl --silent --unix-socket "$jobs_socket" "http://localhost/v1/tokens/$2"
}
is "root in one container gets the token" "$(container "$one" deploy | jq -r .token)" "$secret_value"
answer=$(container "$two" deploy)
is "root in the other container is refused" "$(printf '%s' "$answer" | jq -r '.code, .status' | tr '\n' ' ')" "peer-refused 403 "
like "... and told by which rule" "$(printf '%s' "$answer" | jq -r .detail)" "token 'deploy' is not for unit 'docker-$two.scope': units docker-3f9a\*\.scope, mirror-\*\.scope"
unlike "... and gets nothing of it" "$answer" "$secret_value"
is "both get the token that is for all containers" \
        "$(container "$one" second | jq -r .token) $(container "$two" second | jq -r .token)" "$secret_value-2 $secret_value-2"

like "the one's record has its unit and container" "$(records issued)" \
        "^issued token=deploy .* peer_uid=0 .*peer_unit=docker-$one.scope .*peer_container=docker:$(short "$one") "
like "the other's record has its own, and the rule" "$(records refused)" \
        "^refused token=deploy code=peer-refused detail=\".*units docker-3f9a.*peer_uid=0 .*peer_unit=docker-$two.scope .*peer_container=docker:$(short "$two")"
is "nothing was issued to the other but the common one" "$(records issued | grep "peer_unit=docker-$two.scope" | grep -vc '^issued token=second ')" 0

# What a container can do about it: groups below its own, which it may make.
# shellcheck disable=SC2016
is "a group below its own that is named like the other changes nothing" \
        "$(in_unit "docker-$two.scope" sh -c 'own=$1$(sed -n "s/^0:://p" /proc/self/cgroup)
                mkdir "$own/docker-$2.scope" && echo 0 >"$own/docker-$2.scope/cgroup.procs" &&
                curl --silent --unix-socket "$3" http://localhost/v1/tokens/deploy; echo 0 >"$own/cgroup.procs"; rmdir "$own/docker-$2.scope"' \
                sh "$units_mount" "$one" "$jobs_socket" | jq -r .code)" peer-refused
is "a claim changes nothing" \
        "$(in_unit "docker-$two.scope" curl --silent --header 'Forge-Broker-Repository: platform/site' --header "Forge-Broker-Job: docker-$one.scope" \
                --unix-socket "$jobs_socket" http://localhost/v1/tokens/deploy | jq -r .code)" peer-refused
is "a process of the host that is in none of them is refused" "$(ask /v1/tokens/deploy | jq -r .code)" peer-refused
is "another unit that the rule names gets it" \
        "$(in_unit "mirror-$units_tag.scope" curl --silent --unix-socket "$jobs_socket" http://localhost/v1/tokens/deploy | jq -r .token)" "$secret_value"
is "and by its credential as well" \
        "$(in_unit "mirror-$units_tag.scope" python3 "$top_srcdir/tests/integration/load-credential.py" "$credential_socket" "mirror-$units_tag.scope" deploy)" "$secret_value"
is "the credential of a unit that it does not name is refused" \
        "$(in_unit "docker-$two.scope" python3 "$top_srcdir/tests/integration/load-credential.py" "$credential_socket" "docker-$two.scope" deploy)" refusal
daemon_stop
done_testing
