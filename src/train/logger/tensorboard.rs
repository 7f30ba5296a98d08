//! Event files that TensorBoard reads: records of Protocol Buffers in the framing of TFRecord.
use super::{Logger, Record};
use crate::{Error, Result};
use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// Writes the numbers as scalars to an event file, which `tensorboard --logdir FOLDER` shows. A name's first `_` becomes
/// `/`, by which TensorBoard groups: `val/loss`.
#[derive(Debug)]
pub struct TensorBoardLogger {
    path: PathBuf,
    file: BufWriter<File>,
}

impl TensorBoardLogger {
    /// A new event file in this folder, which is made where it is not there.
    #[track_caller]
    pub fn new(folder: impl AsRef<Path>) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let folder = folder.as_ref();
        let now = wall_time();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("events.out.tfevents.{}.firesteel.{}.{number}", now as u64, std::process::id());
        let path = folder.join(name);
        let made = fs::create_dir_all(folder).and_then(|()| File::create_new(&path));
        let file = made.map_err(|e| failed(&path, e))?;
        let mut logger = Self { path, file: BufWriter::new(file) };
        let version = [double(1, now), bytes(3, b"brain.Event:2")].concat();
        logger.write(&version)?;
        logger.finish()?;
        Ok(logger)
    }

    /// The event file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A record: its length, the checksum of that, the bytes, and the checksum of those.
    fn write(&mut self, event: &[u8]) -> Result<()> {
        let len = (event.len() as u64).to_le_bytes();
        let parts = [&len[..], &masked_crc(&len).to_le_bytes(), event, &masked_crc(event).to_le_bytes()];
        parts.iter().try_for_each(|part| self.file.write_all(part)).map_err(|e| failed(&self.path, e))
    }
}

impl Logger for TensorBoardLogger {
    fn log(&mut self, record: &Record) -> Result<()> {
        // Event { wall_time = 1; step = 2; Summary summary = 5 }, Summary { repeated Value value = 1 },
        // Value { tag = 1; simple_value = 2 }
        let values = record.values.iter().map(|(name, value)| {
            let tag = bytes(1, name.replacen('_', "/", 1).as_bytes());
            bytes(1, &[tag, float(2, *value as f32)].concat())
        });
        let summary: Vec<u8> = values.flatten().collect();
        let event = [double(1, wall_time()), whole(2, record.step as u64), bytes(5, &summary)].concat();
        self.write(&event)?;
        if record.of_epoch { self.finish() } else { Ok(()) }
    }

    fn finish(&mut self) -> Result<()> {
        self.file.flush().map_err(|e| failed(&self.path, e))
    }
}

#[track_caller]
fn failed(path: &Path, e: std::io::Error) -> Error {
    Error::io("tensorboard", format!("cannot write {}: {e}", path.display())).because(e)
}

/// Seconds since 1970.
fn wall_time() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0., |time| time.as_secs_f64())
}

// ---- fields of Protocol Buffers: a key, which is the field's number and the kind of what follows, and a value
fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = vec![];
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn whole(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn double(field: u64, value: f64) -> Vec<u8> {
    [&varint(field << 3 | 1)[..], &value.to_le_bytes()].concat()
}

fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    [&varint(field << 3 | 2)[..], &varint(value.len() as u64), value].concat()
}

fn float(field: u64, value: f32) -> Vec<u8> {
    [&varint(field << 3 | 5)[..], &value.to_le_bytes()].concat()
}

/// CRC-32C, as TFRecord masks it: rotated by 15 bits, and a constant added.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C, of the polynomial of Castagnoli, bit by bit: events are small.
fn crc(bytes: &[u8]) -> u32 {
    let shift = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_published_ones() {
        // RFC 3720, B.4
        assert_eq!(crc(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn fields_are_encoded_as_published() {
        // the examples of the encoding's description
        assert_eq!(whole(1, 150), [0x08, 0x96, 0x01]);
        assert_eq!(bytes(2, b"testing"), [&[0x12, 0x07][..], b"testing"].concat());
    }
}
