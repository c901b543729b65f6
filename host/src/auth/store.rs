//! Where tokens are kept: the trait [`TokenStore`], and what it keeps, [`TokenSet`].

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::token::{Token, TokenId, TokenName};

/// Keeps tokens, for one host or for several.
#[async_trait]
pub trait TokenStore: Send + Sync + 'static {
    /// All tokens; `None` where none was ever made, so that no request needs one.
    ///
    /// # Errors
    ///
    /// Where they cannot be read, or somebody else may have changed them.
    async fn load(&self) -> Result<Option<TokenSet>, TokenStoreError>;

    /// Changes the tokens, wholly or not at all, while nobody else does; `change` gets those that there are,
    /// none where none was ever made.
    ///
    /// # Errors
    ///
    /// What `change` fails with; where they cannot be read or written.
    async fn update(&self, change: Change) -> Result<(), TokenStoreError>;

    /// Waits until the tokens may be others than when they were loaded last.
    async fn changed(&self);
}

/// A change of the tokens.
pub type Change = Box<dyn FnOnce(&mut TokenSet) -> Result<(), TokenStoreError> + Send>;

/// Why tokens cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TokenStoreError {
    /// The file cannot be read or written.
    #[error("cannot use the tokens in {}: {source}", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not one of ours, or not whole.
    #[error(
        "{} is no file of tokens: {why}; restore it from a copy, or remove it and make the tokens anew",
        file.display()
    )]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Somebody else may have written the file.
    #[error(
        "others can write to {}, and could have put tokens there; see that it is right, and then give it to this user alone (chown, chmod 600)",
        file.display()
    )]
    Exposed {
        /// The file.
        file: PathBuf,
    },
    /// A name that another token has.
    #[error(
        "there is a token `{0}` already; `tarp token rotate {0}` gives it another secret, `tarp token revoke {0}` removes it"
    )]
    NameTaken(TokenName),
    /// There is no such token.
    #[error("there is no token `{0}`; `tarp token list` lists all")]
    Unknown(String),
    /// One more than there may be.
    #[error(
        "there are {0} tokens already, as many as a host takes; revoke some that are not needed"
    )]
    TooMany(usize),
}

/// All tokens, by their id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenSet {
    tokens: HashMap<TokenId, Arc<Token>>,
    /// Who changed them last, as far as is known.
    pub(super) changed_by: Option<Box<str>>,
}

impl TokenSet {
    /// How many there may be, so that a file of them is read at once.
    pub const MAX_COUNT: usize = 100_000;

    /// The token with this id.
    #[must_use]
    pub fn get(&self, id: &TokenId) -> Option<&Arc<Token>> {
        self.tokens.get(id)
    }

    /// All of them, by their names.
    #[must_use]
    pub fn by_name(&self) -> Vec<&Arc<Token>> {
        let mut tokens: Vec<_> = self.tokens.values().collect();
        tokens.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        tokens
    }

    /// Who changed them last, by the word of the command that they used; `None` where that is not known.
    #[must_use]
    pub fn changed_by(&self) -> Option<&str> {
        self.changed_by.as_deref()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Adds a token.
    ///
    /// # Errors
    ///
    /// [`TokenStoreError::NameTaken`] and [`TokenStoreError::TooMany`].
    pub fn add(&mut self, token: Token) -> Result<(), TokenStoreError> {
        if self.tokens.values().any(|other| other.name == token.name) {
            return Err(TokenStoreError::NameTaken(token.name));
        }
        if self.tokens.len() >= Self::MAX_COUNT {
            return Err(TokenStoreError::TooMany(self.tokens.len()));
        }
        self.tokens.insert(token.id, Arc::new(token));
        Ok(())
    }

    /// Removes the token with this name or id, and gives it.
    ///
    /// # Errors
    ///
    /// [`TokenStoreError::Unknown`].
    pub fn remove(&mut self, name_or_id: &str) -> Result<Arc<Token>, TokenStoreError> {
        let unknown = || TokenStoreError::Unknown(name_or_id.chars().take(80).collect());
        let named = self.tokens.values().find(|token| token.name.as_str() == name_or_id);
        let id = named.map(|token| token.id).or_else(|| name_or_id.parse().ok());
        id.and_then(|id| self.tokens.remove(&id)).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::super::right::Rights;
    use super::*;

    fn token(name: &str) -> Token {
        Token::issue(name.parse().unwrap(), Rights::default(), None).token
    }

    #[test]
    fn tokens_are_found_by_name_and_by_id() {
        let mut set = TokenSet::default();
        let (alice, bob) = (token("alice"), token("bob"));
        set.add(bob.clone()).unwrap();
        set.add(alice.clone()).unwrap();
        assert!(matches!(set.add(token("bob")), Err(TokenStoreError::NameTaken(_))));
        let names: Vec<_> = set.by_name().iter().map(|token| token.name.as_str()).collect();
        assert_eq!(names, ["alice", "bob"]);
        assert_eq!(set.remove("alice").unwrap().id, alice.id);
        assert_eq!(set.remove(bob.id.as_str()).unwrap().name, bob.name);
        assert!(matches!(set.remove("alice"), Err(TokenStoreError::Unknown(_))));
        assert!(set.is_empty());
    }
}
