//! What a worker sees of the environment: next to nothing, whoever starts the trainer.
//!
//! No bit depends on it ("The profile" in docs/protocol.md); a library that is another than ours, or a setting that makes LibTorch
//! fail, would cost results all the same.

/// The only variables that a worker gets: where programs and temporary files are, and how much a panic tells.
/// `LD_LIBRARY_PATH` is not among them: conda, CUDA and ROS set it, and a LibTorch found there would be loaded
/// in place of ours. Neither is anything of the locale, so that the dynamic loader's errors can be read.
pub const PASSED_ON: [&str; 5] = ["PATH", "HOME", "TMPDIR", "RUST_BACKTRACE", "QEMU_LD_PREFIX"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_passed_on_that_libraries_or_their_loader_read() {
        let read = [
            "ATEN_", "C10_", "DNNL_", "GOMP_", "KMP_", "LD_", "MKL_", "OMP_", "ONEDNN_", "PYTORCH_", "TORCH_",
        ];
        for name in PASSED_ON {
            assert!(!read.iter().any(|start| name.starts_with(start)), "{name}");
        }
    }
}
