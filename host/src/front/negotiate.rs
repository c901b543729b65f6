//! Which form of a result a request wants, by its `Accept` header (RFC 9110, 12.5.1), and whether the
//! result can have it. That is decided by the procedure's signature before anything runs; only the
//! result of a job, which is there already, decides for itself.

use http::HeaderMap;
use http::header::ACCEPT;
use mediatype::{MediaType, MediaTypeList, Name, ReadParams as _};

use super::media::{PICKLE, VALUE};
use super::response::Form;
use crate::codec::pickle::Arrays;
use crate::codec::table::Columns;
use crate::codec::types::{Signature, Type};
use crate::error::{CallError, ErrorKind};
use crate::value::Value;

/// The forms that a result can have besides those that all can have.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Offer {
    /// As they are, for `list<u8>`.
    bytes: bool,
    /// As it is, for `string`, `char` and `enum`.
    text: bool,
    /// As CSV.
    table: Option<Columns>,
}

impl Offer {
    /// Of what a procedure with this signature returns.
    pub(super) fn of(signature: &Signature) -> Self {
        let ty = match &signature.result {
            Some(Type::Result { ok, .. }) => ok.as_deref(),
            other => other.as_ref(),
        };
        let Some(ty) = ty else { return Self::default() };
        Self {
            bytes: matches!(ty, Type::List(item) if **item == Type::U8),
            text: matches!(ty, Type::String | Type::Char | Type::Enum(_)),
            table: Columns::of_type(ty),
        }
    }

    /// Of a value that is there.
    pub(super) fn of_value(value: &Value) -> Self {
        Self {
            bytes: matches!(value, Value::Bytes(_)),
            text: matches!(value, Value::Text(_)),
            table: Columns::of_value(value),
        }
    }

    /// The media types of all forms, the default first, with the form that each means.
    pub(super) fn forms(&self, arrays: Arrays) -> Vec<(&'static str, Form)> {
        let mut forms = vec![
            ("application/json", Form::Envelope),
            // What a browser asks for when somebody types an address.
            (HTML, Form::Envelope),
            (VALUE, Form::Value),
            (PICKLE, Form::Pickle(arrays)),
        ];
        forms.extend(self.bytes.then_some(("application/octet-stream", Form::Raw)));
        forms.extend(self.text.then_some(("text/plain", Form::Raw)));
        forms.extend(self.table.clone().map(|columns| ("text/csv", Form::Table(columns))));
        forms
    }
}

const HTML: &str = "text/html";

/// The form that the request wants; `arrays` where it does not say how to write arrays into a pickle.
///
/// # Errors
///
/// [`ErrorKind::NotAcceptable`] where the result can have none of those that it accepts.
pub(super) fn form(
    headers: &HeaderMap,
    arrays: Arrays,
    offer: impl FnOnce() -> Offer,
) -> Result<Form, CallError> {
    let mut values = headers.get_all(ACCEPT).iter();
    match (values.next(), values.next()) {
        (None, _) => return Ok(Form::Envelope),
        // What most clients send.
        (Some(value), None) if value == "*/*" => return Ok(Form::Envelope),
        _ => {}
    }
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges = values.flat_map(MediaTypeList::new).filter_map(Result::ok);
    let ranges: Vec<Range> =
        ranges.enumerate().map(|(position, range)| Range { range, position }).collect();
    // Treat an unparseable `Accept` as absent.
    if ranges.is_empty() {
        return Ok(Form::Envelope);
    }
    let forms = offer().forms(arrays);
    let mut best: Option<(Rank, usize)> = None;
    for (i, (media_type, _)) in forms.iter().enumerate() {
        if let Some(rank) = rank(&ranges, media_type)
            // Whoever takes any text does not ask for a page.
            && (*media_type != HTML || rank.1 == EXACT)
            && best.is_none_or(|(highest, _)| rank > highest)
        {
            best = Some((rank, i));
        }
    }
    let Some((_, best)) = best else { return Err(not_acceptable(&forms)) };
    Ok(match &forms[best].1 {
        Form::Pickle(_) => Form::Pickle(wanted_arrays(&ranges).unwrap_or(arrays)),
        form => form.clone(),
    })
}

/// A media range of an `Accept` header.
struct Range<'a> {
    range: MediaType<'a>,
    position: usize,
}

/// The exactness of a range that names the media type itself.
const EXACT: u8 = 2;

/// How much a media type is liked: by its quality; among equals that which was named more exactly,
/// then that which was named first.
type Rank = (u16, u8, std::cmp::Reverse<usize>);

/// `None` where it is not accepted.
fn rank(ranges: &[Range], media_type: &str) -> Option<Rank> {
    let media_type = MediaType::parse(media_type).ok()?;
    let matching = ranges.iter().filter_map(|range| Some((range.exactness(&media_type)?, range)));
    // The most exact range is the one that counts.
    let (exactness, range) = matching
        .max_by_key(|(exactness, range)| (*exactness, std::cmp::Reverse(range.position)))?;
    let quality = range.quality();
    (quality > 0).then_some((quality, exactness, std::cmp::Reverse(range.position)))
}

impl Range<'_> {
    /// How exactly it means this media type, which it may not at all.
    fn exactness(&self, media_type: &MediaType) -> Option<u8> {
        let any = |name: Name| name.as_str() == "*";
        let MediaType { ty, subty, suffix, .. } = &self.range;
        if *ty == media_type.ty && *subty == media_type.subty && *suffix == media_type.suffix {
            Some(EXACT)
        } else if *ty == media_type.ty && any(*subty) {
            Some(1)
        } else if any(*ty) && any(*subty) {
            Some(0)
        } else {
            None
        }
    }

    /// In thousandths.
    fn quality(&self) -> u16 {
        let quality = self.parameter("q").and_then(|q| q.parse::<f32>().ok());
        (quality.unwrap_or(1.0).clamp(0.0, 1.0) * 1000.0) as u16
    }

    fn parameter(&self, name: &'static str) -> Option<std::borrow::Cow<'_, str>> {
        self.range.get_param(Name::new(name)?).map(|value| value.unquoted_str().into_owned().into())
    }
}

fn wanted_arrays(ranges: &[Range]) -> Option<Arrays> {
    let pickle = MediaType::parse(PICKLE).ok()?;
    let range = ranges.iter().find(|range| range.exactness(&pickle) == Some(EXACT))?;
    match &*range.parameter("arrays")? {
        "numpy" => Some(Arrays::Numpy),
        "list" => Some(Arrays::Lists),
        _ => None,
    }
}

fn not_acceptable(forms: &[(&'static str, Form)]) -> CallError {
    let fitting: Vec<_> =
        forms.iter().map(|(media_type, _)| *media_type).filter(|name| *name != HTML).collect();
    let message = format!(
        "the result has none of the forms that the Accept header names; it can be had as {}",
        fitting.join(", ")
    );
    CallError::new(ErrorKind::NotAcceptable, message)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn offer(ty: Type) -> Offer {
        Offer::of(&Signature { parameters: Vec::new(), result: Some(ty), is_async: false })
    }

    fn list_of(item: Type) -> Type {
        Type::List(Box::new(item))
    }

    fn wanted(accept: &str, ty: Type) -> Result<Form, CallError> {
        let value = HeaderValue::from_str(accept).unwrap();
        let headers = HeaderMap::from_iter([(ACCEPT, value)]);
        form(&headers, Arrays::Lists, || offer(ty))
    }

    #[test]
    fn the_envelope_is_for_everybody_who_does_not_say_otherwise() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        let image = "image/avif,image/webp,image/*,*/*;q=0.8";
        for accept in [
            "*/*",
            "application/json",
            "Application/JSON;charset=utf-8",
            "text/html",
            "application/*",
            "application/json, text/plain, */*",
            browser,
            image,
            "nonsense",
            "",
        ] {
            assert_eq!(wanted(accept, Type::String), Ok(Form::Envelope), "{accept}");
        }
        assert_eq!(form(&HeaderMap::new(), Arrays::Lists, Offer::default), Ok(Form::Envelope));
    }

    #[test]
    fn the_best_of_what_fits_is_taken() {
        let numbers = || list_of(Type::F64);
        let is_table = |form: Result<Form, CallError>| matches!(form, Ok(Form::Table(_)));
        assert!(is_table(wanted("text/csv", numbers())));
        assert!(is_table(wanted("application/json;q=0.5, text/csv", numbers())));
        assert!(is_table(wanted("*/*;q=0.9, text/csv;q=0.9", numbers())));
        assert_eq!(wanted("text/csv, */*;q=0.1", Type::F64), Ok(Form::Envelope));
        assert_eq!(wanted("application/json;q=0, */*", Type::F64), Ok(Form::Value));
        assert_eq!(wanted("text/*", Type::String), Ok(Form::Raw));
        assert!(is_table(wanted("text/*", numbers())));
        assert!(is_table(wanted("text/*, application/json;q=0.5", numbers())));
        assert_eq!(wanted("text/*, */*;q=0.1", Type::F64), Ok(Form::Envelope));
        assert_eq!(wanted("application/vnd.tarp.value+json", Type::F64), Ok(Form::Value));
        assert_eq!(wanted("application/octet-stream", list_of(Type::U8)), Ok(Form::Raw));
        assert_eq!(wanted("text/plain", Type::String), Ok(Form::Raw));
        let fallible = Type::Result { ok: Some(Box::new(numbers())), err: None };
        assert!(is_table(wanted("text/csv", fallible)), "the error has a status of its own");
    }

    #[test]
    fn pickles_say_how_arrays_are_written() {
        for (accept, arrays) in [
            ("application/vnd.tarp.pickle", Arrays::Lists),
            ("application/vnd.tarp.pickle;arrays=numpy", Arrays::Numpy),
            ("*/*;q=0.1, Application/Vnd.Tarp.Pickle ; arrays=\"numpy\"", Arrays::Numpy),
            ("application/vnd.tarp.pickle;arrays=list", Arrays::Lists),
        ] {
            assert_eq!(wanted(accept, Type::F64), Ok(Form::Pickle(arrays)), "{accept}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        for (accept, ty, fits) in [
            ("text/csv", Type::F64, "application/vnd.tarp.value+json"),
            ("application/octet-stream", Type::String, "text/plain"),
            ("image/png", list_of(Type::U8), "application/octet-stream"),
            ("text/*", Type::F64, "application/json"),
            ("application/json;q=0, text/html;q=0", list_of(Type::F64), "text/csv"),
        ] {
            let error = wanted(accept, ty).unwrap_err();
            assert_eq!(error.kind, ErrorKind::NotAcceptable, "{accept}");
            assert!(error.message.contains(fits), "{}", error.message);
            assert!(!error.message.contains("html"), "{}", error.message);
        }
    }

    #[test]
    fn a_value_says_itself_what_it_fits() {
        assert!(Offer::of_value(&Value::Bytes("a".into())).bytes);
        assert!(Offer::of_value(&Value::text("a")).text);
        assert!(Offer::of_value(&Value::List(vec![Value::Int(1)])).table.is_some());
        assert_eq!(Offer::of_value(&Value::Int(1)), Offer::default());
    }
}
