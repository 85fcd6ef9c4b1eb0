//! Single operations on small and on large arrays: a file of cases for each.

mod case;
mod fold;
mod layers;
mod values;

use crate::operations::Operations;
use case::Cases;

/// Writes the cases of a file.
type Write = fn(&dyn Operations, &mut Cases);

/// Each file's name and what is in it.
pub fn files(on: &dyn Operations) -> Vec<(&'static str, String)> {
    let all: [(&'static str, Write); 20] = [
        ("product", values::product),
        ("batched-product", values::batched_product),
        ("sums", values::sums),
        ("functions", values::functions),
        ("gelu", values::gelu),
        ("relu", values::relu),
        ("optimizers", values::optimizers),
        ("linear", layers::linear),
        ("softmax", layers::softmax),
        ("cross-entropy", layers::cross_entropy),
        ("layer-norm", layers::layer_norm),
        ("embedding", layers::embedding),
        ("convolution", layers::convolution),
        ("max-pool", layers::max_pool),
        ("mean-pool", layers::mean_pool),
        ("attention", layers::attention),
        ("add", values::add),
        ("multiply", values::multiply),
        ("scale", values::scale),
        ("fold", fold::fold),
    ];
    all.into_iter()
        .map(|(name, write)| {
            let mut cases = Cases::new();
            write(on, &mut cases);
            (name, cases.into_text())
        })
        .collect()
}
