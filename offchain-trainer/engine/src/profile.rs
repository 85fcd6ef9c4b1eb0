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

/// The only other variables that a worker gets: where programs, libraries and temporary files are.
pub const PASSED_ON: [&str; 5] = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "QEMU_LD_PREFIX"];
