#!/bin/sh
# forge-broker get --output: the one place where a value goes into a file, and only after it is masked.
set -u
. "${top_srcdir:-.}/tests/unit/job-lib.sh"

answer good '200 OK' "$json" "$(issuance forgejo fresh)"
answer refused '403 Forbidden' "$problem_json" "$(problem peer-refused 'uid 1000 may not ask' 'Run it as root.')"
note='forge-broker: deploy forgejo_token_source=infisical-token-auth freshness=fresh fp=3f9a1c02'
file=$work/output
masks() { # every form of the value, each before the file has it
        printf '::add-mask::canary%%254711:Z0+/=\n::add-mask::%s\n::add-mask::%s\n' \
                "$(printf 'x-access-token:%s' "$value" | base64 -w 0)" "$(printf 'bot:%s' "$value" | base64 -w 0)"
}
fresh_file() {
        rm -rf "$file"
        : >"$file"
        chmod 0640 "$file"
}
file_is() { printf "$@" | cmp -s - "$file"; }
nowhere() { # a pipe would be waited for
        ! grep -qF canary "$work/out" "$work/err" && { [ ! -f "$file" ] || ! grep -qF canary "$file"; }
}
not_asked() { ! grep -q '^GET ' "$work/log"; }

start "$work/good"
fresh_file
GITHUB_OUTPUT=$file run get deploy --output token
{ echo "$note"; masks; } >"$work/expected"
ok 'get --output writes the output and prints nothing but the masks and the evidence' all 'ends 0' silent \
        'file_is "token=%s\n" "$value"' 'cmp -s "$work/expected" "$work/err"'
ok 'the file keeps its mode' '[' "$(stat -c %a "$file")" = 640 ']'
GITHUB_OUTPUT=$file run get deploy --output second-one -q
ok 'and what stood in it' all 'ends 0' 'file_is "token=%s\nsecond-one=%s\n" "$value" "$value"'
fresh_file
printf 'left=open' >"$file"
GITHUB_OUTPUT=$file run get deploy --output token
ok 'a line that somebody left open is ended first' file_is 'left=open\ntoken=%s\n' "$value"
fresh_file
FORGEJO_OUTPUT=$file GITHUB_OUTPUT=$work/nowhere run get deploy --output token
ok "Forgejo's own name for the file goes first" all 'ends 0' 'file_is "token=%s\n" "$value"'
fresh_file
GITHUB_OUTPUT=$file run get --output token --mask deploy
ok '--mask beside it changes nothing' all 'ends 0' silent '[ "$(grep -c "^::add-mask::" "$work/err")" = 3 ]'

# Where it cannot be written nothing is asked for.
cannot() { # DESCRIPTION WORDS, with $file in place
        start "$work/good"
        GITHUB_OUTPUT=$file run get deploy --output token
        ok "$1" all 'ends 1' silent nowhere not_asked "err_has '$2'" 'err_has "remedy: "'
}
rm -f "$file"
cannot 'a file that is not there is an error, and none is made' 'No such file or directory'
mkdir "$file"
cannot 'so is a directory' 'cannot write the step output'
rmdir "$file"
mkfifo "$file"
cannot 'and a pipe, which is not waited for' 'it is not a regular file'
rm -f "$file"
: >"$work/target"
ln -s "$work/target" "$file"
cannot 'and a symbolic link' 'it is a symbolic link'
rm -f "$file"
start "$work/good"
run get deploy --output token
ok 'outside of a job there is no output' all 'ends 1' silent nowhere not_asked 'err_has "no file for step outputs"'
GITLAB_CI=true run get deploy --output token
ok 'nor on GitLab, and the remedy says what to do there' all 'ends 1' silent nowhere not_asked 'err_has "forge-broker exec"'

# Where it cannot be masked nothing is written.
fresh_file
GITLAB_CI=true GITHUB_OUTPUT=$file run get deploy --output token
ok 'GitLab would show the mask command: nothing is masked, and nothing written' all 'ends 1' silent nowhere '[ ! -s "$file" ]' \
        'err_has "knows no mask command"'
GITLAB_CI=true run get deploy --mask
ok 'nor printed' all 'ends 1' silent nowhere
GITLAB_CI=true run get deploy -q
ok 'without a mask it is' all 'ends 0' "out_is '$value'"
if [ -w /dev/full ]; then
        start "$work/good"
        fresh_file
        status=0
        GITHUB_OUTPUT=$file "$program" --socket "$socket" get deploy --output token >"$work/out" 2>/dev/full || status=$?
        : >"$work/err"
        ok 'a log that takes no mask leaves the output empty' all 'ends 1' silent '[ ! -s "$file" ]'
else
        ok 'a log that takes no mask leaves the output empty # SKIP no /dev/full' true
fi
if [ "$(id -u)" -eq 0 ] && mkdir "$work/small" && mount -t tmpfs -o size=4k tmpfs "$work/small" 2>/dev/null; then
        file=$work/small/output
        head -c 4090 /dev/zero | tr '\0' '#' >"$file"
        printf '\n' >>"$file"
        GITHUB_OUTPUT=$file run get deploy --output token
        ok 'a disk that fills up keeps no part of the value' all 'ends 1' silent '! grep -qF can "$file"' \
                '[ "$(wc -c <"$file")" -eq 4091 ]' 'err_has "No space left"'
        umount "$work/small"
        file=$work/output
else
        ok 'a disk that fills up keeps no part of the value # SKIP needs root and mount' true
fi
start "$work/refused"
fresh_file
GITHUB_OUTPUT=$file run get deploy --output token
ok 'a refusal writes nothing' all 'ends 4' silent '[ ! -s "$file" ]'

for key in '' 1a a=b 'a<<b' 'a b' "$(printf 'a\nb')" -a "$(printf '%0101d' 0 | tr 0 a)"; do
        start "$work/good"
        fresh_file
        GITHUB_OUTPUT=$file run get deploy "--output=$key"
        ok "'$(printf %.20s "$key" | tr '\n' '?')' cannot be an output's name" all 'ends 2' silent not_asked '[ ! -s "$file" ]'
done
GITHUB_OUTPUT=$file run get deploy --output token --json
ok '--output and --json do not go together' all 'ends 2' 'err_has "not --json"' '[ ! -s "$file" ]'
done_testing
