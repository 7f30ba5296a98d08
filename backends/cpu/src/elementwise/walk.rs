//! Several operands walked together in the order of the result.
use firesteel_core::{Axes, Layout, Shape, Strides};
use smallvec::SmallVec;

/// The axes of a result, with those joined that every operand steps through as one.
#[derive(Debug)]
pub(crate) struct Walk {
    sizes: Axes,
    operands: SmallVec<[Path; 4]>,
}

/// An operand's way through the axes.
#[derive(Debug)]
struct Path {
    offset: usize,
    strides: Strides,
    /// Whether the elements lie one after another, in the result's order.
    is_flat: bool,
}

impl Walk {
    /// Over the axes of `shape`, which all the layouts have.
    pub(crate) fn new<'a>(shape: &Shape, layouts: impl Iterator<Item = &'a Layout>) -> Self {
        let layouts: SmallVec<[&Layout; 4]> = layouts.collect();
        let mut sizes = Axes::new();
        let mut strides: SmallVec<[Strides; 4]> = layouts.iter().map(|_| Strides::new()).collect();
        for (axis, &size) in shape.iter().enumerate().filter(|(_, size)| **size != 1) {
            let joins = !sizes.is_empty() && {
                let steps = |(strides, layout): (&Strides, &&Layout)| {
                    strides.last().copied() == layout.strides[axis].checked_mul(size as isize)
                };
                strides.iter().zip(&layouts).all(steps)
            };
            if !joins {
                sizes.push(1);
                strides.iter_mut().for_each(|s| s.push(0));
            }
            let last = sizes.len() - 1;
            sizes[last] *= size;
            strides.iter_mut().zip(&layouts).for_each(|(s, layout)| s[last] = layout.strides[axis]);
        }
        if sizes.is_empty() {
            sizes.push(1);
            strides.iter_mut().for_each(|s| s.push(1));
        }
        let flat = Shape::from(&sizes[..]).strides();
        let path = |(layout, strides): (&&Layout, Strides)| Path {
            offset: layout.offset,
            is_flat: strides == flat,
            strides,
        };
        let operands = layouts.iter().zip(strides).map(path).collect();
        Walk { sizes, operands }
    }

    /// How many results there are.
    pub(crate) fn len(&self) -> usize {
        self.sizes.iter().product()
    }

    /// How many results lie in a row, the last axis.
    pub(crate) fn row(&self) -> usize {
        self.sizes[self.sizes.len() - 1]
    }

    /// Whether all elements of operand `k` can be seen at once as they lie, or are one.
    pub(crate) fn sees_all(&self, k: usize) -> bool {
        let path = &self.operands[k];
        path.is_flat || path.strides.iter().all(|&stride| stride == 0)
    }

    /// Whether the elements of operand `k` beside a row can be seen as they lie, or are one.
    pub(crate) fn sees_rows(&self, k: usize) -> bool {
        self.sees_all(k) || matches!(self.operands[k].strides[self.sizes.len() - 1], 0 | 1)
    }

    /// The elements of operand `k` beside the `n` results from number `at` on, where they can be seen as
    /// they lie: where the first lies, and whether it is the only one.
    pub(crate) fn seen(&self, k: usize, at: usize, n: usize) -> Option<(usize, bool)> {
        let path = &self.operands[k];
        if path.is_flat {
            return Some((path.offset + at, false));
        }
        if self.sees_all(k) {
            return Some((path.offset, true));
        }
        let stride = path.strides[self.sizes.len() - 1];
        let within_row = at % self.row() + n <= self.row();
        match stride {
            0 if within_row => Some((path.place(&self.index(at)), true)),
            1 if within_row => Some((path.place(&self.index(at)), false)),
            _ => None,
        }
    }

    /// Copies the elements of operand `k` beside the results from number `at` on.
    pub(crate) fn gather<T: Copy>(&self, k: usize, memory: &[T], at: usize, y: &mut [T]) {
        let (path, last) = (&self.operands[k], self.sizes.len() - 1);
        let stride = path.strides[last];
        let mut index = self.index(at);
        let mut rest = y;
        while !rest.is_empty() {
            let n = rest.len().min(self.sizes[last] - index[last]);
            let (y, after) = rest.split_at_mut(n);
            rest = after;
            let start = path.place(&index);
            match stride {
                0 => y.fill(memory[start]),
                1 => y.copy_from_slice(&memory[start..start + n]),
                _ => {
                    let mut at = start;
                    for y in y {
                        *y = memory[at];
                        at = at.wrapping_add_signed(stride);
                    }
                }
            }
            index[last] = 0;
            for axis in (0..last).rev() {
                index[axis] += 1;
                if index[axis] < self.sizes[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
    }

    /// The place of result number `at` along each axis.
    fn index(&self, mut at: usize) -> Axes {
        let mut index = self.sizes.clone();
        for (index, size) in index.iter_mut().zip(&self.sizes).rev() {
            *index = at % size;
            at /= size;
        }
        index
    }
}

impl Path {
    fn place(&self, index: &[usize]) -> usize {
        let steps = index.iter().zip(&self.strides).map(|(&i, &stride)| i as isize * stride);
        self.offset.wrapping_add_signed(steps.sum())
    }
}
