//! What must hold before the first job: the environment of the exact profile, and a CPU that can follow it.

use hydra_engine::{profile::pins, protocol::Hello};
use hydra_primitives::model::Profile;

/// Checks environment and CPU; the error is the frame to refuse with. The libraries read the variables when they load,
/// before `main`, so setting them here would be too late.
pub fn check() -> Result<(), Hello> {
    for (name, expected) in pins(&Profile::ExactLibTorch2110Avx2) {
        let found = std::env::var(name).ok();
        if found.as_deref() != Some(*expected) {
            return Err(Hello::WrongPin {
                name: (*name).into(),
                expected: (*expected).into(),
                found,
            });
        }
    }
    match missing_instructions() {
        Some(missing) => Err(Hello::CpuTooOld {
            missing: missing.into(),
        }),
        None => Ok(()),
    }
}

#[cfg(target_arch = "x86_64")]
fn missing_instructions() -> Option<&'static str> {
    let have = [
        ("AVX2", is_x86_feature_detected!("avx2")),
        ("FMA", is_x86_feature_detected!("fma")),
        ("F16C", is_x86_feature_detected!("f16c")),
        ("BMI2", is_x86_feature_detected!("bmi2")),
    ];
    have.into_iter().find(|(_, there)| !there).map(|(name, _)| name)
}

#[cfg(not(target_arch = "x86_64"))]
fn missing_instructions() -> Option<&'static str> {
    Some("x86-64 instructions")
}

/// One thread inside and between LibTorch's operations: sums are split by thread, so another number gives other bits.
pub fn single_thread() {
    tch::set_num_threads(1);
    tch::set_num_interop_threads(1);
}
