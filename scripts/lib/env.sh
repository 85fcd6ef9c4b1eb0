# shellcheck shell=bash
# Shared by every script: where things live, how to say something, how to become root. Sourced, never run.
# Nothing here may install, build or delete anything.

# cron, systemd and containers may leave it out; the shell's own `~` follows it, too. A container's user may have none.
if [ -z "${HOME:-}" ]; then
    HOME="$({ getent passwd "$(id -u)" 2>/dev/null || true; } | cut -d: -f6)"
    export HOME="${HOME:-/}"
fi
# With it, `cd` prints where it went, and may go elsewhere.
unset CDPATH

# shellcheck disable=SC2034
HYDRA_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
# The XDG specification: a path that isn't absolute is to be ignored.
case "${XDG_CACHE_HOME:-}" in /*) ;; *) XDG_CACHE_HOME="$HOME/.cache" ;; esac
HYDRA_CACHE="${HYDRA_CACHE:-$XDG_CACHE_HOME/hydraai}"
# Scripts change folders.
case "$HYDRA_CACHE" in /*) ;; *) HYDRA_CACHE="$PWD/$HYDRA_CACHE" ;; esac

# Outside the checkout, so that a second clone rebuilds only our own crates.
export CARGO_TARGET_DIR="${HYDRA_TARGET_DIR:-$HYDRA_CACHE/target}"
export LIBTORCH="${LIBTORCH:-$HYDRA_CACHE/libtorch-2.11.0}"
export HYDRA_BIN="$CARGO_TARGET_DIR/release"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}"
# What scripts/setup installs for tests only.
HYDRA_TOOLS="$HYDRA_CACHE/tools"
# Ours first: they are there only if what was on PATH before is missing or too old.
PATH="$HYDRA_TOOLS/bin:$HOME/.cargo/bin:$PATH"
# conda, a debugger or a profile may have set these; what is built and run here must find its own libraries.
unset LD_LIBRARY_PATH LD_PRELOAD PYTHONHOME PYTHONPATH
# They would lead torch-sys to another LibTorch than LIBTORCH's.
unset LIBTORCH_USE_PYTORCH LIBTORCH_INCLUDE LIBTORCH_LIB LIBTORCH_CXX11_ABI

# Which toolchains build, as scripts/setup left them: `rust-toolchain` where rust-toolchain.toml's version is installed
# under another name only, `wasm-toolchain` where rustup has no Wasm target. To be called again after scripts/setup, which
# runs as a child and can't change its parent's environment.
wasm_env() {
    unset RUSTUP_TOOLCHAIN WASM_BUILD_TOOLCHAIN
    if [ -s "$HYDRA_CACHE/rust-toolchain" ]; then
        RUSTUP_TOOLCHAIN="$(cat "$HYDRA_CACHE/rust-toolchain")"
        export RUSTUP_TOOLCHAIN
    fi
    if [ -s "$HYDRA_CACHE/wasm-toolchain" ]; then
        WASM_BUILD_TOOLCHAIN="$(cat "$HYDRA_CACHE/wasm-toolchain")"
        export WASM_BUILD_TOOLCHAIN
    fi
}
wasm_env

# Checkouts share the target directory. Cargo tells what changed by the time of a file and by its path, so each checkout is
# built under one path, a link, and its unchanged files get the times that they had in the one built before.
HYDRA_CHECKOUT="$CARGO_TARGET_DIR/checkout"
HYDRA_BUILT="$CARGO_TARGET_DIR/.built"

# The files of this checkout, one a line; none where git can't say.
checkout_files() {
    git -C "$HYDRA_ROOT" ls-files --cached --others --exclude-standard --deduplicate 2>/dev/null |
        while IFS= read -r file; do if [ -f "$HYDRA_ROOT/$file" ]; then printf '%s\n' "$file"; fi; done || :
}
hash_files() { git -C "$HYDRA_ROOT" hash-object --no-filters --stdin-paths; }

# Makes the shared target directory this checkout's. What was changed here before another checkout was built would count as
# built: such a file becomes new, and every file does if anybody else has built since.
own_target() {
    local files time path this
    # When its folder was made, too: a new clone in the place of an old one often gets its number.
    this="$(stat -c '%d:%i:%.9W' -- "$HYDRA_ROOT") $HYDRA_ROOT"
    if [ "$(readlink "$HYDRA_CHECKOUT" 2>/dev/null)" = "$HYDRA_ROOT" ] && [ "$(cat "$HYDRA_BUILT.by" 2>/dev/null)" = "$this" ]; then
        return 0
    fi
    mkdir -p "$CARGO_TARGET_DIR"
    # What plain cargo has built in here keeps its times.
    find "$HYDRA_ROOT" \( -name node_modules -o -name .git -o -path "$HYDRA_ROOT/target" -o -path "$CARGO_TARGET_DIR" -o \
        -path "$HYDRA_CACHE" \) -prune -o -exec touch --no-dereference -- {} + 2>/dev/null ||
        fail "this checkout's files can't be touched, and another checkout was built in $CARGO_TARGET_DIR: set HYDRA_TARGET_DIR to a folder of its own"
    files="$(checkout_files)"
    if [ -n "$files" ] && [ -s "$HYDRA_BUILT" ] &&
        [ -z "$(find "$CARGO_TARGET_DIR"/*/.fingerprint -newer "$HYDRA_BUILT" -print -quit 2>/dev/null)" ]; then
        # A folder is as new as what is in it, or was: a build script may ask for that.
        hash_files <<<"$files" | paste - <(printf '%s\n' "$files") | awk -F '\t' '
            NR == FNR { built[$1 FS $3] = $2; gone[$3] = 1; next }
            { delete gone[$2]
              time = built[$1 FS $2]
              if (time != "") print time FS $2
              for (folder = $2; sub("/[^/]*$", "", folder); )
                  if (time == "") changed[folder] = 1; else if (!(folder in newest) || time > newest[folder]) newest[folder] = time }
            END { for (file in gone) for (folder = file; sub("/[^/]*$", "", folder); ) changed[folder] = 1
                  for (folder in newest) if (!changed[folder]) print newest[folder] FS folder }
        ' "$HYDRA_BUILT" - | while IFS=$'\t' read -r time path; do
            touch --no-create --no-dereference --date="@$time" -- "$HYDRA_ROOT/$path"
        done || :
    fi
    rm -f "$HYDRA_BUILT"
    ln -sfn "$HYDRA_ROOT" "$HYDRA_CHECKOUT"
    printf '%s\n' "$this" >"$HYDRA_BUILT.by"
}

# Keeps what was there when cargo ended: hash, time and path of each file. The hash comes first: a file that is changed
# meanwhile has a time that says so. Where that can't be told, the next checkout's files are all new.
keep_built() {
    local files hashes times
    files="$(checkout_files)"
    if [ -n "$files" ] && hashes="$(hash_files <<<"$files" 2>/dev/null)" &&
        times="$(cd "$HYDRA_ROOT" && xargs -r -d '\n' stat --printf '%.Y\n' -- <<<"$files")" &&
        paste <(printf '%s\n' "$hashes") <(printf '%s\n' "$times") <(printf '%s\n' "$files") >"$HYDRA_BUILT.new" &&
        mv "$HYDRA_BUILT.new" "$HYDRA_BUILT"; then
        return 0
    fi
    rm -f "$HYDRA_BUILT" "$HYDRA_BUILT.new"
}

# Runs cargo, or cargo nextest, for this checkout; another one waits until it is done.
on_target() {
    mkdir -p "$CARGO_TARGET_DIR"
    (
        flock --nonblock 9 || { say "waiting: something else is built or tested in $CARGO_TARGET_DIR" && flock 9; }
        own_target
        cd "$HYDRA_ROOT" || exit
        # .cargo/config.toml's leads to the checkout itself.
        export WASM_BUILD_WORKSPACE_HINT="$HYDRA_CHECKOUT"
        status=0
        case "$1" in
        nextest) cargo nextest "${2:-list}" --manifest-path "$HYDRA_CHECKOUT/Cargo.toml" "${@:3}" ;;
        *) cargo "$1" --manifest-path "$HYDRA_CHECKOUT/Cargo.toml" "${@:2}" ;;
        esac 9>&- || status=$?
        keep_built
        exit "$status"
    ) 9>"$CARGO_TARGET_DIR/.checkout.lock"
}

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
else
    say() { printf '==> %s\n' "$*" >&2; }
fi
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Runs a command as root: directly when we are, through sudo when there is one.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else fail "'$*' needs root: run it as root once, or install sudo, then start again"
    fi
}

# How long something took, for a person: 75 -> 1 min 15 s.
took() { local s=$1; if [ "$s" -ge 60 ]; then printf '%d min %d s' $((s / 60)) $((s % 60)); else printf '%d s' "$s"; fi; }
