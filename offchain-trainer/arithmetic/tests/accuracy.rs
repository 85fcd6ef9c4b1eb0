//! Whether functions are as exact as `docs/arithmetic.md` says, over a million inputs; `examples/accuracy.rs` looks at all of them.

mod judge;

use hydra_arithmetic::Cpu;
use judge::{ALL, Worst};

/// Evenly spread, then by chance (xorshift), then everything around powers of two.
fn inputs() -> Vec<f32> {
    let mut inputs: Vec<f32> = (0..u32::MAX).step_by(8_101).map(f32::from_bits).collect();
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    for _ in 0..500_000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        inputs.push(f32::from_bits((random >> 32) as u32));
    }
    for high in 0..512u32 {
        inputs.extend((-2..3).map(|by| f32::from_bits((high << 23).wrapping_add_signed(by))));
    }
    inputs
}

#[test]
fn functions_are_right_to_two_ulp() {
    let x = inputs();
    let mut y = vec![0.0; x.len()];
    let cpu = Cpu::default();
    for judged in &ALL {
        (judged.fast)(&cpu, &x, &mut y);
        let mut worst = Worst::default();
        worst.look(judged, &x, &y);
        assert!(worst.error <= 2.0, "{}: {worst:?}", judged.name);
        assert!(worst.inputs > 1_000_000, "{worst:?}");
    }
}
