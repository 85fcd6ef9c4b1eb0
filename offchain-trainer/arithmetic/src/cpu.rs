//! Which instructions and how many threads compute. Neither changes a bit of any result.

use std::sync::{Arc, OnceLock};

use crate::lanes::{Kernel, Portable};

/// A set of instructions that the kernels are written for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Level {
    /// Whatever Rust compiles for: every processor has it, and it is slow, since it makes a fused multiply-add of other operations.
    Portable,
    /// Arm's vectors of 128 bits, which every 64-bit Arm has.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// x86-64 with AVX2 and FMA, as x86-64-v3 has them.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// x86-64 with AVX-512 F and DQ, as x86-64-v4 has them.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// All that this processor has, the fastest last.
    pub fn available() -> Vec<Self> {
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "aarch64")]
        levels.push(Self::Neon);
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                levels.push(Self::Avx2);
                if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                    levels.push(Self::Avx512);
                }
            }
        }
        levels
    }

    /// The fastest one that this processor has.
    pub fn best() -> Self {
        static BEST: OnceLock<Level> = OnceLock::new();
        *BEST.get_or_init(|| Self::available().last().copied().unwrap_or(Self::Portable))
    }

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            #[cfg(target_arch = "aarch64")]
            Self::Neon => "neon",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "avx512",
        }
    }
}

/// Instructions and threads. Cheap to clone; clones share their threads.
#[derive(Clone, Debug)]
pub struct Cpu {
    level: Level,
    pool: Option<Arc<rayon::ThreadPool>>,
}

impl Default for Cpu {
    /// The best instructions, on the calling thread.
    fn default() -> Self {
        Self {
            level: Level::best(),
            pool: None,
        }
    }
}

/// Why there are no such instructions or threads.
#[derive(Debug)]
pub enum CpuError {
    /// The processor doesn't have them.
    Level(Level),
    /// The system started no threads.
    Threads(rayon::ThreadPoolBuildError),
    /// Its threads take numbers below 2⁻¹²⁶ for 0, or don't round to the nearest.
    LosesSmallNumbers,
}

impl std::fmt::Display for CpuError {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Level(level) => write!(f, "this processor has no {} instructions", level.name()),
            Self::Threads(error) => write!(f, "no threads could be started: {error}"),
            Self::LosesSmallNumbers => write!(
                f,
                "something in this process tells the processor to take numbers below 2⁻¹²⁶ for 0, or to round otherwise than to the nearest"
            ),
        }
    }
}

impl std::error::Error for CpuError {}

impl Cpu {
    /// With these instructions.
    ///
    /// # Errors
    /// If the processor doesn't have them.
    pub fn with_level(mut self, level: Level) -> Result<Self, CpuError> {
        if !Level::available().contains(&level) {
            return Err(CpuError::Level(level));
        }
        self.level = level;
        Ok(self)
    }

    /// With so many threads (0 counts as 1): of its own if they are several, while the calling one waits for them.
    ///
    /// # Errors
    /// If the system starts none, or they take small numbers for 0.
    pub fn with_threads(mut self, threads: usize) -> Result<Self, CpuError> {
        self.pool = match threads {
            0 | 1 => None,
            _ => {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .thread_name(|i| format!("arithmetic-{i}"));
                let pool = pool.build().map_err(CpuError::Threads)?;
                // A thread begins with what the one that starts it has set, on some systems.
                if pool.broadcast(|_| keeps_denormals()).contains(&false) {
                    return Err(CpuError::LosesSmallNumbers);
                }
                Some(Arc::new(pool))
            }
        };
        Ok(self)
    }

    /// Its instructions.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Its threads.
    pub fn threads(&self) -> usize {
        self.pool.as_ref().map_or(1, |pool| pool.current_num_threads())
    }

    /// Runs a kernel with its instructions, on the calling thread.
    #[inline]
    pub fn run<K: Kernel>(&self, kernel: K) -> K::Output {
        match self.level {
            Level::Portable => kernel.run(Portable),
            #[cfg(target_arch = "aarch64")]
            Level::Neon => crate::lanes::neon::run(kernel),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => {
                // SAFETY: a `Cpu` has this level only if the processor has AVX2 and FMA.
                #[allow(unsafe_code)]
                unsafe {
                    crate::lanes::avx2::run(kernel)
                }
            }
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => {
                // SAFETY: a `Cpu` has this level only if the processor has AVX-512 F and DQ, AVX2 and FMA.
                #[allow(unsafe_code)]
                unsafe {
                    crate::lanes::avx512::run(kernel)
                }
            }
        }
    }

    /// Calls `part(0)` to `part(parts - 1)`, spread over its threads; returns when all are done.
    ///
    /// The parts must not depend on each other, and how many there are must not change a bit.
    pub fn spread(&self, parts: usize, part: impl Fn(usize) + Sync) {
        match &self.pool {
            Some(pool) if parts > 1 => pool.scope(|scope| {
                for i in 0..parts {
                    let part = &part;
                    scope.spawn(move |_| part(i));
                }
            }),
            _ => (0..parts).for_each(part),
        }
    }

    /// Calls `part(i, piece)` for every piece of `to` of `length` values (the last one may be shorter), spread over its threads.
    ///
    /// The pieces must not depend on each other; `length` may follow from [`Self::threads`], so it must not change a bit.
    pub fn spread_pieces(&self, to: &mut [f32], length: usize, part: impl Fn(usize, &mut [f32]) + Sync) {
        let length = length.max(1);
        match &self.pool {
            Some(pool) if to.len() > length => pool.scope(|scope| {
                for (i, piece) in to.chunks_mut(length).enumerate() {
                    let part = &part;
                    scope.spawn(move |_| part(i, piece));
                }
            }),
            _ => to
                .chunks_mut(length)
                .enumerate()
                .for_each(|(i, piece)| part(i, piece)),
        }
    }
}

/// Whether this thread keeps numbers below 2⁻¹²⁶, and rounds to the nearest, as IEEE 754 says. Some libraries tell the processor otherwise,
/// thread by thread.
pub fn keeps_denormals() -> bool {
    use std::hint::black_box;
    let tiny = black_box(f32::from_bits(3));
    let made = black_box(f32::MIN_POSITIVE) * black_box(0.5);
    // Half a unit of the last place goes to the even neighbour: down from 1, up from the next number, on either side of 0.
    let half = f32::EPSILON / 2.0;
    let rounds = |one: f32| {
        let (one, half) = (black_box(one), black_box(half * one));
        let next = one + 2.0 * half;
        (one + half).to_bits() == one.to_bits()
            && (black_box(next) + half).to_bits() == (one + 4.0 * half).to_bits()
    };
    (tiny * black_box(1.0)).to_bits() == 3 && made.to_bits() == 0x0040_0000 && rounds(1.0) && rounds(-1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn every_part_is_done_once_on_any_number_of_threads() {
        for threads in 0..4 {
            let cpu = Cpu::default().with_threads(threads).unwrap();
            assert_eq!(cpu.threads(), threads.max(1));
            let done: Vec<AtomicUsize> = (0..100).map(|_| AtomicUsize::new(0)).collect();
            cpu.spread(100, |i| {
                done[i].fetch_add(1, Ordering::Relaxed);
            });
            assert!(done.iter().all(|count| count.load(Ordering::Relaxed) == 1));
            let mut values = vec![0.0; 103];
            cpu.spread_pieces(&mut values, 10, |i, piece| piece.fill(i as f32));
            assert!(values.iter().enumerate().all(|(at, v)| *v == (at / 10) as f32));
        }
    }

    #[test]
    fn the_best_level_is_one_of_those_that_are_there() {
        let levels = Level::available();
        assert!(levels.contains(&Level::best()) && levels.is_sorted());
        for level in levels {
            assert_eq!(Cpu::default().with_level(level).unwrap().level(), level);
        }
    }

    #[test]
    fn this_thread_keeps_denormals() {
        assert!(keeps_denormals());
    }
}
