#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Installs the Debian packages Primbridge is built with, and only those that are
# missing. Changes nothing else on the machine; a package that would start a
# service is installed so that it does not, now or at the next boot.
#
#	sh contrib/deps.sh             what the build needs
#	sh contrib/deps.sh --demo      ... and what contrib/quickstart.sh shows off with
#	sh contrib/deps.sh --test      ... and what tests/run.sh talks to and checks with
set -u

# What the build needs.
build="
gcc              # the compiler
libc6-dev        # the C library's headers
make             # what cmake drives unless it is told otherwise
cmake            # the build
pkg-config       # how cmake finds the libraries below
libevent-dev     # the event loop, HTTP, TLS on the loop
libssl-dev       # TLS, hashes
libsqlite3-dev   # the store
libexpat1-dev    # XML: presence documents, the XMPP stream
libgsasl-dev     # SASL: PLAIN, SCRAM
libcyaml-dev     # the configuration: YAML by schema
libyaml-dev      # the configuration: where in the file an error is
libseccomp-dev   # what an adapter may not ask of the kernel
libjansson-dev   # JSON: primctl --json
libstrophe-dev   # adapters/xmpp: stanzas
libicu-dev       # adapters/xmpp: names
libcmocka-dev    # the unit tests; cmake builds them unless -DTESTS=OFF
"

# What contrib/quickstart.sh shows the bridge with.
demo="
prosody          # an XMPP server, run privately
go-sendxmpp      # an XMPP client for scripts
openssl          # random passwords, a certificate for that server
python3          # contrib/demo/contact.py: an XMPP user who watches
python3-slixmpp  # ... its XMPP library
"

# What tests/run.sh needs beyond the build.
test="
ninja-build      # builds the test trees
clang            # the second compiler, and libFuzzer
libclang-rt-14-dev  # the sanitizers of clang
clang-format     # contrib/check-style
binutils         # contrib/check-layers: nm
git              # contrib/check-style: which files are ours
prosody          # tests/net: the real XMPP server
ejabberd         # tests/net: the other one
erlang-base      # ... what it is written for
strace           # tests/fault: calls that fail
python3          # tests/net and tests/fault
python3-slixmpp  # tests/net: the real XMPP client
openssl          # tests/net: a certificate for that server
"

# Of those, the ones that come with a service: package=service, or package=unit
# where only systemd knows it.
services="
prosody=prosody
ejabberd=ejabberd
erlang-base=epmd.service
erlang-base=epmd.socket
"

die() {
	echo "deps: $*" >&2
	exit 1
}

want=$build
for argument in "$@"; do
	case $argument in
	--demo) want="$want$demo" ;;
	--test) want="$want$test" ;;
	*) die "unknown argument '$argument'; known are --demo and --test" ;;
	esac
done

command -v apt-get >/dev/null 2>&1 && command -v dpkg-query >/dev/null 2>&1 ||
	die "this is not Debian (no apt-get, no dpkg-query). Install the packages listed at the top of contrib/deps.sh by your system's means, then build with cmake."

is_installed() {
	case $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) in
	installed*) return 0 ;;
	esac
	return 1
}

missing=
for package in $(printf '%s' "$want" | sed 's/#.*//'); do
	case " $missing " in *" $package "*) continue ;; esac
	is_installed "$package" || missing="$missing $package"
done
missing=${missing# }
if [ -z "$missing" ]; then
	echo "deps: everything needed is installed"
	exit 0
fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null 2>&1 ||
		die "missing: $missing. Run this as root, or install sudo."
	as_root=sudo
fi

# While a package with a service is installed, policy-rc.d says that nothing may
# be started. A file that is there already is put back whatever happens; one
# that an interrupted run left behind is cleared away first.
policy=/usr/sbin/policy-rc.d
saved=$policy.before-primbridge
mark="primbridge: temporary"

policy_restore() {
	if grep -qs "$mark" "$policy"; then
		$as_root rm -f "$policy"
	fi
	if [ -e "$saved" ] || [ -h "$saved" ]; then
		$as_root mv -f "$saved" "$policy"
	fi
}

policy_deny() {
	policy_restore
	if [ -e "$policy" ] || [ -h "$policy" ]; then
		$as_root mv -f "$policy" "$saved" || return 1
	fi
	printf '#!/bin/sh\n# %s, see contrib/deps.sh\nexit 101\n' "$mark" |
		$as_root tee "$policy" >/dev/null && $as_root chmod 755 "$policy"
}

log=$(mktemp) || die "cannot make a temporary file; is /tmp full?"
trap 'policy_restore; rm -f "$log"' EXIT
trap 'exit 130' HUP INT TERM

apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get \
		-o DPkg::Lock::Timeout=300 -qq "$@" >>"$log" 2>&1 </dev/null
}

fail() {
	tail -n 20 "$log" >&2
	die "$*"
}

quiet=
for pair in $services; do
	case " $missing " in *" ${pair%%=*} "*) quiet="$quiet ${pair#*=}" ;; esac
done

echo "deps: installing $(echo "$missing" | wc -w) packages: $missing"
apt update ||
	fail "apt-get update failed (above). Is the network up, and are the sources in /etc/apt right?"
if [ -n "$quiet" ]; then
	policy_deny || die "cannot write $policy, and without it$quiet would be started"
fi
# shellcheck disable=SC2086 # a list of words
apt install -y --no-install-recommends $missing ||
	fail "apt-get install failed (above). Primbridge is made for Debian 12; try: apt-get install $missing"

for service in $quiet; do
	case $service in
	*.*) disable="systemctl disable $service" ;;
	*) disable="update-rc.d $service disable" ;;
	esac
	if command -v "${disable%% *}" >/dev/null 2>&1; then
		# shellcheck disable=SC2086 # a list of words
		$as_root $disable >>"$log" 2>&1 ||
			echo "deps: could not keep $service from starting at the next boot; see: $disable" >&2
	fi
done

for package in $missing; do
	is_installed "$package" || fail "$package is still missing after the installation"
done
echo "deps: done"
