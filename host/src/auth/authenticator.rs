//! Finds out who makes a request: [`Authenticator`].

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::caller::{Caller, Identity};
use super::certificate::{Certified, Holders};
use super::limit::TokenLimits;
use super::store::{TokenSet, TokenStore, TokenStoreError};
use super::token::{Presented, Token, TokenName};

/// Knows the tokens that are valid at this moment.
///
/// Whoever asks neither waits nor locks: the tokens are replaced as a whole when they have changed.
pub struct Authenticator {
    store: Option<Arc<dyn TokenStore>>,
    access: ArcSwap<Access>,
    holders: Holders,
    changes: watch::Sender<()>,
}

/// What is asked of a request.
enum Access {
    /// Nothing: no token was ever made.
    Open,
    /// One of these tokens.
    Tokens(TokenSet),
    /// Which tokens are valid is not known, so none is.
    Unknown,
}

/// Why a request is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthError {
    /// It has no token, or none that is valid. Which of the two it is, and why a token is not valid, is not
    /// told.
    Unauthorized,
    /// Which tokens are valid cannot be found out at the moment.
    Unavailable,
}

impl Authenticator {
    /// One that asks for no tokens.
    #[must_use]
    pub fn open_to_all() -> Self {
        Self::with(None, Access::Open)
    }

    /// One that knows the tokens of this store.
    ///
    /// # Errors
    ///
    /// Where they cannot be loaded.
    pub async fn new(store: Arc<dyn TokenStore>) -> Result<Self, TokenStoreError> {
        let access = store.load().await?.map_or(Access::Open, Access::Tokens);
        Ok(Self::with(Some(store), access))
    }

    fn with(store: Option<Arc<dyn TokenStore>>, access: Access) -> Self {
        let access = ArcSwap::from_pointee(access);
        Self { store, access, holders: Holders::default(), changes: watch::channel(()).0 }
    }

    /// The same with these holders of certificates. Where there are any, requests need a certificate or a token.
    #[must_use]
    pub fn with_holders(self, holders: Holders) -> Self {
        Self { holders, ..self }
    }

    /// Those who are known by a certificate.
    #[must_use]
    pub fn holders(&self) -> &Holders {
        &self.holders
    }

    fn has_had_tokens(&self) -> bool {
        !matches!(**self.access.load(), Access::Open)
    }

    /// Who makes a request with this token.
    ///
    /// # Errors
    ///
    /// Where it needs another.
    pub fn caller(&self, token: Option<&[u8]>) -> Result<Caller, AuthError> {
        let access = self.access.load();
        let tokens = match &**access {
            Access::Open if self.holders.is_empty() => return Ok(Caller::anybody()),
            Access::Open => return Err(AuthError::Unauthorized),
            Access::Unknown => return Err(AuthError::Unavailable),
            Access::Tokens(tokens) => tokens,
        };
        let presented = token.and_then(Presented::read).ok_or(AuthError::Unauthorized)?;
        let known = tokens.get(&presented.id).filter(|token| presented.is_of(token));
        match known {
            Some(token) if !token.has_expired(SystemTime::now()) => {
                Ok(Caller::of(Arc::clone(token)))
            }
            _ => Err(AuthError::Unauthorized),
        }
    }

    /// Who makes a request on a connection that was made with this certificate.
    ///
    /// # Errors
    ///
    /// As [`Self::caller`].
    pub fn certified(&self, certified: &Arc<Certified>) -> Result<Caller, AuthError> {
        if matches!(**self.access.load(), Access::Unknown) {
            return Err(AuthError::Unavailable);
        }
        if certified.has_ended(SystemTime::now()) {
            return Err(AuthError::Unauthorized);
        }
        Ok(Caller::certified(Arc::clone(certified)))
    }

    /// The tokens that are valid at this moment, or have expired; `None` where that is not known.
    #[must_use]
    pub fn tokens(&self) -> Option<TokenSet> {
        match &**self.access.load() {
            Access::Open => Some(TokenSet::default()),
            Access::Tokens(tokens) => Some(tokens.clone()),
            Access::Unknown => None,
        }
    }

    /// Tells when they may be others.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// What is said of the limits of the token with this id, while it is not revoked, or of the holder of a
    /// certificate.
    #[must_use]
    pub fn limits_of(&self, id: &str) -> Option<TokenLimits> {
        if let Some(holder) = self.holders.get(id) {
            return Some(holder.limits.clone());
        }
        let Access::Tokens(tokens) = &**self.access.load() else { return None };
        Some(tokens.get(&id.parse().ok()?)?.limits.clone())
    }

    /// The name of the token with this id, while it is not revoked, or of the holder of a certificate.
    #[must_use]
    pub fn name_of(&self, id: &str) -> Option<TokenName> {
        if let Some(holder) = self.holders.get(id) {
            return Some(holder.name.clone());
        }
        let Access::Tokens(tokens) = &**self.access.load() else { return None };
        Some(tokens.get(&id.parse().ok()?)?.name.clone())
    }

    /// Completes when this caller would be refused by now: their token was revoked, rotated or has expired, their
    /// certificate counts no longer, or tokens are asked for since. For what goes on after its request was let through.
    pub async fn revoked(&self, caller: &Caller) {
        /// A clock may be set; it is looked at so often at least.
        const MAX_WAIT: Duration = Duration::from_secs(60);
        let mut changes = self.changes.subscribe();
        while self.still_lets(caller) {
            let left = caller
                .expires()
                .map(|expires| expires.duration_since(SystemTime::now()).unwrap_or_default());
            let replaced = async {
                match caller.identity() {
                    Some(Identity::Certificate(certified)) => certified.replaced.cancelled().await,
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = changes.changed() => {}
                () = replaced => {}
                () = tokio::time::sleep(left.unwrap_or(MAX_WAIT).min(MAX_WAIT)) => {}
            }
        }
    }

    fn still_lets(&self, caller: &Caller) -> bool {
        let access = self.access.load();
        match (&**access, caller.identity()) {
            (Access::Unknown, _) => false,
            (_, Some(Identity::Certificate(certified))) => !certified.has_ended(SystemTime::now()),
            (Access::Open, _) => true,
            (Access::Tokens(tokens), Some(Identity::Token(token))) => {
                let is_same = |now: &Arc<Token>| Arc::ptr_eq(now, token) || now == token;
                tokens.get(&token.id).is_some_and(is_same) && !token.has_expired(SystemTime::now())
            }
            (Access::Tokens(_), None) => false,
        }
    }

    /// Keeps to the store for as long as it is not dropped.
    pub async fn run(&self) {
        let Some(store) = &self.store else { return };
        let mut last_failure = None;
        loop {
            store.changed().await;
            match store.load().await {
                Ok(Some(tokens)) => {
                    info!(tokens = tokens.len(), "loaded the tokens");
                    self.change(Access::Tokens(tokens));
                    last_failure = None;
                }
                Ok(None) if !self.has_had_tokens() => {}
                // To remove them is no way to let everybody in.
                Ok(None) => {
                    warn!(
                        "the tokens are gone, and requests are refused; restore them, or start the host again without any"
                    );
                    self.change(Access::Tokens(TokenSet::default()));
                    last_failure = None;
                }
                Err(error) => {
                    let failure = error.to_string();
                    if last_failure.as_ref() != Some(&failure) {
                        error!(%error, "requests are refused until that is mended");
                    }
                    last_failure = Some(failure);
                    self.change(Access::Unknown);
                }
            }
        }
    }

    fn change(&self, access: Access) {
        self.access.store(Arc::new(access));
        self.changes.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use tokio::sync::Notify;

    use super::super::right::{Right, Rights};
    use super::super::store::Change;
    use super::super::token::Issued;
    use super::*;

    /// Tokens in memory; `None` in the inner place cannot be loaded.
    #[derive(Default)]
    struct Stored {
        tokens: Mutex<Option<Option<TokenSet>>>,
        changed: Notify,
    }

    impl Stored {
        fn put(&self, tokens: Option<Option<TokenSet>>) {
            *self.tokens.lock().unwrap() = tokens;
            self.changed.notify_one();
        }
    }

    #[async_trait]
    impl TokenStore for Stored {
        async fn load(&self) -> Result<Option<TokenSet>, TokenStoreError> {
            let tokens = self.tokens.lock().unwrap().clone();
            tokens.ok_or_else(|| TokenStoreError::Unknown("for a test".into()))
        }

        async fn update(&self, _: Change) -> Result<(), TokenStoreError> {
            unreachable!("nobody changes tokens here");
        }

        async fn changed(&self) {
            self.changed.notified().await;
        }
    }

    fn issued(name: &str, expires: Option<SystemTime>) -> Issued {
        let rights = Rights::new([Right::Jobs]);
        Token::issue(name.parse().unwrap(), rights, expires)
    }

    fn set(tokens: &[&Issued]) -> TokenSet {
        let mut set = TokenSet::default();
        tokens.iter().for_each(|issued| set.add(issued.token.clone()).unwrap());
        set
    }

    #[tokio::test]
    async fn a_valid_token_says_who_calls_and_every_other_is_refused_alike() {
        let hour = Duration::from_secs(3600);
        let valid = issued("valid", Some(SystemTime::now() + hour));
        let expired = issued("expired", Some(SystemTime::now() - hour));
        let (old, stranger) = (issued("rotated", None), issued("stranger", None));
        let rotated = old.token.clone().rotate();
        let store = Stored::default();
        store.put(Some(Some(set(&[&valid, &expired, &rotated]))));
        let authenticator = Authenticator::new(Arc::new(store)).await.unwrap();
        let caller = |text: &str| authenticator.caller(Some(text.as_bytes()));
        assert_eq!(caller(&valid.text).unwrap().id(), Some(&valid.token.id));
        assert_eq!(caller(&rotated.text).unwrap().name(), Some(&rotated.token.name));
        let mixed = format!("{}{}", &valid.text[..22], &rotated.text[22..]);
        for wrong in [&expired.text, &old.text, &stranger.text, &mixed, "", "tarp_", "nonsense"] {
            assert_eq!(caller(wrong).unwrap_err(), AuthError::Unauthorized, "{wrong}");
        }
        assert_eq!(authenticator.caller(None).unwrap_err(), AuthError::Unauthorized);
    }

    #[tokio::test]
    async fn changes_of_the_store_are_followed_and_doubt_lets_nobody_in() {
        let (alice, bob) = (issued("alice", None), issued("bob", None));
        let store = Arc::new(Stored::default());
        store.put(Some(None));
        let authenticator = Authenticator::new(Arc::<Stored>::clone(&store) as _).await.unwrap();
        let (text, anybody) = (Some(alice.text.as_bytes()), authenticator.caller(None).unwrap());
        let check = async {
            let mut changes = authenticator.changes.subscribe();
            let mut put = async |tokens| {
                store.put(tokens);
                changes.changed().await.unwrap();
            };
            put(Some(Some(set(&[&alice])))).await;
            authenticator.revoked(&anybody).await;
            assert!(authenticator.caller(None).is_err(), "the first token was made");
            let caller = authenticator.caller(text).unwrap();
            // Another token is no reason to end what this one does.
            put(Some(Some(set(&[&alice, &bob])))).await;
            assert!(authenticator.still_lets(&caller));
            for (tokens, error) in [
                (Some(Some(set(&[&bob]))), AuthError::Unauthorized),
                (None, AuthError::Unavailable),
                (Some(Some(TokenSet::default())), AuthError::Unauthorized),
                // Even where none are left, and where the file is gone.
                (Some(None), AuthError::Unauthorized),
            ] {
                put(tokens).await;
                assert_eq!(authenticator.caller(text).unwrap_err(), error);
                assert_eq!(authenticator.caller(None).unwrap_err(), error);
                authenticator.revoked(&caller).await;
            }
            put(Some(Some(set(&[&alice])))).await;
            assert!(authenticator.caller(text).is_ok());
        };
        tokio::select! {
            () = check => {}
            () = authenticator.run() => unreachable!("it goes on"),
        }
    }

    #[tokio::test]
    async fn a_token_that_expires_ends_what_it_began() {
        let soon = issued("soon", Some(SystemTime::now() + Duration::from_millis(200)));
        let store = Stored::default();
        store.put(Some(Some(set(&[&soon]))));
        let authenticator = Authenticator::new(Arc::new(store)).await.unwrap();
        let caller = authenticator.caller(Some(soon.text.as_bytes())).unwrap();
        let revoked = authenticator.revoked(&caller);
        tokio::time::timeout(Duration::from_secs(30), revoked).await.unwrap();
        assert!(authenticator.caller(Some(soon.text.as_bytes())).is_err());
    }
}
