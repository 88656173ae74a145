#!/usr/bin/env bash
# Shows a small exchange that journals a million commands from four clients, is killed in the middle
# of a second run of the same commands, recovers from its newest snapshot and the tail of its journal,
# and has lost nothing, and done nothing twice, although the clients send their last commands again.
#
#   tools/exchange/demo.sh build/release
set -euo pipefail

build=${1:?usage: demo.sh BUILD_DIRECTORY}
exchange=$build/tools/pawl-exchange
pawl=$build/tools/pawl
commands=1000000
run=(--commands "$commands" --seed 7 --sessions 4 --sent-again 2000 --segment-bytes $((32 << 20)) --snapshot-every 100000)

work=$(mktemp -d "${TMPDIR:-/tmp}/pawl-demo-XXXXXX")
victim=
clean_up() {
    [[ -z $victim ]] || kill -KILL "$victim" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT

title() { printf '\n== %s\n' "$*"; }

fail() {
    echo "demo: failed: $*" >&2
    exit 1
}

# field NAME: prints the value after NAME in a report on standard input.
field() { awk -v name="$1" '$1 == name { $1 = ""; print substr($0, 2) }'; }

# by_client FILE: prints the fills in the order of the clients' sessions; fails if those of one are
# not in the order of its commands.
by_client() {
    awk -F, '
        { client = int($1 / 1e12) }
        $1 + 0 < last[client] { exit 1 }
        { last[client] = $1 + 0 }' "$1" || fail "the fills of a client are out of order"
    sort --stable --numeric-sort --field-separator=, --key=1,1 "$1"
}

# True once the run to be killed has taken a snapshot and sent about a third of its fills.
in_the_middle() {
    compgen -G "$work/crashed/snapshots/*.snap" >/dev/null &&
        (($(stat -c %s "$work/crashed.fills") > 6000000))
}

# Starts a run and kills it in the middle. False if it finished before that.
kill_in_the_middle() {
    rm -rf "$work/crashed" "$work/crashed.fills"
    "$exchange" run "$work/crashed" "${run[@]}" --fills "$work/crashed.fills" >/dev/null &
    victim=$!
    until in_the_middle; do
        kill -0 "$victim" 2>/dev/null || break
        sleep 0.01
    done
    kill -KILL "$victim" 2>/dev/null || true
    local status=0
    wait "$victim" 2>/dev/null || status=$?
    victim=
    ((status == 128 + 9)) || {
        ((status == 0)) || fail "the run to be killed ended by itself with exit code $status"
        return 1
    }
}

title "1. Uninterrupted: $commands commands"
"$exchange" run "$work/whole" "${run[@]}" --fills "$work/whole.fills" | tee "$work/whole.out"

title "2. The same clients again, and SIGKILL in the middle"
attempts=5
until kill_in_the_middle; do
    ((--attempts)) || fail "the run is always done before it can be killed"
done
"$exchange" state "$work/crashed" >"$work/found.out"
reached=$(field commands <"$work/found.out")
((reached > 0 && reached < commands)) || fail "killed at command $reached of $commands"
echo "killed after command $reached of $commands"
sent=$(wc -l <"$work/crashed.fills")
filled=$(($(field fills <"$work/found.out") + $(field busts <"$work/found.out")))
echo "fills and busts that clients were sent: $sent; in the journal: $filled"
((sent <= filled)) || fail "a fill was sent that the journal does not hold"

title "3. What recovery finds (a dry run: nothing is changed)"
"$pawl" recover --dry-run "$work/crashed"

title "4. Recover; the clients send their last commands again, and go on to command $commands"
"$exchange" run "$work/crashed" "${run[@]}" --fills "$work/crashed.fills" | tee "$work/continued.out"
[[ $(field continued_behind <"$work/continued.out") == "$reached" ]] ||
    fail "the run did not continue after command $reached"
[[ $(field snapshot <"$work/continued.out") == *.snap ]] ||
    fail "the books did not come back from a snapshot"

again=$(field sent_again <"$work/continued.out")
repeated=$(field repeated <"$work/continued.out")
echo "commands sent again: $again; answered with their first outcome: $repeated, the others refused as before"
((again == 8000 && repeated > 4000)) || fail "commands that were sent again were not answered"

title "5. Every byte of both journals, verified"
"$pawl" verify "$work/whole"
"$pawl" verify "$work/crashed"

title "6. The books"
"$exchange" state "$work/crashed" --full >"$work/full.out"
uninterrupted=$(field digest <"$work/whole.out")
continued=$(field digest <"$work/continued.out")
full=$(field digest <"$work/full.out")
echo "uninterrupted run          $uninterrupted"
echo "crash and continue         $continued"
echo "full replay from event 0   $full"
[[ -n $full && $uninterrupted == "$continued" && $continued == "$full" ]] ||
    fail "the fingerprints differ"

by_client "$work/whole.fills" >"$work/whole.sorted"
by_client "$work/crashed.fills" >"$work/crashed.sorted"
cmp "$work/whole.sorted" "$work/crashed.sorted" || fail "the clients were told different fills"
echo "fills and busts sent to each client, the same in both  $(wc -l <"$work/whole.fills")"

printf '\ndemo: ok\n'
