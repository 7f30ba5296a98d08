use super::*;
use crate::testing::{numbers, small, value, views};
use firesteel_core::{DType, Span};

/// The elements by their places, one at a time.
fn plain(x: &CpuValue) -> Vec<u32> {
    x.layout.offsets().map(|at| x.memory::<u32>()[at]).collect()
}

#[test]
fn every_view_is_copied() {
    for x in views(DType::F32) {
        assert_eq!(contiguous(&x).unwrap().rows::<u32>().unwrap(), plain(&x), "{x:?}");
    }
    for &dtype in DType::ALL {
        let x = value(dtype, [50, 70], &small(dtype, 3500));
        let twice = |x: &CpuValue| contiguous(&x.view(x.layout.permute(&[1, 0]))).unwrap();
        assert_eq!(numbers(&twice(&twice(&x))), numbers(&x));
    }
}

#[test]
fn large_copies_are_shared_between_threads_and_cut_in_tiles() {
    let x = value(DType::F32, [3, 301, 77, 5], &(0..3 * 301 * 77 * 5).map(f64::from).collect::<Vec<_>>());
    for axes in [[0, 2, 1, 3], [3, 2, 1, 0], [0, 3, 1, 2], [2, 0, 3, 1], [1, 3, 0, 2]] {
        let y = x.view(x.layout.permute(&axes));
        assert!(contiguous(&y).unwrap().rows::<u32>().unwrap() == plain(&y), "{axes:?}");
    }
}

#[test]
fn copies_to_slices_touch_nothing_else() {
    let x = value(DType::F32, [40, 60, 30], &(0..72_000).map(f64::from).collect::<Vec<_>>());
    let whole = Layout::contiguous(Shape::from([90, 130, 31]));
    let span = |start, step, len| Span { start, step, len };
    for spans in [
        [span(3, 2, 40), span(1, 1, 60), span(0, 1, 30)],
        [span(80, -2, 40), span(129, -1, 60), span(30, -1, 30)],
        [span(0, 1, 40), span(2, 2, 60), span(1, 1, 30)],
        [span(0, 1, 40), span(7, 0, 60), span(1, 1, 30)],
    ] {
        for axes in [[0, 1, 2], [1, 0, 2], [2, 1, 0]] {
            let axes_back: Vec<usize> = (0..3).map(|a| axes.iter().position(|&b| b == a).unwrap()).collect();
            let to = whole.slice(&spans);
            let source = contiguous(&x.view(x.layout.permute(&axes))).unwrap();
            let source = source.view(source.layout.permute(&axes_back));
            let mut found = vec![u32::MAX; whole.shape.numel()];
            let mut wanted = found.clone();
            copy_into(&source, &mut found, &to);
            plain(&source).into_iter().zip(to.offsets()).for_each(|(x, at)| wanted[at] = x);
            assert!(found == wanted, "{spans:?} from {axes:?}");
        }
    }
}

#[test]
fn broadcasts_and_single_elements() {
    let one = value(DType::F32, [], &[3.0]);
    assert_eq!(numbers(&contiguous(&one).unwrap()), [3.0]);
    let wide = value(DType::F32, [1, 2], &[1.0, 2.0]);
    let wide = wide.view(wide.layout.broadcast(&Shape::from([40_000, 2])));
    assert_eq!(contiguous(&wide).unwrap().rows::<u32>().unwrap(), plain(&wide));
}
