//! Who makes a request: [`Caller`].

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::certificate::Certified;
use super::limit::TokenLimits;
use super::right::{Right, Rights};
use super::token::{Token, TokenId, TokenName};
use crate::error::{CallError, ErrorKind};

/// Who makes a request, and what they may do.
#[derive(Debug, Clone)]
pub struct Caller(Option<Identity>);

/// By what a caller is known.
#[derive(Debug, Clone)]
pub(super) enum Identity {
    Token(Arc<Token>),
    Certificate(Arc<Certified>),
}

impl Caller {
    /// Anybody, who may do everything: a host that asks for no tokens knows no other.
    #[must_use]
    pub fn anybody() -> Self {
        Self(None)
    }

    /// Whoever has this token.
    pub(crate) fn of(token: Arc<Token>) -> Self {
        Self(Some(Identity::Token(token)))
    }

    /// Whoever has this certificate.
    pub(super) fn certified(certified: Arc<Certified>) -> Self {
        Self(Some(Identity::Certificate(certified)))
    }

    /// The id of the token, or one that follows from the name in a certificate, by which what belongs to this
    /// caller is marked; `None` for [`Self::anybody`].
    #[must_use]
    pub fn id(&self) -> Option<&TokenId> {
        Some(match self.0.as_ref()? {
            Identity::Token(token) => &token.id,
            Identity::Certificate(certified) => &certified.holder.id,
        })
    }

    /// The name of the token, or of the certificate's holder.
    #[must_use]
    pub fn name(&self) -> Option<&TokenName> {
        Some(match self.0.as_ref()? {
            Identity::Token(token) => &token.name,
            Identity::Certificate(certified) => &certified.holder.name,
        })
    }

    /// The rights of the token, or of the certificate's holder; `None` for [`Self::anybody`].
    #[must_use]
    pub fn rights(&self) -> Option<&Rights> {
        Some(match self.0.as_ref()? {
            Identity::Token(token) => &token.rights,
            Identity::Certificate(certified) => &certified.holder.rights,
        })
    }

    /// What is said of their limits.
    #[must_use]
    pub fn limits(&self) -> Option<&TokenLimits> {
        Some(match self.0.as_ref()? {
            Identity::Token(token) => &token.limits,
            Identity::Certificate(certified) => &certified.holder.limits,
        })
    }

    /// When the token, or the certificate, expires.
    #[must_use]
    pub fn expires(&self) -> Option<SystemTime> {
        match self.0.as_ref()? {
            Identity::Token(token) => token.expires,
            Identity::Certificate(certified) => Some(certified.expires),
        }
    }

    /// Whether they are known by a certificate.
    #[must_use]
    pub fn has_certificate(&self) -> bool {
        matches!(self.0, Some(Identity::Certificate(_)))
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
        if self.may(right) { Ok(()) } else { Err(self.lacks(right)) }
    }

    /// The refusal of this caller, who is without a right.
    pub(crate) fn lacks(&self, right: &dyn fmt::Display) -> CallError {
        let message = match &self.0 {
            Some(Identity::Certificate(certified)) => format!(
                "this needs the right `{right}`, which the certificate of `{}` does not have; `allow` of its [[callers.certificate]] has its rights",
                certified.holder.name
            ),
            _ => format!(
                "this needs the right `{right}`, which the token of the request does not have; `tarp token list` shows what it has"
            ),
        };
        CallError::new(ErrorKind::Forbidden, message)
    }

    pub(super) fn identity(&self) -> Option<&Identity> {
        self.0.as_ref()
    }
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
