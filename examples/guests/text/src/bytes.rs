//! A checksum and a simple compression. Knows nothing of components.

/// The polynomial of CRC-32, its lowest power first.
const POLYNOMIAL: u32 = 0xEDB8_8320;

/// What each byte does to the checksum, computed once when the component is compiled.
const EFFECTS: [u32; 256] = {
    let mut effects = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut effect = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            effect = if effect & 1 == 1 { (effect >> 1) ^ POLYNOMIAL } else { effect >> 1 };
            bit += 1;
        }
        effects[byte] = effect;
        byte += 1;
    }
    effects
};

pub(crate) fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |crc, &byte| EFFECTS[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

pub(crate) fn compress(data: &[u8]) -> Vec<u8> {
    let runs = data.chunk_by(|a, b| a == b).flat_map(|run| run.chunks(255));
    runs.flat_map(|run| [run.len() as u8, run[0]]).collect()
}

pub(crate) fn decompress(data: &[u8]) -> Result<Vec<u8>, String> {
    let (pairs, rest) = data.as_chunks::<2>();
    if !rest.is_empty() {
        let length = data.len();
        return Err(format!("data has {length} bytes, expected pairs, an even number"));
    }
    let mut plain = Vec::new();
    for (index, &[length, byte]) in pairs.iter().enumerate() {
        if length == 0 {
            return Err(format!("pair {index} of data is a run of length 0, expected 1 to 255"));
        }
        plain.resize(plain.len() + usize::from(length), byte);
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32_agrees_with_its_published_check_value() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn decompress_undoes_compress() {
        for data in [&b""[..], b"a", b"aaab", &[7; 600]] {
            assert_eq!(decompress(&compress(data)).unwrap(), data);
        }
        assert_eq!(compress(&[7; 600]), [255, 7, 255, 7, 90, 7]);
    }

    #[test]
    fn decompress_refuses_what_compress_cannot_have_made() {
        assert!(decompress(&[1]).is_err());
        assert!(decompress(&[0, 1]).is_err());
    }
}
