//! A case of an operation as text: what it was given and what it made of that, by their bits.

use std::fmt::Write;

use hydra_arithmetic::canonical_bits;

use crate::draw::{Draw, hash};

/// The cases of a file so far.
pub struct Cases {
    text: String,
    draw: Draw,
    /// Whether values are written out, or only how they are drawn and the hash of what comes out.
    written: bool,
}

impl Cases {
    /// None yet.
    pub fn new() -> Self {
        Self {
            text: String::new(),
            draw: Draw::new(0),
            written: true,
        }
    }

    /// All of them.
    pub fn into_text(self) -> String {
        self.text
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Begins a case whose values are written out.
    pub fn small(&mut self, title: &str, seed: u64) {
        self.begin(title, seed, true);
    }

    /// Begins a case that is large enough for several threads: its values are drawn, and the hash of what comes out is written.
    pub fn large(&mut self, title: &str, seed: u64) {
        self.begin(title, seed, false);
    }

    fn begin(&mut self, title: &str, seed: u64, written: bool) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.draw = Draw::new(seed);
        self.written = written;
        self.line(&if written {
            title.to_owned()
        } else {
            format!("{title}, seed {seed}")
        });
    }

    /// Draws what the operation is given.
    pub fn drawn(&mut self, name: &str, count: usize, bound: f32) -> Vec<f32> {
        let values = self.draw.values(count, bound);
        if self.written {
            self.values(name, &values);
        } else {
            self.line(&format!("{name} = {count} drawn, bound {bound}"));
        }
        values
    }

    /// Draws numbers below `end`: labels or tokens.
    pub fn numbers(&mut self, name: &str, count: usize, end: usize) -> Vec<usize> {
        let numbers: Vec<usize> = (0..count).map(|_| self.draw.below(end)).collect();
        if self.written {
            let list: Vec<String> = numbers.iter().map(usize::to_string).collect();
            self.line(&format!("{name} = {}", list.join(" ")));
        } else {
            self.line(&format!("{name} = {count} drawn, below {end}"));
        }
        numbers
    }

    /// What the operation is given: these values.
    pub fn given(&mut self, name: &str, values: &[f32]) {
        self.values(name, values);
    }

    /// What it makes of that.
    pub fn made(&mut self, name: &str, values: &[f32]) {
        if self.written {
            self.values(&format!("> {name}"), values);
        } else {
            self.line(&format!("> {name} hash {:016x}", hash(values)));
        }
    }

    fn values(&mut self, name: &str, values: &[f32]) {
        let mut line = format!("{name} =");
        for (i, value) in values.iter().enumerate() {
            if i > 0 && i % 16 == 0 {
                line.push_str("\n   ");
            }
            // Writing to a string can't fail.
            let _ = write!(line, " {:08x}", canonical_bits(*value));
        }
        self.line(&line);
    }
}
