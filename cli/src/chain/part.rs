//! What the chain's state says of one account's part in the network: its stake that is on its way back, why it is drawn for nothing,
//! its keys for making blocks, and what its work may still earn.

use codec::Decode;
use hydra_primitives::{
    AccountBytes, Balance, BlobRef, BlockNumber, ModelId,
    electorate::SessionIndex,
    poll::{Draw, PollId},
    proposal::Claim,
    rewards::{by_seats, verifiers_part},
    status::Outcome,
    task::PlaceIndex,
};
use serde::Deserialize;
use subxt::{
    dynamic,
    ext::scale_decode::DecodeAsType,
    rpcs::{Error as RpcError, client::rpc_params},
};

use super::{Chain, Hash};
use crate::error::Error;

/// An amount of stake on its way back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unbond {
    /// How much.
    pub amount: Balance,
    /// The block from which on it can be withdrawn.
    pub until: BlockNumber,
}

/// What a registered account's place in the electorates depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Attendance {
    /// The session of its last heartbeat, if it gave one.
    pub heartbeat: Option<SessionIndex>,
    /// Whether it missed a duty and wasn't heard of since.
    pub away: bool,
    /// No heartbeat before this block brings it back.
    pub away_until: BlockNumber,
    /// The session in which it last missed a duty, and how often it was away in it.
    pub absences: Option<(SessionIndex, u8)>,
    /// It is out before this session.
    pub out_until: SessionIndex,
}

/// A place of a model's current round.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its number.
    pub place: PlaceIndex,
    /// Who holds it.
    pub holder: AccountBytes,
    /// What its holder proposed.
    pub claim: Option<Claim>,
    /// The poll on that.
    pub poll: Option<PollId>,
    /// What became of it.
    pub outcome: Option<Outcome>,
    /// The draw that decided.
    pub draw: Draw,
    /// What it earns if it is accepted and its version confirmed, the verifiers' part included; nothing before it is verified.
    pub quoted: Balance,
}

/// [`Place`] as it is stored, without its number.
type StoredPlace = (
    AccountBytes,
    Option<Claim>,
    Option<PollId>,
    Option<Outcome>,
    Draw,
    Balance,
    Balance,
);
/// What an accepted place is worth once its version is confirmed, as it is stored: its holder, the update, the reward, and who was
/// right in the first draw, with how many seats.
type StoredPayout = (AccountBytes, BlobRef, Balance, Vec<(AccountBytes, u32)>);

/// Keys that a node made for making blocks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rotated {
    /// Their public halves: of BABE and of GRANDPA.
    pub keys: [[u8; 32]; 2],
    /// Shows that the node has their secrets.
    pub proof: Vec<u8>,
}

impl Chain {
    /// What of an account's stake is on its way back, the oldest first.
    pub async fn unbonding(&self, account: &AccountBytes, at: Hash) -> Result<Vec<Unbond>, Error> {
        let at = self.at(at).await?;
        let address = dynamic::storage::<([u8; 32],), dynamic::Value>("StakeVoting", "Unbonding");
        let value = self.within(at.storage().try_fetch(address, (*account,))).await?;
        let Some(value) = value.map_err(|error| self.strange(error))? else {
            return Ok(Vec::new());
        };
        let stored: Vec<(Balance, BlockNumber)> = self.exactly(value.bytes(), "its stakes")?;
        let unbonds = stored.into_iter();
        Ok(unbonds.map(|(amount, until)| Unbond { amount, until }).collect())
    }

    /// What an account's place in the electorates depends on; `None` if it isn't registered.
    pub async fn attendance(&self, account: &AccountBytes, at: Hash) -> Result<Option<Attendance>, Error> {
        #[derive(DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        struct Node {
            heartbeat: Option<u32>,
            away: bool,
            away_until: u32,
            absences: Option<(u32, u8)>,
            out_until: u32,
        }
        let at = self.at(at).await?;
        let address = dynamic::storage::<([u8; 32],), Node>("Reputation", "Nodes");
        let value = self.within(at.storage().try_fetch(address, (*account,))).await?;
        let Some(value) = value.map_err(|error| self.strange(error))? else {
            return Ok(None);
        };
        let node = value.decode().map_err(|error| self.strange(error))?;
        Ok(Some(Attendance {
            heartbeat: node.heartbeat,
            away: node.away,
            away_until: node.away_until,
            absences: node.absences,
            out_until: node.out_until,
        }))
    }

    /// The places of a model's current round, in order.
    pub async fn places(&self, model: ModelId, at: Hash) -> Result<Vec<Place>, Error> {
        let stored: Vec<(PlaceIndex, StoredPlace)> = self.of_places("Places", model, at).await?;
        let place = |(place, (holder, claim, poll, outcome, draw, quoted, _))| Place {
            place,
            holder,
            claim,
            poll,
            outcome,
            draw,
            quoted,
        };
        Ok(stored.into_iter().map(place).collect())
    }

    /// What an account's work on a model earns if all goes well: places that are being verified, and what waits for its version.
    pub async fn pending(&self, model: ModelId, account: &AccountBytes, at: Hash) -> Result<Balance, Error> {
        let places = self.places(model, at).await?;
        // What is accepted already is among the payouts.
        let open = places
            .iter()
            .filter(|place| place.holder == *account && place.outcome.is_none())
            .map(|place| place.quoted.saturating_sub(verifiers_part(place.quoted)));
        let payouts: Vec<(PlaceIndex, StoredPayout)> = self.of_places("Payouts", model, at).await?;
        let waiting = payouts.iter().map(|(_, payout)| part_of(payout, account));
        let sum = |sum: Balance, part| sum.saturating_add(part);
        Ok(open.chain(waiting).fold(0, sum))
    }

    /// What is stored for each place of a model.
    async fn of_places<T: Decode>(
        &self,
        entry: &str,
        model: ModelId,
        at: Hash,
    ) -> Result<Vec<(PlaceIndex, T)>, Error> {
        let at = self.at(at).await?;
        let address = dynamic::storage::<(ModelId, PlaceIndex), dynamic::Value>("TrainingProposals", entry);
        let entries = self.within(at.storage().iter(address, (model,))).await?;
        let mut entries = entries.map_err(|error| self.strange(error))?;
        let mut found = Vec::new();
        while let Some(stored) = self.within(entries.next()).await? {
            let stored = stored.map_err(|error| self.strange(error))?;
            // What was hashed stands behind its hash.
            let Some(place) = stored.key_bytes().last_chunk::<2>() else {
                return Err(self.strange("a key of its places has another format"));
            };
            let value = self.exactly(stored.value().bytes(), "its places")?;
            found.push((PlaceIndex::from_le_bytes(*place), value));
        }
        found.sort_by_key(|(place, _)| *place);
        Ok(found)
    }

    /// The keys with which an account makes blocks when it is drawn, as the chain has them: of BABE and of GRANDPA.
    pub async fn session_keys(
        &self,
        account: &AccountBytes,
        at: Hash,
    ) -> Result<Option<[[u8; 32]; 2]>, Error> {
        let at = self.at(at).await?;
        let address = dynamic::storage::<([u8; 32],), dynamic::Value>("Session", "NextKeys");
        let value = self.within(at.storage().try_fetch(address, (*account,))).await?;
        let value = value.map_err(|error| self.strange(error))?;
        value
            .map(|value| self.exactly(value.bytes(), "its session keys"))
            .transpose()
    }

    /// Who makes blocks in this session.
    pub async fn committee(&self, at: Hash) -> Result<Vec<AccountBytes>, Error> {
        let at = self.at(at).await?;
        let address = dynamic::storage::<(), dynamic::Value>("Session", "Validators");
        let value = self.within(at.storage().try_fetch(address, ())).await?;
        let Some(value) = value.map_err(|error| self.strange(error))? else {
            return Ok(Vec::new());
        };
        self.exactly(value.bytes(), "its committee")
    }

    /// What the chain holds of an account's balance while it has session keys.
    pub async fn key_deposit(&self, at: Hash) -> Result<Balance, Error> {
        let at = self.at(at).await?;
        self.constant(&at, "Session", "KeyDeposit")
    }

    /// How many blocks unbonding takes.
    pub async fn unbonding_delay(&self, at: Hash) -> Result<BlockNumber, Error> {
        let at = self.at(at).await?;
        let address = dynamic::storage::<(), u32>("StakeVoting", "UnbondingDelay");
        let value = self.within(at.storage().fetch(address, ())).await?;
        let value = value.map_err(|error| self.strange(error))?;
        value.decode().map_err(|error| self.strange(error))
    }

    /// Has the node make new session keys and keep their secrets. It does so only for whoever it trusts.
    pub async fn rotate_keys(&self, owner: &AccountBytes) -> Result<Rotated, Error> {
        #[derive(Deserialize)]
        struct Made {
            keys: String,
            proof: Option<String>,
        }
        let owner = format!("0x{}", hex::encode(owner));
        let made = self
            .rpc
            .request::<Made>("author_rotateKeysWithOwner", rpc_params![owner]);
        let made = match self.within(made).await? {
            Ok(made) => made,
            Err(RpcError::User(error)) => {
                return Err(Error::KeysRefused {
                    url: self.url().into(),
                    reason: error.message,
                });
            }
            Err(error) => return Err(self.rpc_error(error)),
        };
        let bytes = |text: &str| hex::decode(text.trim_start_matches("0x")).ok();
        let keys = bytes(&made.keys).and_then(|keys| <[[u8; 32]; 2]>::decode(&mut keys.as_slice()).ok());
        match (keys, made.proof.as_deref().and_then(bytes)) {
            (Some(keys), Some(proof)) => Ok(Rotated { keys, proof }),
            _ => Err(self.strange("the session keys that it makes have another format")),
        }
    }

    /// Bytes that are this and nothing else.
    fn exactly<T: Decode>(&self, mut bytes: &[u8], what: &str) -> Result<T, Error> {
        match T::decode(&mut bytes) {
            Ok(value) if bytes.is_empty() => Ok(value),
            _ => Err(self.strange(format!("{what} have another format"))),
        }
    }
}

/// What of a payout is this account's: of the place, and of its verifiers' fifth.
fn part_of((holder, _, reward, right): &StoredPayout, account: &AccountBytes) -> Balance {
    let fifth = verifiers_part(*reward);
    let all = right
        .iter()
        .fold(0u32, |all, (_, seats)| all.saturating_add(*seats));
    let own = right.iter().filter(|(who, _)| who == account);
    let verified = own.fold(0, |sum: Balance, (_, seats)| {
        sum.saturating_add(by_seats(fifth, *seats, all))
    });
    match holder == account {
        true => reward.saturating_sub(fifth).saturating_add(verified),
        false => verified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Encode;
    use hydra_primitives::{H256, HYDRA};

    fn update() -> BlobRef {
        BlobRef {
            hash: H256::zero(),
            size: 4,
        }
    }

    #[test]
    fn four_fifths_are_the_holder_s_and_one_is_divided_by_seats() {
        let payout: StoredPayout = ([1; 32], update(), 10 * HYDRA, vec![([2; 32], 3), ([3; 32], 1)]);
        let parts = [1, 2, 3, 4].map(|who| part_of(&payout, &[who; 32]));
        assert_eq!(parts, [8 * HYDRA, 3 * HYDRA / 2, HYDRA / 2, 0]);
        // Alone on its network nobody else verified it.
        let alone: StoredPayout = ([1; 32], update(), 10 * HYDRA, vec![]);
        assert_eq!(part_of(&alone, &[1; 32]), 8 * HYDRA);
    }

    #[test]
    fn a_place_is_read_as_the_pallet_stores_it() {
        #[derive(Encode)]
        struct Stored {
            holder: AccountBytes,
            claim: Option<Claim>,
            poll: Option<PollId>,
            outcome: Option<Outcome>,
            draw: Draw,
            quoted: Balance,
            forfeit: Balance,
        }
        let claim = Claim {
            base: H256::zero(),
            update: update(),
        };
        let stored = Stored {
            holder: [7; 32],
            claim: Some(claim),
            poll: Some(H256::repeat_byte(1)),
            outcome: Some(Outcome::Undecided),
            draw: Draw::Last,
            quoted: HYDRA,
            forfeit: 2 * HYDRA,
        };
        let read = StoredPlace::decode(&mut stored.encode().as_slice()).unwrap();
        let expected = (
            [7; 32],
            Some(claim),
            Some(H256::repeat_byte(1)),
            Some(Outcome::Undecided),
            Draw::Last,
            HYDRA,
            2 * HYDRA,
        );
        assert_eq!(read, expected);
    }
}
