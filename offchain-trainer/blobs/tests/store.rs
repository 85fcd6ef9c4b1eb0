//! The folder on disk: what is stored comes back, what is damaged doesn't.

use hydra_blobs::{
    Availability, BlobError, BlobStore, Cut, H256, MAX_SLICE_SIZE, PartialBlob, SliceRange, VerifiedSlice,
    hash, slice_ranges,
};
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
fn a_shortened_blob_is_found_out_by_whoever_asks_for_what_it_lost() {
    let (_dir, store) = store();
    let bytes = content(3 * MIB);
    let name = store.put(&bytes).unwrap();
    let behind = hydra_blobs::nth_slice(3).unwrap();
    for _ in 0..2 {
        let result = store.encode_slice(name, behind);
        assert!(matches!(result, Err(BlobError::Slice(_))), "{result:?}");
    }
    assert!(store.has(name), "nothing is wrong with it");
    let file = fs::File::options().write(true).open(store.path(name)).unwrap();
    file.set_len(MIB as u64).unwrap();
    let lost = store.encode_slice(name, hydra_blobs::nth_slice(2).unwrap());
    assert!(matches!(lost, Err(BlobError::Corrupt { .. })), "{lost:?}");
    assert!(!store.has(name));
}

#[test]
fn an_old_blob_is_kept_for_a_while_when_it_is_found_damaged() {
    let (_dir, store) = store();
    let name = store.put(&content(1000)).unwrap();
    flip(&store, name, 0);
    let month = Duration::from_secs(30 * 24 * 3600);
    let file = fs::File::options().write(true).open(store.path(name)).unwrap();
    file.set_modified(SystemTime::now() - 2 * month).unwrap();
    let Err(BlobError::Corrupt { moved_to, .. }) = store.get(name, u64::MAX) else {
        panic!("not detected")
    };
    assert_eq!(store.prune_corrupt(1, 1000, month).unwrap(), 0);
    assert!(moved_to.exists());
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
    let bytes = content(2_000_000);
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
    let large = store.put(&content(2_000_000)).unwrap();
    fs::write(store.path(small).with_file_name("README"), "not a blob").unwrap();
    let mut names = store.hashes().unwrap();
    names.sort();
    let mut expected = vec![small, large];
    expected.sort();
    assert_eq!(names, expected);
    assert!(store.path(large).with_extension("obao").exists());
    assert_eq!(store.retain(|_, size| size < 1000).unwrap(), 2_000_000);
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
    let name = store.put(&content(2_000_000)).unwrap();
    let leftover = folder.join(".tmp-left");
    let orphan = folder.join(format!("{:x}.obao", H256::repeat_byte(1)));
    let half = [".part", ".seen"].map(|suffix| folder.join(format!("{:x}{suffix}", H256::random())));
    let old = [".part", ".seen"].map(|suffix| folder.join(format!("{:x}{suffix}", H256::repeat_byte(2))));
    for file in [&leftover, &orphan].into_iter().chain(&half).chain(&old) {
        fs::write(file, "half").unwrap();
    }
    let long_ago = SystemTime::now() - Duration::from_secs(8 * 24 * 3600);
    for file in &old {
        fs::File::open(file).unwrap().set_modified(long_ago).unwrap();
    }
    let second = BlobStore::open(&folder).unwrap();
    assert!(leftover.exists(), "the other store may be writing it");
    drop((store, second));
    let store = BlobStore::open(&folder).unwrap();
    for file in [&leftover, &orphan].into_iter().chain(&half).chain(&old) {
        assert!(!file.exists(), "{}", file.display());
    }
    assert!(store.encode_slice(name, SliceRange::first()).unwrap().is_some());
}

#[test]
fn a_blob_arrives_in_any_order_and_can_be_served_at_once() {
    let (_a, source) = store();
    let (_b, target) = store();
    for size in [0, 5, 2 * MAX_SLICE_SIZE as usize + 12_345] {
        let bytes = content(size);
        let name = source.put(&bytes).unwrap();
        let partial = target.partial(name, size as u64).unwrap();
        for range in slice_ranges(size as u64).unwrap().rev() {
            assert!(!target.has(name));
            let sent = source.encode_slice(name, range).unwrap().unwrap();
            let slice = VerifiedSlice::verify(name, sent.total_size, range, sent.bytes).unwrap();
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
    let slice = VerifiedSlice::verify(name, sent.total_size, SliceRange::first(), sent.bytes).unwrap();
    let partial = target.partial(name, bytes.len() as u64).unwrap();
    partial.write(&slice).unwrap();
    assert!(matches!(
        partial.finish(),
        Err(BlobError::Incomplete { missing: 64, .. })
    ));
    assert!(!target.has(name));
    drop(partial);
    let left = fs::read_dir(dir.path().join("blobs")).unwrap().count();
    assert_eq!(left, 3, "the lock file, what has come, and the record of it");

    let other = target.partial(hash(b"other"), bytes.len() as u64).unwrap();
    assert!(matches!(other.write(&slice), Err(BlobError::WrongBlob { .. })));
    let other = target.partial(name, 77).unwrap();
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

const MIB: usize = MAX_SLICE_SIZE as usize;

/// A source with a blob of so many bytes, and a target with none.
fn source_and_target(size: usize) -> (TempDir, BlobStore, TempDir, BlobStore, H256, Vec<u8>) {
    let ((a, source), (b, target)) = (store(), store());
    let bytes = content(size);
    let name = source.put(&bytes).unwrap();
    (a, source, b, target, name, bytes)
}

fn transfer(source: &BlobStore, to: &PartialBlob, index: u64) {
    let range = hydra_blobs::nth_slice(index).unwrap();
    let sent = source.encode_slice(to.hash(), range).unwrap().unwrap();
    to.write(&VerifiedSlice::verify(to.hash(), sent.total_size, range, sent.bytes).unwrap())
        .unwrap();
}

fn here(partial: &PartialBlob) -> Vec<u64> {
    partial.slices().iter().collect()
}

#[test]
fn what_has_arrived_is_found_again_and_finished() {
    let size = 5 * MIB + 77;
    let (_a, source, dir, target, name, bytes) = source_and_target(size);
    let partial = target.partial(name, size as u64).unwrap();
    for index in [4, 0] {
        transfer(&source, &partial, index);
    }
    drop(partial);
    assert_eq!(target.partials().unwrap()[0].0, name);
    // In the same process, and after a new start.
    assert_eq!(here(&target.partial(name, size as u64).unwrap()), [0, 4]);
    drop(target);
    let target = BlobStore::open(dir.path().join("blobs")).unwrap();
    assert!(target.resume(name, |_| false).unwrap().is_none());
    let partial = target
        .resume(name, |found| found == size as u64)
        .unwrap()
        .unwrap();
    assert_eq!(here(&partial), [0, 4]);
    assert!(!partial.proves_size());
    for index in [1, 2, 3, 5] {
        transfer(&source, &partial, index);
    }
    assert!(partial.proves_size());
    assert_eq!(partial.finish().unwrap(), size as u64);
    assert_eq!(target.get(name, u64::MAX).unwrap(), Some(bytes));
    assert!(target.partials().unwrap().is_empty());
    let outboards = [&source, &target].map(|s| fs::read(s.path(name).with_extension("obao")).unwrap());
    assert!(outboards[0] == outboards[1]);
    drop(partial);
    let files = fs::read_dir(dir.path().join("blobs")).unwrap().count();
    assert_eq!(files, 3, "the lock file, the blob and its outboard");
}

#[test]
fn what_was_damaged_meanwhile_is_missing_and_the_rest_is_kept() {
    let size = 4 * MIB;
    let (_a, source, _b, target, name, bytes) = source_and_target(size);
    let content = target.path(name).with_extension("part");
    let record = target.path(name).with_extension("seen");
    let entry = 12 + 64 * 2;
    let begin = || {
        let partial = target.partial(name, size as u64).unwrap();
        (0..3).for_each(|index| transfer(&source, &partial, index));
    };
    let edit = |path: &std::path::Path, edit: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = fs::read(path).unwrap();
        edit(&mut bytes);
        fs::write(path, bytes).unwrap();
    };
    // Each: what is done, and what is left of slices 0, 1 and 2.
    type Damage<'a> = (&'a str, Box<dyn Fn()>, &'a [u64]);
    let (c, r) = (content.clone(), record.clone());
    let (c2, r2, r3, r4) = (content.clone(), record.clone(), record.clone(), record.clone());
    let damages: [Damage<'_>; 6] = [
        (
            "a flipped bit",
            Box::new(move || edit(&c, &|bytes| bytes[MIB + 5] ^= 1)),
            &[0, 2],
        ),
        (
            "a torn record",
            Box::new(move || edit(&r, &|bytes| bytes.truncate(24 + 2 * entry + 30))),
            &[0, 1],
        ),
        (
            "content that never reached the disk",
            Box::new(move || edit(&c2, &|bytes| bytes.truncate(MIB))),
            &[0],
        ),
        (
            "a proof that is wrong",
            Box::new(move || edit(&r2, &|bytes| bytes[24 + entry + 20] ^= 1)),
            &[0, 2],
        ),
        (
            "another size",
            Box::new(move || edit(&r3, &|bytes| bytes[16] ^= 1)),
            &[],
        ),
        (
            "nonsense",
            Box::new(move || fs::write(&r4, "nonsense").unwrap()),
            &[],
        ),
    ];
    for (damage, harm, left) in damages {
        begin();
        harm();
        let partial = target.partial(name, size as u64).unwrap();
        assert_eq!(here(&partial), left, "{damage}");
        (0..4).for_each(|index| transfer(&source, &partial, index));
        drop(partial);
        let partial = target.partial(name, size as u64).unwrap();
        assert_eq!(here(&partial), [0, 1, 2, 3], "{damage}");
        partial.finish().unwrap();
        assert_eq!(
            target.get(name, u64::MAX).unwrap().as_ref(),
            Some(&bytes),
            "{damage}"
        );
        target.remove(name).unwrap();
    }
}

#[test]
fn what_has_arrived_is_served_while_the_rest_is_coming() {
    let size = 3 * MIB + 20_000;
    let (_a, source, _b, target, name, bytes) = source_and_target(size);
    assert!(!target.knows(name));
    assert_eq!(target.availability(name).unwrap(), Availability::None);
    let partial = target.partial(name, size as u64).unwrap();
    for index in [3, 1] {
        transfer(&source, &partial, index);
        assert!(target.knows(name));
        let Availability::Some(slices) = target.availability(name).unwrap() else {
            panic!("{:?}", target.availability(name))
        };
        assert_eq!(slices, partial.slices());
        let range = hydra_blobs::nth_slice(index).unwrap();
        let Cut::Slice(cut) = target.cut(name, range, 0, Vec::new()).unwrap() else {
            panic!("it is here")
        };
        assert_eq!(Some(&cut), source.encode_slice(name, range).unwrap().as_ref());
        for store in [&source, &target] {
            let Cut::Slice(roomy) = store.cut(name, range, 9, Vec::new()).unwrap() else {
                panic!("it is here")
            };
            assert!(roomy.bytes[9..] == cut.bytes, "behind the room for a header");
        }
        // Parts of it, too.
        let part = SliceRange::new(range.offset(), 16 * 1024).unwrap();
        assert_eq!(
            target.encode_slice(name, part).unwrap(),
            source.encode_slice(name, part).unwrap()
        );
    }
    assert_eq!(
        target.cut(name, SliceRange::first(), 0, Vec::new()).unwrap(),
        Cut::NotYet
    );
    [0, 2]
        .iter()
        .for_each(|index| transfer(&source, &partial, *index));
    // All of it is here, without being finished.
    assert_eq!(
        target.availability(name).unwrap(),
        Availability::Whole { size: size as u64 }
    );
    partial.finish().unwrap();
    assert_eq!(
        target.availability(name).unwrap(),
        Availability::Whole { size: size as u64 }
    );
    assert_eq!(target.get(name, u64::MAX).unwrap(), Some(bytes));
}

#[test]
fn nothing_is_served_of_a_partial_blob_that_was_damaged() {
    let size = 3 * MIB;
    let (_a, source, _b, target, name, _) = source_and_target(size);
    let partial = target.partial(name, size as u64).unwrap();
    transfer(&source, &partial, 0);
    let path = target.path(name).with_extension("part");
    let mut content = fs::read(&path).unwrap();
    content[1000] ^= 1;
    fs::write(&path, content).unwrap();
    assert_eq!(
        target.cut(name, SliceRange::first(), 0, Vec::new()).unwrap(),
        Cut::NotYet
    );
}

#[test]
fn slices_arrive_from_several_threads_at_once() {
    let size = 20 * MIB + 5;
    let (_a, source, _b, target, name, bytes) = source_and_target(size);
    let partial = target.partial(name, size as u64).unwrap();
    std::thread::scope(|scope| {
        for first in 0..4 {
            let (source, partial) = (&source, partial.clone());
            // Some of them twice.
            scope.spawn(move || {
                (first..21)
                    .step_by(3)
                    .for_each(|index| transfer(source, &partial, index))
            });
        }
    });
    partial.finish().unwrap();
    assert!(target.get(name, u64::MAX).unwrap() == Some(bytes));
}

#[test]
fn another_process_that_is_at_the_same_blob_does_no_harm() {
    let size = 2 * MIB;
    let (_a, source, dir, target, name, bytes) = source_and_target(size);
    let other = BlobStore::open(dir.path().join("blobs")).unwrap();
    let (ours, theirs) = (
        target.partial(name, size as u64).unwrap(),
        other.partial(name, size as u64).unwrap(),
    );
    transfer(&source, &ours, 0);
    assert!(!other.remove_partial(name).unwrap(), "somebody is at it");
    for index in [1, 0] {
        transfer(&source, &theirs, index);
    }
    theirs.finish().unwrap();
    transfer(&source, &ours, 1);
    ours.finish().unwrap();
    assert_eq!(target.get(name, u64::MAX).unwrap(), Some(bytes));
}

#[test]
fn what_is_here_is_known_without_looking_and_what_others_put_there_after_a_while() {
    let (dir, store) = store();
    let name = store.put(b"ours").unwrap();
    assert!(store.knows(name));
    assert!(store.remove(name).unwrap());
    assert!(!store.knows(name));
    let other = BlobStore::open(dir.path().join("blobs")).unwrap();
    let theirs = other.put(b"theirs").unwrap();
    assert!(!store.knows(theirs));
    store.refresh().unwrap();
    assert!(store.knows(theirs));
    other.remove(theirs).unwrap();
    store.refresh().unwrap();
    assert!(!store.knows(theirs));
    assert!(
        BlobStore::open(dir.path().join("blobs"))
            .unwrap()
            .put(b"more")
            .is_ok()
    );
}

#[test]
fn what_has_arrived_can_be_removed() {
    let (_a, source, dir, target, name, _) = source_and_target(3 * MIB);
    let partial = target.partial(name, 3 * MIB as u64).unwrap();
    transfer(&source, &partial, 1);
    assert!(!target.remove_partial(name).unwrap(), "it is arriving");
    drop(partial);
    assert!(target.remove_partial(name).unwrap());
    assert!(!target.remove_partial(name).unwrap());
    assert_eq!(
        fs::read_dir(dir.path().join("blobs")).unwrap().count(),
        1,
        "the lock file"
    );
}
