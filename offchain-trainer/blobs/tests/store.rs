//! The folder on disk: what is stored comes back, what is damaged doesn't.

use hydra_blobs::{BlobError, BlobStore, H256, MAX_SLICE_SIZE, SliceDecoder, SliceRange, hash, slice_ranges};
use std::{
    fs,
    io::{self, Write},
    time::{Duration, SystemTime},
};
use tempfile::TempDir;

fn store() -> (TempDir, BlobStore) {
    let dir = TempDir::new().unwrap();
    let store = BlobStore::open(dir.path().join("blobs")).unwrap();
    (dir, store)
}

/// Bytes without repetition, so that groups can't be mistaken for one another.
fn content(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    blake3::Hasher::new()
        .update(b"content")
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

fn flip(store: &BlobStore, name: H256, at: usize) {
    let mut bytes = fs::read(store.path(name)).unwrap();
    bytes[at] ^= 1;
    fs::write(store.path(name), bytes).unwrap();
}

#[test]
fn returns_what_was_put_under_its_blake3_hash() {
    let (_dir, store) = store();
    for size in [0, 1, 16 * 1024, 16 * 1024 + 1, 3 * 1024 * 1024 + 7] {
        let bytes = content(size);
        let name = store.put(&bytes).unwrap();
        assert_eq!(name.0, *blake3::hash(&bytes).as_bytes());
        assert!(store.has(name));
        assert_eq!(store.size(name).unwrap(), Some(size as u64));
        assert_eq!(store.get(name, size as u64).unwrap(), Some(bytes));
    }
    assert_eq!(store.get(H256::repeat_byte(7), u64::MAX).unwrap(), None);
    assert_eq!(store.size(H256::repeat_byte(7)).unwrap(), None);
}

#[test]
fn what_is_written_little_by_little_is_stored_if_it_is_what_its_name_says() {
    let (_dir, store) = store();
    for size in [0, 1, 16 * 1024 + 1, 700_000] {
        let bytes = content(size);
        let (name, other) = (hash(&bytes), hash(b"other"));
        let write = |to: &mut dyn Write| bytes.chunks(1000).try_for_each(|part| to.write_all(part));
        assert!(!store.put_written(other, write).unwrap());
        assert!(!store.has(other) && !store.has(name));
        // Over a damaged one, too.
        for _ in 0..2 {
            assert!(store.put_written(name, write).unwrap());
            assert_eq!(store.get(name, size as u64).unwrap().as_ref(), Some(&bytes));
            fs::write(store.path(name), b"damaged").unwrap();
        }
        assert!(store.put_written(name, write).unwrap());
        let slice = store.encode_slice(name, SliceRange::first()).unwrap().unwrap();
        assert_eq!(slice.total_size, size as u64);
    }
    let failed = store.put_written(H256::zero(), |to| {
        to.write_all(b"half of it")?;
        Err(io::Error::other("no more"))
    });
    assert!(matches!(failed, Err(BlobError::Io { .. })));
    assert!(!store.has(H256::zero()));
    let temporary = |name: &str| name.starts_with(".tmp-");
    let files = fs::read_dir(store.path(H256::zero()).parent().unwrap()).unwrap();
    let mut names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert!(!names.any(|name| temporary(&name)), "nothing is left behind");
}

#[test]
fn refuses_to_read_more_than_allowed() {
    let (_dir, store) = store();
    let name = store.put(&content(100)).unwrap();
    assert!(matches!(
        store.get(name, 99),
        Err(BlobError::TooLarge {
            size: 100,
            max: 99,
            ..
        })
    ));
    assert!(store.has(name), "a large blob isn't a damaged one");
}

#[test]
fn moves_a_damaged_blob_aside_and_takes_it_again() {
    let (_dir, store) = store();
    let bytes = content(50_000);
    let name = store.put(&bytes).unwrap();
    flip(&store, name, 40_000);
    let Err(BlobError::Corrupt { moved_to, .. }) = store.get(name, u64::MAX) else {
        panic!("not detected")
    };
    assert!(moved_to.is_file());
    assert!(!store.has(name));
    assert_eq!(store.get(name, u64::MAX).unwrap(), None);
    assert_eq!(store.put(&bytes).unwrap(), name);
    assert_eq!(store.get(name, u64::MAX).unwrap(), Some(bytes));
}

#[test]
fn verifying_moves_a_blob_of_the_wrong_length_aside() {
    let (_dir, store) = store();
    let bytes = content(50_000);
    assert!(!store.verify(hash(&bytes)).unwrap(), "it isn't here");
    for damaged in [&bytes[..40_000], &[&bytes[..], b"more"].concat()] {
        let name = store.put(&bytes).unwrap();
        assert!(store.verify(name).unwrap());
        fs::write(store.path(name), damaged).unwrap();
        assert!(matches!(store.verify(name), Err(BlobError::Corrupt { .. })));
        assert!(!store.has(name));
    }
}

#[test]
fn putting_a_blob_again_repairs_it() {
    let (_dir, store) = store();
    let bytes = content(50_000);
    let name = store.put(&bytes).unwrap();
    flip(&store, name, 1);
    store.put(&bytes).unwrap();
    assert_eq!(store.get(name, u64::MAX).unwrap(), Some(bytes));
}

#[test]
fn never_serves_a_slice_of_a_damaged_or_shortened_blob() {
    for damage in ["flip", "shorten", "lengthen"] {
        let (_dir, store) = store();
        let bytes = content(100_000);
        let name = store.put(&bytes).unwrap();
        match damage {
            "flip" => flip(&store, name, 20_000),
            "shorten" => fs::write(store.path(name), &bytes[..70_000]).unwrap(),
            _ => fs::write(store.path(name), [&bytes[..], b"more"].concat()).unwrap(),
        }
        let result = store.encode_slice(name, SliceRange::first());
        assert!(matches!(result, Err(BlobError::Corrupt { .. })), "{damage}");
        assert!(!store.has(name), "{damage}");
    }
}

#[test]
fn a_lost_or_damaged_outboard_is_made_anew() {
    let (_dir, store) = store();
    let bytes = content(200_000);
    let name = store.put(&bytes).unwrap();
    let outboard = store.path(name).with_extension("obao");
    let whole = fs::read(&outboard).unwrap();
    let good = store.encode_slice(name, SliceRange::first()).unwrap().unwrap();
    for damaged in [
        None,
        Some(vec![]),
        Some(vec![0; whole.len()]),
        Some(whole[..64].to_vec()),
    ] {
        fs::remove_file(&outboard).unwrap();
        if let Some(bytes) = damaged {
            fs::write(&outboard, bytes).unwrap();
        }
        assert_eq!(
            store.encode_slice(name, SliceRange::first()).unwrap().unwrap(),
            good
        );
        assert_eq!(fs::read(&outboard).unwrap(), whole);
    }
}

#[test]
fn removes_and_retains() {
    let (_dir, store) = store();
    let small = store.put(&content(10)).unwrap();
    let large = store.put(&content(100_000)).unwrap();
    fs::write(store.path(small).with_file_name("README"), "not a blob").unwrap();
    let mut names = store.hashes().unwrap();
    names.sort();
    let mut expected = vec![small, large];
    expected.sort();
    assert_eq!(names, expected);
    assert_eq!(store.retain(|_, size| size < 1000).unwrap(), 100_000);
    assert_eq!(store.hashes().unwrap(), [small]);
    assert!(!store.path(large).with_extension("obao").exists());
    assert!(store.remove(small).unwrap());
    assert!(!store.remove(small).unwrap());
}

#[test]
fn lists_blobs_with_their_sizes_and_says_which_were_read() {
    let (_dir, store) = store();
    let (small, large) = (content(10), content(100_000));
    let (a, b) = (store.put(&small).unwrap(), store.put(&large).unwrap());
    fs::write(store.path(a).with_file_name("README"), "not a blob").unwrap();
    let mut sizes: Vec<_> = store.files().unwrap().iter().map(|f| (f.size, f.hash)).collect();
    sizes.sort();
    assert_eq!(sizes, [(10, a), (100_000, b)]);
    assert!(store.take_used().is_empty(), "storing is no use");
    store.size(a).unwrap();
    store.encode_slice(b, SliceRange::first()).unwrap().unwrap();
    assert_eq!(store.take_used().into_iter().collect::<Vec<_>>(), [b]);
    store.clone().get(a, 10).unwrap();
    assert_eq!(store.take_used().into_iter().collect::<Vec<_>>(), [a]);
    assert!(store.get(hash(b"not here"), 10).unwrap().is_none());
    assert!(store.take_used().is_empty());
}

#[test]
fn of_damaged_files_the_newest_few_are_kept_for_a_while() {
    let (_dir, store) = store();
    assert_eq!(
        store.prune_corrupt(1, 1000, Duration::MAX).unwrap(),
        0,
        "there are none"
    );
    let mut aside = Vec::new();
    for n in 0..4u64 {
        let name = store.put(&n.to_le_bytes()).unwrap();
        flip(&store, name, 0);
        let Err(BlobError::Corrupt { moved_to, .. }) = store.get(name, u64::MAX) else {
            panic!("not detected")
        };
        let file = fs::File::options().write(true).open(&moved_to).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(100 * (4 - n)))
            .unwrap();
        aside.push(moved_to);
    }
    let there = || aside.iter().map(|path| path.exists()).collect::<Vec<_>>();
    assert_eq!(
        store.prune_corrupt(3, 1000, Duration::from_secs(1000)).unwrap(),
        8
    );
    assert_eq!(there(), [false, true, true, true]);
    // Two have the bytes, and one is young enough.
    assert_eq!(store.prune_corrupt(3, 16, Duration::from_secs(1000)).unwrap(), 8);
    assert_eq!(there(), [false, false, true, true]);
    assert_eq!(store.prune_corrupt(3, 16, Duration::from_secs(150)).unwrap(), 8);
    assert_eq!(there(), [false, false, false, true]);
    assert_eq!(store.prune_corrupt(0, 0, Duration::ZERO).unwrap(), 8);
    assert_eq!(there(), [false; 4]);
}

#[test]
fn opening_sweeps_leftovers_unless_another_store_is_at_work() {
    let (dir, store) = store();
    let folder = dir.path().join("blobs");
    let name = store.put(&content(100_000)).unwrap();
    let leftover = folder.join(".tmp-left");
    let orphan = folder.join(format!("{:x}.obao", H256::repeat_byte(1)));
    fs::write(&leftover, "half").unwrap();
    fs::write(&orphan, "alone").unwrap();
    let second = BlobStore::open(&folder).unwrap();
    assert!(leftover.exists(), "the other store may be writing it");
    drop((store, second));
    let store = BlobStore::open(&folder).unwrap();
    assert!(!leftover.exists());
    assert!(!orphan.exists());
    assert!(store.encode_slice(name, SliceRange::first()).unwrap().is_some());
}

#[test]
fn a_blob_arrives_in_any_order_and_can_be_served_at_once() {
    let (_a, source) = store();
    let (_b, target) = store();
    for size in [0, 5, 2 * MAX_SLICE_SIZE as usize + 12_345] {
        let bytes = content(size);
        let name = source.put(&bytes).unwrap();
        let mut partial = target.partial(name, size as u64).unwrap();
        for range in slice_ranges(size as u64).unwrap().rev() {
            assert!(!target.has(name));
            let sent = source.encode_slice(name, range).unwrap().unwrap();
            let slice = SliceDecoder::decode(name, sent.total_size, range, &sent.bytes).unwrap();
            partial.write(&slice).unwrap();
            partial.write(&slice).unwrap();
        }
        assert_eq!(partial.finish().unwrap(), size as u64);
        assert_eq!(target.get(name, u64::MAX).unwrap(), Some(bytes));
        let outboards = [&source, &target].map(|s| fs::read(s.path(name).with_extension("obao")).ok());
        assert_eq!(outboards[0], outboards[1]);
    }
}

#[test]
fn an_incomplete_blob_never_appears() {
    let (_a, source) = store();
    let (dir, target) = store();
    let bytes = content(2 * MAX_SLICE_SIZE as usize);
    let name = source.put(&bytes).unwrap();
    let sent = source.encode_slice(name, SliceRange::first()).unwrap().unwrap();
    let slice = SliceDecoder::decode(name, sent.total_size, SliceRange::first(), &sent.bytes).unwrap();
    let mut partial = target.partial(name, bytes.len() as u64).unwrap();
    partial.write(&slice).unwrap();
    assert!(matches!(
        partial.finish(),
        Err(BlobError::Incomplete { missing: 64, .. })
    ));
    assert!(!target.has(name));
    let left = fs::read_dir(dir.path().join("blobs")).unwrap().count();
    assert_eq!(left, 1, "only the lock file");

    let mut other = target.partial(hash(b"other"), bytes.len() as u64).unwrap();
    assert!(matches!(other.write(&slice), Err(BlobError::WrongBlob { .. })));
    let mut other = target.partial(name, 77).unwrap();
    assert!(matches!(other.write(&slice), Err(BlobError::WrongBlob { .. })));
}

#[test]
fn slices_behind_the_end_are_refused() {
    let (_dir, store) = store();
    let name = store.put(&content(100)).unwrap();
    let behind = SliceRange::new(16 * 1024, 16 * 1024).unwrap();
    assert!(matches!(
        store.encode_slice(name, behind),
        Err(BlobError::Slice(_))
    ));
    assert!(store.has(name));
    assert!(store.encode_slice(H256::zero(), behind).unwrap().is_none());
}
