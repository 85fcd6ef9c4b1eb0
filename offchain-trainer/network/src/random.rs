//! Numbers for choices that need not be secret: each part of the network draws a stream of its own from one seed, so that a test can repeat
//! itself.

/// SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The stream called `name` of a seed.
    pub(crate) fn new(seed: u64, name: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.update(name);
        let mut first = [0; 8];
        hasher.finalize_xof().fill(&mut first);
        Self(u64::from_le_bytes(first))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In 0..1.
    pub(crate) fn fraction(&mut self) -> f64 {
        // 53 bits are exact.
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for part in bytes.chunks_exact_mut(8) {
            part.copy_from_slice(&self.next().to_le_bytes());
        }
        bytes
    }

    pub(crate) fn one_of<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let at = self.next().checked_rem(list.len() as u64)?;
        list.get(usize::try_from(at).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_stream_for_each_name() {
        let three = |seed, name: &[u8]| {
            let mut random = Random::new(seed, name);
            [random.next(), random.next(), random.next()]
        };
        assert_eq!(three(1, b"a"), three(1, b"a"));
        assert_ne!(three(1, b"a"), three(1, b"b"));
        assert_ne!(three(1, b"a"), three(2, b"a"));
    }

    #[test]
    fn choices_reach_everything() {
        let mut random = Random::new(7, b"test");
        let list: Vec<usize> = (0..10).collect();
        let mut seen = [false; 10];
        for _ in 0..1000 {
            seen[*random.one_of(&list).unwrap()] = true;
            assert!((0.0..1.0).contains(&random.fraction()));
        }
        assert_eq!(seen, [true; 10]);
        assert_eq!(random.one_of::<u8>(&[]), None);
    }
}
