//! Lists in brackets, as JSON, Python and NumPy write them: `[1, 2]`, `(1, 2)`, `array([1., 2.])`,
//! `[[1. 2.]\n [3. 4.]]`, `((1, 2), (3, 4))`. Tuples are read alike.

use std::borrow::Cow;

use serde_json::Value;

use super::element;
use super::notes::Notes;
use super::number::{self, NumberError};
use crate::types::Type;

/// What Python writes in front of an array's brackets.
const ARRAYS: [&str; 4] = ["array", "np.array", "numpy.array", "tensor"];

/// Whether a text is a list in brackets.
pub(super) fn is_meant(text: &str) -> bool {
    let is_array = |name: &&str| {
        text.strip_prefix(*name).is_some_and(|rest| rest.trim_start().starts_with('('))
    };
    text.starts_with(['[', '(']) || ARRAYS.iter().any(is_array)
}

/// Reads a list or a tuple of numbers, as deep as its type has it.
pub(super) fn read(text: &str, ty: &Type, notes: &mut Notes) -> Result<Value, BracketsError> {
    let mut reader =
        Reader { rest: text, has_commas: false, has_spaces: false, place: Vec::new(), notes };
    let value = match ARRAYS.iter().find(|name| text.starts_with(**name)) {
        Some(name) => reader.array(name, ty)?,
        None => reader.list(ty)?,
    };
    reader.skip();
    if !reader.rest.is_empty() {
        return Err(BracketsError::AfterEnd(number::shortened(reader.rest)));
    }
    if reader.has_commas && reader.has_spaces {
        return Err(BracketsError::Mixed);
    }
    Ok(value)
}

/// Why a text is no list in brackets of its type.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(in crate::arguments) enum BracketsError {
    #[error("`{0}` follows the end of the list")]
    AfterEnd(String),
    #[error("`{0}` follows the list")]
    Option(String),
    #[error("some numbers have commas between them, and some only spaces")]
    Mixed,
    #[error("a `{0}` is missing at its end")]
    Unclosed(char),
    #[error(transparent)]
    List(ItemError),
    #[error("{place}: {fault}")]
    Item { place: String, fault: ItemError },
}

/// What is wrong with a list or an item of one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(in crate::arguments) enum ItemError {
    #[error("a list is in the place of a number")]
    ListForNumber,
    #[error("a list in brackets is needed, not `{found}`{cure}")]
    NoList { found: String, cure: &'static str },
    #[error("`{0}` is not what can follow")]
    CannotFollow(String),
    #[error("there are more than {}", items_of(*.0))]
    TooMany(usize),
    #[error("{came} came, and it takes {}", items_of(*count))]
    TooFew { came: usize, count: usize },
    #[error("one number in parentheses is no list; [ ] make one")]
    OneInParentheses,
    #[error("a number is missing")]
    Nothing,
    #[error("a quote is opened and not closed")]
    OpenQuote,
    #[error(transparent)]
    Number(#[from] NumberError),
}

struct Reader<'a> {
    rest: &'a str,
    /// What was between items.
    has_commas: bool,
    has_spaces: bool,
    /// Which item of each list around it, from 1.
    place: Vec<usize>,
    notes: &'a mut Notes,
}

impl<'a> Reader<'a> {
    /// `array([1., 2.], dtype=float32)` of NumPy, `array('d', [1.0, 2.0])` of Python.
    fn array(&mut self, name: &str, ty: &Type) -> Result<Value, BracketsError> {
        self.rest = &self.rest[name.len()..];
        self.skip();
        self.take('(');
        self.skip();
        if self.rest.starts_with(['\'', '"']) {
            self.quoted()?;
            self.skip();
            self.take(',');
            self.skip();
        }
        let value = self.list(ty)?;
        self.skip();
        // What follows are the array's type and shape, which say nothing of its numbers.
        let end = self.rest.rfind(')').ok_or(BracketsError::Unclosed(')'))?;
        let (more, rest) = self.rest.split_at(end);
        let is_known = |option: &str| {
            let name = option.split('=').next().unwrap_or_default().trim();
            name.is_empty() || ["dtype", "device", "requires_grad"].contains(&name)
        };
        if let Some(option) = more.split(',').find(|option| !is_known(option)) {
            return Err(BracketsError::Option(number::shortened(option.trim())));
        }
        self.rest = &rest[1..];
        Ok(value)
    }

    fn list(&mut self, ty: &Type) -> Result<Value, BracketsError> {
        let ty = ty.present();
        let (inner, count) = match ty {
            Type::List(item) => (std::slice::from_ref(&**item), None),
            Type::Tuple(types) => (types.as_slice(), Some(types.len())),
            _ => return Err(self.here(ItemError::ListForNumber)),
        };
        let close = match self.rest.chars().next() {
            Some('[') => ']',
            Some('(') => ')',
            _ => {
                let found = self.word();
                let (cure, found) = (number::cure_of_ellipsis(found), number::shortened(found));
                return Err(self.here(ItemError::NoList { found, cure }));
            }
        };
        self.rest = &self.rest[1..];
        let mut items = Vec::new();
        let mut ends_with_comma = false;
        self.place.push(0);
        loop {
            let had_space = self.skip();
            if self.take(close) {
                break;
            }
            if self.rest.is_empty() {
                return Err(BracketsError::Unclosed(close));
            }
            if !items.is_empty() && !ends_with_comma {
                if self.take(',') {
                    self.has_commas = true;
                    ends_with_comma = true;
                    continue;
                }
                if !had_space && !self.rest.starts_with(['[', '(']) {
                    let found = number::shortened(self.word_or_char());
                    return Err(self.here(ItemError::CannotFollow(found)));
                }
                self.has_spaces = true;
            }
            if let Some(place) = self.place.last_mut() {
                *place = items.len() + 1;
            }
            let item = if count.is_some() { inner.get(items.len()) } else { inner.first() };
            let item = item.ok_or_else(|| self.here(ItemError::TooMany(inner.len())))?;
            items.push(self.item(item)?);
            ends_with_comma = false;
        }
        self.place.pop();
        if let Some(count) = count.filter(|count| *count > items.len()) {
            return Err(self.here(ItemError::TooFew { came: items.len(), count }));
        }
        if close == ')' && items.len() == 1 && !ends_with_comma {
            return Err(self.here(ItemError::OneInParentheses));
        }
        Ok(items.into())
    }

    fn item(&mut self, ty: &Type) -> Result<Value, BracketsError> {
        if matches!(ty.present(), Type::List(_) | Type::Tuple(_))
            || self.rest.starts_with(['[', '('])
        {
            return self.list(ty);
        }
        let text = match self.rest.chars().next() {
            Some('"' | '\'') => self.quoted()?.into(),
            _ => self.number(),
        };
        if text.is_empty() {
            return Err(self.here(ItemError::Nothing));
        }
        let place = &self.place;
        element(&text, ty, self.notes, || shown(place)).map_err(|why| self.here(why.into()))
    }

    /// A word; of `np.float64(1.5)` and `np.nan`, which Python writes of single numbers, the number.
    fn number(&mut self) -> Cow<'a, str> {
        let word = self.word();
        let (sign, unsigned) = word.split_at(usize::from(word.starts_with('-')));
        let modules = ["np.", "numpy.", "math."];
        let Some(bare) = modules.iter().find_map(|module| unsigned.strip_prefix(module)) else {
            return word.into();
        };
        let is_scalar =
            sign.is_empty() && ["float", "int", "uint"].iter().any(|name| bare.starts_with(name));
        let inside = self.rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        match inside {
            Some((number, rest)) if is_scalar => {
                self.rest = rest;
                number.trim_matches(['\'', '"']).into()
            }
            _ => format!("{sign}{bare}").into(),
        }
    }

    fn word(&mut self) -> &'a str {
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '(' | ')');
        let (word, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    /// What comes next, for a message.
    fn word_or_char(&mut self) -> &'a str {
        let all = self.rest;
        let word = self.word();
        let first = all.chars().next().map_or(0, char::len_utf8);
        if word.is_empty() { &all[..first] } else { word }
    }

    fn quoted(&mut self) -> Result<&'a str, BracketsError> {
        let (quote, rest) = self.rest.split_at(1);
        let (text, rest) = rest.split_once(quote).ok_or_else(|| self.here(ItemError::OpenQuote))?;
        self.rest = rest;
        Ok(text.trim())
    }

    fn take(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Passes white space; whether there was any.
    fn skip(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_start();
        self.rest.len() < before
    }

    /// What is wrong with what is being read.
    fn here(&self, fault: ItemError) -> BracketsError {
        match self.place.as_slice() {
            [] => BracketsError::List(fault),
            place => BracketsError::Item { place: shown(place), fault },
        }
    }
}

/// The items of a tuple, for a message.
fn items_of(count: usize) -> String {
    if count == 1 { "1 item".into() } else { format!("{count} items") }
}

fn shown(place: &[usize]) -> String {
    match place {
        [item] => format!("item {item}"),
        [row, item] => format!("row {row}, item {item}"),
        deeper => {
            let steps: Vec<_> = deeper.iter().map(ToString::to_string).collect();
            format!("item {}", steps.join(", "))
        }
    }
}
