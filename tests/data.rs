//! Datasets, samplers and loaders: what they give, in which order, and what they say when it cannot be had.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking
use firesteel::{
    Data, ErrorKind, TensorData,
    data::{
        BatchSampler, Cifar10, ConcatDataset, DataLoader, Dataset, FashionMnist, IterableDataset,
        RandomSampler, Sampler, SequentialSampler, StreamLoader, TensorDataset, TextLines, TextStream,
        WeightedRandomSampler, random_split,
    },
    prelude::*,
};
use std::{collections::BTreeSet, fs, io::Write, path::PathBuf};

/// An empty folder for one test.
fn folder(name: &str) -> Result<PathBuf> {
    let path = std::env::temp_dir().join(format!("firesteel-data-{}-{name}", std::process::id()));
    fs::create_dir_all(&path)?;
    Ok(path)
}

/// The batches of an epoch as numbers.
fn numbers(batches: impl Iterator<Item = Result<Tensor<Cpu>>>) -> Result<Vec<Vec<f64>>> {
    batches.map(|batch| batch?.to_vec()).collect()
}

#[test]
fn random_changes_depend_on_the_seed_the_epoch_and_the_example_alone() -> Result<()> {
    let noisy = |workers, seed, epoch| {
        let dataset = (0..40).map(f64::from).collect::<Vec<_>>().map(|x, rng| Ok(x + 0.5 * rng.uniform()));
        numbers(DataLoader::new(dataset, 7)?.shuffle(seed).num_workers(workers).iter(epoch, &Cpu))
    };
    let alone = noisy(0, 3, 1)?;
    for workers in [1, 4] {
        assert_eq!(noisy(workers, 3, 1)?, alone);
    }
    let sorted = |batches: Vec<Vec<f64>>| {
        let mut all = batches.concat();
        all.sort_by(f64::total_cmp);
        all
    };
    assert_ne!(sorted(noisy(2, 3, 2)?), sorted(alone.clone()), "another epoch changes them otherwise");
    assert_ne!(sorted(noisy(2, 4, 1)?), sorted(alone), "and so does another seed");
    Ok(())
}

/// Counts, and at some number says that it cannot, or panics.
struct Count {
    to: i64,
    fails: Option<i64>,
    panics: Option<i64>,
}

impl IterableDataset for Count {
    type Item = i64;
    fn stream(&self, epoch: u64) -> Result<impl Iterator<Item = Result<i64>> + Send + 'static> {
        let (fails, panics) = (self.fails, self.panics);
        Ok((0..self.to).map(move |i| {
            assert!(Some(i) != panics, "a scratch");
            if Some(i) == fails {
                Err(Error::value("count", "a scratch"))
            } else {
                Ok(i + 100 * epoch as i64)
            }
        }))
    }
}

#[test]
fn streams_are_the_same_for_any_number_of_workers() -> Result<()> {
    let batches = |workers, shuffle: Option<u64>| {
        let loader = StreamLoader::new(Count { to: 23, fails: None, panics: None }, 4)?.num_workers(workers);
        let loader = match shuffle {
            Some(seed) => loader.shuffle(6, seed)?,
            None => loader,
        };
        numbers(loader.iter(1, &Cpu)?)
    };
    let alone = batches(0, None)?;
    assert_eq!(alone.concat(), (100..123).map(f64::from).collect::<Vec<_>>());
    let mixed = batches(0, Some(7))?;
    assert_eq!(mixed.len(), 6);
    assert_ne!(mixed, alone);
    for workers in [1, 4] {
        assert_eq!(batches(workers, None)?, alone);
        assert_eq!(batches(workers, Some(7))?, mixed);
    }
    Ok(())
}

#[test]
fn what_fails_in_a_stream_reaches_who_asks_for_the_batch() -> Result<()> {
    for workers in [0, 1, 3] {
        let broken = Count { to: 12, fails: Some(5), panics: None };
        let loader = StreamLoader::new(broken, 4)?.num_workers(workers);
        let batches: Vec<_> = loader.iter(0, &Cpu)?.collect();
        assert!(matches!(&batches[..], [Ok(_), Err(_), Ok(_)]), "{workers} workers: {batches:?}");
        // after a panic there is no more to be had from the stream
        let broken = Count { to: 12, fails: None, panics: Some(5) };
        let loader = StreamLoader::new(broken, 4)?.num_workers(workers);
        let batches: Vec<_> = loader.iter(0, &Cpu)?.collect();
        let [Ok(_), Err(error)] = &batches[..] else { panic!("{workers} workers: {batches:?}") };
        assert!(error.to_string().contains("a scratch"), "{error}");
    }
    Ok(())
}

#[test]
fn an_iterator_that_is_dropped_early_stops_its_workers() -> Result<()> {
    let endless = Count { to: i64::MAX, fails: None, panics: None };
    let loader = StreamLoader::new(endless, 4)?.num_workers(3);
    let mut batches = loader.iter(0, &Cpu)?;
    assert_eq!(batches.next().transpose()?.map(|b| b.numel()), Some(4));
    drop(batches); // hangs where it does not
    Ok(())
}

#[test]
fn parts_of_a_dataset_have_nothing_in_common() -> Result<()> {
    let all: Vec<i64> = (0..101).collect();
    let parts = random_split(all.clone(), [0.5, 0.3, 0.2], 7)?;
    assert_eq!(parts.each_ref().map(|p| p.len()), [51, 30, 20]);
    let items =
        |part: &dyn Dataset<Item = i64>| (0..part.len()).map(|i| part.item(i)).collect::<Result<Vec<_>>>();
    let mut seen = vec![];
    for part in &parts {
        seen.extend(items(part)?);
    }
    seen.sort_unstable();
    assert_eq!(seen, all);
    assert_eq!(items(&random_split(all.clone(), [1, 100], 7)?[1])?.len(), 100);
    for wrong in
        [random_split(all.clone(), [50, 50], 7).err(), random_split(all.clone(), [usize::MAX, 2], 7).err()]
    {
        assert_eq!(wrong.map(|e| e.kind()), Some(ErrorKind::Value));
    }
    for wrong in [[0.5, 0.6], [f64::NAN, 1.], [-0.5, 1.5]] {
        assert!(random_split(all.clone(), wrong, 7).is_err());
    }
    Ok(())
}

#[test]
fn joined_datasets_of_several_types() -> Result<()> {
    let odd: Vec<i64> = vec![1, 3];
    let parts: Vec<Box<dyn Dataset<Item = i64>>> =
        vec![Box::new(odd.clone()), Box::new(odd.map(|x, _| Ok(x + 1)))];
    let joined = ConcatDataset::new(parts);
    assert_eq!((0..4).map(|i| joined.item(i)).collect::<Result<Vec<_>>>()?, [1, 3, 2, 4]);
    assert_eq!(joined.item(4).unwrap_err().kind(), ErrorKind::Index);
    Ok(())
}

#[test]
fn rows_of_tensors() -> Result<()> {
    let x = TensorData::new([3, 2], Data::F32(vec![1., 2., 3., 4., 5., 6.]))?;
    let y = TensorData::new([3], Data::I64(vec![7, 8, 9]))?;
    let dataset = TensorDataset::new((x.clone(), y))?;
    let (row, label) = dataset.item(1)?;
    assert_eq!((row.to_vec::<f32>(), label.to_vec::<i64>()), (vec![3., 4.], vec![8]));
    assert!(dataset.item(3).is_err());
    let short = TensorData::new([2], Data::I64(vec![7, 8]))?;
    assert!(TensorDataset::new((x, short)).is_err());
    assert!(TensorDataset::new(TensorData::new((), Data::F32(vec![1.]))?).is_err());
    Ok(())
}

#[test]
fn weights_say_how_often() -> Result<()> {
    let sampler = WeightedRandomSampler::new(vec![1., 0., 2., 5.], 16_000, 7)?;
    let order = sampler.order(0);
    let count = |i| order.iter().filter(|&&j| j == i).count() as f64 / 2000.;
    for (i, expected) in [1., 0., 2., 5.].into_iter().enumerate() {
        assert!((count(i) - expected).abs() < 0.1, "{i}: {}", count(i));
    }
    assert_ne!(order, sampler.order(1));
    let once = WeightedRandomSampler::new(vec![1., 0., 2., 5.], 3, 7)?.without_replacement()?;
    assert_eq!(once.order(0).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([0, 2, 3]));
    // of two, the first comes first as often as its part of the weights
    let two = |seed| WeightedRandomSampler::new(vec![1., 3.], 1, seed)?.without_replacement();
    let first = (0..4000).map(|seed| Ok(two(seed)?.order(0)[0])).collect::<Result<Vec<_>>>()?;
    let part = first.iter().filter(|&&i| i == 0).count() as f64 / 4000.;
    assert!((part - 0.25).abs() < 0.03, "{part}");
    for wrong in [vec![f64::NAN], vec![-1.], vec![], vec![0.], vec![f64::INFINITY], vec![f64::MAX, f64::MAX]]
    {
        assert!(WeightedRandomSampler::new(wrong, 1, 7).is_err());
    }
    assert!(WeightedRandomSampler::new(vec![1., 0.], 2, 7)?.without_replacement().is_err());
    Ok(())
}

#[test]
fn a_sampler_that_leaves_the_dataset_is_an_error_of_its_batch() -> Result<()> {
    let loader = DataLoader::new(vec![1f32, 2.], 2)?.sampler(SequentialSampler::new(4));
    assert_eq!(loader.len(), 2);
    let batches: Vec<_> = loader.iter(0, &Cpu).collect();
    assert!(matches!(&batches[..], [Ok(_), Err(e)] if e.kind() == ErrorKind::Index), "{batches:?}");
    assert!(DataLoader::new(vec![1f32], 0).is_err());
    assert!(BatchSampler::new(SequentialSampler::new(4), 0).is_err());
    assert!(RandomSampler::new(0, 7).replacement(1).is_err());
    // no examples are no batches
    assert_eq!(DataLoader::new(Vec::<f32>::new(), 3)?.shuffle(1).num_workers(2).iter(0, &Cpu).count(), 0);
    Ok(())
}

#[test]
fn datasets_that_are_not_there_say_where_they_should_be() {
    let nowhere = PathBuf::from("/no/such/folder");
    let errors = [
        (FashionMnist::train(&nowhere).err(), "/no/such/folder/train-images-idx3-ubyte"),
        (Cifar10::test(&nowhere).err(), "/no/such/folder/test_batch.bin"),
        (TextLines::open(nowhere.join("a.txt")).err(), "/no/such/folder/a.txt"),
        (TextStream::new(nowhere.join("a.txt")).stream(0).err(), "/no/such/folder/a.txt"),
        #[cfg(feature = "csv")]
        (firesteel::data::CsvDataset::<(f32,)>::open(nowhere.join("a.csv")).err(), "/no/such/folder/a.csv"),
        #[cfg(feature = "vision")]
        (firesteel::data::ImageFolder::open(&nowhere).err(), "/no/such/folder"),
        #[cfg(feature = "audio")]
        (firesteel::data::WavFolder::open(&nowhere).err(), "/no/such/folder"),
    ];
    for (error, path) in errors {
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains(path), "{error}");
    }
}

#[test]
fn cifar_records() -> Result<()> {
    let folder = folder("cifar")?;
    let path = folder.join("test_batch.bin");
    let record = |label: u8| [&[label][..], &[0; 1024], &[255; 1024], &[51; 1024]].concat();
    fs::write(&path, [record(3), record(9)].concat())?;
    let dataset = Cifar10::test(&folder)?;
    let (image, label) = dataset.item(1)?;
    assert_eq!((image.shape(), label), (&[3, 32, 32].into(), 9));
    let values = image.to_vec::<f32>();
    for (colour, expected) in
        [(0. - 0.4914) / 0.2470, (1. - 0.4822) / 0.2435, (0.2 - 0.4465) / 0.2616].iter().enumerate()
    {
        assert!((values[colour * 1024] - expected).abs() < 1e-6);
    }
    assert_eq!(dataset.raw().item(0)?.0.to_vec::<u8>()[1024..1026], [255, 255]);
    for broken in [record(10), record(1)[1..].to_vec()] {
        fs::write(&path, broken)?;
        assert_eq!(Cifar10::test(&folder).unwrap_err().kind(), ErrorKind::Format);
    }
    Ok(fs::remove_dir_all(folder)?)
}

/// A file in a tar: its header, and its bytes filled up with zeros.
fn in_tar(path: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    header[..path.len()].copy_from_slice(path.as_bytes());
    header[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
    let padding = bytes.len().next_multiple_of(512) - bytes.len();
    [&header[..], bytes, &vec![0; padding]].concat()
}

fn gzipped(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    packed.write_all(bytes)?;
    Ok(packed.finish()?)
}

#[test]
fn cifar_is_read_from_its_archive_as_well() -> Result<()> {
    let folder = folder("cifar-archive")?;
    let archive = folder.join("cifar-10-binary.tar.gz");
    let record = |label: u8| [&[label][..], &[label * 20; 3072]].concat();
    let parts: Vec<u8> = [5, 3, 1, 2, 4]
        .into_iter()
        .flat_map(|i| in_tar(&format!("cifar-10-batches-bin/data_batch_{i}.bin"), &record(i)))
        .collect();
    let meta = in_tar("cifar-10-batches-bin/batches.meta.txt", b"airplane\n");
    let test = in_tar("cifar-10-batches-bin/test_batch.bin", &[record(9), record(0)].concat());
    let whole = [in_tar("cifar-10-batches-bin/", &[]), meta, parts.clone(), test, vec![0; 1024]].concat();
    fs::write(&archive, gzipped(&whole)?)?;
    let train = Cifar10::train(&folder)?.raw();
    let labels = (0..train.len()).map(|i| Ok(train.item(i)?.1)).collect::<Result<Vec<_>>>()?;
    assert_eq!(labels, [1, 2, 3, 4, 5]);
    assert_eq!(train.item(2)?.0.to_vec::<u8>(), [60; 3072]);
    assert_eq!(Cifar10::test(&folder)?.len(), 2);

    let huge = in_tar("cifar-10-batches-bin/test_batch.bin", &vec![0; 3073 * 10_001]);
    let mut sizeless = in_tar("test_batch.bin", &record(1));
    sizeless[124] = b'x';
    for broken in [gzipped(&parts)?, gzipped(&whole)?[..200].to_vec(), gzipped(&huge)?, gzipped(&sizeless)?] {
        fs::write(&archive, broken)?;
        let error = Cifar10::test(&folder).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Format);
        assert!(error.to_string().contains("cifar-10-binary.tar.gz is not the archive"), "{error}");
    }
    Ok(fs::remove_dir_all(folder)?)
}

#[test]
fn fashion_mnist_reads_plain_files() -> Result<()> {
    let folder = folder("fashion")?;
    let images = [&[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28][..], &[255; 784]].concat();
    fs::write(folder.join("t10k-images-idx3-ubyte"), images)?;
    fs::write(folder.join("t10k-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 1, 9])?;
    let (image, label) = FashionMnist::test(&folder)?.item(0)?;
    assert_eq!(
        (FashionMnist::CLASSES[label as usize], image.to_vec::<f32>()[0]),
        ("Ankle boot", (1. - 0.286) / 0.353)
    );
    Ok(fs::remove_dir_all(folder)?)
}

#[test]
fn lines_in_memory_and_one_after_another() -> Result<()> {
    let folder = folder("lines")?;
    let path = folder.join("a.txt");
    fs::write(&path, "Call me Ishmael.\r\n\nSome years ago\u{2014}\n")?;
    let lines = TextLines::open(&path)?;
    let all = (0..lines.len()).map(|i| lines.item(i)).collect::<Result<Vec<_>>>()?;
    assert_eq!(all, ["Call me Ishmael.", "", "Some years ago\u{2014}"]);
    assert_eq!(TextStream::new(&path).stream(0)?.collect::<Result<Vec<_>>>()?, all);
    for batch in DataLoader::new(lines, 3)?.iter(0, &Cpu) {
        assert_eq!(batch?, all);
    }
    fs::File::create(&path)?.write_all(&[b'a', 0xff])?;
    assert_eq!(TextLines::open(&path).unwrap_err().kind(), ErrorKind::Format);
    assert!(TextStream::new(&path).stream(0)?.any(|line| line.is_err()));
    Ok(fs::remove_dir_all(folder)?)
}

#[cfg(feature = "csv")]
#[test]
fn tables() -> Result<()> {
    use firesteel::data::{CsvDataset, CsvOptions};
    let rows =
        CsvDataset::<Vec<f32>>::from_bytes(b"1;2\n3;4\n", CsvOptions { delimiter: b';', header: false })?;
    for batch in DataLoader::new(rows, 2)?.iter(0, &Cpu) {
        assert_eq!(batch?.to_rows::<f32>()?, [[1., 2.], [3., 4.]]);
    }
    for wrong in ["x,y\n1,a\n", "x,y\n1\n"] {
        let error =
            CsvDataset::<(f32, f32)>::from_bytes(wrong.as_bytes(), CsvOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Format);
        assert!(error.to_string().contains("line"), "{error}");
    }
    Ok(())
}

#[cfg(feature = "vision")]
#[test]
fn images_in_folders() -> Result<()> {
    use firesteel::{data::ImageFolder, vision::write_image};
    let folder = folder("images")?;
    for (class, shade) in [("dog", 9), ("cat", 200)] {
        fs::create_dir_all(folder.join(class).join("more"))?;
        for name in ["b.png", "more/a.PNG"] {
            write_image(
                folder.join(class).join(name),
                &TensorData::new([3, 2, 4], Data::U8(vec![shade; 24]))?,
            )?;
        }
        fs::write(folder.join(class).join("notes.txt"), "not an image")?;
    }
    let dataset = ImageFolder::open(&folder)?;
    assert_eq!((dataset.classes(), dataset.len()), (&["cat".to_owned(), "dog".to_owned()][..], 4));
    let (image, label) = dataset.item(3)?;
    assert_eq!((image.shape(), label, image.to_vec::<u8>()[0]), (&[3, 2, 4].into(), 1, 9));
    fs::write(folder.join("cat/b.png"), b"\x89PNG\r\n\x1a\ncut off")?;
    assert_eq!(dataset.item(0).unwrap_err().kind(), ErrorKind::Format);
    fs::create_dir(folder.join("empty"))?;
    assert!(ImageFolder::open(&folder).is_err());
    Ok(fs::remove_dir_all(folder)?)
}

#[cfg(feature = "audio")]
#[test]
fn sounds_in_folders() -> Result<()> {
    use firesteel::{audio::write_wav, data::WavFolder};
    let folder = folder("sounds")?;
    fs::create_dir(folder.join("yes"))?;
    let waveform = TensorData::new([1, 3], Data::F32(vec![0., -0.5, 1.]))?;
    write_wav(folder.join("yes/a.wav"), &waveform, 8000)?;
    // one sample of 16 bits: a half
    let header = b"RIFF\x26\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x02\0\0\0\0\x40";
    fs::write(folder.join("yes/b.wav"), header)?;
    let dataset = WavFolder::open(&folder)?;
    assert_eq!(dataset.item(0)?, (waveform, 8000, 0));
    assert_eq!(dataset.item(1)?.0.to_vec::<f32>(), [0.5]);
    fs::write(folder.join("yes/b.wav"), &header[..20])?;
    assert_eq!(dataset.item(1).unwrap_err().kind(), ErrorKind::Io);
    Ok(fs::remove_dir_all(folder)?)
}
