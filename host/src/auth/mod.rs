//! Who may call what: tokens, the rights that they have, and where they are kept.
//!
//! A request's token comes to [`Authenticator::caller`], which gives a [`Caller`]: what the rest of the host
//! asks for rights; [`certificate`] has those who come with one instead. [`token`] has the text of a token and its hash, [`right`] and [`pattern`] what one may
//! allow, [`limit`] how much, [`store`] the trait by which tokens are kept, [`file`](mod@file) and [`document`] the one in a
//! file. It knows no HTTP.

mod authenticator;
mod caller;
mod certificate;
mod document;
mod file;
mod limit;
mod pattern;
mod right;
mod store;
mod token;

pub use authenticator::{AuthError, Authenticator};
pub use caller::Caller;
pub use certificate::{Certified, Holder, Holders, is_of_certificate};
pub use file::FileTokenStore;
pub use limit::{ByteRate, CallRate, InvalidRate, Limit, Rate, TokenLimits};
pub use pattern::Pattern;
pub use right::{InvalidRight, Right, Rights};
pub use store::{Change, TokenSet, TokenStore, TokenStoreError};
pub use token::{InvalidTokenName, Issued, Token, TokenId, TokenName};
