//! The process is killed at any moment, time after time, over one folder: no finding that was given is lost, no blob is left without a
//! record, and none that is served is wrong.

use std::{
    collections::HashSet,
    env,
    io::{BufRead, BufReader, Write, stdout},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::{
    findings::tests::{opening, poll},
    *,
};

/// Tells the process that it is the one to be killed: the folder, and the number to begin with.
const FOLDER: &str = "HYDRA_TEST_KILLED_IN";
const BEGIN: &str = "HYDRA_TEST_KILLED_FROM";
const TIMES: u64 = 50;
/// Blobs of a round.
const ROUND: u64 = 8;

fn content(n: u64) -> Vec<u8> {
    let size = 1000 + (n % 7) as usize * 9000;
    let mut bytes = vec![0; size];
    blake3::Hasher::new()
        .update(&n.to_le_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

fn purpose(n: u64) -> Purpose {
    Purpose::For(Tag {
        genesis: H256::repeat_byte(1),
        model: 0,
        kind: Kind::Update,
        number: u32::try_from(n / ROUND).unwrap(),
    })
}

fn say(what: char, n: u64) {
    // Past the test harness, and in one piece.
    let mut out = stdout().lock();
    out.write_all(format!("\n{what} {n}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Records findings, stores blobs and deletes old ones, and says what it did, until it is killed.
fn work(folder: &Path, begin: u64) {
    let database = Database::open(folder).unwrap();
    let store = BlobStore::open(folder.join("blobs")).unwrap();
    let found = database.reconcile(&store).unwrap();
    assert_eq!(found.adopted, 0, "a blob without a record");
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in begin.. {
                database.found(poll(n), opening(n)).unwrap();
                say('F', n);
            }
        });
        scope.spawn(|| {
            for n in begin.. {
                let bytes = content(n);
                let hash = hydra_primitives::content_hash(&bytes);
                database.note(hash, purpose(n)).unwrap();
                store.put(&bytes).unwrap();
                database.stored(hash, purpose(n), bytes.len() as u64);
                say('B', n);
                if n % ROUND == 0 {
                    let round = n / ROUND;
                    say('S', round);
                    let at = Standing {
                        genesis: H256::repeat_byte(1),
                        model: 0,
                        round: u32::try_from(round).unwrap(),
                        version: 0,
                    };
                    database.sweep(&store, &at, &HashSet::new()).unwrap();
                }
            }
        });
    });
}

#[test]
fn killed_at_any_moment_it_loses_no_finding_and_no_blob() {
    if let (Ok(folder), Ok(begin)) = (env::var(FOLDER), env::var(BEGIN)) {
        return work(Path::new(&folder), begin.parse().unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut findings, mut blobs, mut round, mut begin) = (Vec::new(), Vec::new(), 0, 0);
    for time in 0..TIMES {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "--test-threads=1"])
            .arg("database::killed::killed_at_any_moment_it_loses_no_finding_and_no_blob")
            .env(FOLDER, folder.path())
            .env(BEGIN, begin.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tells, told) = mpsc::channel();
        let reads = thread::spawn(move || {
            let mut all = Vec::new();
            for line in lines.map_while(Result::ok) {
                if line.starts_with("B ") {
                    let _ = tells.send(());
                }
                all.push(line);
            }
            all
        });
        // From before it has opened anything to well into its work, which on a busy PC takes longer.
        if time % 3 > 0 {
            for _ in 0..=time * 37 % 23 {
                told.recv_timeout(Duration::from_secs(60)).unwrap();
            }
            thread::sleep(Duration::from_millis(time * 37 % 13));
        } else {
            thread::sleep(Duration::from_millis(time * 37 % 101));
        }
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), None, "it ended by itself");
        for line in reads.join().unwrap() {
            let Some((what, n)) = line.split_once(' ') else {
                continue;
            };
            let Ok(n) = n.parse::<u64>() else { continue };
            match what {
                "F" => findings.push(n),
                "B" => blobs.push(n),
                "S" => round = n,
                _ => continue,
            }
            begin = begin.max(n + 1);
        }
        // One may be done that could not be told any more.
        begin += 10;
        check(folder.path(), &findings, &blobs, round);
    }
    assert!(
        findings.len() > 100 && blobs.len() > 100 && round > 5,
        "it hardly worked"
    );
}

fn check(folder: &Path, findings: &[u64], blobs: &[u64], round: u64) {
    let database = Database::open(folder).unwrap();
    assert_eq!(database.complaints(), Vec::<String>::new());
    for n in findings {
        assert_eq!(database.finding(&poll(*n)), Some(opening(*n)), "finding {n}");
    }
    let store = BlobStore::open(folder.join("blobs")).unwrap();
    let found = database.reconcile(&store).unwrap();
    assert_eq!(found.adopted, 0, "a blob without a record");
    for hash in store.hashes().unwrap() {
        assert!(store.verify(hash).unwrap());
    }
    // What the rule keeps is there.
    let kept = blobs.iter().filter(|n| **n / ROUND + 3 >= round);
    for n in kept {
        let hash = hydra_primitives::content_hash(&content(*n));
        assert!(store.has(hash), "blob {n}");
    }
    database.close().unwrap();
}
