#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Measures a Release primd on this machine and prints a table; README.md says
# how to read it.
#
#	sh tests/bench/run.sh                    everything, about ten minutes
#	sh tests/bench/run.sh relay idle queue   only these
#
# PRIM_BUILD: the build folder (build/bench, made here). RUNS: of how many the
# best is shown (3). RUN_SECONDS: how long each takes (5). CONNECTIONS: idle
# ones (2000). WATCHERS: the larger crowd that watches one principal (10000).
set -eu
cd "$(dirname "$0")/../.."
root=$(pwd -P)
build=${PRIM_BUILD:-$root/build/bench}
runs=${RUNS:-3}
seconds=${RUN_SECONDS:-5}
connections=${CONNECTIONS:-2000}
watchers=${WATCHERS:-10000}
domain=bench.example
foreign=foreign.example
pid=
folder=

die() {
	printf 'run.sh: %s\n' "$*" >&2
	exit 1
}

stop() {
	[ -n "$pid" ] || return 0
	kill "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	pid=
}

clean() {
	stop
	[ -z "$folder" ] || rm -rf "$folder"
}

write_config() {
	cat >"$folder/primd.yaml" <<-END
		domains: [$domain]
		data_dir: $folder/data
		listen: [{ address: "127.0.0.1:0" }]
		admin: { listen: "127.0.0.1:0" }
		auth: { mechanisms: [PLAIN, SCRAM-SHA-256], allow_plaintext: true }
		limits: { connections: 30000, connections_per_address: 30000 }
		default_acl: { everyone: [subscribe] }
		routes:
		  - { domain: dead.example, via: dead }
		  - { domain: $foreign, via: fault }
		  - { domain: later.example, via: later }
		  - { domain: close.example, via: later, queue: false }
		adapters:
		  - name: later
		    plugin: fault
		    options: { domain: later.bench.example }
		  - name: fault
		    plugin: fault
		    options: { domain: $foreign, mode: silence }
		  - name: dead
		    plugin: xmpp
		    options:
		      server: 127.0.0.1:1
		      domain: $domain
		      secret_file: $folder/secret
	END
	echo secret >"$folder/secret"
}

find_port() {
	port=$("$build/bin/primctl" -c "$folder/primd.yaml" status --json \
		2>/dev/null | tr -d ' \n' |
		sed -n 's/.*"listeners":\["[^"]*:\([0-9]*\)".*/\1/p')
	[ -n "$port" ]
}

# fresh COUNT: data with so many accounts, and no primd.
fresh() {
	stop
	rm -rf "$folder/data"
	mkdir -m 700 "$folder/data"
	"$build/bin/bench" accounts --data "$folder/data" --domain $domain \
		--count "$1"
}

# launch LEVEL: primd, with that much in its log.
launch() {
	"$build/bin/primd" -c "$folder/primd.yaml" --log-level "$1" \
		>"$folder/primd.log" 2>&1 </dev/null &
	pid=$!
	tries=100
	until find_port; do
		if [ $tries -eq 0 ] || ! kill -0 "$pid" 2>/dev/null; then
			cat "$folder/primd.log" >&2
			die "primd did not start"
		fi
		tries=$((tries - 1))
		sleep 0.1
	done
}

start() {
	fresh $((connections > 256 ? connections : 256))
	launch "$1"
}

load() {
	"$build/bin/bench" --port "$port" --pid "$pid" --domain $domain \
		--seconds "$seconds" "$@"
}

# pick KEY ORDER: of the lines of several runs the one with the least (n) or the
# most (nr) at KEY=.
pick() {
	sed "s/.* $1=\([^ ]*\).*/\1 &/" | sort "-k1,1$2" | head -n 1 |
		cut -d ' ' -f 2-
}

# best KEY ORDER ARGUMENTS...: of $runs runs the best line.
best() {
	key=$1 order=$2
	shift 2
	i=0
	while [ "$i" -lt "$runs" ]; do
		load "$@" || die "a run failed: bench $*"
		i=$((i + 1))
	done | pick "$key" "$order"
}

# row WHAT TARGET MEASURED LINE
row() {
	printf '%-44s %-14s %-12s %s\n' "$1" "$2" "$3" "$4"
}

# value KEY LINE
value() {
	printf '%s\n' "$2" | sed -n "s/.* $1=\([^ ]*\).*/\1/p"
}

rest() {
	printf '%s\n' "$1" | tr ' ' '\n' | grep -E "^($2)=" | tr '\n' ' '
}

relay_row() {
	line=$(best cpu_us n relay --count "$2" --window "$3")
	row "$1: $2 pairs, window $3" "$4" "$(value cpu_us "$line") us" \
		"$(rest "$line" 'rate|p50_us|p99_us|own_us|failed')"
}

relay() {
	start warn
	relay_row "relay" 10 32 "<= 5 us"
	relay_row "relay" 100 1 "<= 25 us"
	start info
	relay_row "relay, each in the log" 10 32 ""
	relay_row "relay, each in the log" 100 1 ""
}

idle_row() {
	start warn
	line=$(load idle --count "$connections" "$@")
	row "idle: $connections connections, TLS $(value tls "$line")" \
		"$idle_target" "$(value private_kb "$line") KB" \
		"$(rest "$line" 'pss_kb|login_s|login_cpu_ms')"
}

idle() {
	idle_target="<= 3 KB"
	idle_row
	idle_target="<= 18 KB"
	idle_row --tls
}

queue_row() {
	start warn
	line=$(best rate nr queue --count 64 --window "$1" \
		--to nobody@dead.example)
	row "dead adapter: 64 senders, window $1" ">= 20000 101s/s" \
		"$(value rate "$line") /s" \
		"$(rest "$line" 'cpu_us|p50_us|p99_us|failed')"
}

queue() {
	queue_row 1
	queue_row 16
}

# waiting: how many messages wait, or nothing.
waiting() {
	"$build/bin/primctl" -c "$folder/primd.yaml" status --json 2>/dev/null |
		tr -d ' \n' | sed -n 's/.*"outbox":\([0-9]*\).*/\1/p'
}

now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

# wait_drained N: until no more than N wait.
wait_drained() {
	until [ "$(waiting)" -le "$1" ]; do
		sleep 0.05
	done
}

# talk: two who exchange a thousand messages a second, whatever primd does.
talk() {
	$first "$build/bin/bench" --port "$port" --pid "$pid" \
		--domain $domain --seconds 2 relay --count 1 --window 64 \
		--rate 1000
}

# fill: 100,000 messages and more wait behind an adapter whose link is down for
# a while. It comes up soon after this.
fill() {
	echo bench >"$folder/password"
	"$build/bin/prim" --server "127.0.0.1:$port" --user "u200@$domain" \
		--password-file "$folder/password" \
		send down-25000@close.example down >/dev/null 2>&1 || true
	down=$(now_ms)
	"$build/bin/bench" --port "$port" --pid "$pid" --domain $domain \
		--seconds 8 queue --count 64 --window 8 \
		--to ok@later.example >/dev/null
	while [ $(($(now_ms) - down)) -lt 24000 ]; do
		sleep 0.05
	done
	all=$(waiting)
}

# drain_row WHAT: the first half must take as long as the second, and two others
# who talk meanwhile must not wait twice as long as before. Their talk begins
# after the drain, and is worth nothing when it ends after it.
drain_row() {
	before=$(talk)
	fill
	while [ "$(waiting)" -ge "$all" ]; do
		sleep 0.02
	done
	begun=$(now_ms)
	(
		talk >"$folder/during"
		waiting >"$folder/left"
	) &
	during=$!
	wait_drained $((all / 2))
	half=$(now_ms)
	wait_drained 0
	ended=$(now_ms)
	wait $during
	row "drain: $all messages that waited" "linear" \
		"$((all * 1000 / (ended - begun + 1))) /s" \
		"first_half_ms=$((half - begun)) second_half_ms=$((ended - half))"
	line=$(cat "$folder/during")
	row "  a talk of two meanwhile, p99, $1" "<= 2 * idle" \
		"$(value p99_us "$line") us" \
		"idle_p99_us=$(value p99_us "$before") p50_us=$(value p50_us \
			"$line") idle_p50_us=$(value p50_us \
			"$before") left_then=$(cat "$folder/left")"
}

# The second time the kernel lets neither those two nor the loop of primd wait
# for a processor: what is left is what primd does.
drain() {
	start warn
	first=
	drain_row "as scheduled"
	chrt -f 1 true 2>/dev/null || return 0
	start warn
	chrt -f -p 1 "$pid"
	first="chrt -f 1"
	drain_row "first in line"
}

fanout_row() {
	fresh $(($1 + 1))
	launch warn
	line=$(load fanout --count "$1" --runs "$runs" | pick cpu_us n)
	row "one change to $1 watchers" "<= 20 us" "$(value cpu_us "$line") us" \
		"$(rest "$line" 'changes|rate|p50_us|p99_us|own_us|wrong')"
}

fanout() {
	fanout_row 1000
	fanout_row "$watchers"
}

# publish_row KIND PUBLISHERS TUPLES WINDOW TARGET
publish_row() {
	line=$(best rate nr publish --kind "$1" --count "$2" --tuples "$3" \
		--window "$4")
	row "PUBLISH $1: $2 with $3 tuples, window $4" "$5" \
		"$(value rate "$line") /s" \
		"$(rest "$line" 'cpu_us|p50_us|p99_us|own_us|failed')"
}

publish() {
	fresh 4000
	launch warn
	publish_row renew 256 8 8 ">= 100000 /s"
	publish_row renew 256 64 64 ">= 100000 /s"
	publish_row renew 4000 4 4 ">= 100000 /s"
	publish_row leased 256 8 8 ""
	publish_row permanent 256 8 8 ""
}

# How many seconds are left until $ends.
left() {
	echo $((ends - $(date +%s)))
}

# settled_memory COUNT: starts primd with so many subscriptions, which begin to
# end 20 s later; its memory once their watchers have been told.
settled_memory() {
	fresh 100
	ends=$(($(date +%s) + 20 + $1 / 20000))
	strings=$(value strings "$("$build/bin/bench" subscribe --domain $domain \
		--data "$folder/data" --to $foreign --count "$1" \
		--seconds "$(left)")")
	launch warn
	sleep 6
	memory=$(value private_kb "$(load memory)")
}

expire_row() {
	line=$(load expire --count "$1" --seconds "$(left)")
	alive=$("$build/bin/primctl" -c "$folder/primd.yaml" subscription list |
		grep -c watches || true)
	row "the end of each of $1 subscriptions" "" \
		"$(value cpu_us "$line") us" "left=$alive"
}

subscriptions() {
	settled_memory 50000
	few=$memory
	settled_memory 150000
	each=$(awk "BEGIN {
		print int(($memory - $few) * 1024 / 100000 - $strings) }")
	row "100000 leased subscriptions, for each" "<= 300 octets" "$each" \
		"strings=$strings (beside); private_kb=$memory (150000) $few (50000)"
	settled_memory 10000
	expire_row 10000
	settled_memory 100000
	expire_row 100000
}

known="relay idle queue drain fanout publish subscriptions"
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $known
for part; do
	case $part in
	relay | idle | queue | drain | fanout | publish | subscriptions) ;;
	*) die "unknown: $part (known: $known)" ;;
	esac
done
if [ -z "${PRIM_BUILD:-}" ]; then
	cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release >/dev/null
	cmake --build "$build" --parallel "$(nproc)" --target bench primd primctl \
		primd-adapter adapter_echo adapter_fault adapter_xmpp \
		prim_client >/dev/null
fi
[ -x "$build/bin/bench" ] || die "$build has no bin/bench; it comes with -DTESTS=ON"
trap clean EXIT
trap 'exit 130' HUP INT TERM
folder=$(mktemp -d "$build/bench.XXXXXX")
write_config
printf '%s, %s processors, %s, data on %s\n' "$(uname -sr)" "$(nproc)" \
	"$(sed -n 's/^CMAKE_BUILD_TYPE:[A-Z]*=//p' "$build/CMakeCache.txt")" \
	"$(stat -f -c %T "$folder")"
row "what" "target" "measured" "more (the best of $runs runs of $seconds s)"
for part; do
	$part
done
