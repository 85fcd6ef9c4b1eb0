//! The PC under the trainer is not as it should be: the disk is full, the clock is wrong, the data is other data.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

use crate::{
    program::{command_at, ends, start},
    support::{
        Chain, Pc, answer_of, claim_of, client, datasets, digest_of, json,
        large::{Large, Place},
        options,
    },
};
use hydra_blobs::BlobStore;
use hydra_network::Clock;
use hydra_primitives::{
    digits::{DIGITS_KIND, DIGITS_NAME},
    duty::{DUTIES_PATH, DutyResult},
    poll::Finding,
};
use hydra_trainer::Trainer;
use hydra_update::encode_shard;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::timeout;

fn said(status: &Value) -> String {
    status["warnings"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_free_space_no_work_is_taken_and_polls_are_opened_and_with_it_work_goes_on() {
    let mut a = Pc::start(51, &[], true).await;
    let mut b = Pc::start(52, &[&a], true).await;
    let mut chain = Chain::new(&[&a, &b]);
    let claim = claim_of(&a, &chain).await;
    digest_of(&b, &chain, &chain.verify(&a, &claim)).await;

    // More than any disk has.
    b.stop().await;
    b.options.reserve_space = 1 << 40;
    b.start_again().await;
    let status = b.status_with(|s| s["engine"]["state"] == "ready").await;
    assert!(said(&status).contains("takes no new work"), "{status:#}");
    // Nor does it say that it is there.
    chain.heartbeat = Some(1);
    let owed = chain.sheet(&b, vec![chain.open(&a, &claim), chain.train(&b)]);
    for _ in 0..3 {
        let results = b.post(&owed).await;
        let [DutyResult::Open { opening, .. }] = results.as_slice() else {
            panic!("{results:?}")
        };
        assert_eq!(opening.finding, Finding::Update(claim.update.hash));
    }
    let status = b.status().await;
    assert_eq!(status["models"][0]["version"], Value::Null, "{status:#}");
    assert_eq!(status["models"][0]["state"], "idle", "{status:#}");

    b.stop().await;
    b.options.reserve_space = 0;
    b.start_again().await;
    assert_eq!(b.status().await["warnings"], serde_json::json!([]));
    assert_eq!(b.results(&owed, 3).await.len(), 3);
    b.stop().await;
    a.stop().await;
}

/// Whether a folder can be a small disk of its own here.
fn has_small_disks() -> bool {
    let mut tried = Command::new("unshare");
    tried.args(["--user", "--map-root-user", "--mount", "--", "true"]);
    tried.output().is_ok_and(|output| output.status.success())
}

/// The program with this folder, as it is now, on a disk of its own, without a byte of room but for what is in it.
fn on_a_full_disk(folder: &TempDir, base: &Path) -> Command {
    let seed = folder.path().join("seed");
    fs::rename(base, &seed).unwrap();
    fs::create_dir(base).unwrap();
    let program = command_at(folder, base, 0, 0);
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "--", "sh", "-e", "-c"]);
    command.arg(
        "mount -t tmpfs -o size=8m tmpfs \"$1\"; cp -a \"$2\"/. \"$1\"; dd if=/dev/zero of=\"$1/filler\" bs=4k 2>&1 | grep -q 'No space'; \
         shift 2; exec \"$@\"",
    );
    command.arg("sh").arg(base).arg(seed).arg(program.get_program());
    command.args(program.get_args()).args(["--reserve-space", "0"]);
    command
        .arg("--worker-binary")
        .arg(folder.path().join("no-such-worker"));
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_starts_on_a_full_disk_and_works_when_there_is_room() {
    if !has_small_disks() {
        return eprintln!("NO MOUNT NAMESPACES: nothing was shown of a trainer on a full disk");
    }
    let mut pc = Pc::start(53, &[], true).await;
    let sheet = Chain::new(&[&pc]).sheet(&pc, vec![]);
    pc.stop().await;
    let base = pc.options.base_path.clone();
    let mut running = start(on_a_full_disk(&pc.folder, &base));
    let at = |path: &str| format!("{}{path}", running.url);
    let status = async || json(pc.http.get(at("/v1/status")).send().await.unwrap()).await;
    let full = async {
        while !status().await["errors"].to_string().contains("No space left") {
            answer_of(&pc.http, at(DUTIES_PATH), &sheet).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let said = timeout(Duration::from_secs(60), full).await;
    assert!(said.is_ok(), "{:#}", status().await);
    assert_eq!(status().await["models"][0]["version"], Value::Null);

    // As the program sees it.
    let disk = Path::new("/proc")
        .join(running.child.id().to_string())
        .join("root")
        .join(base.strip_prefix("/").unwrap());
    fs::remove_file(disk.join("filler")).unwrap();
    let works = async {
        while status().await["models"][0]["version"] != 0 {
            answer_of(&pc.http, at(DUTIES_PATH), &sheet).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let works = timeout(Duration::from_secs(60), works).await;
    assert!(works.is_ok(), "{:#}", status().await);
    let pid = Pid::from_raw(i32::try_from(running.child.id()).unwrap());
    kill(pid, Signal::SIGTERM).unwrap();
    assert_eq!(ends(&mut running.child), 0);
}

/// KiB a second: the disk is full before all has come.
const RATE: u64 = 32_768;

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_that_fills_the_disk_says_so_and_goes_on_when_there_is_room() {
    if !has_small_disks() {
        return eprintln!("NO MOUNT NAMESPACES: nothing was shown of a disk that a fetch fills");
    }
    let (large, http) = (Large::new(), client());
    let (mut has, mut gets) = (Place::new(63), Place::new(64));
    has.run(has.command(RATE, None));
    has.holds(&http, &large.made(), 0).await;
    // A disk with room for half of it, and for all once what lies in the way is gone.
    let program = gets.command(RATE, Some(&has.address()));
    let base = gets.base();
    fs::create_dir(&base).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "--", "sh", "-e", "-c"]);
    command.arg(
        "mount -t tmpfs -o size=$2m tmpfs \"$1\"; head -c $(($2 / 2))M /dev/zero > \"$1/filler\"; shift 2; exec \"$@\"",
    );
    let mebibytes = (large.size >> 20) + 40;
    command
        .args(["sh".as_ref(), base.as_os_str()])
        .arg(mebibytes.to_string());
    command.arg(program.get_program()).args(program.get_args());
    gets.run(command);
    let had = large.had_from(has.peer());
    let full = async {
        while !gets.status(&http).await["errors"]
            .to_string()
            .contains("No space left")
        {
            assert_ne!(gets.hold(&http, &had).await, Some(1), "it fits");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let said = timeout(Duration::from_secs(60), full).await;
    assert!(said.is_ok(), "{:#}", gets.status(&http).await);

    // As the program sees it.
    let pid = gets.running.as_ref().unwrap().child.id().to_string();
    let disk = Path::new("/proc")
        .join(pid)
        .join("root")
        .join(base.strip_prefix("/").unwrap());
    let store = BlobStore::open(disk.join("blobs")).unwrap();
    fs::remove_file(disk.join("filler")).unwrap();
    let all = timeout(Duration::from_secs(60), gets.holds(&http, &had, 1)).await;
    assert!(all.is_ok(), "{:#}", gets.status(&http).await);
    assert!(store.verify(large.hash).unwrap());
}

/// A trainer that needs no engine, on a PC whose clock is ahead.
async fn with_clock(number: u8, friends: &[&Pc], ahead: Duration) -> Pc {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(number, &folder);
    options.bootstrap = friends.iter().map(|pc| pc.address()).collect();
    options.dataset = vec![datasets()];
    options.worker_binary = Some(folder.path().join("no-such-worker"));
    let clock = Clock::new(move || SystemTime::now() + ahead);
    let trainer = Trainer::start_with_clock(options.clone(), clock).await.unwrap();
    Pc {
        account: [number; 32],
        folder,
        options,
        trainer: Some(trainer),
        http: client(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pc_with_the_wrong_clock_is_told_so_and_the_others_are_not() {
    let mut a = with_clock(54, &[], Duration::ZERO).await;
    let mut b = with_clock(55, &[&a], Duration::ZERO).await;
    let mut wrong = with_clock(56, &[&a, &b], Duration::from_secs(35)).await;
    let status = wrong.status_with(|s| s["clock"]["peers"] == 2).await;
    let offset = status["clock"]["offset_ms"].as_i64().unwrap();
    assert!((33_000..37_000).contains(&offset), "{status:#}");
    let sentence = said(&status);
    assert!(
        sentence.contains("s ahead of its 2 peers'") && sentence.contains("NTP"),
        "{sentence}"
    );
    // Each of the others knows one clock that agrees with its own and one that doesn't: nothing follows.
    for pc in [&a, &b] {
        let status = pc
            .status_with(|s| s["peers"].as_array().unwrap().len() == 2)
            .await;
        assert!(!said(&status).contains("its 2 peers'"), "{status:#}");
    }
    for pc in [&mut wrong, &mut b, &mut a] {
        pc.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_was_changed_since_the_network_was_founded_is_said_until_the_right_one_is_here() {
    let mut pc = with_clock(57, &[], Duration::ZERO).await;
    pc.stop().await;
    // Called as the network's, with one image of each file.
    let changed = pc.folder.path().join("changed");
    fs::create_dir(&changed).unwrap();
    let name = String::from_utf8_lossy(DIGITS_NAME);
    let description =
        serde_json::json!({ "name": name, "kind": DIGITS_KIND, "shards": ["a"], "validation": "v" });
    fs::write(changed.join("dataset.json"), description.to_string()).unwrap();
    for (file, label) in [("a", 1), ("v", 2)] {
        let bytes = encode_shard(&DIGITS_KIND, &[3; 64], &[label]).unwrap();
        fs::write(changed.join(file), bytes).unwrap();
    }
    // The right ones are not here before they are imported.
    pc.options.base_path = pc.folder.path().join("other base");
    pc.options.dataset = vec![changed.clone()];
    pc.start_again().await;
    let sheet = Chain::new(&[&pc]).sheet(&pc, vec![]);
    pc.post(&sheet).await;
    let sentence = said(&pc.status().await);
    let place = changed.to_str().unwrap();
    assert!(
        sentence.contains(place) && sentence.contains("that the network was founded with"),
        "{sentence}"
    );

    pc.stop().await;
    pc.options.dataset.push(datasets());
    pc.start_again().await;
    pc.post(&sheet).await;
    let sentence = said(&pc.status().await);
    assert!(!sentence.contains("founded with"), "{sentence}");
    pc.stop().await;
}
