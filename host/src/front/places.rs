//! Places for calls: of the whole host, of one peer, of one procedure. Knows no request.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::error::{CallError, Kind};

/// How long a call waits for a place before it is refused.
const PATIENCE: Duration = Duration::from_secs(1);

/// A place for a call, until it is dropped.
pub(super) struct Place {
    _procedure: Option<OwnedSemaphorePermit>,
    _peer: OwnedSemaphorePermit,
    _host: OwnedSemaphorePermit,
}

/// The places of one peer, shared by all its connections.
#[derive(Clone)]
pub(super) struct Peer(Arc<Semaphore>);

/// The places of the whole host, and of each peer that is connected.
pub(super) struct Places {
    host: Arc<Semaphore>,
    calls_per_peer: u32,
    peers: Mutex<HashMap<IpAddr, Weak<Semaphore>>>,
}

impl Places {
    pub(super) fn new(calls: u32, calls_per_peer: u32) -> Self {
        let host = Arc::new(Semaphore::new(calls as usize));
        Self { host, calls_per_peer, peers: Mutex::default() }
    }

    /// The places of the peer at this address.
    pub(super) fn peer(&self, address: IpAddr) -> Peer {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let network = network(address);
        if let Some(peer) = peers.get(&network).and_then(Weak::upgrade) {
            return Peer(peer);
        }
        // Seldom, so that forgetting costs each new peer little.
        if peers.len() == peers.capacity() {
            peers.retain(|_, peer| peer.strong_count() > 0);
        }
        let peer = Arc::new(Semaphore::new(self.calls_per_peer as usize));
        peers.insert(network, Arc::downgrade(&peer));
        Peer(peer)
    }

    /// A place for a call by this peer, of a procedure that may have places of its own.
    ///
    /// # Errors
    ///
    /// [`Kind::Overloaded`] where none was free within a moment, with the limit that it is.
    pub(super) async fn take(
        &self,
        peer: &Peer,
        procedure: Option<&Arc<Semaphore>>,
    ) -> Result<Place, CallError> {
        let deadline = Instant::now() + PATIENCE;
        let procedure = match procedure {
            Some(places) => Some(one(places, deadline).await.ok_or_else(|| {
                full("every place for a call of this procedure is taken; try again later, or raise `max_calls` in its sidecar")
            })?),
            None => None,
        };
        let peer = one(&peer.0, deadline).await.ok_or_else(|| {
            full(&format!(
                "{} calls from this address are running, as many as it may have; try again later, or raise `max_calls_per_peer` of [server]",
                self.calls_per_peer
            ))
        })?;
        let host = one(&self.host, deadline).await.ok_or_else(|| {
            full("every place for a call is taken; try again later, or raise `max_calls` of [server]")
        })?;
        Ok(Place { _procedure: procedure, _peer: peer, _host: host })
    }
}

async fn one(places: &Arc<Semaphore>, deadline: Instant) -> Option<OwnedSemaphorePermit> {
    if let Ok(place) = Arc::clone(places).try_acquire_owned() {
        return Some(place);
    }
    let place = Arc::clone(places).acquire_owned();
    tokio::time::timeout_at(deadline, place).await.ok()?.ok()
}

fn full(message: &str) -> CallError {
    CallError::new(Kind::Overloaded, message).retry_after(1)
}

/// Of an IPv6 address what its owner cannot choose: anybody has 2⁶⁴ of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_peer_cannot_take_every_place() {
        let places = Places::new(4, 3);
        let [greedy, other] = ["10.0.0.1", "10.0.0.2"].map(|ip| places.peer(ip.parse().unwrap()));
        let mut taken = Vec::new();
        for _ in 0..3 {
            taken.push(places.take(&greedy, None).await.unwrap());
        }
        let refused = places.take(&greedy, None).await.err().unwrap();
        assert!(refused.message.contains("max_calls_per_peer"), "{}", refused.message);
        assert!(places.take(&other, None).await.is_ok());
        taken.pop();
        assert!(places.take(&greedy, None).await.is_ok());
    }

    #[tokio::test]
    async fn a_procedure_has_places_of_its_own() {
        let places = Places::new(4, 4);
        let peer = places.peer("10.0.0.1".parse().unwrap());
        let own = Arc::new(Semaphore::new(1));
        let first = places.take(&peer, Some(&own)).await.unwrap();
        let refused = places.take(&peer, Some(&own)).await.err().unwrap();
        assert_eq!((refused.kind, refused.retry_after), (Kind::Overloaded, Some(1)));
        assert!(refused.message.contains("sidecar"));
        assert!(places.take(&peer, None).await.is_ok());
        drop(first);
        assert!(places.take(&peer, Some(&own)).await.is_ok());
    }

    #[test]
    fn addresses_of_one_network_are_one_peer_and_those_who_left_are_forgotten() {
        let places = Places::new(1, 1);
        let peer = |ip: &str| places.peer(ip.parse().unwrap());
        let one = peer("2001:db8::1");
        assert!(Arc::ptr_eq(&one.0, &peer("2001:db8::2").0));
        assert!(!Arc::ptr_eq(&one.0, &peer("2001:db8:0:1::1").0));
        for i in 0..10_000u32 {
            places.peer(IpAddr::V4(i.into()));
        }
        assert!(places.peers.lock().unwrap().len() < 1000);
    }
}
