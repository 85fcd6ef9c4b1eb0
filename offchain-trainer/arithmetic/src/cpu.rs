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
                if !all_keep_denormals(&pool) {
                    return Err(CpuError::LosesSmallNumbers);
                }
                Some(Arc::new(pool))
            }
        };
        Ok(self)
    }

    /// Checks that every thread that computes with it does so as IEEE 754 says: the calling one, and its own. Any code that runs on a
    /// thread may tell it otherwise, so whoever runs such code looks again: before the arithmetic computes, and before anybody relies on
    /// what it has computed.
    ///
    /// # Errors
    /// [`CpuError::LosesSmallNumbers`], if one of them doesn't.
    pub fn check(&self) -> Result<(), CpuError> {
        if keeps_denormals() && self.pool.as_deref().is_none_or(all_keep_denormals) {
            Ok(())
        } else {
            Err(CpuError::LosesSmallNumbers)
        }
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

/// [`keeps_denormals`] of each of these threads.
fn all_keep_denormals(pool: &rayon::ThreadPool) -> bool {
    !pool.broadcast(|_| keeps_denormals()).contains(&false)
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

    /// What a thread can be told, in MXCSR: to make 0 of small results, to take small numbers for 0, to round down, up, or towards 0.
    #[cfg(target_arch = "x86_64")]
    const OTHERWISE: [u32; 5] = [1 << 15, 1 << 6, 1 << 13, 2 << 13, 3 << 13];

    /// Tells this thread to compute otherwise from now on.
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code)]
    fn tell(otherwise: u32) {
        let mut control = 0u32;
        // SAFETY: the instruction writes the four bytes of `control`.
        unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut control, options(nostack)) };
        control |= otherwise;
        // SAFETY: the instruction reads the four bytes of `control`, and sets no bit that a processor doesn't have. What the compiler
        // relies on isn't so any more, but all that the thread computes from now on is what `keeps_denormals` hides from it.
        unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const control, options(nostack)) };
    }

    /// What a thread can be told, in FPCR: to take small numbers for 0, to round up, down, or towards 0.
    #[cfg(target_arch = "aarch64")]
    const OTHERWISE: [u32; 4] = [1 << 24, 1 << 22, 2 << 22, 3 << 22];

    /// Tells this thread to compute otherwise from now on.
    #[cfg(target_arch = "aarch64")]
    #[allow(unsafe_code)]
    fn tell(otherwise: u32) {
        let mut control: u64;
        // SAFETY: it reads a register.
        unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) control, options(nostack)) };
        control |= u64::from(otherwise);
        // SAFETY: it sets bits of a register that every processor has. What the compiler relies on isn't so any more, but all that the
        // thread computes from now on is what `keeps_denormals` hides from it.
        unsafe { std::arch::asm!("msr fpcr, {}", in(reg) control, options(nostack)) };
    }

    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    #[test]
    fn a_thread_that_is_told_to_compute_otherwise_is_found_whether_it_calls_or_helps() {
        let loses = |cpu: &Cpu| matches!(cpu.check(), Err(CpuError::LosesSmallNumbers));
        for otherwise in OTHERWISE {
            let calling = std::thread::spawn(move || {
                let cpu = Cpu::default();
                assert!(!loses(&cpu));
                tell(otherwise);
                loses(&cpu)
            });
            assert!(calling.join().unwrap(), "{otherwise:x}");

            for helper in 0..3 {
                let cpu = Cpu::default().with_threads(3).unwrap();
                assert!(!loses(&cpu));
                let pool = cpu.pool.as_ref().unwrap();
                pool.broadcast(|thread| {
                    if thread.index() == helper {
                        tell(otherwise);
                    }
                });
                assert!(loses(&cpu), "{otherwise:x}, {helper}");
            }
        }
    }
}
