//! Fetches that are given up, and processes that are killed: what has come isn't fetched again.

use crate::common::{
    Asked, Behave, Hostile, Node, PATIENCE, answer_honestly, config, content, endless_patience, node, start,
};
use hydra_blobs::{BlobStore, H256};
use hydra_network::{Keypair, Multiaddr, NetworkConfig, PeerId, SizeRule};
use libp2p::{Stream, multiaddr::Protocol};
use std::{
    collections::HashMap,
    collections::HashSet,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Duration,
};

const MIB: usize = 1024 * 1024;

/// Serves so many slices and then nothing more; counts how often it sent each.
struct Serves {
    bytes: Vec<u8>,
    limit: usize,
    sent: tokio::sync::watch::Sender<HashMap<u64, usize>>,
}

impl Behave for Serves {
    async fn answer(&self, stream: &mut Stream, asked: Asked, nth: usize) -> bool {
        if nth >= self.limit {
            return std::future::pending().await;
        }
        let sent = answer_honestly(stream, &self.bytes, asked.range).await;
        self.sent
            .send_modify(|counts| *counts.entry(asked.range.offset()).or_default() += usize::from(sent));
        sent
    }
}

fn patient() -> NetworkConfig {
    NetworkConfig {
        limits: endless_patience(),
        ..config()
    }
}

fn total(counts: &HashMap<u64, usize>) -> usize {
    counts.values().sum()
}

/// How many slices of the blob have come.
fn here(node: &Node, hash: H256, size: usize) -> u64 {
    let partial = node.store.resume(hash, |found| found == size as u64).unwrap();
    partial.map_or(0, |partial| partial.slices().len())
}

#[tokio::test]
async fn a_fetch_that_was_given_up_goes_on_where_it_was() {
    let bytes = content(8 * MIB + 5);
    let (hash, size) = (hydra_blobs::hash(&bytes), bytes.len());
    for rule in [SizeRule::Exact(size as u64), SizeRule::AtMost(20 * MIB as u64)] {
        let target = start(patient()).await;
        let (sent, mut counts) = tokio::sync::watch::channel(HashMap::new());
        let stops = Serves {
            bytes: bytes.clone(),
            limit: 4,
            sent,
        };
        let provider = Hostile::meet(&target, stops).await;
        let fetch = target.net.fetch(hash, rule, vec![provider.id]);
        let four = async {
            counts.wait_for(|counts| total(counts) == 4).await.unwrap();
            // Sent, then verified and written.
            while here(&target, hash, size) < 4 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            fetched = fetch => panic!("{fetched:?}"),
            came = tokio::time::timeout(PATIENCE, four) => came.expect("four slices don't come"),
        }
        let before = counts.borrow().clone();
        provider.vanish();
        target.until(Vec::is_empty).await;
        let (sent, counts) = tokio::sync::watch::channel(HashMap::new());
        let serves = Serves {
            bytes: bytes.clone(),
            limit: usize::MAX,
            sent,
        };
        let provider = Hostile::meet(&target, serves).await;
        let fetched = target.net.fetch_bytes(hash, rule, vec![provider.id]).await;
        assert!(fetched.unwrap() == bytes);
        let twice = counts
            .borrow()
            .keys()
            .filter(|slice| before.contains_key(slice))
            .count();
        assert_eq!(twice, 0, "fetched again");
        assert_eq!(total(&counts.borrow()) + total(&before), 9);
    }
}

#[tokio::test]
async fn what_has_come_is_served_before_the_rest_is_there() {
    let bytes = content(6 * MIB);
    let (hash, rule) = (hydra_blobs::hash(&bytes), SizeRule::Exact(6 * MIB as u64));
    let middle = start(patient()).await;
    let (sent, mut counts) = tokio::sync::watch::channel(HashMap::new());
    let stops = Serves {
        bytes: bytes.clone(),
        limit: 3,
        sent,
    };
    let source = Hostile::meet(&middle, stops).await;
    let middle = Arc::new(middle);
    let fetching = {
        let middle = middle.clone();
        tokio::spawn(async move { middle.net.fetch(hash, rule, vec![source.id]).await })
    };
    counts.wait_for(|counts| total(counts) == 3).await.unwrap();
    // The other half comes from somebody else, and the end of it for the one in the middle, too.
    let target = start(patient()).await;
    target.connect(&middle).await;
    let fetch = target.net.fetch_bytes(hash, rule, vec![middle.id()]);
    let mut fetch = Box::pin(fetch);
    let half = async {
        while here(&target, hash, bytes.len()) < 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        fetched = &mut fetch => panic!("{fetched:?}"),
        came = tokio::time::timeout(PATIENCE, half) => came.expect("nothing of it is served"),
    }
    let honest = node().await;
    honest.store.put(&bytes).unwrap();
    target.connect(&honest).await;
    let fetched = tokio::time::timeout(PATIENCE, fetch).await;
    assert!(fetched.expect("it waits for the one in the middle").unwrap() == bytes);
    middle.connect(&honest).await;
    let fetched = tokio::time::timeout(PATIENCE, fetching).await;
    assert!(fetched.expect("it doesn't go on").unwrap().is_ok());
}

/// The line of one who has all of a blob: slices go over it one after the other, each in a quarter of a second.
#[derive(Clone)]
struct SlowLine {
    bytes: Arc<Vec<u8>>,
    /// How many slices went over it.
    sent: Arc<tokio::sync::Mutex<usize>>,
}

impl Behave for SlowLine {
    async fn answer(&self, stream: &mut Stream, asked: Asked, _: usize) -> bool {
        let mut sent = self.sent.lock().await;
        tokio::time::sleep(Duration::from_millis(250)).await;
        *sent += 1;
        answer_honestly(stream, &self.bytes, asked.range).await
    }
}

#[tokio::test]
async fn those_who_get_a_blob_at_the_same_time_get_it_from_each_other() {
    const SLICES: usize = 24;
    let bytes = content(SLICES * MIB);
    let (hash, rule) = (hydra_blobs::hash(&bytes), SizeRule::Exact((SLICES * MIB) as u64));
    let line = SlowLine {
        bytes: Arc::new(bytes.clone()),
        sent: Arc::default(),
    };
    let (mut targets, mut sources) = (Vec::<Node>::new(), Vec::new());
    for _ in 0..3 {
        let target = start(patient()).await;
        sources.push(Hostile::meet(&target, line.clone()).await);
        for other in &targets {
            target.connect(other).await;
        }
        targets.push(target);
    }
    let all: Vec<PeerId> = targets
        .iter()
        .map(Node::id)
        .chain(sources.iter().map(|s| s.id))
        .collect();
    let fetches = targets
        .iter()
        .map(|target| target.net.fetch(hash, rule, all.clone()));
    for fetched in futures::future::join_all(fetches).await {
        fetched.unwrap();
    }
    for target in &targets {
        assert!(target.store.get(hash, u64::MAX).unwrap().as_ref() == Some(&bytes));
    }
    // Each for itself would have needed all of it over the slow line.
    let sent = *line.sent.lock().await;
    assert!(sent <= 3 * SLICES * 3 / 4, "{sent}");
}

// --- Processes that are killed. This test's own program is what is started, once to serve and once to fetch.

const ROLE: &str = "HYDRA_TEST_ROLE";

struct Process {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Process {
    fn start(role: &str, dir: &Path, extra: &[(&str, String)]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([
                "--exact",
                "resuming::a_process_of_its_own",
                "--nocapture",
                "--ignored",
            ])
            .env(ROLE, role)
            .env("HYDRA_TEST_DIR", dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        for (name, value) in extra {
            command.env(name, value);
        }
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// The rest of the next line that begins with `word`; `None` when the process has ended.
    fn says(&mut self, word: &str) -> Option<String> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.out.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            if let Some((_, rest)) = line.split_once(word) {
                return Some(rest.trim().to_owned());
            }
        }
    }

    /// Bytes that it has read from files so far; not from sockets, which are read otherwise.
    fn has_read(&self) -> u64 {
        let io = std::fs::read_to_string(format!("/proc/{}/io", self.child.id())).unwrap();
        let line = io.lines().find_map(|line| line.strip_prefix("rchar:"));
        line.unwrap().trim().parse().unwrap()
    }

    /// As `kill -9` does.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test: what the tests below start as a process.
#[tokio::test]
#[ignore = "is started by other tests"]
async fn a_process_of_its_own() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let var = |name: &str| std::env::var(name).unwrap();
    let store = Arc::new(BlobStore::open(var("HYDRA_TEST_DIR")).unwrap());
    let keypair = match role.as_str() {
        "serve" => Keypair::ed25519_from_bytes([7; 32]).unwrap(),
        _ => Keypair::generate_ed25519(),
    };
    let mut config = NetworkConfig { keypair, ..config() };
    if role == "serve" {
        config.listen = vec![var("HYDRA_TEST_ADDRESS").parse().unwrap()];
        // Slow enough to be killed in between.
        config.limits.upload_rate = Some(24 * MIB as u64);
    } else {
        config.bootstrap = vec![var("HYDRA_TEST_ADDRESS").parse().unwrap()];
        config.limits.arrival = Duration::from_secs(60);
    }
    let net = hydra_network::Network::start(config, store.clone())
        .await
        .unwrap();
    println!("ready {}", net.local_peer_id());
    if role == "serve" {
        std::future::pending::<()>().await;
    }
    let (hash, size): (H256, u64) = (
        var("HYDRA_TEST_HASH").parse().unwrap(),
        var("HYDRA_TEST_SIZE").parse().unwrap(),
    );
    let provider: PeerId = var("HYDRA_TEST_PROVIDER").parse().unwrap();
    loop {
        match net.fetch(hash, SizeRule::Exact(size), vec![provider]).await {
            Ok(_) => break,
            // The other one is being killed, too.
            Err(error) => println!("again: {error}"),
        }
    }
    println!("fetched");
}

/// Which slices of the content are right, whatever the record says.
fn right(path: &Path, bytes: &[u8]) -> Vec<u64> {
    let there = std::fs::read(path).unwrap_or_default();
    let slices = there.chunks(MIB).zip(bytes.chunks(MIB)).enumerate();
    slices
        .filter(|(_, (is, ought))| is == ought)
        .map(|(at, _)| at as u64)
        .collect()
}

/// How often to kill: `HYDRA_TEST_KILLS`, or a few times.
fn kills() -> usize {
    std::env::var("HYDRA_TEST_KILLS").map_or(4, |kills| kills.parse().unwrap())
}

/// What a start reads, and the hashes that are read with slices: of what is read, and for each process.
const HASHES: u64 = 128;
const START: u64 = 256 << 10;

/// The most that kills of the sender and of the receiver may cost, in slices that are sent again.
///
/// A sender has so many in memory for one peer, on their way or to be sent next. A receiver has, besides those on their way to it, as many
/// that have come and are being verified and written: it knows only what is on the disk.
fn most_again(senders: usize, receivers: usize) -> usize {
    let at_once = config().limits.slices_per_peer;
    senders * at_once + receivers * 2 * at_once
}

#[test]
fn killed_at_any_moment_nothing_is_lost_and_only_what_was_on_its_way_comes_again() {
    let (ours, theirs) = (
        tempfile::TempDir::new().unwrap(),
        tempfile::TempDir::new().unwrap(),
    );
    let kills = kills();
    // Enough that the last kill still meets a fetch that is going on.
    let bytes = content((24 + 12 * kills) * MIB + 4321);
    let hash = BlobStore::open(theirs.path()).unwrap().put(&bytes).unwrap();
    let port = hydra_test_ports::free_ports(1);
    let address = Multiaddr::empty()
        .with(Protocol::Ip4([127, 0, 0, 1].into()))
        .with(Protocol::Tcp(port));
    let env = |provider: String| {
        vec![
            ("HYDRA_TEST_ADDRESS", address.to_string()),
            ("HYDRA_TEST_HASH", format!("{hash:?}")),
            ("HYDRA_TEST_SIZE", bytes.len().to_string()),
            ("HYDRA_TEST_PROVIDER", provider),
        ]
    };
    let serve = || {
        let mut process = Process::start("serve", theirs.path(), &env(String::new()));
        let id = process.says("ready").expect("it doesn't start");
        (process, id)
    };
    let (mut server, provider) = serve();
    let fetch = || Process::start("fetch", ours.path(), &env(provider.clone()));
    let mut client = fetch();
    let content_path = ours.path().join(format!("{hash:x}.part"));
    // Moments that look random, and are the same each time.
    let mut moment = blake3::Hasher::new().update(b"moments").finalize_xof();
    let (mut lost, mut unknown) = (Vec::new(), HashSet::new());
    // All that was ever sent was read before: what senders have read beyond the blob is the most that can have come again.
    let (mut read, mut senders) = (0, 0);
    for kill in 0..kills {
        let mut random = [0; 2];
        moment.fill(&mut random);
        std::thread::sleep(Duration::from_millis(
            200 + u64::from(u16::from_le_bytes(random)) / 200,
        ));
        if kill % 2 == 1 {
            read += server.has_read();
            senders += 1;
            server.kill();
            let (again, id) = serve();
            assert_eq!(id, provider);
            server = again;
            continue;
        }
        client.kill();
        // What is in the file and not known is fetched again, though it is there.
        let right = right(&content_path, &bytes);
        let store = BlobStore::open(ours.path()).unwrap();
        assert!(!store.has(hash), "killed too late for this test");
        let known: Vec<u64> = match store.resume(hash, |_| true).unwrap() {
            Some(partial) => partial.slices().iter().collect(),
            None => Vec::new(),
        };
        assert!(
            known.iter().all(|slice| right.contains(slice)),
            "what isn't there is taken for there"
        );
        // One that an earlier kill cost may not have come again yet.
        let now: HashSet<u64> = right.into_iter().filter(|slice| !known.contains(slice)).collect();
        lost.push(now.difference(&unknown).count());
        unknown = now;
        drop(store);
        client = fetch();
    }
    assert!(client.says("fetched").is_some(), "it doesn't come to an end");
    read += server.has_read();
    let store = BlobStore::open(ours.path()).unwrap();
    let size = bytes.len() as u64;
    assert!(store.get(hash, u64::MAX).unwrap() == Some(bytes));
    assert!(BlobStore::open(theirs.path()).unwrap().verify(hash).unwrap());
    assert!(lost.iter().all(|slices| *slices <= 1), "{lost:?}");
    assert!(read >= size, "{read} bytes were read of {size}");
    let again = read - size;
    let most = (most_again(senders, kills - senders) * MIB) as u64;
    let besides = read / HASHES + START * (senders as u64 + 1);
    eprintln!(
        "{kills} kills, {senders} of them of the sender: of {size} bytes, {again} were read once more to be sent, or are hashes; {most} is \
         what may have been on its way"
    );
    assert!(
        again <= most + besides,
        "{again} bytes once more, {most} at the most"
    );
}
