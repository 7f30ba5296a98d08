//! Runs one case on one stack. What reads numbers is async, since a browser runs cases too, and may not block.
use super::args::{Args, Leaves};
use super::cases::{Case, Detail, Gradients as Wanted, Raw, Tensor as Held};
use super::judge::{Found, Output, Results};
use super::{gauge, module, optim, sched, table};
use firesteel::{Backend, Differentiable, Result, Tensor, TensorData, backward_all};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a case gave, or nothing where no call of ours stands for it.
pub type Ran = Result<Option<Results>>;

/// The outputs of a case.
pub async fn plain<B: Backend>(device: &B, case: &Case) -> Ran {
    let Some(call) = Call::new(device, case).await? else {
        return Ok(None);
    };
    Ok(Some(Results { outputs: call.download().await?, grads: None, seconds: None }))
}

/// The outputs and the gradients of a case.
pub async fn once<D: Differentiable>(device: &D, case: &Case) -> Ran {
    if let Some(ran) = trained(device, case) {
        return ran;
    }
    let Some(call) = Call::new(device, case).await? else {
        return Ok(None);
    };
    let grads = call.found(&call.gradients(device, case)?, &case.grads).await?;
    Ok(Some(Results { outputs: call.download().await?, grads: Some(grads), seconds: None }))
}

/// The outputs, the gradients and the second gradients of a case.
pub async fn twice<D: Differentiable<Inner: Differentiable>>(device: &D, case: &Case) -> Ran {
    if let Some(ran) = trained(device, case) {
        return ran;
    }
    let Some(call) = Call::new(device, case).await? else {
        return Ok(None);
    };
    let gradients = call.gradients(device, case)?;
    let grads = call.found(&gradients, &case.grads).await?;
    let seconds = call.found(&call.seconds(device, case, &gradients)?, &case.seconds).await?;
    Ok(Some(Results { outputs: call.download().await?, grads: Some(grads), seconds: Some(seconds) }))
}

/// What an optimizer or a scheduler gives, where the case is of one.
fn trained<D: Differentiable>(device: &D, case: &Case) -> Option<Ran> {
    match &case.detail {
        Detail::Optim(problem) => Some(optim::run(device, case, problem)),
        Detail::Sched(course) => Some(sched::run(device, case, course)),
        Detail::Op | Detail::Module(_) => None,
    }
}

/// For each leaf, in order, a gradient where the result depends on it.
type OnDevice<B> = Vec<Option<Tensor<B>>>;

/// What a call gave, still on the device.
struct Call<B: Backend> {
    outputs: Vec<Output<Tensor<B>>>,
    leaves: Leaves<Tensor<B>>,
}

impl<B: Backend> Call<B> {
    /// Runs the call of ours that stands for the case's.
    async fn new(device: &B, case: &Case) -> Result<Option<Self>> {
        // The same random numbers whichever cases ran before.
        device.generator().manual_seed(0);
        let load = |raw: &Raw, wanted| {
            let tensor = upload(device, raw)?;
            if wanted { tensor.requires_grad() } else { Ok(tensor) }
        };
        let args = Args::new(case, &load);
        let called = match &case.detail {
            Detail::Op => match table::call(device, &case.name, &args).await? {
                Some(outputs) => Some((gauge::aligned(device, case, outputs.0)?, vec![])),
                None => None,
            },
            Detail::Module(made) => module::call(device, &case.name, made, &args)?,
            // These run elsewhere.
            Detail::Optim(_) | Detail::Sched(_) => None,
        };
        let Some((outputs, parameters)) = called else {
            return Ok(None);
        };
        let leaves = args.finish()?.into_iter().chain(parameters).collect();
        Ok(Some(Self { outputs, leaves }))
    }

    /// The outputs on the host.
    async fn download(&self) -> Result<Vec<Output>> {
        let mut outputs = Vec::with_capacity(self.outputs.len());
        for output in &self.outputs {
            outputs.push(match output {
                Output::Tensor(tensor) => Output::Tensor(download(tensor).await?),
                Output::Value(value) => Output::Value(value.clone()),
            });
        }
        Ok(outputs)
    }

    /// The gradients on the host, by path. As PyTorch's exporter does, zeros stand for a gradient that it has and
    /// we don't, since the result does not depend on that leaf.
    async fn found<C: Backend>(&self, gradients: &OnDevice<C>, wanted: &Wanted) -> Result<Found> {
        let mut found = Found::new();
        for ((path, leaf), gradient) in self.leaves.iter().zip(gradients) {
            let raw = match (gradient, wanted.get(path)) {
                (Some(gradient), _) => Some(download(gradient).await?),
                (None, Some(Some(_))) => Some(zeros(leaf)),
                (None, _) => None,
            };
            found.insert(path.clone(), raw);
        }
        Ok(found)
    }
}

impl<D: Differentiable> Call<D> {
    /// The gradient of the sum of all outputs times their cotangents.
    fn gradients(&self, device: &D, case: &Case) -> Result<OnDevice<D::Inner>> {
        let outputs = case.cotangents.iter();
        let outputs = outputs.filter_map(|(i, cotangent)| Some((self.outputs.get(*i)?.tensor()?, cotangent)));
        let leaves: Vec<&Tensor<D>> = self.leaves.iter().map(|(_, leaf)| leaf).collect();
        differentiate(device, outputs, &leaves)
    }
}

impl<D: Differentiable<Inner: Differentiable>> Call<D> {
    /// The gradient of the sum of all gradients times their directions.
    fn seconds(
        &self,
        device: &D,
        case: &Case,
        gradients: &OnDevice<D::Inner>,
    ) -> Result<OnDevice<<D::Inner as Differentiable>::Inner>> {
        let directions =
            self.leaves.iter().map(|(path, _)| case.directions.get(path).and_then(Option::as_ref));
        let gradients = gradients.iter().zip(directions).filter_map(|(g, d)| Some((g.as_ref()?, d?)));
        let leaves: Vec<_> = self.leaves.iter().map(|(_, leaf)| leaf.lower()).collect();
        differentiate(device.beneath(), gradients, &leaves.iter().collect::<Vec<_>>())
    }
}

/// The gradients of `Σ root · cotangent` by each leaf.
fn differentiate<'a, D: Differentiable>(
    device: &D,
    roots: impl Iterator<Item = (&'a Tensor<D>, &'a Held)>,
    leaves: &[&Tensor<D>],
) -> Result<OnDevice<D::Inner>> {
    let roots = roots.filter(|(root, _)| root.is_tracked());
    let roots = roots.map(|(root, cotangent)| Ok((root, upload(device.beneath(), cotangent.raw()?)?)));
    let roots = roots.collect::<Result<Vec<_>>>()?;
    if roots.is_empty() {
        return Ok(vec![None; leaves.len()]);
    }
    let roots: Vec<_> = roots.iter().map(|(root, cotangent)| (*root, cotangent)).collect();
    let gradients = backward_all(&roots, &[])?;
    Ok(leaves.iter().map(|leaf| gradients.find(leaf).cloned()).collect())
}

/// A tensor of a case's on a device.
pub fn upload<B: Backend>(device: &B, raw: &Raw) -> Result<Tensor<B>> {
    Tensor::from_data(TensorData::new(&raw.shape[..], raw.data()?)?, device)
}

/// How many tensors were brought to the host.
static DOWNLOADS: AtomicU64 = AtomicU64::new(0);

/// How many tensors were brought to the host by [`download`].
// only a GPU is asked how often it was read
#[allow(dead_code)]
pub fn downloads() -> u64 {
    DOWNLOADS.load(Relaxed)
}

/// A tensor on the host.
pub async fn download<B: Backend>(tensor: &Tensor<B>) -> Result<Raw> {
    DOWNLOADS.fetch_add(1, Relaxed);
    let data = tensor.to_data_async().await?;
    Ok(Raw::new(data.shape(), data.data()))
}

fn zeros<B: Backend>(tensor: &Tensor<B>) -> Raw {
    let (dtype, shape) = (tensor.dtype(), tensor.shape().to_vec());
    Raw { dtype, shape, bytes: vec![0; tensor.meta().bytes()] }
}
