//! What the code that `#[procedures]` generates needs; not for others.

use std::error::Error;
use std::fmt::{self, Display};
use std::ops::Deref;

pub use wit_bindgen::rt;

/// An argument that fits its type in WIT, and not the author's.
#[derive(Debug)]
pub struct Refusal {
    /// From the argument's name to the part that does not fit.
    place: String,
    reason: String,
}

impl Refusal {
    fn new(reason: String) -> Self {
        Self { place: String::new(), reason }
    }

    fn inside(self, part: &str) -> Self {
        Self { place: format!("{part}{}", self.place), ..self }
    }
}

impl Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the argument `{}`: {}", self.place, self.reason)
    }
}

/// Makes one value of another, and says where it is if that is refused.
///
/// # Errors
///
/// Those of `convert`.
pub fn part<A, B>(
    name: &str,
    value: A,
    convert: impl FnOnce(A) -> Result<B, Refusal>,
) -> Result<B, Refusal> {
    convert(value).map_err(|refusal| refusal.inside(name))
}

/// The same for each value of a list.
///
/// # Errors
///
/// Those of `convert`.
pub fn each<A, B>(
    values: Vec<A>,
    convert: impl Fn(A) -> Result<B, Refusal>,
) -> Result<Vec<B>, Refusal> {
    let values = values.into_iter().enumerate();
    values
        .map(|(index, value)| {
            convert(value).map_err(|refusal| refusal.inside(&format!("[{index}]")))
        })
        .collect()
}

/// An array of the values of a list.
///
/// # Errors
///
/// When there are more or fewer.
pub fn array<T, const LENGTH: usize>(values: Vec<T>) -> Result<[T; LENGTH], Refusal> {
    <[T; LENGTH]>::try_from(values).map_err(|values| {
        Refusal::new(format!("expected a list of {LENGTH}, got one of {}", values.len()))
    })
}

/// A `usize` or `isize`.
///
/// # Errors
///
/// When it does not fit into the component's.
pub fn size<From: Copy + Display, Size: Bounds + TryFrom<From>>(
    number: From,
) -> Result<Size, Refusal> {
    Size::try_from(number).map_err(|_| {
        let (least, most) = Size::BOUNDS;
        Refusal::new(format!("expected an integer from {least} to {most}, got {number}"))
    })
}

/// What an integer can be.
pub trait Bounds {
    /// The least and the greatest.
    const BOUNDS: (i128, i128);
}

impl Bounds for usize {
    const BOUNDS: (i128, i128) = (Self::MIN as i128, Self::MAX as i128);
}

impl Bounds for isize {
    const BOUNDS: (i128, i128) = (Self::MIN as i128, Self::MAX as i128);
}

/// An error whose text callers get. Of the traits below, method resolution takes the first that it has: that of
/// errors, that of what leads to one (`anyhow::Error`, `Box<dyn Error>`), that of everything else.
#[derive(Debug)]
pub struct Displayed<'a, T: ?Sized>(pub &'a T);

/// For errors.
pub trait OfError {
    /// The error and its causes.
    fn text(&self) -> String;
}

impl<T: Error + ?Sized> OfError for &&Displayed<'_, T> {
    fn text(&self) -> String {
        with_causes(self.0)
    }
}

/// For what leads to an error.
pub trait OfTarget {
    /// The error and its causes.
    fn text(&self) -> String;
}

impl<T: Deref<Target: Error> + ?Sized> OfTarget for &Displayed<'_, T> {
    fn text(&self) -> String {
        with_causes(&**self.0)
    }
}

/// For what can be displayed.
pub trait OfDisplay<T: ?Sized> {
    /// As it displays itself.
    fn text(&self) -> String
    where
        T: DisplayedToCallers;
}

impl<T: ?Sized> OfDisplay<T> for Displayed<'_, T> {
    fn text(&self) -> String
    where
        T: DisplayedToCallers,
    {
        self.0.display()
    }
}

/// What can be displayed; apart from [`Display`] for the sake of the compiler's message.
#[diagnostic::on_unimplemented(
    message = "callers get the text of an error, and `{Self}` has none",
    label = "the error is of the type `{Self}`",
    note = "implement `Display` for it, or write `Result<T, String>`; an enum or a struct in the module of the procedures reaches callers as a value"
)]
pub trait DisplayedToCallers {
    /// As it displays itself.
    fn display(&self) -> String;
}

impl<T: Display + ?Sized> DisplayedToCallers for T {
    fn display(&self) -> String {
        self.to_string()
    }
}

/// An error and its causes, without those that it tells by itself.
fn with_causes<T: Error + ?Sized>(error: &T) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let told = cause.to_string();
        if !text.ends_with(&told) {
            text = format!("{text}: {told}");
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_beyond_a_size_is_refused_with_its_bounds() {
        assert_eq!(size::<u64, u8>(255).unwrap(), 255);
        let message = part("values", vec![1_u64, 256], |values| each(values, size::<u64, u8>));
        assert_eq!(
            message.unwrap_err().to_string(),
            "the argument `values[1]`: expected an integer from 0 to 255, got 256"
        );
    }

    impl Bounds for u8 {
        const BOUNDS: (i128, i128) = (0, 255);
    }

    #[test]
    fn a_cause_that_the_error_tells_itself_is_not_told_twice() {
        #[derive(Debug)]
        struct Outer(std::io::Error);
        impl Display for Outer {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "outer: {}", self.0)
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        assert_eq!(with_causes(&Outer(std::io::Error::other("inner"))), "outer: inner");
    }
}
