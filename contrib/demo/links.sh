# shellcheck shell=sh
# SPDX-License-Identifier: ISC
#
# One person on two networks, and a message that fails. A part of
# contrib/quickstart.sh, which reads it; what is not here is there. The two of
# presence.sh play here, too, and paris, who never listens. Nothing is left of it:
# the link is ended, the message dropped.
# shellcheck disable=SC2154,SC2086 # data, xmpp and others, all without blanks

paris=paris@localhost

says_mercutio() {
	printf '%s\n' "$1" | (exec go-sendxmpp -n -f $data/mercutio.sendxmpp nurse@localhost)
}

# listens WHO: who says so when she does; until then another client of hers would
# get what she is to hear.
listens() {
	rm -f "$data/$1.heard"
	(exec $bin/prim --server 127.0.0.1:$prim_port --user "$1@localhost" \
		--password-file "$data/$1.password" listen) >"$data/$1.heard" 2>&1 </dev/null 9>&- &
	listeners="$listeners $!"
	heard "$1" "listening as" || presence_failed "$1's client did not log in within ten seconds."
}

one_person_on_both() {
	say ""
	say "  $mercutio (XMPP) is $rosaline (PRIM), and the operator knows it"
	listens nurse
	primctl link remove $rosaline $mercutio >>"$data/demo.log"
	line "operator:" "primctl link add $rosaline $mercutio"
	linked=$(primctl link add $rosaline $mercutio) || {
		line "" "(it is somebody else's by now: primctl link list)"
		return
	}
	line "" "$linked"
	crossing "mercutio (XMPP)" "nurse (PRIM)" nurse "I come from both of us." \
		says_mercutio "I come from both of us."
	primctl link remove $rosaline $mercutio >>"$data/demo.log"
}

# The ids of what waits from rosaline for paris.
waiting_for_paris() {
	primctl --json outbox list $paris |
		sed -n "s/.*\"id\": \([0-9]*\),.*\"from\": \"$rosaline\".*/\1/p"
}

one_that_fails() {
	say ""
	say "  rosaline (PRIM) writes to paris, who is not there, and the operator drops it"
	prim_account $paris
	listens rosaline
	line "answer:" "$(prim_says rosaline $paris "Stay away from my cousin.")"
	waiting=$(waiting_for_paris)
	if [ -z "$waiting" ]; then
		line "" "(he is there after all)"
		return
	fi
	for id in $waiting; do
		line "operator:" "primctl outbox drop $id"
		primctl outbox drop "$id" >>"$data/demo.log"
	done
	heard rosaline "failed: " || presence_failed "rosaline was not told within ten seconds that her message failed."
	line "rosaline hears:" "$(sed -n 's/ \[.*//; s/^-- [^ ]* //p' $data/rosaline.heard | tail -n 1)"
}

links_demo() {
	step "links and failures"
	one_person_on_both
	one_that_fails
	stop_listeners
}
