//! How much each caller may do: calls in a period, calls at once, bytes in a period; for each token, and for
//! each address. What is known of a caller is forgotten once nothing of that is used.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::bucket::{Bucket, Quota};
use crate::auth::{ByteRate, CallRate, Caller, Limit, TokenId, TokenLimits, TokenName};
use crate::config::{AddressLimitsTable, CallersConfig, TokenLimitsTable};
use crate::error::{CallError, ErrorKind};

/// Tokens, and addresses, of which something is known at once. Any more count as one, until others are
/// forgotten: who comes from many addresses takes no more of the host's memory.
const MAX_ACCOUNTS: usize = 1 << 16;

/// How often those are forgotten of whom nothing is to be known.
const FORGET_EVERY: Duration = Duration::from_secs(30);

/// How long a call waits for another one of its token to end, before it is refused.
const PLACE_TIMEOUT: Duration = Duration::from_secs(1);

/// What a request counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::front) enum Weight {
    /// Nothing: it is always let through.
    Nothing,
    /// The bytes of its bodies.
    Bytes,
    /// A call, and the bytes of its bodies.
    Call,
}

/// What all callers may do, and how much of it they have used.
pub(in crate::front) struct Callers {
    start: Instant,
    token: TokenLimitsTable,
    address: Limits,
    tokens: Accounts<TokenId>,
    addresses: Accounts<IpAddr>,
}

impl Callers {
    pub(in crate::front) fn new(config: CallersConfig) -> Self {
        let AddressLimitsTable { rate, burst, bytes } = config.address;
        Self {
            start: Instant::now(),
            token: config.token,
            address: Limits::new(rate, burst, None, bytes),
            tokens: Accounts::default(),
            addresses: Accounts::default(),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// What an address has used; `None` where addresses have no limits.
    pub(in crate::front) fn of_address(&self, address: IpAddr) -> Option<Arc<Account>> {
        (!self.address.is_empty()).then(|| self.addresses.get(address, self.now()))
    }

    /// Lets through a request that comes from the address with this account.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooManyRequests`], with the limit and when to try again.
    pub(in crate::front) fn admit_address(
        &self,
        account: Option<&Arc<Account>>,
        weight: Weight,
    ) -> Result<Option<Allowance>, CallError> {
        let Some(account) = account.filter(|_| weight != Weight::Nothing) else { return Ok(None) };
        account.admit(&self.address, Whose::Address, weight, self.now())?;
        Ok(Some(self.allowance(Arc::clone(account), &self.address, None)))
    }

    /// Lets through a request of this caller, and for a call waits a moment until one may begin.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooManyRequests`], with the limit and when to try again.
    pub(in crate::front) async fn admit_token(
        &self,
        caller: &Caller,
        weight: Weight,
    ) -> Result<Option<Allowance>, CallError> {
        let (Some(id), Some(name), Some(own)) = (caller.id(), caller.name(), caller.limits())
        else {
            return Ok(None);
        };
        let limits = Limits::of_token(own, &self.token);
        if limits.is_empty() || weight == Weight::Nothing {
            return Ok(None);
        }
        let account = self.tokens.get(*id, self.now());
        let whose = if caller.has_certificate() { Whose::Holder(name) } else { Whose::Token(name) };
        account.admit(&limits, whose, weight, self.now())?;
        let place = match limits.max_calls.filter(|_| weight == Weight::Call) {
            Some(most) => Some(account.place(most).await.ok_or_else(|| too_many(whose, most))?),
            None => None,
        };
        Ok(Some(self.allowance(account, &limits, place)))
    }

    fn allowance(&self, account: Arc<Account>, limits: &Limits, place: Option<Place>) -> Allowance {
        let bytes = limits.bytes.map(|(_, quota)| quota);
        Allowance { account, bytes, start: self.start, _place: place }
    }

    /// Forgets those of whom nothing is to be known, for as long as it is polled.
    pub(in crate::front) async fn keep_small(&self) {
        loop {
            tokio::time::sleep(FORGET_EVERY).await;
            self.tokens.forget_idle(self.now());
            self.addresses.forget_idle(self.now());
        }
    }
}

/// What one caller may do.
#[derive(Debug, Clone, Copy)]
struct Limits {
    calls: Option<(CallRate, Quota)>,
    max_calls: Option<NonZeroU32>,
    bytes: Option<(ByteRate, Quota)>,
}

impl Limits {
    fn new(
        rate: Option<CallRate>,
        burst: Option<NonZeroU32>,
        max_calls: Option<NonZeroU32>,
        bytes: Option<ByteRate>,
    ) -> Self {
        let burst = burst.map(|burst| u64::from(burst.get()));
        Self {
            calls: rate.map(|rate| (rate, Quota::new(rate.0, burst))),
            max_calls,
            bytes: bytes.map(|rate| (rate, Quota::new(rate.0, None))),
        }
    }

    /// Those of a token that says this of them.
    fn of_token(own: &TokenLimits, all: &TokenLimitsTable) -> Self {
        // The burst that all have goes with the rate that all have.
        let burst = own.burst.or(all.burst.filter(|_| own.rate.is_none()));
        Self::new(
            Limit::or(own.rate, all.rate),
            burst,
            Limit::or(own.max_calls, all.max_calls),
            Limit::or(own.bytes, all.bytes),
        )
    }

    fn is_empty(&self) -> bool {
        self.calls.is_none() && self.max_calls.is_none() && self.bytes.is_none()
    }
}

/// What one caller has used.
#[derive(Debug, Default)]
pub(in crate::front) struct Account {
    calls: Bucket,
    bytes: Bucket,
    /// Calls that are under way, where they are counted.
    running: AtomicU32,
    ended: Notify,
}

impl Account {
    fn admit(
        &self,
        limits: &Limits,
        whose: Whose,
        weight: Weight,
        now: u64,
    ) -> Result<(), CallError> {
        if let Some((rate, quota)) = limits.bytes {
            self.bytes
                .check(quota, now)
                .map_err(|wait| used_up(whose, &format_args!("{rate} of bodies"), "bytes", wait))?;
        }
        if let Some((rate, quota)) = limits.calls.filter(|_| weight == Weight::Call) {
            let what = format_args!("{rate} calls, {} at once", quota.size());
            self.calls.take(quota, now).map_err(|wait| used_up(whose, &what, "rate", wait))?;
        }
        Ok(())
    }

    /// A place for a call, of so many.
    async fn place(self: &Arc<Self>, most: NonZeroU32) -> Option<Place> {
        let deadline = tokio::time::Instant::now() + PLACE_TIMEOUT;
        loop {
            let mut ended = std::pin::pin!(self.ended.notified());
            // An end that comes after this is noticed.
            ended.as_mut().enable();
            let begin = |running: u32| (running < most.get()).then_some(running + 1);
            if self.running.fetch_update(Ordering::Relaxed, Ordering::Relaxed, begin).is_ok() {
                return Some(Place(Arc::clone(self)));
            }
            tokio::time::timeout_at(deadline, ended).await.ok()?;
        }
    }

    /// Whether it says nothing that a new one would not.
    fn is_idle(&self, now: u64) -> bool {
        self.calls.is_full(now) && self.bytes.is_full(now)
    }
}

/// A call that is under way, until it is dropped.
struct Place(Arc<Account>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
        self.0.ended.notify_one();
    }
}

/// What a request that was let through goes on to use.
pub(in crate::front) struct Allowance {
    account: Arc<Account>,
    bytes: Option<Quota>,
    start: Instant,
    _place: Option<Place>,
}

impl Allowance {
    /// So many bytes of its bodies were received or sent.
    pub(in crate::front) fn charge(&self, bytes: usize) {
        if let Some(quota) = self.bytes {
            let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.account.bytes.charge(quota, bytes as u64, now);
        }
    }
}

/// Whom a limit is for.
#[derive(Clone, Copy)]
enum Whose<'a> {
    Token(&'a TokenName),
    /// Of a certificate.
    Holder(&'a TokenName),
    Address,
}

impl fmt::Display for Whose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(name) => write!(f, "the token `{name}`"),
            Self::Holder(name) => write!(f, "the certificate of `{name}`"),
            Self::Address => f.write_str("this address"),
        }
    }
}

impl Whose<'_> {
    /// How the operator raises a limit.
    fn cure(self, key: &str) -> String {
        match self {
            Self::Token(name) => {
                let flag = key.replace('_', "-");
                format!(
                    "`tarp token limit {name} --{flag}`, or `{key}` of [callers.token], raises that"
                )
            }
            Self::Holder(_) => format!(
                "`{key}` in `limits` of its [[callers.certificate]], or of [callers.token], raises that"
            ),
            Self::Address => format!("`{key}` of [callers.address] raises that"),
        }
    }
}

fn used_up(whose: Whose, what: &dyn fmt::Display, key: &str, wait: Duration) -> CallError {
    let seconds = u32::try_from(wait.as_nanos().div_ceil(1_000_000_000)).unwrap_or(u32::MAX);
    let message = format!(
        "{whose} may have {what}, which are used up; try again in {seconds} s; {}",
        whose.cure(key)
    );
    CallError::new(ErrorKind::TooManyRequests, message).retry_after(seconds)
}

fn too_many(whose: Whose, most: NonZeroU32) -> CallError {
    let message = format!(
        "{most} calls of {whose} are under way, as many as it may have; try again when one has ended; {}",
        whose.cure("max_calls")
    );
    CallError::new(ErrorKind::TooManyRequests, message).retry_after(1)
}

/// What callers of one kind have used.
struct Accounts<K> {
    known: Mutex<HashMap<K, Arc<Account>>>,
    /// Of all those for whom there is no more room.
    others: Arc<Account>,
}

impl<K> Default for Accounts<K> {
    fn default() -> Self {
        Self { known: Mutex::default(), others: Arc::default() }
    }
}

impl<K: Eq + Hash> Accounts<K> {
    fn get(&self, key: K, now: u64) -> Arc<Account> {
        let mut known = self.lock();
        if let Some(account) = known.get(&key) {
            return Arc::clone(account);
        }
        // Before it grows, which is seldom: forgetting costs each new caller little.
        if known.len() == known.capacity() {
            forget_idle(&mut known, now);
        }
        if known.len() >= MAX_ACCOUNTS {
            return Arc::clone(&self.others);
        }
        let account = Arc::<Account>::default();
        known.insert(key, Arc::clone(&account));
        account
    }

    fn forget_idle(&self, now: u64) {
        let mut known = self.lock();
        forget_idle(&mut known, now);
        let enough = 2 * known.len();
        known.shrink_to(enough);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Arc<Account>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets accounts that are as new, and that no request and no connection has.
fn forget_idle<K>(known: &mut HashMap<K, Arc<Account>>, now: u64) {
    known.retain(|_, account| Arc::strong_count(account) > 1 || !account.is_idle(now));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Rights, Token};

    fn callers(toml: &str) -> Callers {
        Callers::new(toml::from_str(toml).unwrap())
    }

    fn token(name: &str, limits: TokenLimits) -> Caller {
        let token = Token::issue(name.parse().unwrap(), Rights::default(), None).token;
        Caller::of(Arc::new(token.with_limits(limits)))
    }

    fn address(bits: u32) -> IpAddr {
        IpAddr::V4(bits.into())
    }

    async fn calls(callers: &Callers, caller: &Caller, count: usize) -> usize {
        let mut admitted = 0;
        for _ in 0..count {
            admitted += usize::from(callers.admit_token(caller, Weight::Call).await.is_ok());
        }
        admitted
    }

    #[tokio::test]
    async fn a_token_has_the_limits_of_all_and_its_own_in_their_place() {
        let callers = callers("token = { rate = '5/h', burst = 2 }");
        let own = |text: &str, burst: Option<u32>| TokenLimits {
            rate: Some(text.parse().unwrap()),
            burst: burst.and_then(NonZeroU32::new),
            ..TokenLimits::default()
        };
        for (limits, expected) in [
            (TokenLimits::default(), 2),
            (TokenLimits { burst: NonZeroU32::new(3), ..TokenLimits::default() }, 3),
            // Its own rate comes with as many as it lets through, not with the burst of another.
            (own("4/h", None), 4),
            (own("4/h", Some(1)), 1),
            (own("unlimited", None), 10),
        ] {
            let caller = token("alice", limits.clone());
            assert_eq!(calls(&callers, &caller, 10).await, expected, "{limits:?}");
        }
        assert_eq!(calls(&callers, &Caller::anybody(), 10).await, 10);
    }

    #[tokio::test]
    async fn callers_do_not_use_up_what_others_have() {
        let callers = callers("token = { rate = '2/h' }\naddress = { rate = '3/h' }");
        let [alice, bob] = ["alice", "bob"].map(|name| token(name, TokenLimits::default()));
        assert_eq!(calls(&callers, &alice, 5).await, 2);
        assert_eq!(calls(&callers, &bob, 5).await, 2);
        for one in [1, 2] {
            let account = callers.of_address(address(one));
            let admitted =
                (0..5).filter(|_| callers.admit_address(account.as_ref(), Weight::Call).is_ok());
            assert_eq!(admitted.count(), 3);
            assert!(callers.admit_address(account.as_ref(), Weight::Bytes).is_ok());
        }
        let refused = callers.admit_token(&alice, Weight::Call).await.err().unwrap();
        assert_eq!(refused.kind, ErrorKind::TooManyRequests);
        assert!((1790..=1800).contains(&refused.retry_after.unwrap()), "{refused:?}");
        for part in ["`alice`", "2/h", "tarp token limit alice --rate", "[callers.token]"] {
            assert!(refused.message.contains(part), "{}", refused.message);
        }
    }

    #[tokio::test]
    async fn a_place_is_waited_for_and_given_back() {
        let callers = Arc::new(callers("token = { max_calls = 1 }"));
        let caller = token("alice", TokenLimits::default());
        let first = callers.admit_token(&caller, Weight::Call).await.unwrap();
        let refused = callers.admit_token(&caller, Weight::Call).await.err().unwrap();
        assert_eq!((refused.kind, refused.retry_after), (ErrorKind::TooManyRequests, Some(1)));
        assert!(callers.admit_token(&caller, Weight::Bytes).await.is_ok());
        let waiting = tokio::spawn({
            let (callers, caller) = (Arc::clone(&callers), caller.clone());
            async move { callers.admit_token(&caller, Weight::Call).await.is_ok() }
        });
        tokio::task::yield_now().await;
        drop(first);
        assert!(waiting.await.unwrap());
        assert!(callers.admit_token(&caller, Weight::Call).await.is_ok());
    }

    #[tokio::test]
    async fn bytes_are_charged_when_they_have_come() {
        let callers = callers("token = { bytes = '1 MiB/h' }");
        let caller = token("alice", TokenLimits::default());
        let allowance = callers.admit_token(&caller, Weight::Bytes).await.unwrap().unwrap();
        allowance.charge(2 << 20);
        let refused = callers.admit_token(&caller, Weight::Call).await.err().unwrap();
        assert_eq!(refused.kind, ErrorKind::TooManyRequests);
        assert!(refused.message.contains("1 MiB/h of bodies"), "{}", refused.message);
        assert!(callers.admit_token(&caller, Weight::Nothing).await.is_ok());
    }

    #[test]
    fn nothing_is_kept_of_callers_without_limits() {
        let callers = callers("");
        assert!(callers.of_address(address(1)).is_none());
        assert!(callers.addresses.lock().is_empty());
    }

    #[test]
    fn idle_callers_are_forgotten_and_others_are_bounded() {
        let callers = callers("address = { rate = '1/d' }");
        let now = callers.now();
        let known = || callers.addresses.lock().len();
        // They have used nothing, so they are as new.
        for bits in 0..200_000 {
            callers.addresses.get(address(bits), now);
        }
        assert!(known() < 1000, "{}", known());
        let use_up = |bits| {
            let account = callers.of_address(address(bits));
            callers.admit_address(account.as_ref(), Weight::Call).is_ok()
        };
        for bits in 0..MAX_ACCOUNTS as u32 {
            assert!(use_up(bits) && !use_up(bits));
        }
        assert_eq!(known(), MAX_ACCOUNTS);
        // All others together are one caller.
        assert!(use_up(1 << 30));
        assert!(!use_up(1 << 30) && !use_up((1 << 30) + 1));
        assert_eq!(known(), MAX_ACCOUNTS);
        callers.addresses.forget_idle(callers.now());
        assert_eq!(known(), MAX_ACCOUNTS, "they are to be remembered for a day");
        callers.addresses.forget_idle(now + 25 * 3600 * 1_000_000_000);
        assert_eq!(known(), 0);
        assert!(callers.addresses.lock().capacity() < 1000);
    }

    #[test]
    fn who_is_connected_is_not_forgotten() {
        let callers = callers("address = { rate = '1/s' }");
        let account = callers.of_address(address(1)).unwrap();
        callers.addresses.forget_idle(u64::MAX);
        assert!(Arc::ptr_eq(&account, &callers.of_address(address(1)).unwrap()));
    }
}
