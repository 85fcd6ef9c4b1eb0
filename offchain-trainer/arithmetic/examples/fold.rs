//! Compares folding 30 updates of 10 million values with their plain mean in single precision: CPU time of one thread, in turns, and medians.
//!
//!     cargo run --release -p hydra-arithmetic --example fold

use hydra_arithmetic::{
    Cpu,
    fold::{Folding, Rule, fold},
    lanes::{Kernel, LANES, Lanes},
};

const VALUES: usize = 10_000_000;
const UPDATES: usize = 30;

/// Nanoseconds that this thread has run.
fn cpu_time() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells a thread's time");
    let first = text.split_whitespace().next().and_then(|n| n.parse().ok());
    first.expect("schedstat begins with a number")
}

/// The plain mean with all updates in memory: each value's sum in a register, vectors at full width.
struct Mean<'a>(&'a [Vec<f32>], &'a mut [f32]);

impl Kernel for Mean<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        const BLOCK: usize = 4096;
        let share = l.splat(1.0 / UPDATES as f32);
        for (i, to) in self.1.chunks_mut(BLOCK).enumerate() {
            to.fill(0.0);
            for update in self.0 {
                let from = update[i * BLOCK..][..to.len()].as_chunks::<LANES>().0;
                for (from, to) in from.iter().zip(to.as_chunks_mut::<LANES>().0) {
                    l.store(l.add(l.load(to), l.load(from)), to);
                }
            }
            for to in to.as_chunks_mut::<LANES>().0 {
                l.store(l.mul(l.load(to), share), to);
            }
        }
    }
}

/// The plain mean with one update after the other.
struct AddTo<'a>(&'a [f32], &'a mut [f32]);

impl Kernel for AddTo<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let from = self.0.as_chunks::<LANES>().0;
        for (from, to) in from.iter().zip(self.1.as_chunks_mut::<LANES>().0) {
            l.store(l.add(l.load(to), l.load(from)), to);
        }
    }
}

fn main() {
    let mut state = 1u32;
    let mut numbers = || -> Vec<f32> {
        (0..VALUES)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 22) as f32 - 2.0
            })
            .collect()
    };
    let (base, mut kept) = (numbers(), numbers());
    let updates: Vec<Vec<f32>> = (0..UPDATES).map(|_| numbers()).collect();
    let weighted: Vec<(f64, &[f32])> = updates.iter().map(|u| (90.0, u.as_slice())).collect();
    let (cpu, mut to) = (Cpu::default(), vec![0.0; VALUES]);
    let mean = Rule::Mean {
        rate: 0.7,
        momentum: 0.9,
    };
    let mix = Rule::Mix { rate: 0.5, rest: 0.5 };
    let one_by_one = |rule: Rule, kept: Option<&mut [f32]>, to: &mut [f32]| {
        let mut folding = Folding::new(rule, &base);
        for (weight, update) in &weighted {
            folding.next_update(*weight);
            for piece in update.chunks(65_536) {
                folding.add(&cpu, piece);
            }
        }
        folding.finish(&cpu, kept, to);
    };
    let names = [
        "plain mean, all in memory",
        "fold, all in memory, mean with momentum",
        "fold, all in memory, mix",
        "plain mean, one update after the other",
        "fold, one after the other, mean with momentum",
        "fold, one after the other, mix",
    ];
    let mut times = vec![Vec::new(); names.len()];
    for _ in 0..7 {
        for (which, times) in times.iter_mut().enumerate() {
            let start = cpu_time();
            match which {
                0 => cpu.run(Mean(&updates, &mut to)),
                1 => fold(&cpu, mean, &base, &weighted, Some(&mut kept), &mut to),
                2 => fold(&cpu, mix, &base, &weighted, None, &mut to),
                3 => {
                    let mut sums = vec![0.0; VALUES];
                    for update in &updates {
                        cpu.run(AddTo(update, &mut sums));
                    }
                    to.iter_mut()
                        .zip(&sums)
                        .for_each(|(to, sum)| *to = sum / UPDATES as f32);
                }
                4 => one_by_one(mean, Some(&mut kept), &mut to),
                _ => one_by_one(mix, None, &mut to),
            }
            times.push(cpu_time() - start);
        }
    }
    for (name, times) in names.iter().zip(&mut times) {
        times.sort_unstable();
        println!("{name:<48} {:>7.1} ms", times[times.len() / 2] as f64 / 1e6);
    }
}
