//! What is said on a stream of `/hydra/node/1` before bytes are carried.
//!
//! | who | bytes | |
//! |-----|-------|-|
//! | asks | 1 | 0: which node stands beside you? 1: connect me with it |
//! | answers | 1 | 0: none, or not now. Otherwise the length of its PeerId, 64 at the most |
//! | | as many | the node's PeerId |
//!
//! After the answer to the first question the stream ends; after the other, all that follows is the nodes'.

use futures::{AsyncRead, AsyncReadExt};
use libp2p::PeerId;
use std::io;

/// The longest PeerId: a hash of 64 bytes has two more before it, and no node has one.
const LONGEST: usize = 64;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// Which node it is.
    Who,
    /// To be connected with it.
    Connect,
}

impl Question {
    pub(crate) fn encode(self) -> [u8; 1] {
        match self {
            Self::Who => [0],
            Self::Connect => [1],
        }
    }

    /// Reads it from a stranger.
    ///
    /// # Errors
    /// Those of the stream, and `InvalidData` for any other byte.
    pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        match byte(stream).await? {
            0 => Ok(Self::Who),
            1 => Ok(Self::Connect),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// The answer: the node's PeerId, or that there is none.
pub(crate) fn encode_answer(node: Option<&PeerId>) -> Vec<u8> {
    let bytes = node.map(|node| node.to_bytes()).unwrap_or_default();
    match u8::try_from(bytes.len()) {
        Ok(length) if bytes.len() <= LONGEST => [&[length], &bytes[..]].concat(),
        _ => vec![0],
    }
}

/// Reads the answer of a stranger.
///
/// # Errors
/// Those of the stream, and `InvalidData` for what is no PeerId.
pub(crate) async fn read_answer(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<PeerId>> {
    let length = usize::from(byte(stream).await?);
    if length == 0 {
        return Ok(None);
    }
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    let node =
        PeerId::from_bytes(&bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(Some(node))
}

async fn byte(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<u8> {
    let mut byte = [0];
    stream.read_exact(&mut byte).await?;
    Ok(byte[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{FutureExt, io::Cursor};
    use proptest::prelude::*;

    fn question(bytes: &[u8]) -> io::Result<Question> {
        let read = Question::read(&mut Cursor::new(bytes)).now_or_never();
        read.expect("bytes in memory are there at once")
    }

    fn answer(bytes: &[u8]) -> io::Result<Option<PeerId>> {
        let read = read_answer(&mut Cursor::new(bytes)).now_or_never();
        read.expect("bytes in memory are there at once")
    }

    #[test]
    fn what_is_said_is_understood() {
        for asked in [Question::Who, Question::Connect] {
            assert_eq!(question(&asked.encode()).unwrap(), asked);
        }
        let node = libp2p::identity::Keypair::generate_ed25519()
            .public()
            .to_peer_id();
        for said in [None, Some(node)] {
            assert_eq!(answer(&encode_answer(said.as_ref())).unwrap(), said);
        }
        assert_eq!(question(&[2]).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(question(&[]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(answer(&[65; 66]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_an_answer_or_none(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = question(&bytes);
            if let Ok(Some(node)) = answer(&bytes) {
                prop_assert_eq!(answer(&encode_answer(Some(&node))).unwrap(), Some(node));
            }
        }
    }
}
