# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# How the scripts in ops/ build. To be sourced after setup.sh.

# Leaves build/release/squall. Quiet unless it fails.
build_release() {
    local log=${squall_root:?}/build/logs/release.log started=$SECONDS
    mkdir -p "${log%/*}"
    if ! (cd "$squall_root" && cmake --workflow --preset release) >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        die "the release build failed: the whole log is in build/logs/release.log"
    fi
    say "build     release, $((SECONDS - started)) s"
}
