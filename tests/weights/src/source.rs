//! From what was measured to the runtime's source: `runtime/src/weights/*.rs`.

use crate::{
    fit::{Accesses, PARTS},
    measure::{Effort, Weighed},
};
use std::fmt::Write;

/// The file for a pallet, as `rustfmt` takes it. `machine`: what it was measured on.
pub fn file(pallet: &str, machine: &str, effort: Effort, all: &[Weighed]) -> String {
    let Effort { steps, repeat } = effort;
    let functions: String = all.iter().map(function).collect();
    format!(
        "//! Measured, and written by `scripts/weights`: change nothing here.
//!
//! Machine: {machine}. {steps} values of each parameter, {repeat} runs each. Times are of Wasm, without what the database takes.

use crate::Runtime;
use frame_support::weights::{{RuntimeDbWeight, Weight}};

/// What the pallet's calls and hooks weigh.
pub struct WeightInfo;

fn db() -> RuntimeDbWeight {{
    <Runtime as frame_system::Config>::DbWeight::get()
}}

impl {pallet}::WeightInfo for WeightInfo {{
{functions}}}
"
    )
}

fn function(weighed: &Weighed) -> String {
    let Weighed {
        name,
        parameter,
        fitted,
    } = weighed;
    let (reads, writes) = (fitted.reads, fitted.writes);
    let mut text = format!("    // {} ns at the shortest.\n", digits(fitted.shortest));
    let arguments = parameter
        .as_ref()
        .map_or(String::new(), |range| format!("{}: u32", range.name));
    if let Some(range) = parameter {
        put(
            &mut text,
            format_args!("    // {} from {} to {}.\n", range.name, range.from, range.to),
        );
    }
    put(
        &mut text,
        format_args!("    fn {name}({arguments}) -> Weight {{\n"),
    );
    put(
        &mut text,
        format_args!("        Weight::from_parts({}, 0)\n", digits(fitted.time)),
    );
    put(
        &mut text,
        format_args!(
            "            .saturating_add({})\n",
            accesses(reads.base, writes.base)
        ),
    );
    if let Some(range) = parameter {
        let each = Each {
            unit: &range.name,
            time: fitted.time_each,
            reads,
            writes,
        };
        each.write(&mut text);
    }
    text.push_str("    }\n");
    text
}

struct Each<'a> {
    unit: &'a str,
    time: u64,
    reads: Accesses,
    writes: Accesses,
}

impl Each<'_> {
    fn write(&self, text: &mut String) {
        let Self { unit, time, .. } = self;
        put(
            text,
            format_args!(
                "            .saturating_add(Weight::from_parts({}, 0).saturating_mul({unit}.into()))\n",
                digits(*time)
            ),
        );
        if self.reads.each > 0 || self.writes.each > 0 {
            put(
                text,
                format_args!(
                    "            .saturating_add({}.saturating_mul({unit}.into()).saturating_div({}))\n",
                    accesses(self.reads.each, self.writes.each),
                    digits(PARTS)
                ),
            );
        }
    }
}

fn accesses(reads: u64, writes: u64) -> String {
    format!("db().reads_writes({}, {})", digits(reads), digits(writes))
}

fn put(text: &mut String, more: std::fmt::Arguments<'_>) {
    text.write_fmt(more).expect("a string takes everything");
}

/// A number as Rust writes large ones: 1_234_567.
fn digits(number: u64) -> String {
    let plain = number.to_string();
    let mut text = String::new();
    for (index, digit) in plain.chars().enumerate() {
        if index > 0 && (plain.len() - index).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fit::Fitted, measure::Range};

    #[test]
    fn a_call_and_a_step_over_seats_read_like_rust() {
        let plain = Weighed {
            name: "pause".into(),
            parameter: None,
            fitted: Fitted {
                time: 12_345_678,
                time_each: 0,
                shortest: 11_900,
                reads: Accesses { base: 1, each: 0 },
                writes: Accesses { base: 1, each: 0 },
            },
        };
        let over = Weighed {
            name: "open".into(),
            parameter: Some(Range {
                name: "s".into(),
                from: 8,
                to: 1_024,
            }),
            fitted: Fitted {
                time: 50_000_000,
                time_each: 999_000,
                shortest: 60_000,
                reads: Accesses { base: 4, each: 1_313 },
                writes: Accesses { base: 2, each: 0 },
            },
        };
        let effort = Effort {
            steps: 20,
            repeat: 10,
        };
        let text = file("pallet_example", "a PC", effort, &[plain, over]);
        let expected = "impl pallet_example::WeightInfo for WeightInfo {
    // 11_900 ns at the shortest.
    fn pause() -> Weight {
        Weight::from_parts(12_345_678, 0)
            .saturating_add(db().reads_writes(1, 1))
    }
    // 60_000 ns at the shortest.
    // s from 8 to 1024.
    fn open(s: u32) -> Weight {
        Weight::from_parts(50_000_000, 0)
            .saturating_add(db().reads_writes(4, 2))
            .saturating_add(Weight::from_parts(999_000, 0).saturating_mul(s.into()))
            .saturating_add(db().reads_writes(1_313, 0).saturating_mul(s.into()).saturating_div(1_000))
    }
}
";
        assert!(text.ends_with(expected), "{text}");
        assert!(text.starts_with("//! "));
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(
            [0, 7, 999, 1_000, 1_234_567].map(digits),
            ["0", "7", "999", "1_000", "1_234_567"]
        );
    }
}
