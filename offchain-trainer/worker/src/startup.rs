//! What must hold before the first job: the environment of the exact profile, and a CPU that can follow it.

use std::ffi::OsString;

use hydra_engine::{
    profile::{is_forbidden, pins},
    protocol::Hello,
};
use hydra_primitives::model::Profile;

/// How much of a variable is shown: the frame has a limit.
const FOUND: usize = 200;

/// Checks environment and CPU; the error is the frame to refuse with. The libraries read the variables when they load,
/// before `main`, so setting them here would be too late.
pub fn check() -> Result<(), Hello> {
    let profile = Profile::ArithmeticV1;
    let is_set = |(name, value): (OsString, OsString)| {
        let name = name.into_string().ok()?;
        is_forbidden(&profile, &name).then_some((name, value))
    };
    if let Some((name, value)) = std::env::vars_os().find_map(is_set) {
        return Err(Hello::WrongPin {
            name,
            expected: "it not to be set".into(),
            found: Some(value.to_string_lossy().chars().take(FOUND).collect()),
        });
    }
    for (name, expected) in pins(&profile) {
        let found: Option<String> =
            std::env::var_os(name).map(|value| value.to_string_lossy().chars().take(FOUND).collect());
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
