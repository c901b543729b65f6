//! Undoes the Content-Encoding of a request's body, within the limit of a body.
//!
//! The whole body is there before it is decoded, so that no decoder waits for a slow sender.

use std::io::{self, Read};

use axum::body::Bytes;
use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use super::body::{SizeLimit, too_large};
use super::media::unsupported;
use crate::budget::Charge;
use crate::error::{CallError, excerpt};

/// Encodings one upon the other; who sends more has something else in mind.
const MAX_ENCODINGS: usize = 4;

/// The largest window of zstd in HTTP is 8 MiB (RFC 9659).
const WINDOW_LOG: u32 = 23;

const KNOWN: &str = "gzip, deflate, zstd, br";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Gzip,
    Deflate,
    Zstd,
    Brotli,
}

/// The encodings of a body, in the order in which they were applied.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Encodings(Vec<Encoding>);

impl Encodings {
    /// Those that a request's headers name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnsupportedMediaType`](crate::error::ErrorKind::UnsupportedMediaType) for one that is not
    /// known, or too many of them.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, CallError> {
        let mut encodings = Vec::new();
        for value in headers.get_all(CONTENT_ENCODING) {
            let value = value
                .to_str()
                .map_err(|_| CallError::bad_request("the Content-Encoding header is not text"))?;
            for name in value.split(',').map(str::trim) {
                encodings.push(match &*name.to_ascii_lowercase() {
                    "" | "identity" => continue,
                    "gzip" | "x-gzip" => Encoding::Gzip,
                    "deflate" => Encoding::Deflate,
                    "zstd" => Encoding::Zstd,
                    "br" => Encoding::Brotli,
                    _ => {
                        let name = excerpt(name);
                        return Err(unsupported(format!(
                            "the Content-Encoding `{name}` is not known here; send the body as it is, or as one of {KNOWN}"
                        )));
                    }
                });
            }
        }
        if encodings.len() > MAX_ENCODINGS {
            return Err(unsupported(format!(
                "the body has more than {MAX_ENCODINGS} encodings upon each other"
            )));
        }
        Ok(Self(encodings))
    }

    /// Whether the body is as it is.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The body as it was before it was encoded.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`](crate::error::ErrorKind::TooLarge) where that is over the limit,
    /// [`ErrorKind::BadRequest`](crate::error::ErrorKind::BadRequest) for what is not so encoded; where there is no
    /// room for it. What was taken of `charge` stays taken.
    pub(super) fn decode(
        &self,
        body: Bytes,
        limit: usize,
        charge: &mut Charge,
    ) -> Result<Bytes, CallError> {
        if body.is_empty() {
            return Ok(body);
        }
        self.0.iter().rev().try_fold(body, |body, encoding| {
            charge.take(encoding.window())?;
            let mut into = Unpacked { bytes: Vec::new(), limit, charge: &mut *charge, fault: None };
            match (encoding.decode(&body, &mut into), into.fault) {
                (_, Some(fault)) => Err(fault),
                (Ok(()), None) => Ok(into.bytes.into()),
                (Err(e), None) => Err(CallError::bad_request(format!(
                    "the request's body is not {}, as its Content-Encoding says: {e}",
                    encoding.name()
                ))),
            }
        })
    }
}

impl Encoding {
    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
            Self::Brotli => "br",
        }
    }

    /// Bytes that its decoder holds at the most, while it decodes.
    fn window(self) -> usize {
        match self {
            Self::Gzip | Self::Deflate => 64 << 10,
            Self::Zstd => 9 << 20,
            // A window of 16 MiB, and its tables.
            Self::Brotli => 17 << 20,
        }
    }

    fn decode(self, body: &[u8], into: &mut Unpacked<'_>) -> io::Result<()> {
        match self {
            Self::Gzip => into.read(&mut MultiGzDecoder::new(body)),
            Self::Deflate if is_zlib(body) => {
                let mut decoder = ZlibDecoder::new(body);
                into.read(&mut decoder)?;
                ended(decoder.into_inner())
            }
            // Without its frame, as some have always sent it.
            Self::Deflate => {
                let mut decoder = DeflateDecoder::new(body);
                into.read(&mut decoder)?;
                ended(decoder.into_inner())
            }
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(body)?;
                decoder.window_log_max(WINDOW_LOG)?;
                into.read(&mut decoder)
            }
            Self::Brotli => brotli(body, into),
        }
    }
}

/// Whether it begins as RFC 1950 has it.
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [method, flags, ..]
        if method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0)
}

/// What is decoded at once.
const STEP: usize = 64 << 10;

/// A body as it is unpacked, charged as it grows.
struct Unpacked<'a> {
    bytes: Vec<u8>,
    limit: usize,
    charge: &'a mut Charge,
    /// Why no more is taken.
    fault: Option<CallError>,
}

impl Unpacked<'_> {
    /// Takes what comes next.
    fn add(&mut self, part: &[u8]) -> io::Result<()> {
        let added = self.reserve(self.bytes.len() + part.len());
        if let Err(fault) = added {
            self.fault = Some(fault);
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.bytes.extend_from_slice(part);
        Ok(())
    }

    fn reserve(&mut self, wanted: usize) -> Result<(), CallError> {
        let capacity = self.bytes.capacity();
        if wanted > self.limit {
            return Err(too_large(SizeLimit { bytes: self.limit, setting: "max_body" }));
        }
        if wanted > capacity {
            let grown = wanted.max((2 * capacity).min(self.limit));
            self.charge.take(grown - capacity)?;
            let reserved = self.bytes.try_reserve_exact(grown - self.bytes.len());
            reserved.map_err(|_| CallError::from(self.charge.refusal()))?;
        }
        Ok(())
    }

    /// Takes all that there is.
    fn read(&mut self, from: &mut impl Read) -> io::Result<()> {
        let mut step = vec![0; STEP];
        loop {
            match from.read(&mut step) {
                Ok(0) => return Ok(()),
                Ok(read) => self.add(&step[..read])?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
}

fn ended(rest: &[u8]) -> io::Result<()> {
    if rest.is_empty() {
        return Ok(());
    }
    Err(io::Error::other(format!("{} bytes follow its end", rest.len())))
}

fn brotli(body: &[u8], into: &mut Unpacked<'_>) -> io::Result<()> {
    let mut state = BrotliState::<StandardAlloc, StandardAlloc, StandardAlloc>::new_strict(
        StandardAlloc::default(),
        StandardAlloc::default(),
        StandardAlloc::default(),
    );
    let (mut left, mut read, mut total) = (body.len(), 0, 0);
    let mut buffer = vec![0; STEP];
    loop {
        let (mut room, mut written) = (STEP, 0);
        let outcome = BrotliDecompressStream(
            &mut left,
            &mut read,
            body,
            &mut room,
            &mut written,
            &mut buffer,
            &mut total,
            &mut state,
        );
        into.add(&buffer[..written])?;
        match outcome {
            BrotliResult::ResultSuccess => return ended(&body[read..]),
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput => return Err(io::ErrorKind::UnexpectedEof.into()),
            BrotliResult::ResultFailure => return Err(io::Error::other("it is damaged")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use http::HeaderValue;

    use super::*;
    use crate::budget::{MemoryBudget, Purpose};
    use crate::error::ErrorKind;

    const TEXT: &[u8] = b"a body that is a body that is a body";
    /// What Node.js makes of `TEXT`.
    const BROTLI: &[u8] =
        b"\x1b\x23\x00\xf8\xa5\x41\xc2\xd2\xe6\x94\x24\xdb\x94\x00\x25\x91\x77\xbe\x01";

    fn encodings(value: &str) -> Result<Encodings, CallError> {
        let value = HeaderValue::from_str(value).unwrap();
        Encodings::of(&HeaderMap::from_iter([(CONTENT_ENCODING, value)]))
    }

    fn decoded(value: &str, body: &[u8], limit: usize) -> Result<Bytes, CallError> {
        let charge = &mut Charge::unlimited();
        encodings(value).unwrap().decode(Bytes::copy_from_slice(body), limit, charge)
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn raw(data: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(data: &[u8]) -> Vec<u8> {
        zstd::encode_all(data, 1).unwrap()
    }

    #[test]
    fn every_encoding_is_undone_alone_and_upon_another() {
        for (name, body) in [
            ("gzip", gzip(TEXT)),
            ("X-GZIP", gzip(TEXT)),
            ("deflate", zlib(TEXT)),
            ("deflate", raw(TEXT)),
            ("zstd", zstd(TEXT)),
            ("br", BROTLI.to_vec()),
            ("identity", TEXT.to_vec()),
            ("gzip, zstd", zstd(&gzip(TEXT))),
            ("identity, deflate,gzip", gzip(&zlib(TEXT))),
            ("gzip", [gzip(&TEXT[..10]), gzip(&TEXT[10..])].concat()),
        ] {
            assert_eq!(decoded(name, &body, 1 << 10).as_deref(), Ok(TEXT), "{name}");
        }
    }

    #[test]
    fn what_becomes_too_large_is_refused_before_it_is_there() {
        let zeros = vec![0; 10 << 20];
        for (name, body) in [
            ("gzip", gzip(&zeros)),
            ("deflate", zlib(&zeros)),
            ("deflate", raw(&zeros)),
            ("zstd", zstd(&zeros)),
            ("br", BROTLI.to_vec()),
            ("gzip, gzip", gzip(&gzip(&zeros))),
        ] {
            let limit = if name == "br" { TEXT.len() - 1 } else { 1 << 20 };
            assert_eq!(
                decoded(name, &body, limit).unwrap_err().kind,
                ErrorKind::TooLarge,
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_unpacked_is_charged_and_refused_where_there_is_no_room() {
        let budget = MemoryBudget::new(64 << 20);
        let body = Bytes::from(gzip(&vec![0; 8 << 20]));
        let unpack = |charge: &mut Charge| {
            encodings("gzip").unwrap().decode(body.clone(), usize::MAX / 4, charge)
        };
        let mut charge = budget.charge(Purpose::Request);
        assert_eq!(unpack(&mut charge).unwrap().len(), 8 << 20);
        assert!(charge.spent() >= 8 << 20);
        drop(charge);
        let mut others = budget.charge(Purpose::Work);
        others.take(44 << 20).unwrap();
        let mut charge = budget.charge(Purpose::Request);
        assert_eq!(unpack(&mut charge).unwrap_err().kind, ErrorKind::Overloaded);
    }

    #[test]
    fn what_is_not_whole_or_not_so_encoded_is_refused() {
        for (name, whole) in [
            ("gzip", gzip(TEXT)),
            ("deflate", zlib(TEXT)),
            ("deflate", raw(TEXT)),
            ("zstd", zstd(TEXT)),
            ("br", BROTLI.to_vec()),
        ] {
            let cut = &whole[..whole.len() - 3];
            let more = [&whole[..], b"xyz"].concat();
            for body in [cut, &more, TEXT] {
                let error = decoded(name, body, 1 << 20).unwrap_err();
                assert_eq!(error.kind, ErrorKind::BadRequest, "{name}: {body:?}");
                assert!(error.message.contains(name), "{}", error.message);
            }
        }
    }

    #[test]
    fn what_is_not_known_is_named() {
        for value in ["compress", "gzip, lzma", "gzip,gzip,gzip,gzip,gzip"] {
            assert_eq!(encodings(value).unwrap_err().kind, ErrorKind::UnsupportedMediaType);
        }
        assert!(encodings("gzip, lzma").unwrap_err().message.contains("`lzma`"));
    }
}
