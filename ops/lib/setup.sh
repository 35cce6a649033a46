# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the scripts in ops/ need from the machine, and how it gets there. To be sourced.
#
#   setup build kafka       installs the Debian packages of these groups that are missing
#   setup_python            makes build/venv and brings it to tests/requirements.txt
#
# Everything is said on stderr: stdout belongs to the caller's data. What is there already costs a few
# milliseconds and no network. SQUALL_SKIP_SETUP=1 turns it off, for machines that are not Debian.

squall_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# group, then the packages it is made of
squall_packages='
build   gcc libc6-dev cmake ninja-build pkg-config
build   librdkafka-dev libuv1-dev libmicrohttpd-dev libyaml-dev libjansson-dev libseccomp-dev libcurl4-openssl-dev
build   libopenblas-pthread-dev libutf8proc-dev libxxhash-dev uthash-dev
build   protobuf-compiler protobuf-c-compiler libprotobuf-c-dev
kafka   gcc libc6-dev pkg-config librdkafka-dev default-jre-headless maven openssl
test    libcmocka-dev clang libclang-rt-dev shellcheck git
test    python3 python3-venv chromium chromium-driver docker-compose
fresh   debootstrap
arm     qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
librdkafka  make npm python3 zlib1g-dev libssl-dev libzstd-dev libsasl2-dev libcurl4-openssl-dev
'

say() { printf '%s\n' "$*" >&2; }

die() {
    say "${0##*/}: $*"
    exit 1
}

packages_of() {
    local group
    for group in "$@"; do
        awk -v group="$group" '$1 == group { for (i = 2; i <= NF; i++) print $i }' <<<"$squall_packages"
    done | sort -u
}

is_installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# By a package of another name, which may refuse to stand beside it: Node's own packages bring npm, for one.
is_provided() { dpkg-query -W -f='${db:Status-Status} ${Provides},\n' | grep -E "^installed (.*, )?$1( \(.*\))?," >/dev/null; }

packages_missing() {
    local package
    for package in $(packages_of "$@"); do
        is_installed "$package" || is_provided "$package" || printf '%s\n' "$package"
    done
}

# Runs a command as root, through sudo where we are not. Without a terminal sudo must not ask.
as_root() {
    if ((EUID == 0)); then
        "$@"
    elif [[ -t 0 ]]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

can_be_root() { ((EUID == 0)) || command -v sudo >/dev/null; }

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

# A failed update is not the end: the package lists at hand may do.
install_packages() {
    local log
    log=$(mktemp)
    if { apt_get update || true; apt_get install -y --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null; then
        rm -f "$log"
        return
    fi
    tail -n 20 "$log" >&2
    rm -f "$log"
    return 1
}

setup() {
    [[ -z ${SQUALL_SKIP_SETUP:-} ]] || return 0
    if ! command -v dpkg-query apt-get >/dev/null; then
        die "this is no Debian. Install what these packages hold, then set SQUALL_SKIP_SETUP=1:" \
            "$(packages_of "$@" | tr '\n' ' ')"
    fi

    local missing
    mapfile -t missing < <(packages_missing "$@")
    ((${#missing[@]} == 0)) || setup_install "${missing[@]}"
    setup_openblas
}

setup_install() {
    local command="apt-get update && apt-get install -y --no-install-recommends $*"
    can_be_root || die "these packages are missing: $*. As root, run: $command"
    say "packages  $# missing: $*"
    install_packages "$@" || die "couldn't install these packages: $*. Once that is mended, run as root: $command"
    say "packages  installed"
}

# Debian has three builds of OpenBLAS under one name and lets the administrator choose. Squall wants the
# pthread one; where another was chosen, this run is pointed at the right one and the machine left alone.
setup_openblas() {
    local dir chosen
    for dir in /usr/lib/*/openblas-pthread; do
        [[ -e $dir/libopenblas.so.0 ]] || return 0
        chosen=$(readlink -f "${dir%/*}/libopenblas.so.0")
        [[ $chosen != "$(readlink -f "$dir/libopenblas.so.0")" ]] || return 0
        say "openblas  the machine's choice is $chosen: this run uses $dir instead"
        export LD_LIBRARY_PATH=$dir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    done
}

# Debian's own interpreter, whichever comes first in PATH: python3-venv belongs to that one.
setup_python() {
    local venv=$squall_root/build/venv wanted=$squall_root/tests/requirements.txt log
    if [[ -f $venv/requirements.txt ]] && cmp -s "$wanted" "$venv/requirements.txt"; then
        return
    fi
    say "python    build/venv from tests/requirements.txt"
    mkdir -p "$squall_root/build"
    log=$(mktemp)
    if ! { /usr/bin/python3 -m venv "$venv" && "$venv/bin/pip" install -q -r "$wanted"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        die "couldn't install tests/requirements.txt into build/venv. Once that is mended, run: $venv/bin/pip install -r $wanted"
    fi
    rm -f "$log"
    cp "$wanted" "$venv/requirements.txt"
}
