# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Clean Debian 12 roots to prove things in. To be sourced after setup.sh; needs root.
#
#   root_make DIR            a new minimal Debian 12 below DIR, with the host's extra CA certificates and package-client settings
#   root_run DIR COMMAND...  runs a command in it, in mount and process namespaces of its own: nothing outlives the call
#   root_remove DIR
#
# The host's settings are carried as they are. None is named here, so the result is what that host's users would get.

# Where this host gets its packages: the mirror that debootstrap shall use too.
# shellcheck disable=SC2016 # apt expands it
root_mirror() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Suite: bookworm' | head -n 1; }

# The bare system as a tarball, made once: what differs between runs is unpacked from it.
root_base() {
    local cache=${squall_root:?}/build/fresh/base.tar base
    if [[ ! -f $cache ]]; then
        base=$(mktemp -d "$squall_root/build/fresh/base.XXXXXX")
        say "root      debootstrap, once"
        debootstrap --variant=minbase --include=ca-certificates bookworm "$base" "$(root_mirror)" >"$squall_root/build/fresh/debootstrap.log" 2>&1 ||
            { tail -n 20 "$squall_root/build/fresh/debootstrap.log" >&2 && die "debootstrap failed"; }
        tar -C "$base" -cf "$cache.part" . && mv "$cache.part" "$cache"
        rm -rf "$base"
    fi
    printf '%s\n' "$cache"
}

# Variables that point package clients at certificates, proxies and mirrors; those that name folders of this host alone stay here.
root_environment() {
    local name
    for name in $(compgen -e); do
        case $name in
        PIP_FIND_LINKS) ;;
        SSL_CERT_* | CURL_CA_BUNDLE | REQUESTS_CA_BUNDLE | PIP_* | MAVEN_OPTS | *_proxy | *_PROXY) printf '%s=%s\n' "$name" "${!name}" ;;
        esac
    done
}

root_carry_settings() {
    local root=$1 file
    cp -r /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
    rm -f "$root"/etc/apt/sources.list
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list /etc/pip.conf "$HOME/.m2/settings.xml"; do
        [[ ! -f $file ]] || install -D -m 644 "$file" "$root${file/#$HOME/\/root}"
    done
    for file in $(grep -lsE 'Acquire|Proxy' /etc/apt/apt.conf /etc/apt/apt.conf.d/* || true); do
        install -D -m 644 "$file" "$root$file"
    done
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    chroot "$root" update-ca-certificates >/dev/null 2>&1
}

root_make() {
    local root=$1
    mkdir -p "$root"
    tar -C "$root" -xf "$(root_base)"
    chmod 755 "$root" # the tarball brings mktemp's 700, which locks every user but root out
    root_carry_settings "$root"
}

root_run() {
    local root=$1 environment
    shift
    mapfile -t environment < <(root_environment)
    # The outer shell mounts in the new mount namespace; all of it is gone when the last process in there is.
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare --mount --pid --fork --kill-child --propagation private sh -euc '
        root=$1
        shift
        mount -t proc proc "$root/proc"
        mount -t sysfs -o ro sysfs "$root/sys"
        mount -t tmpfs -o mode=755 tmpfs "$root/dev"
        for device in null zero full random urandom tty; do
            : >"$root/dev/$device"
            mount --bind "/dev/$device" "$root/dev/$device"
        done
        ln -s /proc/self/fd "$root/dev/fd"
        ln -s /proc/self/fd/0 "$root/dev/stdin"
        ln -s /proc/self/fd/1 "$root/dev/stdout"
        ln -s /proc/self/fd/2 "$root/dev/stderr"
        mkdir "$root/dev/shm" "$root/dev/pts"
        mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
        mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
        ln -s pts/ptmx "$root/dev/ptmx"
        exec chroot "$root" "$@"
    ' sh "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "${environment[@]}" "$@"
}

# Nothing is mounted below it any more: the mounts lived in namespaces that are gone.
root_remove() { rm -rf --one-file-system "$1"; }
