#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Installs what is missing, builds three trees and runs every test; the summary
# of ctest ends the output, and its verdict is the exit code.
#
#	sh tests/run.sh            about twelve minutes on two cores
#	sh tests/run.sh --long     the long forms: fuzzing ten minutes a target, ...
#
#	build/test-asan      gcc, Debug, AddressSanitizer and UndefinedBehavior...
#	build/fuzz           clang, the same, and the fuzz targets
#	build/test-release   gcc, Release: as shipped; for tests with real peers
#
# FUZZ_SECONDS: how long each fuzz target runs (10). TESTS: a regular expression
# for ctest -R, to run only some.
set -eu
cd "$(dirname "$0")/.."
begun=$(date +%s)

case $#:${1:-} in
0:) ;;
1:--long)
	PRIM_LONG=1
	export PRIM_LONG
	: "${FUZZ_SECONDS:=600}"
	;;
*)
	echo "tests/run.sh: unknown arguments: $* (known: --long)" >&2
	exit 2
	;;
esac
: "${FUZZ_SECONDS:=10}"

step() {
	printf '[%4ds] %s\n' $(($(date +%s) - begun)) "$*"
}

# tree NAME COMPILER ARGUMENTS...: configures and builds build/NAME. Says
# nothing unless it fails.
tree() {
	name=$1
	compiler=$2
	shift 2
	step "building build/$name"
	log=build/$name.log
	if ! {
		cmake -S . -B "build/$name" -G Ninja -DCMAKE_C_COMPILER="$compiler" \
			-DTESTS=ON "$@" && ninja --quiet -j "$(nproc)" -C "build/$name"
	} >"$log" 2>&1 </dev/null; then
		tail -n 60 "$log"
		echo "tests/run.sh: build/$name cannot be built; all of it is in $log" >&2
		exit 1
	fi
}

step "packages"
sh contrib/deps.sh --test
mkdir -p build/tests
tree test-asan gcc -DCMAKE_BUILD_TYPE=Debug -DSANITIZE=ON -DSEEDS=ON \
	-DTEST_PREFIX=asan/
tree fuzz clang -DCMAKE_BUILD_TYPE=Debug -DFUZZ=ON -DTEST_PREFIX=clang/ \
	-DFUZZ_SECONDS="$FUZZ_SECONDS"
tree test-release gcc -DCMAKE_BUILD_TYPE=Release -DTEST_PREFIX=release/
sh contrib/check-layers build/test-release

# One run of ctest over all trees, so that one summary says it all.
{
	for name in test-asan fuzz test-release; do
		echo "subdirs(\"$PWD/build/$name\")"
	done
} >build/tests/CTestTestfile.cmake

step "testing"
ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}
UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export ASAN_OPTIONS UBSAN_OPTIONS
cd build/tests
exec ctest --parallel "$(nproc)" --output-on-failure --no-tests=error \
	${TESTS:+-R "$TESTS"} </dev/null
