//! Isolated ink as the model's input, in several ways.
//!
//! The training images are scans of handwriting, each fitted into a square. How thick, slanted and wide a stranger's digit
//! should be there is unknown, so it is put there in each way that is plausible. Must give the same pixels on every run.

use crate::{
    FULL, PictureError, Pixels, SIDE,
    plane::{Plane, Sums},
};

/// The digit's longer side before it is shrunk to the model's pixels.
const SIZE: usize = 64;
/// Empty pixels around it, so that it may become thicker and slanted.
const MARGIN: usize = 16;
/// As it is, and as thick as strokes are in the training images (in pixels of [`SIZE`]).
const THICKNESSES: [Option<f32>; 2] = [None, Some(11.0)];
/// Pixels to the side per pixel of height.
const SLANTS: [f32; 3] = [-0.2, 0.0, 0.2];
/// Width, of what it is.
const STRETCHES: [f64; 2] = [0.9, 1.15];
/// Rows the ink fills.
const HEIGHTS: [f64; 2] = [7.4, 8.0];
/// Columns it may fill.
const COLUMNS: f64 = 7.0;
/// What is inside the ink's box.
const HALF: f32 = 0.5;
/// Strokes become thicker or thinner by no more than this, on each side.
const REACH: isize = 8;

/// The readings of isolated ink.
pub fn readings(digit: &Plane) -> Result<Vec<Pixels>, PictureError> {
    let normal = normalise(digit).ok_or(PictureError::Blank)?;
    let mut readings = Vec::new();
    for thickness in THICKNESSES {
        let ink = thickness
            .and_then(|target| with_thickness(&normal, target))
            .unwrap_or_else(|| normal.clone());
        for slant in SLANTS {
            let ink = slanted(&ink, slant);
            for stretch in STRETCHES {
                for height in HEIGHTS {
                    readings.extend(fit(&ink, height, stretch));
                }
            }
        }
    }
    if readings.is_empty() {
        return Err(PictureError::Blank);
    }
    Ok(readings)
}

/// The ink with its longer side [`SIZE`], in the middle of a square.
fn normalise(digit: &Plane) -> Option<Plane> {
    let bounds = digit.bounds(HALF)?;
    let scale = bounds.width().max(bounds.height()) as f64 / SIZE as f64;
    let side = SIZE + 2 * MARGIN;
    let half = scale * side as f64 / 2.0;
    let centre = |from: usize, to: usize| (from + to) as f64 / 2.0;
    let start = (
        centre(bounds.left, bounds.right) - half,
        centre(bounds.top, bounds.bottom) - half,
    );
    Some(Sums::new(digit).cells(side, side, start, (scale, scale)))
}

/// Mean thickness of the strokes: twice their area by their outline's length. The outline is counted as the changes
/// along rows and columns, of which a straight line in random direction has 4/π per pixel of length.
fn thickness(ink: &Plane) -> Option<f32> {
    let inside = |x: isize, y: isize| ink.at(x, y) > HALF;
    let (mut area, mut outline) = (0usize, 0usize);
    for y in -1..ink.height as isize {
        for x in -1..ink.width as isize {
            area += usize::from(inside(x, y));
            outline += usize::from(inside(x, y) != inside(x + 1, y));
            outline += usize::from(inside(x, y) != inside(x, y + 1));
        }
    }
    (outline > 0).then(|| 2.0 * area as f32 / (std::f32::consts::FRAC_PI_4 * outline as f32))
}

/// The same strokes with another thickness; `None` if nothing would be left of them.
fn with_thickness(ink: &Plane, target: f32) -> Option<Plane> {
    let grow = ((target - thickness(ink)?) / 2.0).clamp(1.0 - REACH as f32, REACH as f32 - 1.0);
    let changed = Plane::new(ink.width, ink.height, |x, y| {
        let (x, y) = (x as isize, y as isize);
        let inside = ink.at(x, y) > HALF;
        let mut nearest = f32::from(REACH as u8 + 1).powi(2);
        for dy in -REACH..=REACH {
            for dx in -REACH..=REACH {
                if (ink.at(x + dx, y + dy) > HALF) != inside {
                    nearest = nearest.min((dx * dx + dy * dy) as f32);
                }
            }
        }
        // The outline runs half a pixel before the nearest pixel of the other kind.
        let depth = nearest.sqrt() - 0.5;
        let depth = if inside { depth } else { -depth };
        (depth + grow + 0.5).clamp(0.0, 1.0)
    });
    changed.bounds(HALF).is_some().then_some(changed)
}

/// Rows moved to the side, in proportion to their distance from the middle.
fn slanted(ink: &Plane, slant: f32) -> Plane {
    if slant == 0.0 {
        return ink.clone();
    }
    let middle = ink.height as f32 / 2.0 - 0.5;
    Plane::new(ink.width, ink.height, |x, y| {
        let from = x as f32 + slant * (y as f32 - middle);
        let (left, part) = (from.floor(), from - from.floor());
        let at = |column: f32| ink.at(column as isize, y as isize);
        at(left) * (1.0 - part) + at(left + 1.0) * part
    })
}

/// The model's pixels: the ink fills `rows`, unless it is too wide for that, and is in the middle.
fn fit(ink: &Plane, rows: f64, stretch: f64) -> Option<Pixels> {
    let bounds = ink.bounds(HALF)?;
    let (width, height) = (bounds.width() as f64, bounds.height() as f64);
    let cell_height = (height / rows).max(width * stretch / COLUMNS);
    let cell_width = cell_height / stretch;
    let half = SIDE as f64 / 2.0;
    let start = (
        (bounds.left + bounds.right) as f64 / 2.0 - half * cell_width,
        (bounds.top + bounds.bottom) as f64 / 2.0 - half * cell_height,
    );
    let cells = Sums::new(ink).cells(SIDE, SIDE, start, (cell_width, cell_height));
    let level = |value: &f32| (value * f32::from(FULL)).round().min(f32::from(FULL)) as u8;
    Some(cells.values.iter().map(level).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bar with a thickness, in the middle of a square.
    fn bar(half: usize) -> Plane {
        let side = SIZE + 2 * MARGIN;
        Plane::new(side, side, |x, y| {
            let inside = x.abs_diff(side / 2) <= half && (MARGIN..side - MARGIN).contains(&y);
            f32::from(u8::from(inside))
        })
    }

    #[test]
    fn thin_and_thick_strokes_become_the_same() {
        let mut results = Vec::new();
        for half in [2, 5, 8] {
            let changed = with_thickness(&bar(half), 11.0).unwrap();
            let bounds = changed.bounds(HALF).unwrap();
            assert!(bounds.width().abs_diff(11) <= 3, "{half}: {bounds:?}");
            results.push(fit(&changed, 8.0, 1.0).unwrap());
        }
        let distance = |a: &Pixels, b: &Pixels| {
            a.iter()
                .zip(b)
                .map(|(a, b)| u32::from(a.abs_diff(*b)))
                .sum::<u32>()
        };
        assert!(distance(&results[0], &results[2]) < 100, "{results:?}");
    }

    #[test]
    fn strokes_that_would_vanish_stay_as_they_are() {
        assert_eq!(with_thickness(&bar(0), -40.0), None);
    }

    #[test]
    fn slanting_moves_the_top_against_the_bottom() {
        let slanted = slanted(&bar(3), 0.2);
        let centre = |y: usize| {
            let row = &slanted.values[y * slanted.width..(y + 1) * slanted.width];
            let sum: f32 = row.iter().sum();
            row.iter()
                .enumerate()
                .map(|(x, value)| x as f32 * value)
                .sum::<f32>()
                / sum
        };
        let shift = centre(MARGIN + 2) - centre(MARGIN + SIZE - 3);
        assert!((shift - 0.2 * (SIZE as f32 - 5.0)).abs() < 0.5, "{shift}");
    }

    #[test]
    fn there_are_readings_for_each_way_and_all_are_inputs() {
        let readings = readings(&bar(4)).unwrap();
        assert_eq!(readings.len(), 24);
        assert!(
            readings
                .iter()
                .all(|r| r.len() == SIDE * SIDE && r.iter().all(|v| *v <= FULL))
        );
    }
}
