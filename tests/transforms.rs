//! Transforms of images and sound beside the numbers of torchvision 0.29 and torchaudio 2.11.
#![allow(clippy::unwrap_used)] // a test says what is wrong by panicking
use firesteel::{
    GridMode, InterpolateMode,
    audio::{MFCC, MelScale, MelSpectrogram, ResampleOptions, Spectrogram, amplitude_to_db, resample},
    data::Rng,
    prelude::*,
    vision::*,
};

/// What PyTorch gave: the shape, the sum, the sum of each number times its place, by how many there are, and the
/// first numbers.
struct Expected<'a> {
    shape: &'a [usize],
    sum: f64,
    weighted: f64,
    first: [f64; 4],
}

#[track_caller]
fn assert_is(x: &Tensor<Cpu>, expected: Expected) {
    let values: Vec<f64> = x.to_vec().unwrap();
    assert_eq!(&x.shape()[..], expected.shape);
    let sum: f64 = values.iter().sum();
    let weighted = values.iter().zip(1..).map(|(v, i)| v * f64::from(i)).sum::<f64>() / values.len() as f64;
    let near = |a: f64, b: f64| (a - b).abs() < 2e-5 * (1. + b.abs());
    assert!(near(sum, expected.sum) && near(weighted, expected.weighted), "{sum} {weighted}");
    for (value, first) in values.iter().zip(expected.first) {
        assert!(near(*value, first), "{values:?}");
    }
}

/// `((7 c + 5 y + 3 x) mod 17) / 16` at row `y` and column `x` of channel `c`.
fn image() -> Tensor<Cpu> {
    let pixel = |c: usize, y: usize, x: usize| ((7 * c + 5 * y + 3 * x) % 17) as f32 / 16.;
    let row = |c, y| (0..6).map(|x| pixel(c, y, x)).collect::<Vec<_>>();
    let plane = |c| (0..5).map(|y| row(c, y)).collect::<Vec<_>>();
    Tensor::new((0..3).map(plane).collect::<Vec<_>>(), &Cpu).unwrap()
}

fn bytes() -> Tensor<Cpu> {
    (image() * 255.0).unwrap().to(DType::U8).unwrap()
}

fn apply(transform: impl Transform<Cpu>, image: &Tensor<Cpu>) -> Result<Tensor<Cpu>> {
    transform.apply(image, &mut Rng::new(7))
}

macro_rules! cases {
    ($($test:ident { $($x:expr => $shape:expr, $sum:expr, $weighted:expr, $first:expr;)* })*) => {$(
        #[test]
        fn $test() -> Result<()> {
            $(assert_is(&$x, Expected { shape: &$shape, sum: $sum, weighted: $weighted, first: $first });)*
            Ok(())
        }
    )*};
}

cases! {
    colours {
        adjust_brightness(&image(), 1.3)? => [3, 5, 6], 54.043749, 27.342638, [0., 0.24375, 0.4875, 0.73125];
        adjust_contrast(&image(), 0.6)? => [3, 5, 6], 44.507133, 22.501870, [0.199107, 0.311607, 0.424107, 0.536607];
        adjust_contrast(&image(), 1.5)? => [3, 5, 6], 44.378357, 22.464923, [0., 0.032366, 0.313616, 0.594866];
        adjust_saturation(&image(), 1.7)? => [3, 5, 6], 44.056589, 22.385332, [0., 0.022707, 0.21022, 0.397733];
        adjust_hue(&image(), 0.2)? => [3, 5, 6], 48.562495, 24.980831, [0.612499, 0., 0.1875, 0.375];
        adjust_hue(&image(), -0.35)? => [3, 5, 6], 46.312508, 23.519588, [0.525, 0.625, 0.8125, 1.];
        adjust_sharpness(&image(), 1.8)? => [3, 5, 6], 44.244228, 22.368161, [0., 0.1875, 0.375, 0.5625];
        rgb_to_grayscale(&image())? => [1, 5, 6], 14.933025, 7.736538, [0.356562, 0.422919, 0.6104, 0.797881];
        adjust_brightness(&bytes(), 1.3)? => [3, 5, 6], 13704., 6933.255556, [0., 61., 123., 185.];
        adjust_sharpness(&bytes(), 1.8)? => [3, 5, 6], 11203., 5664.266667, [0., 46., 95., 143.];
    }
    levels {
        posterize(&bytes(), 3)? => [3, 5, 6], 9376., 4732.088889, [0., 32., 64., 128.];
        solarize(&bytes(), 100.)? => [3, 5, 6], 5521., 2797.344444, [0., 47., 95., 112.];
        solarize(&image(), 0.4)? => [3, 5, 6], 21.6875, 10.9875, [0., 0.1875, 0.375, 0.4375];
        autocontrast(&dim())? => [3, 5, 6], 11175., 5650.266667, [0., 45., 93., 141.];
        equalize(&dim())? => [3, 5, 6], 5525., 2793.422222, [20., 35., 51., 67.];
        apply(ToTensor, &bytes())? => [3, 5, 6], 44.160785, 22.327844, [0., 0.184314, 0.372549, 0.560784];
    }
    places {
        rotate(&image(), 30., GridMode::Nearest)? => [3, 5, 6], 38.6875, 19.170139, [0., 0.375, 0.5625, 0.];
        rotate(&image(), -20., GridMode::Bilinear)? =>
            [3, 5, 6], 39.005731, 19.398762, [0.142303, 0.274218, 0.343529, 0.40699];
        affine(&image(), Affine {
            angle: 15.,
            translate: [1., -2.],
            scale: 1.2,
            shear: [10., 5.],
            mode: GridMode::Bilinear,
            ..Default::default()
        })? => [3, 5, 6], 30.533707, 14.031193, [0.605438, 0.629059, 0.711148, 0.857497];
        affine(&image(), Affine {
            shear: [0.3f64.atan().to_degrees(), 0.],
            center: [-3., -2.5],
            ..Default::default()
        })? => [3, 5, 6], 40.4375, 20.238194, [0., 0.1875, 0.375, 0.5625];
    }
    sizes {
        apply(Resize::shorter_side(3), &image())? =>
            [3, 3, 3], 13.276343, 6.885936, [0.267857, 0.545759, 0.547194, 0.624008];
        apply(Resize::new([7, 9]), &image())? => [3, 7, 9], 93.374999, 46.915036, [0., 0.09375, 0.21875, 0.34375];
        apply(CenterCrop::new([2, 3]), &image())? => [3, 2, 3], 8.6875, 4.392361, [1., 0.125, 0.3125, 0.25];
        apply(CenterCrop::new([8, 7]), &image())? => [3, 8, 7], 44.3125, 21.191592, [0.; 4];
        apply(Normalize::new([0.5, 0.4, 0.3], [0.2, 0.3, 0.4])?, &image())? =>
            [3, 5, 6], 22.760415, 16.859953, [-2.5, -1.5625, -0.625, 0.3125];
    }
    sound {
        Spectrogram::new(64)?.forward(&waveform(1000))? =>
            [33, 32], 21061.140673, 819.073331, [242.991859, 723.408932, 2.242991, 725.847216];
        Spectrogram {
            win_length: 48,
            hop_length: 20,
            power: 1.,
            center: false,
            normalized: true,
            ..Spectrogram::new(64)?
        }.forward(&waveform(1000))? => [33, 47], 479.277246, 30.252119, [5.217344, 2.72643, 2.203106, 5.040212];
        mel()?.forward(&waveform(1000))? =>
            [20, 16], 25003.340742, 2044.638552, [259.267647, 1021.382785, 1020.309919, 1021.652451];
        MelSpectrogram { scale: MelScale::Slaney, normalized: true, ..mel()? }.forward(&waveform(1000))? =>
            [20, 16], 170.700290, 11.784029, [2.407508, 7.288419, 7.296782, 7.28476];
        amplitude_to_db(&mel()?.forward(&waveform(1000))?.unsqueeze(0)?, Some(80.))? =>
            [1, 20, 16], -7324.348363, -5994.513940, [24.137483, 30.091885, 30.087321, 30.093032];
        MFCC::new(10, mel()?).forward(&waveform(1000))? =>
            [10, 16], 1313.586385, 895.122575, [2.754045, -115.324298, -114.290192, -115.050086];
        MFCC { log_mels: true, ..MFCC::new(10, mel()?) }.forward(&waveform(1000))? =>
            [10, 16], 286.513724, 207.461982, [0.634182, -30.633931, -29.935431, -30.485044];
        resample(&waveform(1000), 8000, 6000, Default::default())? =>
            [750], 2.657871, -13.241915, [0.375979, 0.575799, 0.609338, 0.594182];
        resample(&waveform(1000), 6000, 8000, Default::default())? =>
            [1334], 4.601396, -23.581878, [0.418979, 0.533382, 0.554203, 0.61464];
        resample(&waveform(101), 44100, 16000, ResampleOptions { lowpass_filter_width: 16, rolloff: 0.9 })? =>
            [37], 5.023487, -3.829045, [0.317796, 0.647726, 0.466561, 0.204867];
    }
}

/// Bytes from 20 to 105.
fn dim() -> Tensor<Cpu> {
    let values: Vec<u8> = bytes().to_vec::<u8>().unwrap().into_iter().map(|b| b / 3 + 20).collect();
    Tensor::from_vec(values, [3, 5, 6], &Cpu).unwrap()
}

/// Two sines.
fn waveform(n: usize) -> Tensor<Cpu> {
    let sample = |i: f64| (0.05 * i).sin() + 0.5 * (0.31 * i + 1.).sin();
    let samples: Vec<f64> = (0..n).map(|i| sample(i as f64)).collect();
    Tensor::new(samples, (DType::F64, &Cpu)).unwrap()
}

fn mel() -> Result<MelSpectrogram> {
    Ok(MelSpectrogram { n_mels: 20, ..MelSpectrogram::new(8000, Spectrogram::new(128)?) })
}

#[test]
fn a_batch_is_changed_as_each_of_its_images() -> Result<()> {
    let other = image().flip(-1)?;
    let batch = Tensor::stack(&[&image(), &other], 0)?;
    type Change = fn(&Tensor<Cpu>) -> Result<Tensor<Cpu>>;
    let changes: [Change; 8] = [
        |x| adjust_contrast(x, 0.6),
        |x| adjust_saturation(x, 1.7),
        |x| adjust_hue(x, 0.2),
        |x| adjust_sharpness(x, 1.8),
        |x| autocontrast(x),
        |x| rotate(x, 30., GridMode::Bilinear),
        |x| apply(Resize::new([7, 9]).mode(InterpolateMode::Bicubic), x),
        |x| apply(RandomCrop { padding: 2, ..RandomCrop::new([4, 4]) }, x),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let changed = change(&batch)?;
        for (part, alone) in [image(), other.clone()].iter().enumerate() {
            let (a, b): (Vec<f32>, Vec<f32>) =
                (changed.select(0, part as i64)?.to_vec()?, change(alone)?.to_vec()?);
            assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5), "change {i}: {a:?} {b:?}");
        }
    }
    Ok(())
}

#[test]
fn parts_of_any_ratio_become_one_size() -> Result<()> {
    // each pixel tells where it is
    let (rows, columns) = (Tensor::arange(0.0..40.0, &Cpu)?, Tensor::arange(0.0..60.0, &Cpu)?);
    let place =
        Tensor::stack(&[&rows.unsqueeze(1)?.expand([40, 60])?, &columns.unsqueeze(0)?.expand([40, 60])?], 0)?;
    let place = (place / 64.0)?;
    let transform = RandomResizedCrop::new([8, 8]);
    let (mut areas, mut ratios) = (vec![], vec![]);
    for seed in 0..400 {
        let part = transform.apply(&place, &mut Rng::new(seed))?;
        assert_eq!(part.shape(), &[2, 8, 8]);
        let (lo, hi) =
            ((part.amin([1, 2])? * 64.0)?.to_vec::<f64>()?, (part.amax([1, 2])? * 64.0)?.to_vec::<f64>()?);
        // from the middle of the first of eight pixels to that of the last
        let [height, width] = [0, 1].map(|i| (hi[i] - lo[i]) * 8. / 7.);
        areas.push(height * width / 2400.);
        ratios.push(width / height);
    }
    let (area, ratio) = (areas.iter().sum::<f64>() / 400., ratios.iter().map(|r| r.ln()).sum::<f64>() / 400.);
    // of large parts only the wide ones fit: the mean area is 0.39, and ratios lie above 1 on average
    assert!((0.33..0.42).contains(&area) && (0. ..0.1).contains(&ratio), "{area} {ratio}");
    assert!(ratios.iter().all(|r| (0.6..1.6).contains(r)), "{ratios:?}");

    // where no part fits it is the middle, of the nearest ratio
    let strip = place.narrow(-2, 0, 4)?;
    let whole = RandomResizedCrop { scale: (1., 1.), ..RandomResizedCrop::new([4, 5]) };
    let middle = whole.apply(&strip, &mut Rng::new(0))?;
    assert_eq!((middle.select(0, 1)?.select(0, 0)? * 64.0)?.to_vec::<f32>()?, [27., 28., 29., 30., 31.]);
    assert!(whole.apply(&place.narrow(-1, 0, 0)?, &mut Rng::new(0)).is_err());
    assert!(RandomResizedCrop { ratio: (0., 1.), ..whole }.apply(&place, &mut Rng::new(0)).is_err());
    Ok(())
}

#[test]
fn chance_goes_by_the_numbers_it_is_given() -> Result<()> {
    let transform = Compose::new()
        .then(RandAugment { num_ops: 3, magnitude: 20 })
        .then(ToTensor)
        .then(RandomCrop { padding: 1, ..RandomCrop::new([4, 5]) })
        .then(RandomHorizontalFlip::default())
        .then(RandomVerticalFlip::default())
        .then(RandomRotation::new(20.))
        .then(ColorJitter { brightness: 0.4, contrast: 0.3, saturation: 0.2, hue: 0.1 })
        .then(RandomErasing { p: 0.9, value: 0.25, ..Default::default() });
    let made = |seed| transform.apply(&bytes(), &mut Rng::new(seed))?.to_vec::<f32>();
    let mut different = 0;
    for seed in 0..60 {
        let first = made(seed)?;
        assert_eq!(first, made(seed)?);
        assert!(first.len() == 60 && first.iter().all(|x| (0.0..=1.0).contains(x)), "{first:?}");
        different += usize::from(first != made(seed + 1)?);
    }
    assert!(different > 55, "{different}");
    Ok(())
}

#[test]
fn a_part_is_erased_and_no_more() -> Result<()> {
    let image = Tensor::ones([3, 20, 30], &Cpu)?;
    for seed in 0..40 {
        let erasing = RandomErasing { p: 1., ..Default::default() };
        let erased = erasing.apply(&image, &mut Rng::new(seed))?;
        let zeros = 600. - erased.select(0, 0)?.sum(..)?.item::<f64>()?;
        assert!((600. * 0.015..600. * 0.36).contains(&zeros), "{zeros} of 600");
        assert!(erased.select(0, 1)?.equal(&erased.select(0, 2)?)?);
    }
    Ok(())
}

#[test]
fn flips_happen_as_often_as_they_should() -> Result<()> {
    let image = Tensor::new([[[1.0, 2.0]]], &Cpu)?;
    let flipped =
        |seed| Ok(RandomHorizontalFlip(0.3).apply(&image, &mut Rng::new(seed))?.to_vec::<f32>()? == [2., 1.]);
    let often = (0..1000).map(flipped).collect::<Result<Vec<bool>>>()?.into_iter().filter(|f| *f).count();
    assert!((250..350).contains(&often), "{often}");
    Ok(())
}

#[test]
fn bad_images_and_waveforms_are_errors() -> Result<()> {
    let (flat, empty) = (Tensor::zeros([4], &Cpu)?, Tensor::zeros([3, 0, 0], &Cpu)?);
    let whole = Tensor::zeros([3, 4, 4], (DType::I64, &Cpu))?;
    for image in [&flat, &empty, &whole] {
        // a value or an error, and no panic
        let _ = adjust_hue(image, 0.1).is_ok();
        let _ = adjust_sharpness(image, 2.).is_ok();
        let _ = autocontrast(image).is_ok();
        let _ = equalize(image).is_ok();
        let _ = rotate(image, 10., GridMode::Bilinear).is_ok();
        let _ = apply(ColorJitter { contrast: 1., hue: 0.1, ..Default::default() }, image).is_ok();
        let _ = apply(RandomErasing { p: 1., ..Default::default() }, image).is_ok();
        let _ = apply(CenterCrop::new([2, 2]), image).is_ok();
        assert!(apply(Resize::new([2, 2]), image).is_err());
        assert!(apply(RandomCrop::new([5, 5]), image).is_err());
        assert!(Spectrogram::new(8)?.forward(image).is_err());
        assert!(
            image.rank() == 3 && image.dtype().is_float()
                || resample(image, 2, 3, Default::default()).is_err()
                || image.rank() == 1
        );
    }
    assert!(adjust_hue(&image(), f64::NAN).is_err() && adjust_contrast(&image(), -1.).is_err());
    assert!(adjust_hue(&Tensor::zeros([2, 4, 4], &Cpu)?, 0.1).is_err());
    assert!(crop(&image(), [isize::MIN, 0], [usize::MAX, 1]).is_err());
    assert!(posterize(&image(), 3).is_err() && equalize(&image()).is_err());
    assert!(posterize(&bytes(), u32::MAX)?.equal(&bytes())?);
    assert!(
        Normalize::new([0.5], [0.]).is_err()
            && Normalize::new([0.5, 0.5], [1., 1.])?.apply(&image(), &mut Rng::new(0)).is_err()
    );
    assert!(Spectrogram::new(0).is_err() && Spectrogram::new(usize::MAX).is_err());
    assert!(Spectrogram { hop_length: 0, ..Spectrogram::new(8)? }.forward(&waveform(20)).is_err());
    assert!(Spectrogram::new(64)?.forward(&waveform(3)).is_err(), "too short to be mirrored");
    assert!(MelSpectrogram { n_mels: 0, ..mel()? }.weights().is_err());
    assert!(MFCC::new(21, mel()?).forward(&waveform(1000)).is_err());
    for (from, to) in [(0, 1), (1, 0), (u32::MAX, u32::MAX - 1)] {
        assert!(resample(&waveform(10), from, to, Default::default()).is_err());
    }
    assert!(
        resample(&waveform(10), 2, 3, ResampleOptions { rolloff: f64::NAN, ..Default::default() }).is_err()
    );
    Ok(())
}
