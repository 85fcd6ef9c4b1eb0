//! Provides and gets a blob with iroh-blobs, and says what it took in the words of our own benchmark
//! (`offchain-trainer/network/examples/throughput`).
//!
//! `provide FILE` prints `ready TICKET`, and `memory KIB` when its input ends; `get FOLDER TICKET` prints `got BYTES SECONDS KIB`. No
//! relay, no look-up of addresses: two processes on one computer.

use anyhow::{Context, Result, bail};
use iroh::{Endpoint, RelayMode, endpoint::presets, protocol::Router};
use iroh_blobs::{
    BlobFormat, BlobsProtocol,
    api::blobs::{AddPathOptions, ImportMode},
    store::fs::FsStore,
    ticket::BlobTicket,
};
use std::{io::Read, path::Path, time::Instant};

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["provide", file] => provide(file).await,
        ["get", folder, ticket] => get(folder, ticket).await,
        _ => bail!("provide FILE, or get FOLDER TICKET"),
    }
}

async fn endpoint() -> Result<Endpoint> {
    let builder = Endpoint::builder(presets::Minimal).relay_mode(RelayMode::Disabled);
    Ok(builder.clear_ip_transports().bind_addr("127.0.0.1:0")?.bind().await?)
}

async fn provide(file: &str) -> Result<()> {
    // Beside the file, so that both are on the same disk.
    let folder = Path::new(file).with_extension(format!("iroh-{}", std::process::id()));
    let store = FsStore::load(&folder).await?;
    let tag = store
        .blobs()
        .add_path_with_opts(AddPathOptions {
            path: std::path::absolute(file)?,
            mode: ImportMode::TryReference,
            format: BlobFormat::Raw,
        })
        .await?;
    let endpoint = endpoint().await?;
    let ticket = BlobTicket::new(endpoint.addr(), tag.hash, tag.format);
    let router = Router::builder(endpoint)
        .accept(iroh_blobs::ALPN, BlobsProtocol::new(&store, None))
        .spawn();
    println!("ready {ticket}");
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    println!("memory {}", peak_memory());
    router.shutdown().await?;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

async fn get(folder: &str, ticket: &str) -> Result<()> {
    let ticket: BlobTicket = ticket.parse()?;
    let store = FsStore::load(Path::new(folder).join("iroh")).await?;
    let endpoint = endpoint().await?;
    let connection = endpoint.connect(ticket.addr().clone(), iroh_blobs::ALPN).await?;
    let began = Instant::now();
    store.remote().fetch(connection, ticket.hash_and_format()).await?;
    let took = began.elapsed();
    let status = store.blobs().status(ticket.hash()).await?;
    let iroh_blobs::api::blobs::BlobStatus::Complete { size } = status else {
        bail!("it isn't complete: {status:?}");
    };
    println!("got {size} {} {}", took.as_secs_f64(), peak_memory());
    endpoint.close().await;
    store.shutdown().await.context("the store doesn't end")?;
    Ok(())
}

/// The most memory this process has had, in KiB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok())
        .unwrap_or(0)
}
