//! Measures two ways to the same result in turns, and prints them as rows of Markdown tables.

use rustix::time::{ClockId, clock_gettime};
use tch::Tensor;

use crate::AnyError;

/// What a measured call comes to: compared the first time, then dropped.
pub type Outcome = Result<Vec<Tensor>, AnyError>;

/// The two sides of a row.
pub struct Sides<'a> {
    /// LibTorch's own.
    pub theirs: &'a mut dyn FnMut() -> Outcome,
    /// The arithmetic's.
    pub ours: &'a mut dyn FnMut() -> Outcome,
    /// What both do that isn't measured, whose time is taken off both.
    pub common: Option<&'a mut dyn FnMut() -> Outcome>,
}

/// Measures what it was asked for, and counts what is as fast as it should be.
pub struct Bench {
    /// Turns: each takes the time of every side once.
    rounds: usize,
    /// Nanoseconds that a turn of a side takes at least.
    at_least: f64,
    only: Option<String>,
    /// A table's title and head, until its first row is printed.
    head: Option<String>,
    met: usize,
    rows: usize,
}

impl Bench {
    /// Rows whose operation contains `only`; `quick` is rougher.
    pub fn new(quick: bool, only: Option<String>) -> Self {
        Self {
            rounds: if quick { 7 } else { 21 },
            at_least: if quick { 3e6 } else { 2e7 },
            only,
            head: None,
            met: 0,
            rows: 0,
        }
    }

    /// How many turns medians are of.
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// Begins a table, whose columns are `columns`.
    pub fn table(&mut self, title: &str, columns: &[&str]) {
        let line = columns.iter().map(|_| "---|").collect::<String>();
        self.head = Some(format!("\n{title}\n\n| {} |\n|{line}", columns.join(" | ")));
    }

    /// Begins a table of [`Self::compare`].
    pub fn comparisons(&mut self, title: &str) {
        self.table(
            title,
            &[
                "operation",
                "shape",
                "LibTorch, ms",
                "ours, ms",
                "LibTorch / ours",
                "goal",
                "met",
            ],
        );
    }

    /// Whether these rows are asked for.
    pub fn wants(&self, operation: &str) -> bool {
        self.only.as_ref().is_none_or(|only| operation.contains(only))
    }

    /// Prints a row: what was measured, how many times as fast as the other it is, and how many times it should be.
    pub fn row(&mut self, cells: &[String], ratio: f64, goal: f64) {
        if let Some(head) = self.head.take() {
            println!("{head}");
        }
        let met = ratio >= goal;
        self.rows += 1;
        self.met += usize::from(met);
        let met = if met { "yes" } else { "**no**" };
        println!("| {} | {ratio:.2} | {goal:.1} | {met} |", cells.join(" | "));
    }

    /// Measures both sides of a row in turns, and prints it.
    pub fn compare(
        &mut self,
        operation: &str,
        shape: &str,
        goal: f64,
        mut sides: Sides,
    ) -> Result<(), AnyError> {
        if !self.wants(operation) {
            return Ok(());
        }
        let (theirs, ours) = ((sides.theirs)()?, (sides.ours)()?);
        agree(&theirs, &ours).map_err(|error| format!("{operation} {shape}: {error}"))?;
        drop((theirs, ours));
        let mut calls = vec![sides.theirs, sides.ours];
        calls.extend(sides.common.take());
        let times = calls
            .iter_mut()
            .map(|call| enough(&mut **call, self.at_least))
            .collect::<Result<Vec<u32>, AnyError>>()?;
        let mut samples = vec![Vec::new(); calls.len()];
        for _ in 0..self.rounds {
            for ((call, times), samples) in calls.iter_mut().zip(&times).zip(&mut samples) {
                samples.push(sample(&mut **call, *times)?);
            }
        }
        let medians: Vec<f64> = samples.into_iter().map(median).collect();
        let common = medians.get(2).copied().unwrap_or(0.0);
        // Never 0, however the clock was read.
        let [theirs, ours] = [0, 1].map(|side: usize| (medians[side] - common).max(1.0));
        let cells = [
            operation.to_owned(),
            shape.to_owned(),
            milliseconds(theirs),
            milliseconds(ours),
        ];
        self.row(&cells, theirs / ours, goal);
        Ok(())
    }

    /// The last line.
    pub fn finish(&self) {
        println!("\n{} of {} goals met.", self.met, self.rows);
    }
}

/// Nanoseconds that a clock of CPU time shows.
pub fn cpu_time(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Nanoseconds of this thread for a call, of so many.
fn sample(call: &mut dyn FnMut() -> Outcome, times: u32) -> Result<f64, AnyError> {
    let start = cpu_time(ClockId::ThreadCPUTime);
    for _ in 0..times {
        call()?;
    }
    Ok((cpu_time(ClockId::ThreadCPUTime) - start) / f64::from(times))
}

/// How many calls take so many nanoseconds.
fn enough(call: &mut dyn FnMut() -> Outcome, at_least: f64) -> Result<u32, AnyError> {
    let mut times = 1;
    while sample(call, times)? * f64::from(times) < at_least && times < 1 << 20 {
        times *= 2;
    }
    Ok(times)
}

/// The middle one; 0 of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// For a table.
pub fn milliseconds(nanoseconds: f64) -> String {
    let digits = if nanoseconds < 1e6 { 4 } else { 2 };
    format!("{:.digits$}", nanoseconds / 1e6)
}

/// A comparison of different things would say nothing.
fn agree(theirs: &[Tensor], ours: &[Tensor]) -> Result<(), AnyError> {
    if theirs.len() != ours.len() {
        return Err("both sides have other results".into());
    }
    for (theirs, ours) in theirs.iter().zip(ours) {
        let (theirs, ours) = (theirs.f_detach()?, ours.f_detach()?);
        if theirs.size() != ours.size() {
            return Err(format!("{:?} and {:?}", theirs.size(), ours.size()).into());
        }
        let largest = theirs.f_abs()?.f_max()?.f_double_value(&[])?;
        let furthest = theirs.f_sub(&ours)?.f_abs()?.f_max()?.f_double_value(&[])?;
        // Not a number is no more than anything.
        let close = furthest <= 1e-3 * largest + 1e-6;
        if !close {
            return Err(format!("results differ by {furthest} where the largest is {largest}").into());
        }
    }
    Ok(())
}
