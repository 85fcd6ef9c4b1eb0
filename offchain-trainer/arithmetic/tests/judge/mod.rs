//! How far a function is from the right value: against double precision, whose own error is a hundred-millionth of what is measured.

use hydra_arithmetic::{Cpu, function};

/// 2 √(2/π)
const GELU: f64 = 1.595_769_121_605_730_7;
const CUBE: f64 = 0.044715;

/// A function, what it should be, and how its error is measured.
pub struct Judged {
    pub name: &'static str,
    pub fast: fn(&Cpu, &[f32], &mut [f32]),
    pub exact: fn(f64) -> f64,
    /// Results smaller than this are measured by this one's units of the last place: a sum that crosses 0 has no more.
    pub at_least: f64,
}

/// All functions of one value.
pub const ALL: [Judged; 6] = [
    Judged {
        name: "exp",
        fast: function::exp,
        exact: f64::exp,
        at_least: 0.0,
    },
    Judged {
        name: "log",
        fast: function::log,
        exact: f64::ln,
        at_least: 0.0,
    },
    Judged {
        name: "tanh",
        fast: function::tanh,
        exact: f64::tanh,
        at_least: 0.0,
    },
    Judged {
        name: "sigmoid",
        fast: function::sigmoid,
        exact: sigmoid,
        at_least: 0.0,
    },
    Judged {
        name: "gelu",
        fast: function::gelu,
        exact: gelu,
        at_least: 0.0,
    },
    Judged {
        name: "gelu'",
        fast: function::gelu_derivative,
        exact: gelu_derivative,
        at_least: 0.5,
    },
];

fn sigmoid(x: f64) -> f64 {
    if x < 0.0 {
        x.exp() / (1.0 + x.exp())
    } else {
        1.0 / (1.0 + (-x).exp())
    }
}

fn gelu(x: f64) -> f64 {
    if x == f64::NEG_INFINITY {
        return -0.0;
    }
    x * sigmoid(GELU * (x + CUBE * x * x * x))
}

fn gelu_derivative(x: f64) -> f64 {
    // Beyond, it is 0 and 1 to the last place, and ∞ × 0 would be NaN.
    let x = x.clamp(-50.0, 50.0);
    let u = GELU * (x + CUBE * x * x * x);
    let (s, rest) = (sigmoid(u), sigmoid(-u));
    s + x * s * rest * GELU * (1.0 + 3.0 * CUBE * x * x)
}

/// The distance between what was found and what is right, in units of the last place (below 2⁻¹²⁶: of the smallest number). What is too
/// large for single precision counts as 2¹²⁸, and so does ∞.
pub fn error(judged: &Judged, x: f32, found: f32) -> f64 {
    let exact = (judged.exact)(f64::from(x));
    if exact.is_nan() || found.is_nan() {
        return if exact.is_nan() && found.is_nan() {
            0.0
        } else {
            f64::INFINITY
        };
    }
    const BOUND: f64 = 2.0 * 1.7014118346046923e38;
    let (exact, found) = (exact.clamp(-BOUND, BOUND), f64::from(found).clamp(-BOUND, BOUND));
    let size = exact.abs().max(judged.at_least).max(f64::from(f32::MIN_POSITIVE));
    // The power of two below, and 23 bits less.
    let unit = f64::from_bits((size.to_bits() & 0x7ff0_0000_0000_0000) - (23 << 52));
    (found - exact).abs() / unit
}

/// The largest error found so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Worst {
    pub error: f64,
    pub x: f32,
    pub found: f32,
    pub inputs: u64,
    /// How many aren't the nearest single-precision number.
    pub not_nearest: u64,
}

impl Worst {
    pub fn look(&mut self, judged: &Judged, x: &[f32], found: &[f32]) {
        for (x, found) in x.iter().zip(found) {
            let error = error(judged, *x, *found);
            self.inputs += 1;
            self.not_nearest += u64::from(error > 0.5);
            if error > self.error {
                (self.error, self.x, self.found) = (error, *x, *found);
            }
        }
    }

    #[allow(dead_code, reason = "the example joins threads; the test has one")]
    pub fn join(self, other: Self) -> Self {
        let mut worst = if self.error >= other.error { self } else { other };
        worst.inputs = self.inputs + other.inputs;
        worst.not_nearest = self.not_nearest + other.not_nearest;
        worst
    }
}
