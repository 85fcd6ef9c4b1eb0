//! What Kademlia brings: what peers want kept for others, and what searches found.

use super::Discovery;
use crate::{
    allowance::Rate,
    book::Source,
    discovery::{
        behaviour::{Bounded, NEAREST},
        lookups::Found,
        providing,
        reachable::few,
        record::{self, Freshness, LONGEST_LIFE, PeerRecord},
        store,
    },
    reports::Fault,
};
use libp2p::{
    PeerId,
    kad::{
        self, GetClosestPeersOk, GetProvidersOk, GetRecordOk, InboundRequest, ProgressStep, ProviderRecord,
        PutRecordError, QueryId, QueryResult, Record,
    },
};
use tokio::time::Instant;

/// Records and providers that one peer may bring: a signature is checked for each.
pub(super) const BRINGS: Rate = Rate {
    each_second: 1.0,
    burst: 64.0,
};
/// While a PC knows few, Kademlia looks for whoever is near it each time when it has met somebody, and then in every part of the table
/// beyond the nearest: ten searches among a thousand. Two are enough, the last ones, for the halves and quarters that most peers are in;
/// walks do the rest.
const REFRESHES: u32 = 2;
/// Addresses that are kept of a provider.
const PROVIDER_ADDRESSES: usize = 4;

impl Discovery {
    /// Hears what Kademlia has to say. Returns peers that are to be dialled now, while it knows where they are.
    pub(super) fn on_kad(&mut self, kad: &mut Bounded, event: &kad::Event, now: Instant) -> Vec<PeerId> {
        match event {
            kad::Event::InboundRequest {
                request:
                    InboundRequest::PutRecord {
                        source,
                        record: Some(record),
                        ..
                    },
            } => self.on_record(kad, *source, record, now),
            kad::Event::InboundRequest {
                request: InboundRequest::AddProvider { record: Some(record) },
            } => self.on_provider(kad, record, now),
            kad::Event::OutboundQueryProgressed { id, result, step, .. } => {
                return self.on_progress(kad, *id, result, step, now);
            }
            kad::Event::RoutingUpdated {
                is_new_peer: true, ..
            } => {
                self.publisher.in_network(now);
                self.providing.in_network();
            }
            kad::Event::RoutablePeer { peer, address } => {
                let addresses = [address.clone()];
                self.table
                    .admit(kad, &self.common.members, *peer, address, &addresses);
            }
            _ => {}
        }
        Vec::new()
    }

    fn on_progress(
        &mut self,
        kad: &mut Bounded,
        id: QueryId,
        result: &QueryResult,
        step: &ProgressStep,
        now: Instant,
    ) -> Vec<PeerId> {
        let (first, last) = (step.count.get() == 1, step.last);
        let mut found = Vec::new();
        match result {
            QueryResult::GetRecord(result) => {
                if let Ok(GetRecordOk::FoundRecord(given)) = result {
                    self.on_given(kad, id, given, now);
                }
                if last {
                    match self.lookups.ended(&id, now) {
                        // Kademlia finds a server by asking its way to it, and is connected to it then.
                        Found::Nobody(peer) => {
                            self.info.begun.ways += 1;
                            kad.inner.get_n_closest_peers(peer, NEAREST);
                        }
                        Found::Record(_) | Found::Open => {}
                    }
                }
            }
            QueryResult::GetProviders(result) => {
                if let Ok(GetProvidersOk::FoundProviders { providers, .. }) = result {
                    let (new, enough) = self.searches.named(&id, providers.iter());
                    found = new;
                    if enough && let Some(mut query) = kad.inner.query_mut(&id) {
                        query.finish();
                    }
                }
                if last {
                    self.searches.ended(&id);
                }
            }
            QueryResult::StartProviding(_) | QueryResult::RepublishProvider(_) => {
                self.providing.ended(&id);
            }
            QueryResult::PutRecord(result) | QueryResult::RepublishRecord(result) => match result {
                Err(
                    PutRecordError::QuorumFailed { success, .. } | PutRecordError::Timeout { success, .. },
                ) if success.is_empty() => self.publisher.failed(now),
                _ => {
                    self.publisher.kept();
                    self.info.published += 1;
                }
            },
            QueryResult::GetClosestPeers(Ok(GetClosestPeersOk { key, peers })) => {
                let answered: Vec<PeerId> = peers.iter().map(|info| info.peer_id).collect();
                self.table.judge(kad, key, &answered);
            }
            QueryResult::Bootstrap(result) => {
                let left = result.as_ref().map_or(0, |progress| progress.num_remaining);
                // What is told is the end of a search: the first one's, or one's that was let run.
                self.info.begun.refreshes += u64::from(first || left < REFRESHES);
                // The next one has begun already.
                if left > REFRESHES
                    && let Some(mut query) = kad.inner.query_mut(&id)
                {
                    query.finish();
                }
            }
            QueryResult::GetClosestPeers(Err(_)) => {}
        }
        found
    }

    /// A peer wants its record kept.
    fn on_record(&mut self, kad: &mut Bounded, source: PeerId, record: &Record, now: Instant) {
        if !self.may_bring(source, now) {
            return;
        }
        let checked = PeerRecord::verify(&record.value, &self.network);
        let checked = match checked {
            // Nobody brings another's: who makes a record renews it.
            Ok(checked) if checked.peer == source && record::belongs(&source, &record.key) => checked,
            wrong => {
                tracing::debug!(peer = %source, ?wrong, "refused a record");
                self.common.reports.fault(source, Fault::Invalid);
                return;
            }
        };
        let now_s = self.now_s();
        if checked.freshness(now_s) == Freshness::Doubtful {
            // One of both clocks is wrong, and that is nobody's fault.
            return;
        }
        let life = store::life(checked.expires, now_s, LONGEST_LIFE);
        let mut record = record.clone();
        record.expires = std::time::Instant::now().checked_add(life);
        record.publisher = None;
        let member = self.common.members.contains(&source);
        let kept = kad.inner.store_mut().keep(record, &checked, member);
        tracing::trace!(peer = %source, ?kept, "a record was brought");
    }

    /// A peer says that it has a blob.
    fn on_provider(&mut self, kad: &mut Bounded, record: &ProviderRecord, now: Instant) {
        let source = record.provider;
        // Whoever has got many blobs lately means no harm.
        if !self.brings.take(source, now) {
            return;
        }
        if !providing::is_key(&record.key) {
            self.common.reports.fault(source, Fault::Invalid);
            return;
        }
        let mut record = record.clone();
        let fitting = std::mem::take(&mut record.addresses).into_iter();
        record.addresses = few(
            fitting.filter(|address| kad.surroundings.fits(address)),
            PROVIDER_ADDRESSES,
        );
        let member = self.common.members.contains(&source);
        let kept = kad.inner.store_mut().keep_provider(record, member);
        tracing::trace!(peer = %source, ?kept, "a provider said so");
    }

    fn may_bring(&mut self, source: PeerId, now: Instant) -> bool {
        let may = self.brings.take(source, now);
        if !may {
            self.common.reports.fault(source, Fault::Flood);
        }
        may
    }

    /// Somebody gave what it keeps as a peer's record.
    fn on_given(&mut self, kad: &mut Bounded, id: QueryId, given: &kad::PeerRecord, now: Instant) {
        let wanted = self.lookups.peer(&id);
        match PeerRecord::verify(&given.record.value, &self.network) {
            Ok(record) if record.peer == self.common.local && wanted.is_none() => {
                self.publisher.has_told(record.sequence, now);
            }
            Ok(record) if Some(record.peer) == wanted => {
                let addresses = record.addresses.iter();
                let fitting = addresses
                    .filter(|address| kad.surroundings.fits(address))
                    .cloned();
                let (book, flags) = (&self.common.book, record.capabilities.flags());
                book.learn(record.peer, fitting, Source::Record);
                book.set_capabilities(&record.peer, flags.into(), u8::MAX.into());
                if self.lookups.given(&id, record, self.clock.ms() / 1000)
                    && let Some(mut query) = kad.inner.query_mut(&id)
                {
                    query.finish();
                }
            }
            wrong => {
                tracing::debug!(from = ?given.peer, ?wrong, "got a wrong record");
                if let Some(source) = given.peer {
                    self.common.reports.fault(source, Fault::Invalid);
                }
            }
        }
    }
}
