# shellcheck shell=bash
# What compiles for 64-bit Arm on this machine, for tests of the arithmetic under qemu-aarch64. Sourced after env.sh by
# scripts/setup, which installs it, and by what builds with it. Nothing here may install or delete anything.

ARM=aarch64-unknown-linux-gnu
# Where rustup has no such target to fetch: Debian's Rust, with Debian's library of that target beside its own.
ARM_DEBIAN="$HYDRA_CACHE/aarch64"
# Beside the shared target directory: what is built for another processor has another Rust where it is Debian's.
ARM_TARGET_DIR="$CARGO_TARGET_DIR-aarch64"

has_arm_target() { [ -d "$(cd "$HYDRA_ROOT" && rustc --print sysroot 2>/dev/null)/lib/rustlib/$ARM/lib" ]; }

# Which version of Debian's package the folder was made from is written last, so that half of one is never taken for it. A
# library goes with its own compiler only.
has_debian_arm_target() {
    [ -x /usr/bin/rustc ] && [ -x "$ARM_DEBIAN/rustc" ] && cmp -s <(/usr/bin/rustc -vV) "$ARM_DEBIAN/.built-by"
}

# Builds the program that prints the test vectors of the arithmetic, and prints where it is.
build_for_arm() {
    (
        if ! has_arm_target; then
            has_debian_arm_target || fail "no Rust on this machine compiles for 64-bit Arm: run scripts/setup --for-tests"
            export RUSTC="$ARM_DEBIAN/rustc"
        fi
        export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
        # The checkout is built as the shared target directory's is: cargo finds out in the same way what has changed.
        on_target build --release --locked --package hydra-arithmetic --bin hydra-arithmetic-vectors --target "$ARM" --target-dir "$ARM_TARGET_DIR"
    ) >&2 || return
    printf '%s\n' "$ARM_TARGET_DIR/$ARM/release/hydra-arithmetic-vectors"
}
