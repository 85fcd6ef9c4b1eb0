//! Folding updates, value by value.

use crate::fold::Rule;

/// To single precision, once; never infinite.
fn narrow(value: f64) -> f32 {
    value.clamp(f64::from(-f32::MAX), f64::from(f32::MAX)) as f32
}

/// Folds `updates`, each with its weight, into `weights`, and into `kept` what the rule keeps, if it does. Without updates nothing changes.
pub fn fold(rule: Rule, updates: &[(f64, &[f32])], mut kept: Option<&mut [f32]>, weights: &mut [f32]) {
    if updates.is_empty() {
        return;
    }
    for i in 0..weights.len() {
        let w = f64::from(weights[i]);
        weights[i] = match rule {
            Rule::Mix { rate, rest } => {
                let mut sum = 0.0f64;
                for (_, update) in updates {
                    sum += f64::from(narrow(w + f64::from(update[i])));
                }
                narrow(rest * w + rate * (sum / updates.len() as f64))
            }
            Rule::Mean { rate, momentum } => {
                let (mut sum, mut total) = (0.0f64, 0.0f64);
                for (n, update) in updates {
                    sum += n * f64::from(update[i]);
                    total += n;
                }
                let mean = sum / total;
                let mut m = 0.0;
                if let Some(kept) = &mut kept {
                    kept[i] = narrow(momentum * f64::from(kept[i]) + mean);
                    m = f64::from(kept[i]);
                }
                narrow(w + rate * (mean + momentum * m))
            }
        };
    }
}
