//! The electorate over maps in memory, which count, and over the pallet's storage.

mod chi_squared;
mod hostile;
mod memory;
mod model;
mod sessions;
mod size;
mod stored;
mod stretches;

use super::{Electorate, Store};
use hydra_primitives::H256;
use memory::Memory;

/// The electorate of session 0 with accounts 0, 1, … of these weights.
fn with(weights: &[u64]) -> Electorate<Memory> {
    appended(Electorate::new(Memory::<u32>::default(), 0), weights)
}

/// This electorate with accounts 0, 1, … of these weights, too.
fn appended(mut electorate: Electorate<Memory>, weights: &[u64]) -> Electorate<Memory> {
    for (who, weight) in (0..).zip(weights) {
        electorate.append(&who, *weight).unwrap();
    }
    electorate
}

/// The electorate of another session in the same store.
fn at<S: Store + Clone>(electorate: &Electorate<S>, session: u32) -> Electorate<S> {
    Electorate::new(electorate.store.clone(), session)
}

/// Who stands at each point of the line.
fn line(electorate: &Electorate<Memory>) -> Vec<u32> {
    let total = electorate.total().unwrap();
    (0..total)
        .map(|point| electorate.at(point).unwrap().who)
        .collect()
}

/// A seed like no other.
fn seed(number: u32) -> H256 {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    H256(bytes)
}
