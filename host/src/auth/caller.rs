//! Who makes a request: [`Caller`].

use std::sync::Arc;
use std::time::SystemTime;

use super::limit::TokenLimits;
use super::right::{Right, Rights};
use super::token::{Token, TokenId, TokenName};
use crate::error::{CallError, ErrorKind};

/// Who makes a request, and what they may do.
#[derive(Debug, Clone)]
pub struct Caller(Option<Arc<Token>>);

impl Caller {
    /// Anybody, who may do everything: a host that asks for no tokens knows no other.
    #[must_use]
    pub fn anybody() -> Self {
        Self(None)
    }

    /// Whoever has this token.
    pub(crate) fn of(token: Arc<Token>) -> Self {
        Self(Some(token))
    }

    /// The id of the token, by which what belongs to this caller is marked; `None` for [`Self::anybody`].
    #[must_use]
    pub fn id(&self) -> Option<&TokenId> {
        self.0.as_deref().map(|token| &token.id)
    }

    /// The name of the token.
    #[must_use]
    pub fn name(&self) -> Option<&TokenName> {
        self.0.as_deref().map(|token| &token.name)
    }

    /// The rights of the token; `None` for [`Self::anybody`].
    #[must_use]
    pub fn rights(&self) -> Option<&Rights> {
        self.0.as_deref().map(|token| &token.rights)
    }

    /// What the token says of its limits.
    #[must_use]
    pub fn limits(&self) -> Option<&TokenLimits> {
        self.0.as_deref().map(|token| &token.limits)
    }

    /// When the token expires.
    #[must_use]
    pub fn expires(&self) -> Option<SystemTime> {
        self.0.as_deref().and_then(|token| token.expires)
    }

    /// Whether the procedure, or mounted component, of this full name may be called.
    #[must_use]
    pub fn may_call(&self, name: &str) -> bool {
        self.rights().is_none_or(|rights| rights.include_call(name))
    }

    /// Whether the caller has this right.
    #[must_use]
    pub fn may(&self, right: &Right) -> bool {
        self.rights().is_none_or(|rights| rights.includes(right))
    }

    /// Lets through who has this right.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Forbidden`], which names the right.
    pub fn check(&self, right: &Right) -> Result<(), CallError> {
        if self.may(right) { Ok(()) } else { Err(lacks(right)) }
    }

    pub(super) fn token(&self) -> Option<&Arc<Token>> {
        self.0.as_ref()
    }
}

/// The refusal of a caller without a right.
pub(crate) fn lacks(right: &dyn std::fmt::Display) -> CallError {
    let message = format!(
        "this needs the right `{right}`, which the token of the request does not have; `tarp token list` shows what it has"
    );
    CallError::new(ErrorKind::Forbidden, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anybody_may_do_everything_and_a_token_what_it_allows() {
        let anybody = Caller::anybody();
        assert!(anybody.may_call("add") && anybody.check(&Right::Admin).is_ok());
        let rights = Rights::new(["call:add".parse().unwrap(), Right::Jobs]);
        let caller = Caller::of(Arc::new(Token::issue("a".parse().unwrap(), rights, None).token));
        assert!(caller.may_call("add") && !caller.may_call("subtract"));
        assert_eq!(caller.check(&Right::Jobs), Ok(()));
        let refused = caller.check(&Right::Metrics).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Forbidden);
        assert!(refused.message.contains("`metrics`"), "{}", refused.message);
    }
}
