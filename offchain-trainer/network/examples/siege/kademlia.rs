//! Kademlia's questions as bytes, for who asks without waiting for libp2p's searches: protobuf messages, each with its length before it
//! (<https://github.com/libp2p/specs/blob/master/kad-dht/README.md#rpc-messages>).

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::Stream;
use std::io;

/// The longest answer that is read.
const LONGEST: usize = 16 * 1024;

/// A record that is to be kept.
pub fn put_value(key: &[u8], value: &[u8]) -> Vec<u8> {
    let record = [field(1, key), field(2, value)].concat();
    framed(&[field(2, key), field(3, &record)].concat())
}

/// Who is near the key.
pub fn find_node(key: &[u8]) -> Vec<u8> {
    framed(&[vec![1 << 3, 4], field(2, key)].concat())
}

/// Sends a question and waits for the answer, whatever it is.
pub async fn ask(stream: &mut Stream, question: &[u8]) -> io::Result<()> {
    stream.write_all(question).await?;
    stream.flush().await?;
    let (mut len, mut shift) = (0, 0);
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).await?;
        len |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] < 0x80 {
            break;
        }
        if shift > 14 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    if len > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    stream.read_exact(&mut vec![0; len]).await
}

/// Bytes, with the number of their field.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [vec![number << 3 | 2], varint(bytes.len()), bytes.to_vec()].concat()
}

fn framed(message: &[u8]) -> Vec<u8> {
    [varint(message.len()), message.to_vec()].concat()
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
