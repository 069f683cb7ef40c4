# What the deployment scripts share; sourced. The comment at the top of a script is its --help.
# shellcheck shell=bash
name=${0##*/}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dry=${DRY_RUN:-}

say() { echo "==> $*"; }
stop() { echo "$name: $*" >&2; exit 1; }
wrong() { echo "$name: $*; see $name --help" >&2; exit 2; }
usage() { sed -n '2,/^set /{/^# \{0,1\}/s///p;}' "$0"; exit 0; }
need() { command -v "$1" >/dev/null || stop "$1 is missing: $2"; }
given() { [ $# -ge 2 ] && [ -n "$2" ] || wrong "$1 needs a value"; }

seconds() { [[ $1 =~ ^[0-9]+$ ]] || wrong "--timeout takes whole seconds, not $1"; }
end() { if [ -n "$dry" ]; then say "steps shown, nothing done"; else say "$*"; fi; }

run() { # a step; with --dry-run it is only shown
    if [ -n "$dry" ]; then printf '+'; printf ' %q' "$@"; echo; else "$@"; fi
}

cluster() { # is a cluster there? Ten seconds are enough to say so.
    need kubectl "https://kubernetes.io/docs/tasks/tools"
    [ -n "$dry" ] || kubectl get --raw /readyz --request-timeout=10s >/dev/null ||
        stop "no cluster answers: set KUBECONFIG, or choose a context (kubectl config use-context)"
}

tool() { # a command of this repository's environment
    [ -x "$root/.venv/bin/$1" ] || stop ".venv has no $1: run make setup"
    echo "$root/.venv/bin/$1"
}

revision() { # running|newest: which revision of the release runs, or was made last; empty where there is none
    local asked=(history "${release:?}" --max 1)
    [ "$1" = newest ] || asked=(list --deployed --filter "^$release\$")
    [ -n "$dry" ] || { "${helm:?}" "${asked[@]}" --namespace "${namespace:?}" --output json 2>/dev/null || true; } |
        sed -n 's/.*"revision":"\{0,1\}\([0-9]*\).*/\1/p'
}

why() { # NAMESPACE RELEASE: what keeps its pods from being ready, while they are still there
    say "why it is not ready"
    if [ -x "$root/.venv/bin/voicectl" ]; then
        "$root/.venv/bin/voicectl" --namespace "$1" --release "$2" why && return || [ $? -ne 1 ] || return 0
    fi
    kubectl --namespace "$1" get pods --output=wide --request-timeout=30s || true
    kubectl --namespace "$1" get events --field-selector=type=Warning --sort-by=.lastTimestamp --request-timeout=30s || true
}

workplace() { # a folder in $work; it and what `forward` started are gone when the script ends
    work=$(mktemp -d)
    trap 'for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done; rm -rf "$work"' EXIT
}

forward() { # NAMESPACE TARGET PORT: forwards a free port of this machine, $local_port, until the script ends
    local log=$work/forward-$3 deadline=$((SECONDS + 30)) pid
    : >"$log"
    kubectl --namespace "$1" port-forward "$2" ":$3" >"$log" 2>&1 &
    pid=$!
    until local_port=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\) .*/\1/p' "$log" | head -n 1) && [ -n "$local_port" ]; do
        kill -0 "$pid" 2>/dev/null || stop "kubectl port-forward $2 failed: $(cat "$log")"
        [ "$SECONDS" -lt "$deadline" ] || stop "kubectl port-forward $2 said nothing for 30 s"
        sleep 0.2
    done
}
