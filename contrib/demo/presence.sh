# shellcheck shell=sh
# SPDX-License-Identifier: ISC
#
# Presence crossing in both directions. A part of contrib/quickstart.sh, which
# reads it; what is not here is there. Two play who have no other part: what
# juliet and romeo publish, allow and refuse is left to whoever tries things out
# as them, and would stand in the way when this is run again. Mercutio is
# contact.py, which is told what to do through a pipe (descriptor 8) and writes
# what he sees to mercutio.sees; Rosaline is prim.
# shellcheck disable=SC2154,SC2086 # data, xmpp and others, all without blanks

rosaline=rosaline@localhost
mercutio=mercutio@xmpp.localhost
publisher=

start_mercutio() {
	rm -f $data/mercutio.does $data/mercutio.sees
	mkfifo $data/mercutio.does || die "cannot make $data/mercutio.does." "Is the disk full?"
	exec 8<>$data/mercutio.does
	(exec /usr/bin/python3 contrib/demo/contact.py $data/mercutio.sendxmpp $xmpp/cert.pem) \
		<$data/mercutio.does >$data/mercutio.sees 2>>$data/demo.log 8>&- 9>&- &
	listeners="$listeners $!"
	told mercutio "logged in as" || presence_failed "mercutio's XMPP client did not log in within ten seconds."
}

mercutio_does() {
	printf '%s\n' "$*" >&8
}

# told WHO TEXT: WHO has a line with TEXT, within ten seconds.
told() {
	tries=100
	until grep -qsF "$2" "$data/$1.sees"; do
		[ $tries -gt 0 ] || return 1
		tries=$((tries - 1))
		sleep 0.1
	done
}

# Has it already?
told_already() {
	grep -qsF "$2" "$data/$1.sees"
}

# sees WHO WHOM STATE: the newest that WHO knows of WHOM is STATE (whatever it
# is, if that is empty), within ten seconds; that line is printed. Only states
# have a space behind the address.
sees() {
	tries=100
	while :; do
		seen=$(grep -sF "$2 " "$data/$1.sees" | tail -n 1)
		case $3:$seen in
		:) ;;
		:* | *"$2 $3") break ;;
		esac
		[ $tries -gt 0 ] || presence_failed "$1 did not see '$2 $3' within ten seconds${seen:+, but '$seen'}."
		tries=$((tries - 1))
		sleep 0.1
	done
	line "$1 sees:" "$seen"
}

# line WHO WHAT, in two columns.
line() {
	printf '      %-14s %s\n' "$1" "$2"
}

presence_failed() {
	show_log $data/demo.log 5
	show_log $data/primd.log
	die "$1" "See $data/primd.log and $data/prosody.log. If another program speaks for rosaline or
mercutio, end it. If that doesn't help: sh contrib/quickstart.sh --stop; move ./$data away; run
this again."
}

# rosaline_does COMMAND...: prim, in the background; its output is what she sees.
# If nobody is left to end it, it ends by itself.
rosaline_does() {
	rm -f $data/rosaline.sees
	line "rosaline:" "prim $(quoted "$@")"
	(as rosaline --timeout 300 "$@") >$data/rosaline.sees 2>>$data/demo.log </dev/null 8>&- 9>&- &
	listeners="$listeners $!"
}

# rosaline_publishes ARGUMENTS...: instead of what she published before. The one
# before is killed, for it would take back what is the other's now.
rosaline_publishes() {
	before=$publisher
	rosaline_does publish "$@"
	publisher=$!
	told rosaline published || presence_failed "rosaline could not publish how she is."
	[ -z "$before" ] || end_child KILL "$before"
}

# The words as they would be typed.
quoted() {
	typed=
	for word in "$@"; do
		case $word in *" "*) word="\"$word\"" ;; esac
		typed="$typed $word"
	done
	printf '%s\n' "${typed# }"
}

mercutio_watches_rosaline() {
	say ""
	say "  mercutio (XMPP) watches rosaline (PRIM)"
	if told_already mercutio "watching: $rosaline"; then
		line "" "(he may, since an earlier run)"
	else
		line "mercutio:" "asks to watch $rosaline"
		mercutio_does watch $rosaline
		told mercutio "allowed by $rosaline" ||
			presence_failed "rosaline's server did not let mercutio watch her within ten seconds."
		line "" "rosaline's server lets him (default_acl in $config)"
	fi
	sees mercutio $rosaline ""
	rosaline_publishes open
	sees mercutio $rosaline online
	rosaline_publishes open --show away --note "in a meeting"
	sees mercutio $rosaline 'away "in a meeting"'
	line "rosaline:" "ends prim publish"
	end_child TERM "$publisher"
	sees mercutio $rosaline offline
}

rosaline_watches_mercutio() {
	say ""
	say "  rosaline (PRIM) watches mercutio (XMPP)"
	mercutio_does offline
	rosaline_does watch $mercutio
	sees rosaline $mercutio offline
	line "mercutio:" "comes online"
	mercutio_does online
	if told_already mercutio "watched by: $rosaline"; then
		line "" "(rosaline may watch him, since an earlier run)"
	else
		told mercutio "asked by $rosaline" ||
			presence_failed "mercutio was not asked within ten seconds whether rosaline may watch him."
		line "mercutio:" "is asked whether $rosaline may watch him, and allows it"
		mercutio_does allow $rosaline
	fi
	sees rosaline $mercutio open
	line "mercutio:" "is away"
	mercutio_does away gone to the feast
	sees rosaline $mercutio 'open  "gone to the feast" (away)'
	line "mercutio:" "goes offline"
	mercutio_does offline
	sees rosaline $mercutio offline
}

presence_demo() {
	step "presence, of two more: $rosaline (PRIM), $mercutio (XMPP)"
	prim_account $rosaline
	xmpp_account mercutio
	start_mercutio
	mercutio_watches_rosaline
	rosaline_watches_mercutio
	exec 8>&-
	stop_listeners
	rm -f $data/mercutio.does
}
