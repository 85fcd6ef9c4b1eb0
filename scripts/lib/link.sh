# shellcheck shell=bash
# Makes `hydra` a command in new terminals. Sourced by scripts/run, after env.sh.

# A link in the folder that Rust's own set-up puts on PATH. Somebody else's program of that name, or link to one, is left
# alone; ours lead to target directories.
link_hydra() {
    local bin="${CARGO_HOME:-$HOME/.cargo}/bin" there=
    there=$(readlink "$bin/hydra" || true)
    if { [ -e "$bin/hydra" ] || [ -L "$bin/hydra" ]; } && [[ "$there" != */release/hydra ]]; then
        say "$bin/hydra is another program: in another terminal, type $HYDRA_BIN/hydra"
    elif mkdir -p "$bin" && ln -sfn "$HYDRA_BIN/hydra" "$bin/hydra"; then
        say "in another terminal: hydra status, hydra ask 7 (if it isn't found there: export PATH=\"$bin:\$PATH\")"
    else
        say "$bin can't be written: in another terminal, type $HYDRA_BIN/hydra"
    fi
}
