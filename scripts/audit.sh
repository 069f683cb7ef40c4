#!/usr/bin/env bash
# Looks for what must be neither in this repository nor in what it installs: audit.sh UV PYTHON [GATE...]
#   secrets     keys and tokens in the files and in the history, by Kingfisher; nothing leaves the machine
#   withdrawn   locked versions that their makers have withdrawn from the package index
#   licences    installed packages under a licence that nobody has looked at
#   images      base images that are not pinned to a digest
#   advisories  locked versions with a known hole, by pip-audit; asks OSV, or the service of the same form at OSV_URL
# Without a gate: all of them. TREE names another repository to look at; docs/supply-chain.md says more.
set -uo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^# \{0,1\}/s///p;}' "$0"; exit ;; esac
[ $# -ge 2 ] || { echo "usage: scripts/audit.sh UV PYTHON [GATE...]; --help says more" >&2; exit 2; }
cd "$(dirname "$0")/.." || exit
uv=$1 python=$2; shift 2
tree=${TREE:-.}
bin=$(scripts/audit_tools.sh "$uv" "$python") || exit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Passwords in the tests of what must hold none.
known=(--skip-word s3cret)
kingfisher=("$bin/kingfisher" scan --quiet --no-validate --no-update-check --redact --confidence low --jobs 1 "${known[@]}")

files() { # of $tree, each ended by a zero byte: as they lie here, those that git does not know yet included
    if git -C "$tree" rev-parse --git-dir > /dev/null 2>&1; then
        (cd "$tree" && comm -z -23 <(git ls-files -z --cached --others --exclude-standard | sort -zu) \
            <(git ls-files -z --deleted | sort -z))
    else
        echo "audit: secrets: there is no git repository: the files are read, a history is not" >&2
        (cd "$tree" && find . \( -name '.?*' -o -name node_modules -o -name out \) -type d -prune -o -type f -print0)
    fi
}

secrets() {
    local found=0
    files > "$work/files"
    (cd "$tree" && xargs -0 "${kingfisher[@]}" --git-history none) < "$work/files" || found=1
    git -C "$tree" rev-parse --git-dir > /dev/null 2>&1 || return "$found"
    git clone --quiet --bare "$tree" "$work/history" 2> "$work/told" || { cat "$work/told" >&2; return 1; }
    "${kingfisher[@]}" --git-history full "$work/history" || found=1
    return "$found"
}

locks() { find "$tree" -maxdepth 3 -name 'requirements*.lock' -not -path '*/.*' | sort; }

withdrawn() {
    local lock found=0
    for lock in $(locks); do
        "$uv" pip install --dry-run --no-deps --python "$python" --target "$work/none" --require-hashes -r "$lock" \
            2> "$work/told" || { cat "$work/told" >&2; return 1; }
        ! grep 'is yanked' "$work/told" | sed "s|^|${lock#"$tree/"}: |" >&2 || found=1
    done
    return "$found"
}

licences() {
    # num2words: LGPL-2.1, unchanged and exchangeable, as the licence asks; espeakng-loader: GPL-3.0, in a process of its
    # own, an optional extra. docs/adr/0001-dependencies.md has both. axe-playwright-python (tests): MIT, by its LICENSE file.
    "$bin/pip-licenses" --python "$python" --from=mixed --partial-match --ignore-packages num2words espeakng-loader axe-playwright-python \
        --allow-only "MIT;Apache;BSD;ISC;Python Software Foundation;PSF;MPL;Zlib" --fail-on "GPL;GNU;SSPL;Business Source;Commons Clause" \
        > "$work/licences"
}

images() { "$python" scripts/base_images.py "$tree"; }

advisories() {
    local lock found=0 service=()
    [ -z "${OSV_URL:-}" ] || service=(--osv-url "$OSV_URL")
    for lock in $(locks); do
        "$bin/pip-audit" --requirement "$lock" --disable-pip --require-hashes --progress-spinner off \
            --vulnerability-service osv "${service[@]}" > "$work/found" 2> "$work/told" && continue
        found=1
        if grep -q 'ConnectionError\|ConnectTimeout\|ServiceError' "$work/told"; then
            echo "the advisory service can't be reached: nothing was audited; OSV_URL names another" >&2
            return 1
        fi
        echo "${lock#"$tree/"}:"; cat "$work/found"; grep -v '^WARNING' "$work/told" >&2
    done
    return "$found"
}

gate() {
    case $1 in
        secrets) secrets ;;
        withdrawn) withdrawn ;;
        licences) licences ;;
        images) images ;;
        advisories) advisories ;;
        *) echo "audit.sh: there is no gate $1; see audit.sh --help" >&2; exit 2 ;;
    esac
}

status=0
[ $# -gt 0 ] || set -- secrets withdrawn licences images advisories
for name in "$@"; do
    if gate "$name"; then echo "audit: $name: nothing found"; else echo "audit: $name: FAILED" >&2; status=1; fi
done
exit "$status"
