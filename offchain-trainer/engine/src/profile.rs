//! What makes training bit-exact: the environment a worker must have before LibTorch loads.
//!
//! Each variable keeps one library from choosing an instruction set or a thread count by the CPU it finds. Measured:
//! without them the bits differ between CPUs, with them they don't (see "The exact profile" in docs/protocol.md). Must
//! never be relaxed: a changed pin is another profile.

use hydra_primitives::model::Profile;

/// Name and value of every variable that `profile` pins.
pub fn pins(profile: &Profile) -> &'static [(&'static str, &'static str)] {
    match profile {
        Profile::ExactLibTorch2110Avx2 => &[
            ("ATEN_CPU_CAPABILITY", "avx2"),
            ("ONEDNN_MAX_CPU_ISA", "AVX2"),
            ("MKL_CBWR", "COMPATIBLE"),
            ("OMP_NUM_THREADS", "1"),
            ("MKL_NUM_THREADS", "1"),
        ],
    }
}

/// The only other variables that a worker gets: where programs and temporary files are, and how much a panic tells.
/// `LD_LIBRARY_PATH` is not among them: conda, CUDA and ROS set it, and a LibTorch found there would be loaded
/// in place of ours. Neither is anything of the locale, so that the dynamic loader's errors can be read.
pub const PASSED_ON: [&str; 5] = ["PATH", "HOME", "TMPDIR", "RUST_BACKTRACE", "QEMU_LD_PREFIX"];

/// How the variables begin that the libraries read which the pins are for. Any but a pin could change the bits, as
/// `ONEDNN_DEFAULT_FPMATH_MODE=BF16` does.
const READ_BY_LIBRARIES: [&str; 10] = [
    "ATEN_", "C10_", "DNNL_", "GOMP_", "KMP_", "MKL_", "OMP_", "ONEDNN_", "PYTORCH_", "TORCH_",
];

/// Whether a worker of `profile` must not see the variable `name`.
pub fn is_forbidden(profile: &Profile, name: &str) -> bool {
    let pinned = pins(profile).iter().any(|(pin, _)| *pin == name);
    !pinned && READ_BY_LIBRARIES.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_libraries_read_is_pinned_or_forbidden_and_nothing_of_it_is_passed_on() {
        let profile = Profile::ExactLibTorch2110Avx2;
        assert!(
            pins(&profile)
                .iter()
                .all(|(name, _)| !is_forbidden(&profile, name))
        );
        for name in [
            "ONEDNN_DEFAULT_FPMATH_MODE",
            "DNNL_MAX_CPU_ISA",
            "MKL_DEBUG_CPU_TYPE",
            "OMP_DYNAMIC",
        ] {
            assert!(is_forbidden(&profile, name), "{name}");
        }
        for name in PASSED_ON {
            assert!(
                !is_forbidden(&profile, name) && !name.starts_with("LD_"),
                "{name}"
            );
        }
    }
}
