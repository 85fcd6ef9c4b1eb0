//! From results to a line: so much at least, and so much more for each unit of what the benchmark is measured over.

use frame_benchmarking::{Analysis, BenchmarkResult, BenchmarkSelector};

/// Parts that accesses for each unit are given in.
pub const PARTS: u64 = 1_000;

/// Reads or writes, as a line that no counted value lies above.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accesses {
    /// At least.
    pub base: u64,
    /// More for each unit, in thousandths.
    pub each: u64,
}

/// What was measured of one benchmark.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fitted {
    /// Picoseconds at least.
    pub time: u64,
    /// Picoseconds more for each unit.
    pub time_each: u64,
    /// The shortest time that was measured, in nanoseconds.
    pub shortest: u64,
    /// Database reads.
    pub reads: Accesses,
    /// Database writes.
    pub writes: Accesses,
}

/// Why results make no line.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was measured.
    #[error("there are no results; give at least one repetition")]
    Nothing,
    /// The regression failed.
    #[error("the times make no line: {0}. Give more steps")]
    Regression(String),
    /// This crate fits lines over one parameter.
    #[error("a benchmark has more than one parameter, and this crate knows lines only")]
    TooManyParameters,
}

/// Makes a line of times, and one of what was counted.
pub fn fit(times: Vec<BenchmarkResult>, counts: &[BenchmarkResult]) -> Result<Fitted, Error> {
    if times.is_empty() || counts.is_empty() {
        return Err(Error::Nothing);
    }
    if times
        .iter()
        .chain(counts)
        .any(|result| result.components.len() > 1)
    {
        return Err(Error::TooManyParameters);
    }
    // The larger of what least squares and median slopes say.
    let time = Analysis::max(&times, BenchmarkSelector::ExtrinsicTime)
        .map_err(|error| Error::Regression(error.to_string()))?;
    let line = |count: fn(&BenchmarkResult) -> u32| {
        let points: Vec<_> = counts
            .iter()
            .map(|result| (unit(result), u64::from(count(result))))
            .collect();
        above(&points)
    };
    Ok(Fitted {
        time: narrow(time.base),
        time_each: narrow(time.slopes.first().copied().unwrap_or(0)),
        shortest: narrow(time.minimum),
        reads: line(|result| result.reads),
        writes: line(|result| result.writes),
    })
}

fn unit(result: &BenchmarkResult) -> u64 {
    result
        .components
        .first()
        .map_or(0, |(_, value)| u64::from(*value))
}

fn narrow(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// The line from the first to the last point, moved up until none lies above it.
fn above(points: &[(u64, u64)]) -> Accesses {
    let first = points.iter().min().copied().unwrap_or_default();
    let last = points.iter().max().copied().unwrap_or_default();
    let width = last.0.saturating_sub(first.0);
    let each = match width {
        0 => 0,
        _ => (last.1.saturating_sub(first.1) * PARTS).div_ceil(width),
    };
    let base = points
        .iter()
        .map(|(x, y)| (y * PARTS).saturating_sub(each * x).div_ceil(PARTS));
    Accesses {
        base: base.max().unwrap_or(0),
        each,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frame_benchmarking::BenchmarkParameter;

    fn result(x: u32, nanos: u128, reads: u32, writes: u32) -> BenchmarkResult {
        BenchmarkResult {
            components: vec![(BenchmarkParameter::s, x)],
            extrinsic_time: nanos,
            reads,
            writes,
            ..BenchmarkResult::default()
        }
    }

    #[test]
    fn no_count_lies_above_its_line() {
        let points = [(8, 15), (16, 25), (100, 140), (1_024, 1_348)];
        let line = above(&points);
        for (x, y) in points {
            assert!(line.base * PARTS + line.each * x >= y * PARTS, "{x}: {line:?}");
        }
        assert!(
            line.base <= 12 && (1_300..=1_330).contains(&line.each),
            "{line:?}"
        );
        assert_eq!(above(&[(0, 7), (0, 9)]), Accesses { base: 9, each: 0 });
    }

    #[test]
    fn a_line_is_found_again() {
        let results: Vec<_> = (1..=20)
            .map(|x| result(x, 2_000 + 30 * u128::from(x), 3 + x, 2))
            .collect();
        let fitted = fit(results.clone(), &results).unwrap();
        // In picoseconds.
        assert!((1_990_000..=2_010_000).contains(&fitted.time), "{fitted:?}");
        assert!((29_900..=30_100).contains(&fitted.time_each), "{fitted:?}");
        assert_eq!(fitted.shortest, 2_030);
        assert_eq!(
            (fitted.reads, fitted.writes),
            (Accesses { base: 3, each: PARTS }, Accesses { base: 2, each: 0 })
        );
    }

    #[test]
    fn no_results_and_two_parameters_are_refused() {
        assert!(matches!(fit(vec![], &[]), Err(Error::Nothing)));
        let mut two = result(1, 1, 1, 1);
        two.components.push((BenchmarkParameter::r, 1));
        assert!(matches!(
            fit(vec![two.clone()], &[two]),
            Err(Error::TooManyParameters)
        ));
    }
}
