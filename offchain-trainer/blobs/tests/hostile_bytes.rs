//! Bytes from strangers, and from a damaged disk: whatever they are, nothing panics, nothing wrong is taken for right, and
//! no more memory is used than the range asked for needs.
//!
//! `PROPTEST_CASES` says how many of each kind are tried; of those that take long, a fifth, 300 at most.
#![allow(unsafe_code)] // An allocator that counts can't be written without.

use hydra_blobs::{
    BlobError, BlobStore, GROUP_SIZE, H256, MAX_BLOB_SIZE, MAX_SLICE_SIZE, PartialBlob, SliceRange,
    VerifiedSlice, slice_ranges,
};
use proptest::{prelude::*, sample::Index};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    ffi::OsString,
    fs,
    os::unix::ffi::OsStringExt,
};
use tempfile::TempDir;

/// The system's allocator, and how much each thread has at a time.
struct Counting;

thread_local! {
    static NOW: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.get().saturating_add(layout.size());
        NOW.set(now);
        PEAK.set(PEAK.get().max(now));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.set(NOW.get().saturating_sub(layout.size()));
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// What `work` returns, and how many bytes it had allocated at its most.
fn with_peak<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = NOW.get();
    PEAK.set(before);
    let result = work();
    (result, PEAK.get().saturating_sub(before) as u64)
}

/// What it may need besides the content: hashes of groups, and pairs of them.
const PROOF: u64 = 64 * 1024;

/// These write files that are on disk when they are written: a fifth of the cases, and not so many that a test never ends.
fn costly() -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig::with_cases(config.cases.div_ceil(5).min(300))
}

fn content(size: usize, seed: u8) -> Vec<u8> {
    let mut bytes = vec![0; size];
    blake3::Hasher::new()
        .update(&[seed])
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

fn store() -> (TempDir, BlobStore) {
    let dir = TempDir::new().unwrap();
    let store = BlobStore::open(dir.path()).unwrap();
    (dir, store)
}

/// Flips, cuts or adds a little, anywhere.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Cut(Index),
    Add(Vec<u8>),
    Swap(Index, Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        (any::<Index>(), 0u8..8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        any::<Index>().prop_map(Change::Cut),
        prop::collection::vec(any::<u8>(), 1..100).prop_map(Change::Add),
        (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Change::Swap(a, b)),
    ];
    prop::collection::vec(change, 1..4)
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        match change {
            Change::Add(more) => bytes.extend(more),
            _ if bytes.is_empty() => {}
            Change::Flip(at, bit) => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Change::Swap(a, b) => {
                let (a, b) = (a.index(bytes.len()), b.index(bytes.len()));
                bytes.swap(a, b);
            }
        }
    }
    bytes
}

/// A blob of up to 24 groups, or of a little more than one slice, and a range that starts in it.
fn blob_and_range() -> impl Strategy<Value = (Vec<u8>, SliceRange)> {
    let size = prop_oneof![
        0usize..24 * GROUP_SIZE as usize,
        60 * GROUP_SIZE as usize..90 * GROUP_SIZE as usize,
    ];
    (size, any::<Index>(), 1u64..=64).prop_map(|(size, at, groups)| {
        let first = at.index(size.div_ceil(GROUP_SIZE as usize).max(1)) as u64;
        let range = SliceRange::new(first * GROUP_SIZE, groups * GROUP_SIZE).unwrap();
        (content(size, 1), range)
    })
}

fn part(bytes: &[u8], range: SliceRange) -> &[u8] {
    let start = range.offset() as usize;
    &bytes[start..(start + range.length() as usize).min(bytes.len())]
}

proptest! {
    #[test]
    fn a_range_is_what_it_says_whatever_it_is_asked_of(offset: u64, length: u64, size: u64, groups in 0u64..100) {
        for (offset, length) in [(offset, length), (offset / GROUP_SIZE * GROUP_SIZE, groups * GROUP_SIZE)] {
            let Ok(range) = SliceRange::new(offset, length) else { continue };
            prop_assert_eq!((range.offset(), range.length()), (offset, length));
            prop_assert!((GROUP_SIZE..=MAX_SLICE_SIZE).contains(&length) && offset < MAX_BLOB_SIZE);
            for size in [size, size % (MAX_BLOB_SIZE + 2), size % (4 * MAX_SLICE_SIZE)] {
                if let Ok(bytes) = range.bytes_in(size) {
                    prop_assert!(bytes <= length && offset + bytes <= size && size <= MAX_BLOB_SIZE);
                }
            }
        }
    }

    #[test]
    fn arbitrary_bytes_are_refused_and_cost_no_memory(
        size in prop_oneof![0u64..10 * GROUP_SIZE, 0..=MAX_BLOB_SIZE, any::<u64>()],
        offset in prop_oneof![Just(0), (0u64..100).prop_map(|g| g * GROUP_SIZE), any::<u64>()],
        length in prop_oneof![(0u64..70).prop_map(|g| g * GROUP_SIZE), any::<u64>()],
        slice in prop::collection::vec(any::<u8>(), 0..40_000),
    ) {
        if let Ok(range) = SliceRange::new(offset, length) {
            let (decoded, peak) = with_peak(|| VerifiedSlice::verify(H256::repeat_byte(3), size, range, slice).is_ok());
            prop_assert!(!decoded);
            prop_assert!(peak <= PROOF, "{peak} bytes for nothing that is proven");
        }
    }
}

proptest! {
    #![proptest_config(costly())]

    #[test]
    fn a_changed_slice_is_refused_and_memory_is_bounded_by_the_range(
        (bytes, range) in blob_and_range(),
        changes in changes(),
        claimed in prop_oneof![Just(None), (0u64..=MAX_BLOB_SIZE).prop_map(Some), any::<u64>().prop_map(Some)],
    ) {
        let (_dir, store) = store();
        let name = store.put(&bytes).unwrap();
        let slice = store.encode_slice(name, range).unwrap().unwrap();
        let sent = changed(slice.bytes.clone(), &changes);
        let size = claimed.unwrap_or(slice.total_size);
        let (decoded, peak) = with_peak(|| VerifiedSlice::verify(name, size, range, sent.clone()));
        prop_assert!(peak <= sent.len() as u64 + PROOF, "{peak} bytes for {} that were sent", sent.len());
        if let Ok(decoded) = decoded {
            // Only what changes nothing, or a size that this range doesn't prove, gets through: never other content.
            prop_assert!(peak >= decoded.data().len() as u64, "the allocator doesn't count");
            prop_assert_eq!(decoded.data(), part(&bytes, range));
            prop_assert!(sent == slice.bytes);
            prop_assert!(size == slice.total_size || !decoded.proves_size());
        }
    }

    #[test]
    fn whatever_became_of_an_outboard_the_slice_is_right(
        (bytes, range) in blob_and_range(),
        changes in changes(),
        instead in prop_oneof![Just(None), prop::collection::vec(any::<u8>(), 0..3000).prop_map(Some)],
    ) {
        let (_dir, store) = store();
        let name = store.put(&bytes).unwrap();
        let good = store.encode_slice(name, range).unwrap();
        let path = store.path(name).with_extension("obao");
        let outboard = fs::read(&path).unwrap_or_default();
        fs::write(&path, instead.unwrap_or_else(|| changed(outboard, &changes))).unwrap();
        prop_assert_eq!(store.encode_slice(name, range).unwrap(), good);
    }

    #[test]
    fn whatever_became_of_a_blob_nothing_wrong_is_served_or_read(
        (bytes, range) in blob_and_range(),
        changes in changes(),
    ) {
        let (_dir, store) = store();
        let name = store.put(&bytes).unwrap();
        fs::write(store.path(name), changed(bytes.clone(), &changes)).unwrap();
        if let Ok(Some(slice)) = store.encode_slice(name, range) {
            let decoded = VerifiedSlice::verify(name, slice.total_size, range, slice.bytes).unwrap();
            prop_assert_eq!(decoded.data(), part(&bytes, range));
        }
        match store.get(name, u64::MAX) {
            Ok(Some(read)) => prop_assert!(read == bytes),
            Ok(None) | Err(BlobError::Corrupt { .. }) => {}
            Err(error) => prop_assert!(false, "{error}"),
        }
    }

    #[test]
    fn a_partial_blob_is_finished_when_all_of_it_is_there_and_not_before(
        size in 0usize..4 * MAX_SLICE_SIZE as usize,
        order in prop::collection::vec((any::<Index>(), any::<bool>()), 0..12),
    ) {
        let (_a, source) = store();
        let (_b, target) = store();
        let (ours, others) = (content(size, 1), content(size + 1, 2));
        let (name, other) = (source.put(&ours).unwrap(), source.put(&others).unwrap());
        let ranges: Vec<_> = slice_ranges(size as u64).unwrap().collect();
        let partial = target.partial(name, size as u64).unwrap();
        let mut there = vec![false; ranges.len()];
        for (at, is_ours) in order {
            let at = at.index(ranges.len());
            let blob = if is_ours { name } else { other };
            let sent = source.encode_slice(blob, ranges[at]).unwrap().unwrap();
            let slice = VerifiedSlice::verify(blob, sent.total_size, ranges[at], sent.bytes).unwrap();
            prop_assert_eq!(partial.write(&slice).is_ok(), is_ours);
            there[at] |= is_ours;
            prop_assert_eq!(partial.has(ranges[at]), there[at]);
        }
        let all = there.iter().all(|there| *there);
        prop_assert_eq!(partial.finish().is_ok(), all);
        prop_assert_eq!(target.get(name, u64::MAX).unwrap(), all.then_some(ours));
    }

    #[test]
    fn whatever_became_of_a_record_only_what_is_right_is_taken_from_it(
        size in MAX_SLICE_SIZE as usize + 1..4 * MAX_SLICE_SIZE as usize,
        arrived in prop::collection::vec(any::<Index>(), 1..4),
        changes in changes(),
        of_content: bool,
        instead in prop_oneof![3 => Just(None), 1 => prop::collection::vec(any::<u8>(), 0..3000).prop_map(Some)],
    ) {
        let (_a, source) = store();
        let (_b, target) = store();
        let bytes = content(size, 1);
        let name = source.put(&bytes).unwrap();
        let ranges: Vec<_> = slice_ranges(size as u64).unwrap().collect();
        let send = |to: &PartialBlob, range: SliceRange| {
            let sent = source.encode_slice(name, range).unwrap().unwrap();
            to.write(&VerifiedSlice::verify(name, sent.total_size, range, sent.bytes).unwrap()).unwrap();
        };
        let partial = target.partial(name, size as u64).unwrap();
        arrived.iter().for_each(|at| send(&partial, ranges[at.index(ranges.len())]));
        drop(partial);
        let path = target.path(name).with_extension(if of_content { "part" } else { "seen" });
        let before = fs::read(&path).unwrap();
        fs::write(&path, instead.unwrap_or_else(|| changed(before, &changes))).unwrap();
        // Whatever it says there is, is what was sent.
        let partial = target.partial(name, size as u64).unwrap();
        for range in ranges.iter().filter(|range| partial.has(**range)) {
            let slice = target.encode_slice(name, *range).unwrap().unwrap();
            let slice = VerifiedSlice::verify(name, size as u64, *range, slice.bytes).unwrap();
            prop_assert!(slice.data() == part(&bytes, *range));
        }
        for range in &ranges {
            send(&partial, *range);
        }
        partial.finish().unwrap();
        prop_assert!(target.get(name, u64::MAX).unwrap() == Some(bytes));
    }

    #[test]
    fn strange_files_in_the_folder_are_left_alone(
        names in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 1..80),
                "[0-9a-fA-F]{62,66}(\\.obao)?".prop_map(String::into_bytes),
                "\\PC{1,30}".prop_map(String::into_bytes),
            ],
            0..8,
        ),
    ) {
        let (dir, store) = store();
        let blob = store.put(&content(40_000, 1)).unwrap();
        let mut made = Vec::new();
        for mut name in names {
            name.retain(|byte| !matches!(byte, 0 | b'/'));
            // Names that are ours: blobs, and everything hidden.
            let is_hash = name.len() == 64 && name.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            if is_hash || name.starts_with(b".") {
                continue;
            }
            let path = dir.path().join(OsString::from_vec(name));
            if fs::write(&path, "whatever").is_ok() {
                made.push(path);
            }
        }
        prop_assert_eq!(store.hashes().unwrap(), [blob]);
        drop(store);
        let store = BlobStore::open(dir.path()).unwrap();
        prop_assert_eq!(store.hashes().unwrap(), [blob]);
        for path in made {
            // An outboard without its blob is no use to anybody.
            let is_outboard = path.as_os_str().as_encoded_bytes().ends_with(b".obao");
            prop_assert!(is_outboard || path.exists(), "{}", path.display());
        }
    }
}
