//! Permits for calls: of the whole host, of one peer, of one procedure.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::callers::{Account, Callers};
use crate::error::{CallError, ErrorKind};

/// How long a call waits for a permit before it is refused.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(1);

/// A permit for a call, until it is dropped.
pub(in crate::front) struct CallPermit {
    _procedure: Option<OwnedSemaphorePermit>,
    _peer: OwnedSemaphorePermit,
    _host: OwnedSemaphorePermit,
}

/// The permits of one peer, shared by all its connections.
#[derive(Clone)]
pub(in crate::front) struct Peer {
    permits: Arc<Semaphore>,
    address: IpAddr,
    account: Option<Arc<Account>>,
}

impl Peer {
    /// With what its address has used of what callers may do.
    pub(in crate::front) fn with_account(self, callers: &Callers) -> Self {
        Self { account: callers.of_address(self.network()), ..self }
    }

    /// What its address has used; `None` where addresses have no limits.
    pub(in crate::front) fn account(&self) -> Option<&Arc<Account>> {
        self.account.as_ref()
    }

    /// Its address.
    pub(in crate::front) fn address(&self) -> IpAddr {
        self.address
    }

    /// Its address, or the network of it that counts as one.
    pub(in crate::front) fn network(&self) -> IpAddr {
        network(self.address)
    }
}

/// The permits of the whole host, and of each peer that is connected.
pub(in crate::front) struct Permits {
    host: Arc<Semaphore>,
    calls_per_peer: u32,
    peers: Mutex<HashMap<IpAddr, Weak<Semaphore>>>,
}

impl Permits {
    pub(in crate::front) fn new(calls: u32, calls_per_peer: u32) -> Self {
        let host = Arc::new(Semaphore::new(calls as usize));
        Self { host, calls_per_peer, peers: Mutex::default() }
    }

    /// The permits of the peer at this address.
    pub(in crate::front) fn peer(&self, address: IpAddr) -> Peer {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let network = network(address);
        if let Some(permits) = peers.get(&network).and_then(Weak::upgrade) {
            return Peer { permits, address, account: None };
        }
        // Seldom, so that forgetting costs each new peer little.
        if peers.len() == peers.capacity() {
            peers.retain(|_, peer| peer.strong_count() > 0);
        }
        let permits = Arc::new(Semaphore::new(self.calls_per_peer as usize));
        peers.insert(network, Arc::downgrade(&permits));
        Peer { permits, address, account: None }
    }

    /// A permit for a call by this peer, of a procedure that may have permits of its own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Overloaded`] where none was free within a moment, with the limit that it is.
    pub(in crate::front) async fn take(
        &self,
        peer: &Peer,
        procedure: Option<&Arc<Semaphore>>,
    ) -> Result<CallPermit, CallError> {
        let deadline = Instant::now() + PERMIT_TIMEOUT;
        let procedure = match procedure {
            Some(permits) => Some(one(permits, deadline).await.ok_or_else(|| {
                full("every place for a call of this procedure is taken; try again later, or raise `max_calls` in its sidecar")
            })?),
            None => None,
        };
        let peer = one(&peer.permits, deadline).await.ok_or_else(|| {
            full(&format!(
                "{} calls from this address are running, as many as it may have; try again later, or raise `max_calls_per_peer` of [server]",
                self.calls_per_peer
            ))
        })?;
        let host = one(&self.host, deadline).await.ok_or_else(|| {
            full("every place for a call is taken; try again later, or raise `max_calls` of [server]")
        })?;
        Ok(CallPermit { _procedure: procedure, _peer: peer, _host: host })
    }
}

async fn one(permits: &Arc<Semaphore>, deadline: Instant) -> Option<OwnedSemaphorePermit> {
    if let Ok(permit) = Arc::clone(permits).try_acquire_owned() {
        return Some(permit);
    }
    let permit = Arc::clone(permits).acquire_owned();
    tokio::time::timeout_at(deadline, permit).await.ok()?.ok()
}

fn full(message: &str) -> CallError {
    CallError::new(ErrorKind::Overloaded, message).retry_after(1)
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
        let permits = Permits::new(4, 3);
        let [greedy, other] = ["10.0.0.1", "10.0.0.2"].map(|ip| permits.peer(ip.parse().unwrap()));
        let mut taken = Vec::new();
        for _ in 0..3 {
            taken.push(permits.take(&greedy, None).await.unwrap());
        }
        let refused = permits.take(&greedy, None).await.err().unwrap();
        assert!(refused.message.contains("max_calls_per_peer"), "{}", refused.message);
        assert!(permits.take(&other, None).await.is_ok());
        taken.pop();
        assert!(permits.take(&greedy, None).await.is_ok());
    }

    #[tokio::test]
    async fn a_procedure_has_places_of_its_own() {
        let permits = Permits::new(4, 4);
        let peer = permits.peer("10.0.0.1".parse().unwrap());
        let own = Arc::new(Semaphore::new(1));
        let first = permits.take(&peer, Some(&own)).await.unwrap();
        let refused = permits.take(&peer, Some(&own)).await.err().unwrap();
        assert_eq!((refused.kind, refused.retry_after), (ErrorKind::Overloaded, Some(1)));
        assert!(refused.message.contains("sidecar"));
        assert!(permits.take(&peer, None).await.is_ok());
        drop(first);
        assert!(permits.take(&peer, Some(&own)).await.is_ok());
    }

    #[test]
    fn addresses_of_one_network_are_one_peer_and_those_who_left_are_forgotten() {
        let permits = Permits::new(1, 1);
        let peer = |ip: &str| permits.peer(ip.parse().unwrap());
        let one = peer("2001:db8::1");
        assert!(Arc::ptr_eq(&one.permits, &peer("2001:db8::2").permits));
        assert!(!Arc::ptr_eq(&one.permits, &peer("2001:db8:0:1::1").permits));
        for i in 0..10_000u32 {
            permits.peer(IpAddr::V4(i.into()));
        }
        assert!(permits.peers.lock().unwrap().len() < 1000);
    }
}
