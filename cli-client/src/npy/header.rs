//! The header of an array's file: what its elements are, and its shape.

/// What every such file begins with.
pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";

/// What is said before the elements.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Byte order, kind and size: `<f8`.
    pub(super) dtype: String,
    /// Whether the first axis varies fastest.
    pub(super) is_fortran: bool,
    pub(super) shape: Vec<usize>,
}

/// Why a file's header cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeaderError {
    #[error("is no .npy file")]
    NoFile,
    #[error("is cut off within its header")]
    CutOff,
    #[error("has a header that is no text")]
    NoText,
    #[error("is an array of a kind that cannot be an argument: {0}")]
    Kind(String),
}

impl Header {
    /// Reads a header; gives the bytes of the elements, too.
    pub(super) fn read(file: &[u8]) -> Result<(Self, &[u8]), HeaderError> {
        let broken = || HeaderError::CutOff;
        let rest = file.strip_prefix(MAGIC).ok_or(HeaderError::NoFile)?;
        let (version, rest) = rest.split_at_checked(2).ok_or_else(broken)?;
        let (length, rest) = if version[0] == 1 {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(broken)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        } else {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(broken)?;
            (u32::from_le_bytes(*length) as usize, rest)
        };
        let (text, elements) = rest.split_at_checked(length).ok_or_else(broken)?;
        let text = std::str::from_utf8(text).map_err(|_| HeaderError::NoText)?;
        let header = Self::parse(text).ok_or_else(|| HeaderError::Kind(text.trim().to_owned()))?;
        Ok((header, elements))
    }

    /// Reads the dictionary that NumPy writes, whose three keys come in any order. A structured array,
    /// whose `descr` is a list, is `None`.
    fn parse(text: &str) -> Option<Self> {
        let after = |key: &str| {
            let (_, rest) = text.split_once(&format!("'{key}':"))?;
            Some(rest.trim_start())
        };
        let dtype = after("descr")?.strip_prefix('\'')?.split('\'').next()?;
        let shape = after("shape")?.strip_prefix('(')?.split(')').next()?;
        let axes = shape.split(',').map(str::trim).filter(|axis| !axis.is_empty());
        Some(Self {
            dtype: dtype.to_owned(),
            is_fortran: after("fortran_order")?.starts_with("True"),
            shape: axes
                .map(|axis| axis.trim_end_matches('L').parse().ok())
                .collect::<Option<_>>()?,
        })
    }

    /// The header as NumPy writes it: the elements begin at a multiple of 64.
    pub(super) fn write(&self) -> Vec<u8> {
        let Self { dtype, is_fortran, shape } = self;
        let axes: String = shape.iter().map(|axis| format!("{axis}, ")).collect();
        let axes = if shape.len() == 1 { axes.trim_end() } else { axes.trim_end_matches(", ") };
        let order = if *is_fortran { "True" } else { "False" };
        let mut text =
            format!("{{'descr': '{dtype}', 'fortran_order': {order}, 'shape': ({axes}), }}");
        let before = MAGIC.len() + 4;
        let padding = 64 - (before + text.len() + 1) % 64;
        text.extend(std::iter::repeat_n(' ', padding % 64));
        text.push('\n');
        // The list of axes of an array that fits into memory is far below 64 KiB.
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes();
        [MAGIC, &[1, 0], &length, text.as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        for shape in [vec![], vec![3], vec![2, 0, 4]] {
            let header = Header { dtype: "<f8".into(), is_fortran: false, shape };
            let mut file = header.write();
            assert_eq!(file.len() % 64, 0);
            file.extend(b"rest");
            assert_eq!(Header::read(&file), Ok((header, &b"rest"[..])));
        }
    }

    #[test]
    fn what_is_no_plain_array_is_refused() {
        assert!(
            Header::parse("{'descr': [('a', '<i8')], 'fortran_order': False, 'shape': ()}")
                .is_none()
        );
        for broken in [&b"x"[..], MAGIC, b"\x93NUMPY\x01\x00\xff\x00{"] {
            assert!(Header::read(broken).is_err());
        }
    }
}
