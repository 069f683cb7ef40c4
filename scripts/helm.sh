#!/usr/bin/env bash
# Prints the path of a suitable helm: the one on the PATH from 3.14 on, else a pinned one, installed into .tools/bin once.
# Go builds it from its module (checked by Go's checksum database); without Go the official release is used, by sha256.
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^# \{0,1\}/s///p;}' "$0"; exit ;; esac
cd "$(dirname "$0")/.."
version=v4.1.4 oldest=3.14 pinned=$PWD/.tools/bin/helm

fits() { # path of a helm
    local found
    found=$("$1" version --template '{{.Version}}' 2>/dev/null) && [[ $found =~ ^v[0-9]+\.[0-9]+ ]] || return 1
    [ "$(printf '%s\n' "$oldest" "${found#v}" | sort -V | head -n 1)" = "$oldest" ]
}

sha256() { # OS-architecture; from the release notes of v4.1.4
    case $1 in
        linux-amd64) echo 70b2c30a19da4db264dfd68c8a3664e05093a361cefd89572ffb36f8abfa3d09 ;;
        linux-arm64) echo 13d03672be289045d2ff00e4e345d61de1c6f21c1257a45955a30e8ae036d8f1 ;;
        darwin-amd64) echo abf09c8503ad1d8ef76d3737a058c3456a998aae5f5966fce4bb3031aeb1654e ;;
        darwin-arm64) echo 7c2eca678e8001fa863cdf8cbf6ac1b3799f9404a89eb55c08260ef5732e658d ;;
        *) echo "no helm $version is pinned for $1: put helm $oldest or newer on the PATH" >&2; return 1 ;;
    esac
}

by_go() {
    command -v go >/dev/null || return 1
    echo "building helm $version with Go into .tools/bin" >&2
    GOBIN=$PWD/.tools/bin go install "helm.sh/helm/v4/cmd/helm@$version" >&2
}

by_release() {
    local platform wanted folder
    platform=$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
    wanted=$(sha256 "$platform") || return 1
    echo "downloading helm $version for $platform into .tools/bin" >&2
    folder=$(mktemp -d)
    # Expanded now: the variable is gone when the trap runs.
    # shellcheck disable=SC2064
    trap "rm -rf '$folder'" EXIT
    curl --fail --silent --show-error --location --max-time 300 --output "$folder/helm.tar.gz" \
        "https://get.helm.sh/helm-$version-$platform.tar.gz" || return 1
    if [ "$( (sha256sum "$folder/helm.tar.gz" 2>/dev/null || shasum -a 256 "$folder/helm.tar.gz") | cut -d' ' -f1)" != "$wanted" ]; then
        echo "the helm that was downloaded has another sha256 than the release: not used" >&2
        return 1
    fi
    tar -xzf "$folder/helm.tar.gz" -C "$folder"
    install -m 0755 "$folder/$platform/helm" "$pinned"
}

if found=$(command -v helm) && fits "$found"; then echo "$found"; exit; fi
mkdir -p "$(dirname "$pinned")"
fits "$pinned" || by_go || by_release ||
    { echo "no helm: put helm $oldest or newer on the PATH, or let this machine reach the Go module proxy or get.helm.sh" >&2; exit 1; }
echo "$pinned"
