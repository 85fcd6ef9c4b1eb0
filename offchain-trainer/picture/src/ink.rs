//! Which parts of a grey picture are ink.
//!
//! Ink is what differs from the background around it, so the background is estimated everywhere first: a shadow across
//! the paper is no ink. Must never call a picture ink that has no two clearly different levels.

use crate::{PictureError, edge, plane::Plane};

/// Less difference than this between ink and background is noise.
pub const MIN_CONTRAST: f32 = 0.08;
/// Ink stands out from the unevenness of the background by this factor at least.
const MIN_CLARITY: f32 = 4.0;
/// Unevenness below this doesn't count: a drawing program leaves none at all.
const LEAST_NOISE: f32 = 0.01;
/// Light is never taken to be less than this: what is dark already need not hold ink.
const DARKEST: f32 = 0.1;
/// Of the stronger half of the ink: what counts as full.
const FULL_INK: f32 = 0.6;

/// Ink from 0 (background) to 1.
pub fn find(grey: &Plane) -> Result<Plane, PictureError> {
    let grey = &edge::without_frame(grey);
    let dark = is_ink_dark(&grey.blur(1));
    let grey = if dark {
        grey.clone()
    } else {
        grey.map(|value| 1.0 - value)
    };
    let side = grey.longer_side();
    let closed = grey.blur(1).blur(2).close((side / 4).max(1));
    // Smooth, but never lighter than what is there: towards the dark end of a slope its mean would be.
    let background = closed.zip(&closed.blur(side / 20), f32::min);
    let ink = grey.zip(&background, |value, background| {
        // Paper in half the light is half as bright, and so is the ink on it. For light ink the difference counts.
        let light = if dark { background.max(DARKEST) } else { 1.0 };
        ((background - value) / light).clamp(0.0, 1.0)
    });
    let smooth = ink.blur(1);
    let threshold = threshold(&smooth);
    let (mut high, mut low): (Vec<f32>, Vec<f32>) =
        smooth.values.iter().partition(|value| **value >= threshold);
    high.sort_unstable_by(f32::total_cmp);
    low.sort_unstable_by(f32::total_cmp);
    let quantile = |sorted: &[f32], share: f32| {
        let index = (sorted.len().saturating_sub(1) as f32 * share) as usize;
        sorted.get(index).copied()
    };
    let (Some(full), Some(none)) = (quantile(&high, FULL_INK), quantile(&low, 0.5)) else {
        return Err(PictureError::Blank);
    };
    if full - none < MIN_CONTRAST {
        return Err(PictureError::Blank);
    }
    let mean = high.iter().sum::<f32>() / high.len().max(1) as f32;
    if mean - none < MIN_CLARITY * deviation(&low).max(LEAST_NOISE) {
        return Err(PictureError::Unclear);
    }
    Ok(ink.map(|value| ((value - none) / (full - none)).clamp(0.0, 1.0)))
}

/// Ink is the minority, so brightness relative to the surroundings is skewed towards it.
fn is_ink_dark(grey: &Plane) -> bool {
    let surroundings = grey.blur(grey.longer_side() / 4);
    let skew = grey.values.iter().zip(&surroundings.values).map(|(a, b)| {
        let difference = f64::from(a - b);
        difference * difference * difference
    });
    skew.sum::<f64>() < 0.0
}

fn deviation(values: &[f32]) -> f32 {
    let count = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / count;
    let squares = values.iter().map(|value| (value - mean) * (value - mean));
    (squares.sum::<f32>() / count).sqrt()
}

/// Otsu's: the level that parts the values into the two groups that differ most.
fn threshold(plane: &Plane) -> f32 {
    const BINS: usize = 256;
    let mut histogram = [0u32; BINS];
    for value in &plane.values {
        let bin = ((value * BINS as f32) as usize).min(BINS - 1);
        if let Some(count) = histogram.get_mut(bin) {
            *count += 1;
        }
    }
    let level = |bin: usize| (bin as f64 + 0.5) / BINS as f64;
    let total = plane.values.len().max(1) as f64;
    let sum: f64 = histogram
        .iter()
        .enumerate()
        .map(|(bin, count)| level(bin) * f64::from(*count) / total)
        .sum();
    let (mut share, mut below) = (0.0, 0.0);
    // Between two groups with nothing in between every level is as good: their middle is taken.
    let (mut best, mut first, mut last) = (-1.0, 0, 0);
    for (bin, count) in histogram.iter().enumerate() {
        share += f64::from(*count) / total;
        below += level(bin) * f64::from(*count) / total;
        let difference = sum * share - below;
        let between = difference * difference / (share * (1.0 - share)).max(1e-9);
        if between > best + 1e-12 {
            (best, first) = (between, bin);
        }
        if between >= best - 1e-12 {
            last = bin;
        }
    }
    ((first + last) as f64 / 2.0 + 1.0) as f32 / BINS as f32
}
