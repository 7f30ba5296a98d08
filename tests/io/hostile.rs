//! Files that were made to do harm, and a great many that were bent at random: each gives a value or an error, runs
//! nothing, and takes no more memory than it may.
use crate::{data, memory::peak};
use firesteel::{
    Data, Stream, TensorData,
    io::{
        Limits, idx, npy, npz,
        pth::{self, Value},
        safetensors,
    },
    prelude::*,
};
use flate2::Crc;
use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

/// What a file may take where it says more than its length.
const LIMITS: Limits = Limits { memory: Some(1 << 20) };

/// A zip archive of these entries, stored.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (vec![], vec![]);
    for (name, bytes) in entries {
        let mut crc = Crc::new();
        crc.update(bytes);
        let start = out.len() as u32;
        let mut common = [0u16; 5].map(u16::to_le_bytes).concat();
        common.extend([crc.sum(), bytes.len() as u32, bytes.len() as u32].map(u32::to_le_bytes).concat());
        common.extend([name.len() as u16, 0].map(u16::to_le_bytes).concat());
        out.extend([b"PK\x03\x04", &common[..], name.as_bytes(), bytes].concat());
        let rest = [&[0; 10][..], &start.to_le_bytes(), name.as_bytes()].concat();
        directory.extend([b"PK\x01\x02\0\0", &common[..], &rest].concat());
    }
    let end = [entries.len() as u16; 2].map(u16::to_le_bytes).concat();
    let place = [directory.len() as u32, out.len() as u32].map(u32::to_le_bytes).concat();
    out.extend([&directory[..], b"PK\x05\x06\0\0\0\0", &end, &place, b"\0\0"].concat());
    out
}

/// A checkpoint with this pickle, and a storage of 64 bytes.
fn checkpoint(pickle: &[u8]) -> Vec<u8> {
    archive(&[("archive/data.pkl", pickle), ("archive/data/0", &[1; 64]), ("archive/version", b"3\n")])
}

fn read(pickle: &[u8]) -> Result<Value> {
    pth::value_from_bytes(&checkpoint(pickle), LIMITS)
}

/// The error that a pickle gives, and that it takes no more memory than it may.
#[track_caller]
fn refused(pickle: &[u8], words: &str) {
    let (result, bytes) = peak(|| read(pickle));
    let error = result.unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
    assert!(bytes < (8 << 20) + 16 * pickle.len(), "{bytes} bytes");
}

/// A tensor of the storage, by its offset, sizes and strides as they stand in a pickle.
fn tensor(offset: &[u8], sizes: &[u8], strides: &[u8]) -> Vec<u8> {
    let storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x10tQ";
    [b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(", &storage[..], offset, sizes, strides, b"\x89}tR."]
        .concat()
}

#[test]
fn good_pickles_by_hand_are_read() {
    assert_eq!(read(b"\x80\x02]K\x01a.").unwrap(), [1].into_iter().collect());
    let ones = f32::from_bits(0x0101_0101);
    let expected = TensorData::new([2, 3], Data::F32(vec![ones; 6])).unwrap();
    assert_eq!(read(&tensor(b"K\x01", b"K\x02K\x03\x86", b"K\x03K\x01\x86")).unwrap(), expected.into());
}

#[test]
fn nothing_is_called() {
    let reduce = |global: &str| [b"\x80\x02c", global.as_bytes(), b"\nX\x04\0\0\0exit\x85R."].concat();
    for global in ["os\nsystem", "posix\nsystem", "builtins\neval", "torch\nload", "x\ny"] {
        refused(&reduce(global), &global.replace('\n', "."));
    }
    // the same by protocol 4's way, and through objects' own hooks
    refused(b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04exit\x85R.", "os.system");
    refused(b"\x80\x02ccollections\nOrderedDict\n)\x81}b.", "0x81");
    refused(b"\x80\x02(ios\nsystem\n.", "0x69");
    refused(b"\x80\x02\x82\x01.", "0x82");
}

#[test]
fn what_a_pickle_promises_is_not_believed() {
    refused(b"\x80\x02X\xff\xff\xff\xffabc.", "too early");
    refused(b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc.", "too early");
    refused(b"\x80\x02\x8b\xff\xff\xff\x7f\x01.", "too early");
    refused(b"\x80\x02\x8a\xff", "too early");
    refused(&[b"\x80\x02\x8a\xff".to_vec(), vec![1; 255], b".".to_vec()].concat(), "too long");
    refused(b"\x80\x02h\x07.", "before it is made");
    refused(b"\x80\x02t.", "from its stack");
    refused(b"\x80\x02(K\x01\x85\x86.", "from its stack");
    refused(b"\x80\x02}K\x01a.", "has no value");
    refused(b"\x80\x02.", "from its stack");
    refused(b"\x80\x02", "too early");
    refused(b"", "too early");
}

#[test]
fn tensors_lie_within_their_storage() {
    let huge = b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f";
    let pair = |a: &[u8], b: &[u8]| [a, b, b"\x86"].concat();
    refused(&tensor(b"K\x0f", b"K\x02\x85", b"K\x01\x85"), "does not lie within");
    refused(&tensor(b"K\0", b"K\x02\x85", b"K\x10\x85"), "does not lie within");
    refused(&tensor(huge, b"K\x01\x85", b"K\x01\x85"), "does not lie within");
    refused(&tensor(b"K\0", &pair(huge, huge), &pair(b"K\x01", b"K\x01")), "does not lie within");
    refused(&tensor(b"K\0", &pair(huge, b"K\x02"), &pair(b"K\0", huge)), "does not lie within");
    refused(&tensor(b"K\0", b"J\xff\xff\xff\xff\x85", b"K\x01\x85"), "-1");
    refused(&tensor(b"K\0", b"K\x02\x85", b"J\xff\xff\xff\xff\x85"), "-1");
    refused(&tensor(b"K\0", b"K\x01K\x01\x86", b"K\x01\x85"), "strides");
    // one number, seen from everywhere
    refused(&tensor(b"K\0", b"J\0\0\0\x7f\x85", b"K\0\x85"), "Limits::memory");
    refused(&tensor(b"K\0", &pair(huge, huge), &pair(b"K\0", b"K\0")), "Limits::memory");
}

#[test]
fn depth_and_repetition_have_bounds() {
    // a list in a list, a hundred thousand deep; a list that holds itself; a type of a type of a type
    refused(&[&b"\x80\x02"[..], &b"]".repeat(10_000), &b"a".repeat(9_999), b"."].concat(), "deep");
    refused(b"\x80\x02]q\0h\0a.", "deep");
    let wrap = b"ctorch._tensor\n_rebuild_from_type_v2\n(";
    let twice = [&b"\x80\x02"[..], wrap, &wrap[..37], b"N)NtR."].concat();
    refused(&twice, "wrapped twice");
    // ten times ten times ten ... elements
    let mut laughs = b"\x80\x02]q\0(K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01e".to_vec();
    for level in 1..60u8 {
        laughs.extend([b']', b'q', level, b'(']);
        laughs.extend([b'h', level - 1].repeat(10));
        laughs.push(b'e');
    }
    laughs.push(b'.');
    refused(&laughs, "Limits::memory");
    // a million objects in as many bytes
    refused(&[&b"\x80\x02"[..], &b"}".repeat(1_000_000), b"."].concat(), "Limits::memory");
    refused(&[&b"\x80\x02K\x01q\0"[..], &b"h\0".repeat(1_000_000), b"."].concat(), "Limits::memory");
}

/// The files that are bent, and what reads each.
fn seeds() -> Vec<(String, Vec<u8>, Reader)> {
    let mut seeds: Vec<(String, Vec<u8>, Reader)> = vec![];
    for entry in fs::read_dir(data("")).unwrap() {
        let path = entry.unwrap().path();
        let reader: Reader = match path.extension().and_then(|e| e.to_str()) {
            Some("pth") => read_pth,
            Some("safetensors") => |bytes| safetensors::from_bytes(bytes).map(drop),
            Some("npy") => |bytes| npy::from_bytes(bytes).map(drop),
            Some("npz") => |bytes| npz::from_bytes(bytes, LIMITS).map(drop),
            _ => continue,
        };
        seeds.push((
            path.file_name().unwrap().to_string_lossy().into_owned(),
            fs::read(&path).unwrap(),
            reader,
        ));
    }
    // a pickle alone, which is put in an archive with a right checksum after it was bent
    let state = fs::read(data("state.pth")).unwrap();
    let start = state.windows(2).position(|w| w == b"\x80\x02").unwrap();
    let len =
        state[start..].windows(6).position(|w| w == b"PK\x07\x08\0\0" || w[..4] == *b"PK\x07\x08").unwrap();
    seeds.push(("data.pkl".into(), state[start..start + len].to_vec(), |bytes| read_pth(&checkpoint(bytes))));
    let header = |json: &str, data: usize| {
        [&(json.len() as u64).to_le_bytes()[..], json.as_bytes(), &vec![7; data]].concat()
    };
    let tensors = r#"{"__metadata__":{"a":"b"},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},
                     "b":{"dtype":"BOOL","shape":[5],"data_offsets":[24,29]}}"#;
    seeds.push(("safetensors".into(), header(tensors, 29), |bytes| safetensors::from_bytes(bytes).map(drop)));
    let counted = [&[0, 0, 0x0c, 2, 0, 0, 0, 2, 0, 0, 0, 3][..], &[5; 24]].concat();
    seeds.push(("idx".into(), counted, |bytes| idx::read(bytes, LIMITS).map(drop)));
    seeds.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    seeds
}

type Reader = fn(&[u8]) -> Result<()>;

/// What can be read can be written, but for keys that no dict has, and is the same when it is read again.
fn read_pth(bytes: &[u8]) -> Result<()> {
    let value = pth::value_from_bytes(bytes, LIMITS)?;
    if let Ok(written) = pth::to_bytes(&value) {
        let again = pth::value_from_bytes(&written, Limits::default())?;
        assert_eq!(pth::to_bytes(&again)?, written);
    }
    Ok(())
}

/// Numbers that go wrong: borders of types, and what overflows when it is multiplied.
const NUMBERS: &[u64] = &[
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x1fff_ffff_ffff_ffff,
    0x4000_0000_0000_0001,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX - 7,
    u64::MAX,
];

/// Random numbers of one iteration.
pub struct Dice(Stream, u64);

impl Dice {
    pub fn new(stream: Stream) -> Self {
        Self(stream, 0)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.1 += 1;
        let [word, ..] = self.0.block(self.1);
        word as usize % n.max(1)
    }

    fn range(&mut self, len: usize) -> std::ops::Range<usize> {
        let start = self.below(len + 1);
        let most = (len - start).min(1 << self.below(8));
        start..start + self.below(most + 1)
    }

    /// Bends a file in one place; `other` is another file.
    fn bend(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let (at, range) = (self.below(bytes.len()), self.range(bytes.len()));
        let number = NUMBERS[self.below(NUMBERS.len())];
        match (self.below(9), bytes.get_mut(at)) {
            (0, Some(byte)) => *byte ^= 1 << self.below(8),
            (1, Some(byte)) => *byte = self.below(256) as u8,
            (2 | 3, Some(_)) => {
                let width = 1 << self.below(4);
                let place = at..(at + width).min(bytes.len());
                let (little, big) = (number.to_le_bytes(), number.to_be_bytes());
                let digits = if self.below(3) > 0 { &little[..width] } else { &big[8 - width..] };
                bytes[place.clone()].copy_from_slice(&digits[..place.len()]);
            }
            // a number in a text
            (4, _) => {
                let is_digit = |b: &u8| b.is_ascii_digit();
                if let Some(start) = bytes[at..].iter().position(is_digit).map(|i| at + i) {
                    let len = bytes[start..].iter().take_while(|b| is_digit(b)).count();
                    bytes.splice(start..start + len, number.to_string().into_bytes());
                }
            }
            (5, _) => drop(bytes.drain(range)),
            (6, _) => {
                let again = bytes[range].to_vec();
                bytes.splice(at..at, again);
            }
            (7, _) => {
                let theirs = other[self.range(other.len())].to_vec();
                bytes.splice(range, theirs);
            }
            _ => bytes.truncate(at),
        }
    }
}

/// How many files are bent; a long search sets the variable.
pub fn iterations() -> u64 {
    std::env::var("FIRESTEEL_FUZZ").map_or(20_000, |n| n.parse().unwrap())
}

#[test]
fn bent_files_give_values_or_errors() {
    let seeds = seeds();
    let (mut good, mut bad) = (0, 0);
    for number in 0..iterations() {
        let mut dice = Dice::new(Stream { seed: 1, offset: number << 32 });
        let (name, bytes, read) = &seeds[dice.below(seeds.len())];
        let other = &seeds[dice.below(seeds.len())].1;
        let mut bytes = bytes.clone();
        for _ in 0..=dice.below(4) {
            dice.bend(&mut bytes, other);
        }
        let run = || peak(|| read(&bytes));
        let Ok((result, most)) = catch_unwind(AssertUnwindSafe(run)) else {
            panic!("file {number}, of {name}, makes its reader panic");
        };
        assert!(most < (8 << 20) + 64 * bytes.len(), "file {number}, of {name}, takes {most} bytes");
        if result.is_ok() { good += 1 } else { bad += 1 }
    }
    // where all are errors, or none, the search looks at nothing
    assert!(good > iterations() / 50 && bad > iterations() / 4, "{good} were read, {bad} were refused");
    assert!(!Path::new("firesteel-was-here").exists(), "a file has run a command");
}

#[test]
fn files_that_were_cut_off_are_errors() {
    for (name, bytes, read) in seeds() {
        for len in 0..bytes.len() {
            let result = read(&bytes[..len]);
            assert!(result.is_err(), "{len} bytes of {name} were read");
        }
    }
}
