//! Not measured yet: what the pallet itself estimates. `scripts/weights` writes this file anew.

/// What the pallet's calls and hooks weigh.
pub type WeightInfo = ();
