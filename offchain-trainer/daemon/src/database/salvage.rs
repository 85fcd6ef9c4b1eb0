//! Finding whole records among damaged bytes.
//!
//! Damage costs the records it is in, not those behind them. What is believed is only what its checksum says is whole.

use codec::{Decode, DecodeAll, Encode};

/// Bytes of a record's checksum.
pub(super) const CHECKSUM: usize = 8;

/// The first bytes of a record's BLAKE3.
pub(super) fn checksum(record: &[u8]) -> [u8; CHECKSUM] {
    let mut short = [0; CHECKSUM];
    let whole = blake3::hash(record);
    short
        .iter_mut()
        .zip(whole.as_bytes())
        .for_each(|(to, from)| *to = *from);
    short
}

/// A record of at most 255 bytes that can be found again by itself: `magic`, 1 byte length, that many bytes of SCALE, checksum.
pub(super) fn seal(magic: &[u8], record: &impl Encode) -> Vec<u8> {
    let payload = record.encode();
    debug_assert!(payload.len() <= 255, "records of a fixed size");
    let length = u8::try_from(payload.len()).unwrap_or(u8::MAX);
    [magic, &[length], &payload, &checksum(&payload)].concat()
}

/// The record at the front, if a whole one is there, and what comes behind it.
pub(super) fn open<'a, T: Decode>(magic: &[u8], bytes: &'a [u8]) -> Option<(T, &'a [u8])> {
    let (length, rest) = bytes.strip_prefix(magic)?.split_first()?;
    let (payload, rest) = rest.split_at_checked(usize::from(*length))?;
    let (sum, rest) = rest.split_at_checked(CHECKSUM)?;
    if sum != checksum(payload) {
        return None;
    }
    Some((T::decode_all(&mut &*payload).ok()?, rest))
}

/// All records that `take` finds, and how many bytes are none. It takes one off the front, if there is a whole one with
/// the right checksum.
pub(super) fn salvage<T>(mut bytes: &[u8], take: impl Fn(&[u8]) -> Option<(T, &[u8])>) -> (Vec<T>, usize) {
    let (mut records, mut damaged) = (Vec::new(), 0usize);
    while let Some((_, shifted)) = bytes.split_first() {
        bytes = match take(bytes) {
            Some((record, rest)) => {
                records.push(record);
                rest
            }
            None => {
                damaged = damaged.saturating_add(1);
                shifted
            }
        };
    }
    (records, damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAGIC: &[u8] = b"test";
    type Entry = (u64, [u8; 32]);

    #[test]
    fn a_flipped_bit_costs_the_record_that_it_is_in() {
        let entries: Vec<Entry> = (1..=3).map(|n| (n, [n as u8; 32])).collect();
        let whole: Vec<u8> = entries.iter().flat_map(|entry| seal(MAGIC, entry)).collect();
        let length = whole.len() / 3;
        for at in length..2 * length {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            let (found, damaged) = salvage(&bytes, |bytes| open::<Entry>(MAGIC, bytes));
            assert_eq!(found, [entries[0], entries[2]], "byte {at}");
            assert_eq!(damaged, length);
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_hide_no_whole_record(
            before in proptest::collection::vec(any::<u8>(), 0..300),
            after in proptest::collection::vec(any::<u8>(), 0..300),
            entry in any::<Entry>(),
        ) {
            let bytes = [&before[..], &seal(MAGIC, &entry), &after].concat();
            let (found, damaged) = salvage(&bytes, |bytes| open::<Entry>(MAGIC, bytes));
            prop_assert_eq!(found, vec![entry]);
            prop_assert_eq!(damaged, before.len() + after.len());
        }
    }
}
