//! What the graph keeps alive, and that it lets go. One test, as all share the Cpu's pool.
use firesteel::*;

type Single = Autodiff<Cpu>;

const SIZE: usize = 1 << 16;
const BYTES: usize = SIZE * 4;

fn in_use() -> usize {
    Cpu.memory().allocated
}

fn numbers(tracked: bool) -> Result<Tensor<Single>> {
    let x = Tensor::new(vec![0.5f32; SIZE], &Autodiff::new(Cpu))?;
    if tracked { x.requires_grad() } else { Ok(x) }
}

#[test]
fn memory() -> Result<()> {
    a_rule_keeps_only_what_it_reads()?;
    a_frozen_operand_keeps_nothing()?;
    training_leaks_nothing()?;
    checkpoints_save_memory()?;
    a_million_operations()
}

fn a_rule_keeps_only_what_it_reads() -> Result<()> {
    let x = numbers(true)?;
    let before = in_use();
    // neither the operand nor the result of an addition, and of a sum, is read on the way back
    let h = (&x + 1.0)?;
    let y = (&h + 1.0)?.sum(..)?;
    assert!(in_use() >= before + BYTES);
    drop(h);
    assert!(in_use() < before + BYTES);
    drop(y);
    assert_eq!(in_use(), before);
    Ok(())
}

fn a_frozen_operand_keeps_nothing() -> Result<()> {
    let (x, frozen, before) = (numbers(true)?, numbers(false)?, in_use());
    // the gradient of h reads the frozen weight, and nobody asks for that of the weight, which would read h
    let h = x.exp()?;
    let y = (&h * &frozen)?;
    assert!(in_use() >= before + 2 * BYTES);
    let both = in_use();
    let unread = (&x + 1.0)?;
    let z = (&unread * &frozen)?;
    drop(unread);
    assert!(in_use() < both + 2 * BYTES);
    drop((y, h, z));
    assert_eq!(in_use(), before);
    Ok(())
}

fn training_leaks_nothing() -> Result<()> {
    let mut w = numbers(true)?;
    let step = |w: &mut Tensor<Single>| -> Result<()> {
        let loss = (w.lazy() * &*w - w.lazy().sigmoid()).eval()?.sum(..)?;
        let gradient = Tensor::lift(w.backend(), loss.backward()?.get(w)?.clone());
        no_grad(|| Expr::update([w], |[w]| [w - 0.1 * gradient.lazy()]))
    };
    step(&mut w)?;
    let before = in_use();
    for _ in 0..100 {
        step(&mut w)?;
    }
    assert_eq!(in_use(), before);
    Ok(())
}

fn checkpoints_save_memory() -> Result<()> {
    let x = numbers(true)?;
    let block = |xs: &[Tensor<Single>]| (0..8).try_fold(xs[0].clone(), |x, _| x.sin());
    let peak = |saving: bool| -> Result<(usize, Vec<f32>)> {
        Cpu.reset_peak_memory();
        let before = in_use();
        let y =
            (0..8).try_fold(x.clone(), |x, _| if saving { checkpoint(&[&x], block) } else { block(&[x]) })?;
        let gradient = y.sum(..)?.backward()?.get(&x)?.to_vec()?;
        Ok((Cpu.memory().peak - before, gradient))
    };
    let ((plain, want), (saved, have)) = (peak(false)?, peak(true)?);
    assert_eq!(want, have);
    assert!(2 * saved < plain, "{saved} bytes with checkpoints, {plain} without");
    Ok(())
}

fn a_million_operations() -> Result<()> {
    let x = Tensor::new([1.0, 2.0], &Autodiff::new(Cpu))?.requires_grad()?;
    let before = in_use();
    let y = (0..1_000_000).try_fold(x.clone(), |x, _| x.neg())?;
    assert_eq!(y.sum(..)?.backward()?.get(&x)?.to_vec::<f32>()?, [1., 1.]);
    drop(y);
    assert_eq!(in_use(), before);
    Ok(())
}
