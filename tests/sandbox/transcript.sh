#!/usr/bin/env bash
# What curl sees of `smswire sandbox`. Run it where `python -m smswire` works (or set PYTHON), on Linux: the clients
# bind to several addresses of 127.0.0.0/8. Prints each command and what came of it; takes about ten seconds.
PYTHON=${PYTHON:-python}
place=$(mktemp -d)
sandboxes=
trap 'kill $sandboxes 2>/dev/null; rm -r "$place"' EXIT

# start NAME OPTION...: a sandbox whose places are in $url, $plain and $inspection; its authority is in ca.pem.
start() {
    name=$1; shift
    printf '\n$ smswire sandbox%s\n' "${*:+ $*}"
    mkfifo "$place/$name"
    "$PYTHON" -m smswire sandbox --json --plain --ca-file "$place/ca.pem" "$@" > "$place/$name" &
    sandboxes="$sandboxes $!"
    read -r told < "$place/$name"
    url=$(echo "$told" | sed 's/^{"url": *"\([^"]*\)".*/\1/')
    plain=$(echo "$told" | sed 's/.*"plain_url": *"\([^"]*\)".*/\1/')
    inspection=$(echo "$told" | sed 's/.*"inspection_url": *"\([^"]*\)".*/\1/')
}

# show COMMAND: the command as it stands, then its output.
show() {
    printf '$ %s\n' "$1"
    (cd "$place" && eval "$1")
    echo
}

says() { printf '\n# %s\n' "$*"; }

export SMSWIRE_API_KEY=sandbox-key
start first
cd "$place" || exit 1

says 'GET, POST form and POST JSON; with p and with Authorization: basic; TLS with --cacert, and plain http'
show "curl -s --cacert ca.pem -G $url/sms -d p=sandbox-key -d to=491716992343 --data-urlencode 'text=GET with p: Grüße'"
show "curl -s --cacert ca.pem $url/sms -d p=sandbox-key -d to=01716992343 -d 'text=Form with p'"
show "curl -s --cacert ca.pem $url/sms -H 'Content-Type: application/json' -d '{\"p\": \"sandbox-key\", \"to\": \"+491716992343\", \"text\": \"JSON with p\"}'"
show "curl -s $plain/sms -G -H 'Authorization: basic sandbox-key' -d to=491716992343 -d text=GET+with+basic"
show "curl -s $plain/sms -H 'Authorization: basic sandbox-key' -d to=491716992343 -d 'text=Form with basic' -d return_msg_id=1 -d details=1"
show "curl -s $plain/sms -H 'Authorization: basic sandbox-key' -H 'Accept: application/json' -H 'Content-Type: application/json' -d '{\"to\": \"491716992343,nobody\", \"text\": \"JSON with basic 😀\"}'"
show "curl -s -X POST '$plain/sms?p=sandbox-key&to=491716992343&text=POST+with+everything+in+its+query'"
show "curl -s $plain/balance -H 'X-Api-Key: sandbox-key'"
show "curl -s $plain/balance -H 'Authorization: Bearer sandbox-key' -H 'Accept: application/json'"

says 'A wrong key, no key'
show "curl -s $plain/balance -H 'Authorization: basic wrong'"
show "curl -s $plain/balance -H 'Authorization: basic wrong' -H 'Accept: application/json'"
show "curl -s $plain/balance"

says 'Without trust in the authority'
show "curl -sS $url/balance -d p=sandbox-key"

says 'The 51st connection in a second: the answers by status'
sleep 1.1
show "curl -s --parallel --parallel-immediate --parallel-max 60 -H 'Connection: close' -w '%{http_code}\n' -o '#1' '$plain/balance?p=sandbox-key&n=[1-60]' 2>&- | sort | uniq -c"
sleep 1.1
show "curl -s --cacert ca.pem --parallel --parallel-immediate --parallel-max 60 -H 'Connection: close' -w '%{http_code}\n' -o '#1' '$url/balance?p=sandbox-key&n=[1-60]' 2>&- | sort | uniq -c"
show "curl -s $inspection/summary"

says 'The 501st request: which requests opened a connection, and what the 500th answer says'
sleep 1.1
show "curl -s --cacert ca.pem -w '%{num_connects}\n' -o last '$url/balance?p=sandbox-key&n=[1-502]' | awk '\$1 {print \"request \" NR \" opened a connection\"}'"
show "curl -s -D - -o last '$plain/balance?p=sandbox-key&n=[1-501]' | tr -d '\r' | awk '/^HTTP/ {n++} /^Connection:/ {print \"answer \" n \": \" \$0}'"

says 'An idle connection is closed after 3 s: the second request, 4 s later, finds it dead'
show "curl -sv --rate 15/m $plain/balance?p=sandbox-key $plain/balance?p=sandbox-key 2>&1 | grep -E '^\* (Connect|Re-us|Connection)|left intact|dead|^HTTP|^< HTTP'"
show "exec 3<>/dev/tcp/127.0.0.1/$(echo "$plain" | sed 's/.*:\([0-9]*\).*/\1/'); time cat <&3"

start address --whitelist 127.0.0.1,127.0.0.8/29
says 'The whitelist, by address and network'
show "curl -s $plain/balance -H 'X-Api-Key: sandbox-key'"
show "curl -s --interface 127.0.0.9 $plain/balance -H 'X-Api-Key: sandbox-key'"
show "curl -s --interface 127.0.0.2 $plain/balance -H 'X-Api-Key: sandbox-key'"
show "curl -s --interface 127.0.0.2 $plain/balance -H 'X-Api-Key: sandbox-key' -H 'Accept: application/json'"

start name --whitelist localhost
says 'The whitelist, by host name'
show "curl -s $plain/balance -H 'X-Api-Key: sandbox-key'"
show "curl -s --interface 127.0.0.2 $plain/balance -H 'X-Api-Key: sandbox-key'"

start chunked --chunked
says 'Answers without a length'
show "curl -si --cacert ca.pem $url/balance -H 'X-Api-Key: sandbox-key'"
