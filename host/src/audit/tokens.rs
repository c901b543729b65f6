//! Tells the audit log of tokens that come, change and go.

use std::sync::Arc;

use super::{Audit, Entry, Event};
use crate::auth::{Authenticator, Right, Token, TokenSet};

impl Audit {
    /// Tells of each change of the tokens, for as long as it is polled. Of several changes between two looks, all
    /// are by whoever made the last one.
    pub async fn follow_tokens(&self, authenticator: &Authenticator) {
        let mut changes = authenticator.changes();
        let mut known = authenticator.tokens().unwrap_or_default();
        while changes.changed().await.is_ok() {
            // Where they cannot be read, nothing is known of a change.
            let Some(now) = authenticator.tokens() else { continue };
            self.tell_of(&known, &now);
            known = now;
        }
    }

    fn tell_of(&self, before: &TokenSet, now: &TokenSet) {
        let by = now.changed_by();
        for token in now.by_name() {
            match before.get(&token.id) {
                None => self.token(Event::TokenCreated, token, by),
                Some(old) if Arc::ptr_eq(old, token) || old == token => {}
                Some(_) => self.token(Event::TokenChanged, token, by),
            }
        }
        let gone = before.by_name().into_iter().filter(|token| now.get(&token.id).is_none());
        gone.for_each(|token| self.token(Event::TokenRevoked, token, by));
    }

    fn token(&self, event: Event, token: &Token, by: Option<&str>) {
        self.write(&Entry {
            token: Some(token.id.as_str()),
            name: Some(token.name.as_str()),
            by,
            allow: Some(token.rights.iter().map(Right::to_string).collect()),
            ..Entry::new(event)
        });
    }
}
