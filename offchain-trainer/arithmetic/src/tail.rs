//! Which of sixteen lanes have a value at the end of a row.

use crate::lanes::{LANES, Lanes};

/// Sixteen ones and sixteen zeros: from where one starts to read, so many ones are left.
static ONES: [f32; 2 * LANES] = {
    let mut values = [0.0; 2 * LANES];
    let mut i = 0;
    while i < LANES {
        values[i] = 1.0;
        i += 1;
    }
    values
};

/// Yes in the first `count` lanes, at most all of them.
#[inline(always)]
pub(crate) fn first<L: Lanes>(l: L, count: usize) -> L::M {
    let ones = ONES[LANES - count.min(LANES)..]
        .first_chunk::<LANES>()
        .unwrap_or(&[0.0; LANES]);
    l.gt(l.load(ones), l.splat(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{lanes::Kernel, rows_testing::every_cpu};

    struct First(usize);
    impl Kernel for First {
        type Output = [f32; LANES];
        #[inline(always)]
        fn run<L: Lanes>(self, l: L) -> Self::Output {
            l.array(l.select(first(l, self.0), l.splat(1.0), l.splat(2.0)))
        }
    }

    #[test]
    fn the_first_lanes_are_the_first() {
        for cpu in every_cpu() {
            for count in 0..20 {
                let expected = std::array::from_fn(|i| if i < count { 1.0 } else { 2.0 });
                assert_eq!(cpu.run(First(count)), expected);
            }
        }
    }
}
