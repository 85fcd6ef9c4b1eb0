//! Goes through the values that a benchmark is measured at.

use crate::{
    fit::{self, Fitted},
    wasm::{self, Runtime},
};
use frame_benchmarking::{BenchmarkConfig, BenchmarkList, BenchmarkMetadata, BenchmarkParameter};
use std::fmt;

/// How thoroughly it is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effort {
    /// Values of a parameter, from its least to its largest.
    pub steps: u32,
    /// Runs at each value.
    pub repeat: u32,
}

/// What a call or a hook weighs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weighed {
    /// Its name: that of the function in the pallet's `WeightInfo`.
    pub name: String,
    /// What it is measured over.
    pub parameter: Option<Range>,
    /// What was measured.
    pub fitted: Fitted,
}

/// A parameter, and the values that it was measured at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Range {
    /// Its letter.
    pub name: String,
    /// From this
    pub from: u32,
    /// to this.
    pub to: u32,
}

/// Why a pallet could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The runtime failed.
    #[error(transparent)]
    Runtime(#[from] wasm::Error),
    /// What was measured makes no line.
    #[error("{0}: {1}")]
    Fit(String, fit::Error),
}

/// Values of a parameter that a benchmark is run at, at least the first and the last; one without any where it has none.
pub fn values(benchmark: &BenchmarkMetadata, steps: u32) -> Vec<Vec<(BenchmarkParameter, u32)>> {
    let Some((name, from, to)) = benchmark.components.first().copied() else {
        return vec![Vec::new()];
    };
    let steps = steps.max(2) - 1;
    let mut values: Vec<u32> = (0..=steps)
        .map(|step| {
            let part = u64::from(to - from) * u64::from(step) / u64::from(steps);
            from + u32::try_from(part).expect("no more than the whole")
        })
        .collect();
    values.dedup();
    let at = |value: u32| -> Vec<(BenchmarkParameter, u32)> {
        let others = benchmark
            .components
            .iter()
            .skip(1)
            .map(|(name, _, to)| (*name, *to));
        std::iter::once((name, value)).chain(others).collect()
    };
    values.into_iter().map(at).collect()
}

/// How a benchmark is called.
pub fn config(
    pallet: &BenchmarkList,
    benchmark: &BenchmarkMetadata,
    at: Vec<(BenchmarkParameter, u32)>,
) -> BenchmarkConfig {
    BenchmarkConfig {
        pallet: pallet.pallet.clone(),
        instance: pallet.instance.clone(),
        benchmark: benchmark.name.clone(),
        selected_components: at,
        verify: true,
        internal_repeats: 1,
    }
}

/// Measures all benchmarks of a pallet.
pub fn pallet(
    runtime: &Runtime,
    pallet: &BenchmarkList,
    effort: Effort,
    mut say: impl FnMut(&Weighed),
) -> Result<Vec<Weighed>, Error> {
    let mut all = Vec::new();
    for benchmark in &pallet.benchmarks {
        let weighed = one(runtime, pallet, benchmark, effort)?;
        say(&weighed);
        all.push(weighed);
    }
    Ok(all)
}

fn one(
    runtime: &Runtime,
    pallet: &BenchmarkList,
    benchmark: &BenchmarkMetadata,
    effort: Effort,
) -> Result<Weighed, Error> {
    let name = String::from_utf8_lossy(&benchmark.name).into_owned();
    let (mut times, mut counts) = (Vec::new(), Vec::new());
    for at in values(benchmark, effort.steps) {
        // Once with what shows that it did what it says; that is not timed, and what it reads is not counted.
        let seen = config(pallet, benchmark, at);
        runtime.run(&seen, true)?;
        let counted = BenchmarkConfig {
            verify: false,
            ..seen
        };
        let timed = BenchmarkConfig {
            internal_repeats: effort.repeat,
            ..counted.clone()
        };
        counts.extend(
            runtime
                .run(&counted, true)?
                .into_iter()
                .flat_map(|batch| batch.results),
        );
        times.extend(
            runtime
                .run(&timed, false)?
                .into_iter()
                .flat_map(|batch| batch.results),
        );
    }
    let fitted = fit::fit(times, &counts).map_err(|error| Error::Fit(name.clone(), error))?;
    let parameter = benchmark.components.first().map(|(name, from, to)| Range {
        name: name.to_string(),
        from: *from,
        to: *to,
    });
    Ok(Weighed {
        name,
        parameter,
        fitted,
    })
}

impl fmt::Display for Weighed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fitted {
            time,
            time_each,
            reads,
            writes,
            ..
        } = &self.fitted;
        write!(
            f,
            "{:<20} {:>9.1} µs, {} reads, {} writes",
            self.name,
            micros(*time),
            reads.base,
            writes.base
        )?;
        if let Some(range) = &self.parameter {
            write!(
                f,
                "; for each of {}..={} {}: {:.2} µs, {:.3} reads, {:.3} writes",
                range.from,
                range.to,
                range.name,
                micros(*time_each),
                thousandths(reads.each),
                thousandths(writes.each)
            )?;
        }
        Ok(())
    }
}

fn micros(picos: u64) -> f64 {
    picos as f64 / 1_000_000.0
}

fn thousandths(parts: u64) -> f64 {
    parts as f64 / fit::PARTS as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn benchmark(from: u32, to: u32) -> BenchmarkMetadata {
        BenchmarkMetadata {
            name: b"open".to_vec(),
            components: vec![(BenchmarkParameter::s, from, to)],
            pov_modes: vec![],
        }
    }

    fn numbers(benchmark: &BenchmarkMetadata, steps: u32) -> Vec<u32> {
        values(benchmark, steps).into_iter().map(|at| at[0].1).collect()
    }

    #[test]
    fn the_first_and_the_last_value_are_measured_whatever_the_steps() {
        assert_eq!(numbers(&benchmark(8, 1_024), 2), [8, 1_024]);
        assert_eq!(numbers(&benchmark(8, 1_024), 0), [8, 1_024]);
        assert_eq!(numbers(&benchmark(0, 64), 5), [0, 16, 32, 48, 64]);
        assert_eq!(numbers(&benchmark(1, 3), 20), [1, 2, 3]);
        assert_eq!(numbers(&benchmark(7, 7), 20), [7]);
    }

    #[test]
    fn what_has_no_parameter_is_run_without_one() {
        let plain = BenchmarkMetadata {
            components: vec![],
            ..benchmark(0, 0)
        };
        assert_eq!(values(&plain, 20), vec![vec![]]);
    }
}
