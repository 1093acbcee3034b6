#!/bin/sh
# SPDX-License-Identifier: ISC
#
# From a fresh clone to a working bridge: installs, builds, starts primd and a
# private XMPP server beside it, shows messages and presence crossing in each
# direction, a link and a failure that is told, leaves both running and says how
# to go on. Run again, it reuses what is there.
#
#	sh contrib/quickstart.sh             all of it
#	sh contrib/quickstart.sh --no-demo   only primd, on its defaults
#	sh contrib/quickstart.sh --stop      stop what is running
#
# Everything it makes is in ./build and ./primd-data. Other ports for the
# private XMPP server: XMPP_PORT (5222) and XMPP_COMPONENT_PORT (5347).
set -u
umask 077

cd "$(dirname "$0")/.." || exit 1
root=$(pwd -P)
data=primd-data
bin=build/bin
config=$data/primd.yaml
xmpp=$data/prosody
prim_port=7746
admin_port=7780
xmpp_port=${XMPP_PORT:-5222}
component_port=${XMPP_COMPONENT_PORT:-5347}
begun=$(date +%s)
listeners=

say() {
	printf '%s\n' "$*"
}

step() {
	printf '[%3ds] %s\n' $(($(date +%s) - begun)) "$*"
}

# die WHAT-HAPPENED WHAT-TO-DO
die() {
	printf '\nquickstart: %s\n%s\n' "$1" "$2" >&2
	exit 1
}

# The end of a log, for somebody who has to act on it.
show_log() {
	printf '\n--- the end of %s\n' "$1" >&2
	tail -n "${2:-20}" "$1" >&2
	printf -- '---\n' >&2
}

# Processes ------------------------------------------------------------------

# is_ours NAME: does the pid file of NAME name a process that is still the one
# we started? Sets pid.
is_ours() {
	pid=$(cat "$data/$1.pid" 2>/dev/null) || return 1
	case $pid in '' | *[!0-9]*) return 1 ;; esac
	case $1 in
	primd)
		case $(readlink "/proc/$pid/exe" 2>/dev/null) in
		"$root/$bin/primd" | "$root/$bin/primd (deleted)") return 0 ;;
		esac
		;;
	prosody)
		tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" |
			grep -qxF "$root/$xmpp/prosody.cfg.lua" && return 0
		;;
	esac
	return 1
}

# stop NAME: TERM, ten seconds, KILL; each only while the pid is ours.
stop() {
	if ! is_ours "$1"; then
		rm -f "$data/$1.pid"
		return 1
	fi
	kill -TERM "$pid" 2>/dev/null
	tries=0
	while is_ours "$1" && [ $tries -lt 100 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	if is_ours "$1"; then
		kill -KILL "$pid" 2>/dev/null
		sleep 0.2
	fi
	rm -f "$data/$1.pid"
}

stop_all() {
	stopped=
	for name in primd prosody; do
		stop $name && stopped="$stopped $name"
	done
	if [ -n "$stopped" ]; then
		say "Stopped:$stopped. The data is still in ./$data; start again with: sh contrib/quickstart.sh"
	else
		say "Nothing of ours was running."
	fi
}

# launch NAME COMMAND...: in the background, in a session of its own, its output
# at the end of NAME.log, its pid in NAME.pid. It takes a moment until the process
# is what it will be, and ours.
launch() {
	name=$1
	shift
	setsid "$@" >>"$data/$name.log" 2>&1 </dev/null 9>&- &
	echo $! >"$data/$name.pid"
	tries=40
	until is_ours "$name" || [ $tries -eq 0 ]; do
		sleep 0.05
		tries=$((tries - 1))
	done
}

# Ports ----------------------------------------------------------------------

# The inode of the socket that listens on TCP port $1, if there is one.
port_inode() {
	cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
		awk -v port="$(printf '%04X' "$1")" '
			$4 == "0A" && $2 ~ (":" port "$") { print $10; exit }'
}

has_port() {
	[ -n "$(port_inode "$1")" ]
}

# Who listens on TCP port $1? Prints "name (process N)", or nothing.
port_owner() {
	inode=$(port_inode "$1")
	[ -n "$inode" ] || return 0
	# shellcheck disable=SC2012 # the names are numbers
	owner=$(ls -l /proc/[0-9]*/fd 2>/dev/null | awk -v socket="socket:[$inode]" '
		/^\/proc\// { split($0, part, "/") }
		$NF == socket { print part[3]; exit }')
	if [ -n "$owner" ]; then
		printf '%s (process %s)\n' "$(cat "/proc/$owner/comm" 2>/dev/null)" "$owner"
	else
		echo "a process of another user"
	fi
}

# want_port PORT WHAT-FOR WHAT-ELSE-TO-DO
want_port() {
	owner=$(port_owner "$1")
	[ -z "$owner" ] || die "port $1, wanted for $2, is in use by $owner." \
		"If that is a quickstart in another folder, stop it there with
'sh contrib/quickstart.sh --stop'. Otherwise stop that program$3."
}

# Parts ----------------------------------------------------------------------

install() {
	step "packages"
	# shellcheck disable=SC2086 # none or one word
	sh contrib/deps.sh $1 9>&- || die "the packages are not all there." \
		"Do what the line above says, then run this again."
}

build() {
	step "building (the first time takes a minute; log: $data/build.log)"
	first=
	if [ ! -f build/CMakeCache.txt ]; then
		first=-DTESTS=OFF
	elif ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" build/CMakeCache.txt; then
		die "./build was made for another folder." "Remove it (rm -r build) and run this again."
	fi
	{
		# shellcheck disable=SC2086 # none or one word
		cmake -S . -B build -DCMAKE_BUILD_TYPE=Release $first &&
			cmake --build build --parallel "$(nproc)"
	} >"$data/build.log" 2>&1 9>&- </dev/null || {
		show_log "$data/build.log" 30
		die "the build failed." "If you changed the sources, the lines above say where. If not, try 'rm -r build'
and run this again; what is left is a bug: please report it with $data/build.log."
	}
}

# wait_for SECONDS NAME COMMAND...: until COMMAND succeeds or NAME's process has
# gone.
wait_for() {
	tries=$(($1 * 10))
	name=$2
	shift 2
	while [ $tries -gt 0 ]; do
		"$@" >/dev/null 2>&1 && return 0
		is_ours "$name" || return 1
		sleep 0.1
		tries=$((tries - 1))
	done
	return 1
}

want_primd_ports() {
	is_ours primd && return
	want_port $prim_port "PRIM clients" ""
	want_port $admin_port "primd's admin page" ""
}

# start_primd [-c FILE]
start_primd() {
	if is_ours primd; then
		if [ -n "$(find $bin build/lib -type f -newer $data/primd.pid 2>/dev/null)" ]; then
			step "primd was built anew: restarting it"
		elif [ $# -eq 0 ] || tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qxF "$2"; then
			step "primd runs already (process $pid)"
			return
		else
			step "primd runs on its defaults: restarting it with the bridge to XMPP"
		fi
		stop primd
	fi
	step "starting primd on 127.0.0.1:$prim_port"
	want_primd_ports
	launch primd "$root/$bin/primd" "$@"
	wait_for 15 primd has_port $prim_port || {
		show_log "$data/primd.log"
		stop primd
		die "primd did not start." "The lines above say why. If they don't help: move ./$data away and run this again."
	}
}

# secret NAME: makes the file once, readable by its owner only.
secret() {
	[ -s "$1" ] || openssl rand -hex 16 >"$1" ||
		die "cannot write $1." "Is the disk full?"
}

write_primd_config() {
	cat >"$config.new" <<-END
		# The defaults but one, and the way to XMPP. Made by contrib/quickstart.sh.
		domains: [localhost]
		data_dir: .
		# By default others may only send. Here they may watch our users, too.
		default_acl: { own_domain: [fetch, subscribe, send], everyone: [fetch, subscribe, send] }
		admin: { listen: 127.0.0.1:$admin_port }
		routes:
		  - { domain: xmpp.localhost, via: xmpp }
		adapters:
		  - name: xmpp
		    plugin: xmpp
		    options:
		      server: 127.0.0.1:$component_port
		      domain: localhost
		      secret_file: $root/$data/xmpp.secret
	END
	if cmp -s "$config.new" "$config"; then
		rm -f "$config.new"
	else
		mv -f "$config.new" "$config"
		stop primd >/dev/null
	fi
}

write_prosody_config() {
	as_root=false
	[ "$(id -u)" -ne 0 ] || as_root=true
	cat >"$xmpp/prosody.cfg.lua" <<-END
		-- A private XMPP server for trying Primbridge out. Made by
		-- contrib/quickstart.sh at each start.
		run_as_root = $as_root
		prosody_user = "$(id -un)"
		prosody_group = "$(id -gn)"
		data_path = "$root/$xmpp/data"
		pidfile = "$root/$xmpp/own.pid"
		log = { info = "*console" }
		interfaces = { "127.0.0.1" }
		local_interfaces = { "127.0.0.1" }
		c2s_ports = { $xmpp_port }
		component_interfaces = { "127.0.0.1" }
		component_ports = { $component_port }
		modules_enabled = { "roster"; "saslauth"; "tls"; "disco"; "ping"; "offline"; "carbons" }
		modules_disabled = { "s2s" }
		authentication = "internal_hashed"
		c2s_require_encryption = true
		ssl = { certificate = "$root/$xmpp/cert.pem"; key = "$root/$xmpp/key.pem" }

		VirtualHost "xmpp.localhost"

		-- The domain that primd serves is a component of this server: that is the
		-- bridge.
		Component "localhost"
			component_secret = "$(cat $data/xmpp.secret)"
			component_conflict_resolve = "kick_old"
	END
}

start_prosody() {
	if is_ours prosody; then
		step "the private XMPP server runs already (process $pid)"
		return
	fi
	step "starting a private XMPP server (Prosody) on 127.0.0.1:$xmpp_port"
	want_port "$xmpp_port" "the private XMPP server" ", or choose another
port: XMPP_PORT=15222 sh contrib/quickstart.sh"
	want_port "$component_port" "the private XMPP server's component" ", or
choose another port: XMPP_COMPONENT_PORT=15347 sh contrib/quickstart.sh"
	mkdir -p $xmpp/data
	[ -s $xmpp/cert.pem ] || openssl req -x509 -newkey ec -nodes \
		-pkeyopt ec_paramgen_curve:prime256v1 -days 3650 \
		-subj /CN=xmpp.localhost -addext subjectAltName=DNS:xmpp.localhost \
		-keyout $xmpp/key.pem -out $xmpp/cert.pem >"$data/prosody.log" 2>&1 || {
		show_log "$data/prosody.log"
		die "no certificate for the XMPP server." "Is openssl installed, and is there room on the disk?"
	}
	write_prosody_config
	launch prosody prosody -F --config "$root/$xmpp/prosody.cfg.lua"
	wait_for 15 prosody has_port "$component_port" || {
		show_log "$data/prosody.log"
		stop prosody
		die "the private XMPP server did not start." "The lines above say why."
	}
}

# Who plays ------------------------------------------------------------------

primctl() {
	$bin/primctl -c "$config" "$@" 2>>"$data/demo.log"
}

# prim_account ADDRESS: its password is in the file of its name.
prim_account() {
	file=$data/${1%%@*}.password
	verb=passwd
	primctl account list | grep -q "^$1 " || verb=add
	[ $verb = passwd ] && [ -s "$file" ] && return
	secret "$file"
	primctl account $verb "$1" <"$file" >>"$data/demo.log" || {
		show_log "$data/demo.log" 5
		die "cannot make the PRIM account $1." "See $data/primd.log; $file has the password it should get."
	}
}

# xmpp_account NAME: its password is in the file of its name, and in the one that
# the XMPP clients read.
xmpp_account() {
	file=$data/$1.password
	account=$xmpp/data/xmpp%2elocalhost/accounts/$1.dat
	if [ ! -s "$account" ] || [ ! -s "$file" ]; then
		verb=adduser
		[ ! -s "$account" ] || verb=passwd
		secret "$file"
		cat "$file" "$file" | prosodyctl --config "$root/$xmpp/prosody.cfg.lua" \
			$verb "$1@xmpp.localhost" >>"$data/demo.log" 2>&1 && [ -s "$account" ] || {
			show_log "$data/demo.log"
			die "cannot make the XMPP account $1@xmpp.localhost." "Try: sh contrib/quickstart.sh --stop; move ./$data away; then run this again."
		}
	fi
	cat >"$data/$1.sendxmpp" <<-END
		username: $1@xmpp.localhost
		jserver: 127.0.0.1:$xmpp_port
		password: $(cat "$file")
	END
}

# as WHO COMMAND...: prim, as one of the PRIM accounts. Takes the place of the
# shell it runs in, so that its id is that of the shell.
as() {
	who=$1
	shift
	exec $bin/prim --quiet --server 127.0.0.1:$prim_port --user "$who@localhost" \
		--password-file "$data/$who.password" "$@"
}

# The same for romeo, with an XMPP client from Debian. The server is on this
# machine and its certificate self-made, hence -n.
as_romeo() {
	exec go-sendxmpp -n -f $data/romeo.sendxmpp "$@"
}

start_listeners() {
	rm -f $data/juliet.heard $data/romeo.heard
	logins=$(romeo_logins)
	(as juliet listen) >$data/juliet.heard 2>>$data/demo.log </dev/null 9>&- &
	listeners=$!
	(as_romeo -l) >$data/romeo.heard 2>>$data/demo.log </dev/null 9>&- &
	listeners="$listeners $!"
}

# Our own children, not waited for yet: their ids cannot be anybody else's.
stop_listeners() {
	for child in $listeners; do
		end_child TERM "$child"
	done
}

# end_child SIGNAL PID: of one of the listeners.
end_child() {
	kill -"$1" "$2" 2>/dev/null && wait "$2" 2>/dev/null
	rest=
	for other in $listeners; do
		[ "$other" = "$2" ] || rest="$rest $other"
	done
	listeners=$rest
}

# heard WHO TEXT: within ten seconds.
heard() {
	tries=100
	until grep -qsF "$2" "$data/$1.heard"; do
		[ $tries -gt 0 ] || return 1
		tries=$((tries - 1))
		sleep 0.1
	done
}

# crossing FROM TO HEARER TEXT COMMAND...: sends TEXT with COMMAND and waits
# until HEARER has it. The command is given five tries: HEARER may just be
# logging in.
crossing() {
	from=$1 to=$2 hearer=$3 text=$4
	shift 4
	say ""
	say "  $from  ->  $to"
	say "      sent:   $text"
	if ! "$@" >$data/sent 2>&1; then
		cat $data/sent >>$data/demo.log
		show_log $data/demo.log
		die "the message could not be sent." "See $data/primd.log and $data/prosody.log; try 'sh contrib/quickstart.sh --stop' and run this again."
	fi
	heard "$hearer" "$text" || {
		show_log $data/primd.log
		die "the message did not arrive within ten seconds." "See $data/primd.log and $data/prosody.log; 'sh contrib/quickstart.sh --stop' and another try may help."
	}
	say "      heard:  $(grep -F "$text" "$data/$hearer.heard" | tail -n 1)"
	[ ! -s $data/sent ] || say "      answer: $(tail -n 1 $data/sent)"
}

prim_says() {
	(as "$1" send "$2" "$3") </dev/null
}

romeo_says() {
	printf '%s\n' "$1" | (as_romeo juliet@localhost)
}

demo() {
	step "three accounts: juliet@localhost and nurse@localhost (PRIM), romeo@xmpp.localhost (XMPP)"
	: >$data/demo.log
	prim_account juliet@localhost
	prim_account nurse@localhost
	xmpp_account romeo
	step "messages"
	start_listeners
	wait_listening
	crossing "nurse (PRIM)" "juliet (PRIM)" juliet \
		"Madam, your mother craves a word with you." \
		prim_says nurse juliet@localhost "Madam, your mother craves a word with you."
	crossing "juliet (PRIM)" "romeo (XMPP)" romeo \
		"Parting is such sweet sorrow! 💌" \
		prim_says juliet romeo@xmpp.localhost "Parting is such sweet sorrow! 💌"
	say "              (this XMPP client gives no receipts; one that does makes it 'delivered')"
	crossing "romeo (XMPP)" "juliet (PRIM)" juliet \
		"Sleep dwell upon thine eyes, peace in thy breast!" \
		romeo_says "Sleep dwell upon thine eyes, peace in thy breast!"
	stop_listeners
	presence_demo
	links_demo
}

# Both listeners are logged in, and the bridge's link to the XMPP server is up.
wait_listening() {
	wait_for 15 primd link_is_up || {
		show_log $data/primd.log
		die "the bridge has no link to the XMPP server." "The lines above say why; see also $data/prosody.log."
	}
	wait_for 15 primd romeo_is_in || {
		show_log $data/demo.log
		die "the XMPP client did not log in." "See $data/prosody.log. If that doesn't help: sh contrib/quickstart.sh --stop; move ./$data away; run this again."
	}
}

link_is_up() {
	primctl status | grep -E '^xmpp +up '
}

romeo_logins() {
	grep -cF 'Authenticated as romeo@xmpp.localhost' $data/prosody.log
}

romeo_is_in() {
	[ "$(romeo_logins)" -gt "$logins" ]
}

chat_hints() {
	prim="$bin/prim --server 127.0.0.1:$prim_port --user juliet@localhost --password-file $data/juliet.password"
	cat <<END

Everything is left running. To chat on, in this folder:

  as juliet, with PRIM:
    $prim chat romeo@xmpp.localhost
  as romeo, with XMPP, in two other terminals: what he hears, and what he says
    go-sendxmpp -n -f $data/romeo.sendxmpp -l
    go-sendxmpp -n -f $data/romeo.sendxmpp -i juliet@localhost
  or with any XMPP client, e.g. profanity (apt-get install profanity); in it:
    /connect romeo@xmpp.localhost server 127.0.0.1 port $xmpp_port tls trust
    (it asks for his password, which is in $data/romeo.password)
    /msg juliet@localhost
  what juliet says to echo@echo.localhost comes back to her; what she says to
  primbridge@localhost ('help') links her addresses on other networks.

To watch on, each in a terminal of its own:

  as juliet: how romeo is, and how she is (until Ctrl-C)
    $prim watch romeo@xmpp.localhost
    $prim publish open --show away --note "in a meeting"
  as romeo:
    /usr/bin/python3 contrib/demo/contact.py $data/romeo.sendxmpp $xmpp/cert.pem
    in it, once:   'watch juliet@localhost', and 'allow juliet@localhost' when he is asked
    and how he is: 'away gone to Mantua', 'online', 'offline'
  By default people of other domains may only send messages. That romeo may watch juliet
  is said by default_acl in $config.
END
	where_hints
	cat <<END
  XMPP server      $xmpp/, $data/prosody.log
  passwords        $data/*.password
END
	ops_hints "-c $config "
}

where_hints() {
	cat <<END

Where things are:
  primd's data     $data/ ($data/primd.log is its log)
END
}

# ops_hints ARGUMENTS-OF-PRIMCTL [ARGUMENT-OF-QUICKSTART [ACCOUNT]]
ops_hints() {
	cat <<END

To look after it:
  $bin/primctl ${1}status
  $bin/primctl ${1}account list
  $bin/primctl ${1}presence show ${3:-juliet@localhost}
  $bin/primctl ${1}subscription list
  $bin/primctl ${1}outbox list
  $bin/primctl ${1}link list
  http://127.0.0.1:$admin_port/metrics
To stop it:      sh contrib/quickstart.sh --stop
To start it:     sh contrib/quickstart.sh${2:-}
END
}

plain_hints() {
	cat <<END

primd is running, on its defaults: it serves the domain localhost.
  give yourself an account (the password is read from standard input):
    $bin/primctl account add me@localhost
  and talk to the echo:
    $bin/prim --server 127.0.0.1:$prim_port --user me@localhost --password-file FILE chat echo@echo.localhost
END
	where_hints
	ops_hints "" " --no-demo" me@localhost
}

# ----------------------------------------------------------------------------

# shellcheck source=contrib/demo/presence.sh
. ./contrib/demo/presence.sh
# shellcheck source=contrib/demo/links.sh
. ./contrib/demo/links.sh

mode=demo
case $#:${1:-} in
0:) ;;
1:--no-demo) mode=plain ;;
1:--stop) mode=stop ;;
*) die "unknown arguments: $*" "Known are --no-demo and --stop; without any it does everything." ;;
esac

[ "$(uname -s)" = Linux ] || die "this is made for Linux (Debian 12)." "Use a Debian 12 machine or virtual machine."
mkdir -p "$data" 2>/dev/null || die "cannot make $root/$data." "Clone into a folder you may write to, and run this there."
[ "$(stat -c %u $data)" = "$(id -u)" ] ||
	die "./$data belongs to $(stat -c %U $data), you are $(id -un)." "Run this as $(stat -c %U $data), or move ./$data away."
exec 9>"$data/quickstart.lock"
flock -n 9 || die "another quickstart is at work in this folder." "Wait until it is done."
trap stop_listeners EXIT
trap 'exit 130' HUP INT PIPE TERM

case $mode in
stop)
	stop_all
	;;
plain)
	install ""
	build
	start_primd
	plain_hints
	;;
demo)
	install --demo
	build
	want_primd_ports
	secret $data/xmpp.secret
	start_prosody
	write_primd_config
	start_primd -c "$root/$config"
	demo
	step "done"
	chat_hints
	;;
esac
