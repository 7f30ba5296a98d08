//! The graph: nodes that own what they came from, and the way back through them.
//!
//! A node holds closures, one for each operand that wants a gradient, and a closure holds only what its
//! formula reads: the language keeps the books.
use super::view::Part;
use firesteel_core::{Backend, Binary, Error, Op, Operand, Outputs, Place, Pullback, Result, Tensor};
use smallvec::{SmallVec, smallvec};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt, mem,
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
};

/// Which result of which node a value is.
#[derive(Clone, Debug)]
pub(crate) struct Edge<B: Backend> {
    pub node: Arc<Node<B>>,
    pub output: usize,
}

impl<B: Backend> Edge<B> {
    pub fn place(&self) -> Place {
        (self.node.id, self.output)
    }
}

/// Where an operation's operands came from; nothing for a constant.
pub(crate) type Parents<B> = SmallVec<[Option<Edge<B>>; 2]>;

/// An operation that was run, with its way back.
pub(crate) struct Node<B: Backend> {
    /// Later than all that it came from, so it orders the way back.
    pub id: u64,
    pub name: &'static str,
    pub parents: Parents<B>,
    rule: Rule<B>,
    outputs: usize,
}

/// From the gradient of an operation's one real result to that of one operand.
pub(crate) type Each<B> = Box<dyn Fn(&Tensor<B>) -> Result<Tensor<B>> + Send + Sync>;

/// From the gradients of an operation's results to those of its operands.
pub(crate) enum Rule<B: Backend> {
    /// A value that is learned: the way ends here.
    Leaf,
    /// The results have no gradient.
    Nothing,
    /// One formula for each operand, of the gradient of the first result. Those that nobody asks for are
    /// dropped, with what they hold.
    Each(SmallVec<[Option<Each<B>>; 2]>),
    /// All at once, from the gradients of several results.
    Joint(Pullback<B>),
    /// The result is a part of the operand, and its gradient that of the part.
    Part(Part),
}

/// The gradients that a node's results have received so far.
type Received<B> = Outputs<Option<Tensor<B>>>;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// The number of the next node: whatever is there already has a smaller one.
pub(crate) fn horizon() -> u64 {
    NEXT.load(Ordering::Relaxed)
}

impl<B: Backend> Node<B> {
    /// A value that is learned.
    pub fn leaf() -> Arc<Self> {
        Self::new("leaf", Parents::new(), Rule::Leaf, 1)
    }

    pub fn new(name: &'static str, parents: Parents<B>, rule: Rule<B>, outputs: usize) -> Arc<Self> {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self { id, name, parents, rule, outputs })
    }

    pub fn is_leaf(&self) -> bool {
        matches!(self.rule, Rule::Leaf)
    }

    /// One gradient for each parent, from those of the results.
    fn pull(&self, received: &Received<B>) -> Result<Vec<Option<Tensor<B>>>> {
        match (&self.rule, received.first()) {
            (Rule::Joint(pullback), _) => {
                let grads = pullback(received)?;
                if grads.len() != self.parents.len() {
                    let why = format!("gives {} gradients for {} operands", grads.len(), self.parents.len());
                    return Err(Error::gradient(self.name, why));
                }
                Ok(grads)
            }
            (Rule::Each(rules), Some(Some(g))) => {
                rules.iter().map(|rule| rule.as_ref().map(|f| f(g)).transpose()).collect()
            }
            (Rule::Part(_), Some(g)) => Ok(vec![g.clone()]),
            (Rule::Each(_) | Rule::Part(_) | Rule::Leaf | Rule::Nothing, _) => Ok(vec![]),
        }
    }
}

impl<B: Backend> Rule<B> {
    /// Drops the formulas of operands that want no gradient; that one which does has none is an error,
    /// and never a silent zero.
    pub fn restrict(&mut self, name: &'static str, parents: &Parents<B>) -> Result<()> {
        if let Rule::Each(rules) = self {
            rules.resize_with(parents.len(), || None);
            for (rule, parent) in rules.iter_mut().zip(parents) {
                match parent {
                    None => *rule = None,
                    Some(_) if rule.is_none() => return Err(no_rule(name)),
                    Some(_) => (),
                }
            }
        }
        Ok(())
    }
}

fn no_rule(name: &'static str) -> Error {
    let why = "has no gradient for an operand that wants one: write its rule, or detach the operand";
    Error::gradient(name, why)
}

impl<B: Backend> fmt::Debug for Node<B> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} #{}", self.name, self.id)
    }
}

impl<B: Backend> Drop for Node<B> {
    /// Frees a chain of any length without recursion.
    fn drop(&mut self) {
        let mut edges = mem::take(&mut self.parents);
        while let Some(edge) = edges.pop() {
            if let Some(mut node) = edge.and_then(|e| Arc::into_inner(e.node)) {
                edges.append(&mut node.parents);
            }
        }
    }
}

/// Goes back from the roots with their gradients. Gives the gradients of leaves, of `wanted` places, and
/// of nodes before `floor`, which are not entered.
pub(crate) fn sweep<B: Backend>(
    roots: Vec<(&Edge<B>, Tensor<B>)>,
    wanted: &HashSet<Place>,
    floor: u64,
) -> Result<HashMap<Place, Tensor<B>>> {
    let (mut waiting, mut found) = (Waiting(BTreeMap::new()), HashMap::new());
    for (edge, grad) in roots {
        waiting.add(edge, grad, None)?;
    }
    while let Some((id, (node, received))) = waiting.0.pop_last() {
        let end = node.is_leaf() || id < floor;
        for (output, grad) in received.iter().enumerate() {
            if let Some(grad) = grad.as_ref().filter(|_| end || wanted.contains(&(id, output))) {
                found.insert((id, output), grad.clone());
            }
        }
        if end {
            continue;
        }
        let grads = node.pull(&received)?;
        let part = if let Rule::Part(part) = &node.rule { Some(part) } else { None };
        drop(received); // so that what is passed on unchanged can be added to in place
        for (parent, grad) in node.parents.iter().zip(grads) {
            if let (Some(edge), Some(grad)) = (parent, grad) {
                waiting.add(edge, grad, part)?;
            }
        }
    }
    Ok(found)
}

/// Nodes that have received some gradient, the latest last.
struct Waiting<'a, B: Backend>(BTreeMap<u64, (&'a Node<B>, Received<B>)>);

impl<'a, B: Backend> Waiting<'a, B> {
    /// Adds a gradient to what was received so far, or to a part of it.
    fn add(&mut self, edge: &'a Edge<B>, grad: Tensor<B>, part: Option<&Part>) -> Result<()> {
        let node = &*edge.node;
        let (_, received) = self.0.entry(node.id).or_insert_with(|| (node, smallvec![None; node.outputs]));
        let slot = received
            .get_mut(edge.output)
            .ok_or_else(|| Error::internal(node.name, "has fewer results than were recorded"))?;
        *slot = Some(match (slot.take(), part) {
            (None, None) => grad,
            (None, Some(part)) => part.placed(&grad)?,
            (Some(old), None) => sum(old, &grad)?,
            (Some(old), Some(part)) => part.added(old, &grad)?,
        });
        Ok(())
    }
}

/// `a + b`, in the memory of `a` where it has no history and nobody else holds it.
pub(super) fn sum<B: Backend>(mut a: Tensor<B>, b: &Tensor<B>) -> Result<Tensor<B>> {
    if B::requires_grad(a.value()) || B::requires_grad(b.value()) {
        return Tensor::one(Op::Binary(Binary::Add, &a, b));
    }
    a.update(Op::Binary(Binary::Add, Operand::Target(0), Operand::Value(b)))?;
    Ok(a)
}
