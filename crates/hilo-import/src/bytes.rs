//! The first pass: the file's bytes → its form, its encoding and its hash.
//!
//! What is not UTF-8 is refused with the place of the first wrong byte, because a guess would change names. A byte order mark at the
//! beginning is left out.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};

use hilo_core::import::{Fault, FaultCode, header};
use sha2::{Digest as _, Sha256};

use crate::flags::Flags;
use crate::problem::Problem;

/// How much is read at once.
const BLOCK_BYTES: usize = 64 * 1024;
/// The most bytes of the first line, in which the delimiter is looked for.
const FIRST_LINE_BYTES_MAX: usize = 64 * 1024;
/// UTF-8's byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Cells with this delimiter; the line of the header is the second where `sep=;` stands before it.
    Csv { delimiter: u8, skipped_lines: u64 },
    /// One JSON object a line.
    Ndjson,
}

/// What the bytes of a file show.
pub(crate) struct Seen {
    pub(crate) form: Form,
    /// Where the rows begin.
    start: u64,
    /// SHA-256 of the file.
    pub(crate) hash: [u8; 32],
}

/// Looks at all bytes of the file.
pub(crate) fn look(flags: &Flags) -> Result<Seen, Problem> {
    let path = flags.file.display();
    let open =
        || File::open(&flags.file).map_err(|why| Problem(format!("{path} cannot be read: {why}")));
    let mut head = Vec::new();
    open()?.take(FIRST_LINE_BYTES_MAX as u64).read_to_end(&mut head)?;
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"\xd0\xcf\x11\xe0") {
        let message = "this is a spreadsheet's own format: save it as CSV UTF-8 and import that";
        return Err(Problem(message.to_owned()));
    }
    let mut hasher = Sha256::new();
    check_bytes(&mut open()?, &mut hasher, flags.is_windows)?;
    let (text, mut start) = match head.strip_prefix(MARK) {
        Some(rest) => (rest, MARK.len() as u64),
        None => (head.as_slice(), 0),
    };
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first).into_owned();
    let form = if first.trim_start().starts_with('{') {
        Form::Ndjson
    } else if let Some(delimiter) = header::given_delimiter(&first) {
        start += first.len() as u64 + 1;
        Form::Csv { delimiter, skipped_lines: 1 }
    } else {
        Form::Csv { delimiter: header::delimiter(&first), skipped_lines: 0 }
    };
    Ok(Seen { form, start, hash: hasher.finalize().into() })
}

/// Reads everything once: the hash, and the first byte that is not UTF-8.
fn check_bytes(file: &mut impl Read, hasher: &mut Sha256, is_windows: bool) -> Result<(), Problem> {
    let (mut block, mut at, mut rest) = (vec![0; BLOCK_BYTES], 0_u64, Vec::new());
    loop {
        let count = file.read(&mut block)?;
        let bytes = block.get(..count).unwrap_or_default();
        hasher.update(bytes);
        if is_windows {
            if count == 0 {
                return Ok(());
            }
            continue;
        }
        rest.extend_from_slice(bytes);
        let (good, is_broken) = match std::str::from_utf8(&rest) {
            Ok(_) => (rest.len(), false),
            // The last letter of a block may go on in the next one.
            Err(error) => (error.valid_up_to(), error.error_len().is_some() || count == 0),
        };
        if is_broken {
            let message = format!(
                "byte {} is not UTF-8: save the file as UTF-8, or say --encoding windows-1252 if it is from an older spreadsheet",
                at + good as u64
            );
            return Err(Fault::new(FaultCode::NotUtf8, message).into());
        }
        if count == 0 {
            return Ok(());
        }
        at += good as u64;
        rest.drain(..good);
    }
}

impl Seen {
    /// Opens the file where its rows begin, as UTF-8.
    pub(crate) fn open(&self, flags: &Flags) -> Result<Box<dyn Read>, Problem> {
        let mut file = File::open(&flags.file)?;
        file.seek(SeekFrom::Start(self.start))?;
        let file = BufReader::with_capacity(BLOCK_BYTES, file);
        Ok(if flags.is_windows {
            Box::new(Windows { file, ready: Vec::new(), at: 0 })
        } else {
            Box::new(file)
        })
    }
}

/// A file in windows-1252, read as UTF-8.
struct Windows<R> {
    file: R,
    ready: Vec<u8>,
    at: usize,
}

/// The letters of 0x80 to 0x9f (WHATWG Encoding, index windows-1252); the others are those of Unicode.
const LETTERS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

fn letter(byte: u8) -> char {
    let place = byte.checked_sub(0x80).and_then(|place| LETTERS.get(usize::from(place)));
    place.copied().unwrap_or(char::from(byte))
}

impl<R: Read> Read for Windows<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ready.len() {
            let mut block = [0; 4_096];
            let count = self.file.read(&mut block)?;
            let text: String = block.iter().take(count).map(|byte| letter(*byte)).collect();
            (self.ready, self.at) = (text.into_bytes(), 0);
        }
        let left = self.ready.get(self.at..).unwrap_or_default();
        let count = left.len().min(out.len());
        for (slot, byte) in out.iter_mut().zip(left) {
            *slot = *byte;
        }
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_that_is_not_utf_8_is_named_also_behind_a_block() {
        for before in [0, 3, BLOCK_BYTES - 1, BLOCK_BYTES, 2 * BLOCK_BYTES + 1] {
            let mut bytes = vec![b'a'; before];
            bytes.extend("ñ".as_bytes());
            assert!(check_bytes(&mut bytes.as_slice(), &mut Sha256::new(), false).is_ok());
            bytes.push(0xf1);
            let Err(Problem(why)) = check_bytes(&mut bytes.as_slice(), &mut Sha256::new(), false)
            else {
                panic!("{before}: not refused");
            };
            assert!(why.contains(&format!("byte {} ", before + 2)), "{before}: {why}");
            assert!(check_bytes(&mut bytes.as_slice(), &mut Sha256::new(), true).is_ok());
        }
    }

    #[test]
    fn a_file_of_an_older_spreadsheet_is_read_with_its_own_letters() {
        let bytes: &[u8] = b"Tel\xe9fono;1.234,50 \x80";
        let mut text = String::new();
        Windows { file: bytes, ready: Vec::new(), at: 0 }.read_to_string(&mut text).unwrap();
        assert_eq!(text, "Teléfono;1.234,50 €");
    }
}
