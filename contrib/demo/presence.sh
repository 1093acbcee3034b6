# shellcheck shell=sh
# SPDX-License-Identifier: ISC
#
# Presence crossing in both directions. A part of contrib/quickstart.sh, which
# reads it; what is not here is there. Romeo is played by contact.py, which is
# told what to do through a pipe (descriptor 8) and writes what he sees to
# romeo.sees; Juliet by prim.
# shellcheck disable=SC2154,SC2086 # data, xmpp and others, all without blanks

publisher=

start_romeo() {
	rm -f $data/romeo.does $data/romeo.sees
	mkfifo $data/romeo.does || die "cannot make $data/romeo.does." "Is the disk full?"
	exec 8<>$data/romeo.does
	(exec /usr/bin/python3 contrib/demo/contact.py $data/romeo.sendxmpp $xmpp/cert.pem) \
		<$data/romeo.does >$data/romeo.sees 2>>$data/demo.log 8>&- 9>&- &
	listeners="$listeners $!"
	told romeo "logged in as" || presence_failed "romeo's XMPP client did not log in within ten seconds."
}

romeo_does() {
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
	printf '      %-13s %s\n' "$1" "$2"
}

presence_failed() {
	show_log $data/demo.log 5
	show_log $data/primd.log
	die "$1" "See $data/primd.log and $data/prosody.log. If another program speaks for juliet or romeo,
end it. If that doesn't help: sh contrib/quickstart.sh --stop; move ./$data away; run this again."
}

# juliet_publishes ARGUMENTS...: instead of what she published before. The one
# before is killed, for it would take back what is the other's now.
juliet_publishes() {
	before=$publisher
	line "juliet:" "prim publish $(quoted "$@")"
	rm -f $data/juliet.sees
	(as juliet publish "$@") >$data/juliet.sees 2>>$data/demo.log </dev/null 8>&- 9>&- &
	publisher=$!
	listeners="$listeners $publisher"
	told juliet published || presence_failed "juliet could not publish how she is."
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

romeo_watches_juliet() {
	say ""
	say "  romeo (XMPP) watches juliet (PRIM)"
	if told_already romeo "watching: juliet@localhost"; then
		line "" "(he may, since an earlier run)"
	else
		line "romeo:" "asks to watch juliet@localhost"
		romeo_does watch juliet@localhost
		told romeo "allowed by juliet@localhost" ||
			presence_failed "juliet's server did not let romeo watch her within ten seconds."
		line "" "juliet's server lets him (default_acl in $config)"
	fi
	sees romeo juliet@localhost ""
	juliet_publishes open
	sees romeo juliet@localhost online
	juliet_publishes open --show away --note "in a meeting"
	sees romeo juliet@localhost 'away "in a meeting"'
	line "juliet:" "ends prim publish"
	end_child TERM "$publisher"
	sees romeo juliet@localhost offline
}

juliet_watches_romeo() {
	say ""
	say "  juliet (PRIM) watches romeo (XMPP)"
	romeo_does offline
	rm -f $data/juliet.sees
	line "juliet:" "prim watch romeo@xmpp.localhost"
	(as juliet watch romeo@xmpp.localhost) >$data/juliet.sees 2>>$data/demo.log </dev/null 8>&- 9>&- &
	listeners="$listeners $!"
	sees juliet romeo@xmpp.localhost offline
	line "romeo:" "comes online"
	romeo_does online
	if told_already romeo "watched by: juliet@localhost"; then
		line "" "(juliet may watch him, since an earlier run)"
	else
		told romeo "asked by juliet@localhost" ||
			presence_failed "romeo was not asked within ten seconds whether juliet may watch him."
		line "romeo:" "is asked whether juliet@localhost may watch him, and allows it"
		romeo_does allow juliet@localhost
	fi
	sees juliet romeo@xmpp.localhost open
	line "romeo:" "is away"
	romeo_does away gone to Mantua
	sees juliet romeo@xmpp.localhost 'open  "gone to Mantua" (away)'
	line "romeo:" "goes offline"
	romeo_does offline
	sees juliet romeo@xmpp.localhost offline
}

presence_demo() {
	step "presence"
	start_romeo
	romeo_watches_juliet
	juliet_watches_romeo
	exec 8>&-
	stop_listeners
	rm -f $data/romeo.does
}
