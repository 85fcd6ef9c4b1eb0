//! Holds one port, sends from it, and says what comes to it: what the laboratory's routers are tested with.
//!
//!     prober udp|tcp PORT [IP]
//!
//! Reads lines and prints lines. By UDP, `ADDRESS:PORT WORD` sends the word there, which is printed as `sent ADDRESS:PORT WORD`, and what comes as `got ADDRESS:PORT WORD`.
//! By TCP, `ADDRESS:PORT` connects from the port; whoever is connected, by whichever side's doing, is told where they are seen, and both
//! sides print `connected ADDRESS:PORT seen-as ADDRESS:PORT`; what comes to nothing is printed as `failed ADDRESS:PORT REASON`. Ends with
//! its standard input.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines, Stdin},
    net::{TcpSocket, TcpStream, UdpSocket},
    time::timeout,
};

/// How long a connection may take. Those that work here take milliseconds; a lost first packet is sent again after one second.
const PATIENCE: Duration = Duration::from_secs(4);
/// Longest datagram that is looked at.
const DATAGRAM: usize = 256;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 16;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("prober: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let bad = || io::Error::other("usage: prober udp|tcp PORT [IP]");
    let (protocol, port) = (words.first().ok_or_else(bad)?, words.get(1).ok_or_else(bad)?);
    let ip: IpAddr = words
        .get(2)
        .map_or("0.0.0.0", String::as_str)
        .parse()
        .map_err(|_| bad())?;
    let own = SocketAddr::new(ip, port.parse().map_err(|_| bad())?);
    let orders = BufReader::new(tokio::io::stdin()).lines();
    match protocol.as_str() {
        "udp" => datagrams(own, orders).await,
        "tcp" => connections(own, orders).await,
        _ => Err(bad()),
    }
}

async fn datagrams(own: SocketAddr, mut orders: Lines<BufReader<Stdin>>) -> io::Result<()> {
    let socket = UdpSocket::bind(own).await?;
    println!("ready");
    let mut datagram = [0; DATAGRAM];
    loop {
        tokio::select! {
            came = socket.recv_from(&mut datagram) => match came {
                Ok((length, from)) => {
                    let word = datagram.get(..length).unwrap_or_default();
                    println!("got {from} {}", String::from_utf8_lossy(word));
                }
                // What was sent before was refused somewhere: said with the next call, whichever that is.
                Err(error) => println!("refused {error}"),
            },
            order = orders.next_line() => {
                let Some(order) = order? else { return Ok(()) };
                let Some((to, word)) = order.split_once(' ') else {
                    return Err(io::Error::other(format!("'{order}' is no address and word")));
                };
                // A refusal of what was sent before may be said now; then it is this that was not sent.
                let mut sent = socket.send_to(word.as_bytes(), to).await;
                if sent.is_err() {
                    sent = socket.send_to(word.as_bytes(), to).await;
                }
                match sent {
                    Ok(_) => println!("sent {to} {word}"),
                    Err(error) => println!("sent {to} {word}, or not: {error}"),
                }
            }
        }
    }
}

async fn connections(own: SocketAddr, mut orders: Lines<BufReader<Stdin>>) -> io::Result<()> {
    let listener = socket(own)?.listen(BACKLOG)?;
    println!("ready");
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, from)) = accepted {
                    tokio::spawn(greet(stream, from));
                }
            }
            order = orders.next_line() => {
                let Some(order) = order? else { return Ok(()) };
                let to: SocketAddr = order
                    .trim()
                    .parse()
                    .map_err(|_| io::Error::other(format!("'{order}' is no address")))?;
                let from = socket(own)?;
                tokio::spawn(async move {
                    match timeout(PATIENCE, from.connect(to)).await {
                        Ok(Ok(stream)) => greet(stream, to).await,
                        Ok(Err(error)) => println!("failed {to} {error}"),
                        Err(_) => println!("failed {to} no answer"),
                    }
                });
            }
        }
    }
}

/// A socket at the port, which others of this program share.
fn socket(own: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match own {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(own)?;
    Ok(socket)
}

/// Tells the other side where it is seen, prints where this one is, and keeps the connection until the other side ends it.
async fn greet(stream: TcpStream, other: SocketAddr) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let said = async {
        write.write_all(format!("{other}\n").as_bytes()).await?;
        lines.next_line().await
    };
    match timeout(PATIENCE, said).await {
        Ok(Ok(Some(seen))) => println!("connected {other} seen-as {seen}"),
        Ok(Ok(None)) => println!("failed {other} closed"),
        Ok(Err(error)) => println!("failed {other} {error}"),
        Err(_) => println!("failed {other} silent"),
    }
    let _ = lines.next_line().await;
}
