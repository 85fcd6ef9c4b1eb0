//! What must hold before the first job.

use hydra_arithmetic::cpu::keeps_denormals;
use hydra_engine::protocol::Hello;

/// Checks that the processor computes as IEEE 754 says; the error is the frame to refuse with. Libraries that are built with fast mathematics
/// change that for the thread that loads them, and threads that are started later have it as this one. Jobs check it again.
pub fn check() -> Result<(), Hello> {
    if keeps_denormals() {
        Ok(())
    } else {
        Err(Hello::LosesSmallNumbers)
    }
}

/// LibTorch only copies, which one thread does as fast; its own would be as many as there are cores, on top of those that the arithmetic is given.
pub fn no_threads_of_libtorch() {
    tch::set_num_threads(1);
    tch::set_num_interop_threads(1);
}
