//! Whole steps of training: a batch's loss, its gradients, and the optimizer.

use hydra_arithmetic::optimizer::{AdamW, AdamWSteps};
use hydra_torch_worker::{operators, processor};
use tch::{COptimizer, Tensor};

use crate::{
    AnyError,
    layers::{Layers, Ours, Theirs},
    measure::{Bench, Outcome, Sides},
    memory::{values, values_mut},
    models::{Cnn, Gpt, Mlp, Model},
};

/// How weights follow gradients.
#[derive(Clone, Copy)]
enum Rule {
    /// Its rate; the momentum is 0.9.
    Momentum(f64),
    AdamW,
}

const MOMENTUM: f64 = 0.9;
/// Small: what is measured shouldn't get far away from where it began.
const ADAM_W: AdamW = AdamW {
    rate: 1e-5,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    decay: 0.01,
};

/// One side's optimizer.
enum Optimizer {
    /// LibTorch's, in C++: what tch has.
    Theirs(COptimizer),
    Momentum {
        rate: f32,
        buffers: Vec<Tensor>,
    },
    /// Its two means for each weight.
    AdamW {
        steps: AdamWSteps,
        means: Vec<[Tensor; 2]>,
    },
}

impl Optimizer {
    fn theirs(rule: Rule, weights: &[Tensor]) -> Result<Self, AnyError> {
        let mut optimizer = match rule {
            Rule::Momentum(rate) => COptimizer::sgd(rate, MOMENTUM, 0.0, 0.0, false)?,
            Rule::AdamW => {
                let AdamW {
                    rate,
                    beta1,
                    beta2,
                    epsilon,
                    decay,
                } = ADAM_W;
                COptimizer::adamw(rate, beta1, beta2, decay, epsilon, false)?
            }
        };
        for weight in weights {
            optimizer.add_parameters(weight, 0)?;
        }
        Ok(Self::Theirs(optimizer))
    }

    fn ours(rule: Rule, weights: &[Tensor]) -> Result<Self, AnyError> {
        let zeros = |weight: &Tensor| weight.f_detach()?.f_zeros_like();
        Ok(match rule {
            Rule::Momentum(rate) => Self::Momentum {
                rate: rate as f32,
                buffers: weights.iter().map(zeros).collect::<Result<_, _>>()?,
            },
            Rule::AdamW => Self::AdamW {
                steps: AdamWSteps::new(ADAM_W),
                means: weights
                    .iter()
                    .map(|weight| Ok([zeros(weight)?, zeros(weight)?]))
                    .collect::<Result<_, AnyError>>()?,
            },
        })
    }

    fn step(&mut self, weights: &mut [Tensor], loss: &Tensor) -> Result<(), AnyError> {
        if let Self::Theirs(optimizer) = self {
            optimizer.zero_grad()?;
            loss.f_backward()?;
            return Ok(optimizer.step()?);
        }
        let gradients = Tensor::f_run_backward(&[loss], weights, false, false)?;
        match self {
            Self::Theirs(_) => (),
            Self::Momentum { rate, buffers } => {
                let weights = weights.iter_mut().zip(buffers);
                for ((weight, buffer), gradient) in weights.zip(&gradients) {
                    operators::sgd(weight, Some(buffer), gradient, *rate, MOMENTUM as f32)?;
                }
            }
            Self::AdamW { steps, means } => {
                let (cpu, step) = (processor::cpu(), steps.next_step());
                let weights = weights.iter_mut().zip(means);
                for ((weight, [mean, square]), gradient) in weights.zip(&gradients) {
                    // A copy where the graph has left it across.
                    let gradient = gradient.f_contiguous()?;
                    step.take(
                        &cpu,
                        values(&gradient),
                        values_mut(mean),
                        values_mut(square),
                        values_mut(weight),
                    );
                }
            }
        }
        Ok(())
    }
}

/// A model in training on one side.
pub struct Training {
    model: Box<dyn Model>,
    layers: Box<dyn Layers>,
    weights: Vec<Tensor>,
    optimizer: Optimizer,
    step: usize,
}

/// Makes a model and its data.
type Draw = dyn Fn() -> Result<Box<dyn Model>, AnyError>;

impl Training {
    /// Both sides' training, LibTorch's first: the same model, the same weights.
    fn both(draw: &Draw, rule: Rule) -> Result<[Self; 2], AnyError> {
        let one = |ours: bool| -> Result<Self, AnyError> {
            tch::manual_seed(1);
            let model = draw()?;
            let weights = model.weights()?;
            let (layers, optimizer): (Box<dyn Layers>, _) = if ours {
                (Box::new(Ours), Optimizer::ours(rule, &weights)?)
            } else {
                (Box::new(Theirs), Optimizer::theirs(rule, &weights)?)
            };
            Ok(Self {
                model,
                layers,
                weights,
                optimizer,
                step: 0,
            })
        };
        Ok([one(false)?, one(true)?])
    }

    /// A Gpt in ours.
    pub fn gpt() -> Result<Self, AnyError> {
        let [_, ours] = Self::both(&|| Ok(Box::new(Gpt::new()?)), Rule::AdamW)?;
        Ok(ours)
    }

    /// Takes a step; returns its loss.
    pub fn step(&mut self) -> Outcome {
        let loss = self.model.loss(&*self.layers, &self.weights, self.step)?;
        self.optimizer.step(&mut self.weights, &loss)?;
        self.step += 1;
        Ok(vec![loss.f_detach()?])
    }
}

/// Losses of both sides' first steps are compared, times are of those that follow.
pub fn steps(bench: &mut Bench) -> Result<(), AnyError> {
    bench.comparisons("Whole steps of training:");
    let rows: [(&str, &str, &Draw, Rule); 3] = [
        (
            "digits step",
            "64-64-10, batch 32, SGD with momentum",
            &|| Ok(Box::new(Mlp::new()?)),
            Rule::Momentum(0.01),
        ),
        (
            "cnn step",
            "4 layers of 3×3, batch 32 of 3 × 32 × 32, SGD with momentum",
            &|| Ok(Box::new(Cnn::new()?)),
            Rule::Momentum(1e-4),
        ),
        (
            "gpt step",
            "4 layers, 128 wide, 8 × 128 of 1,000 symbols, AdamW",
            &|| Ok(Box::new(Gpt::new()?)),
            Rule::AdamW,
        ),
    ];
    for (operation, shape, draw, rule) in rows {
        let [mut theirs, mut ours] = Training::both(draw, rule)?;
        let sides = Sides {
            theirs: &mut || theirs.step(),
            ours: &mut || ours.step(),
            common: None,
        };
        bench.compare(operation, shape, 1.0, sides)?;
    }
    Ok(())
}
