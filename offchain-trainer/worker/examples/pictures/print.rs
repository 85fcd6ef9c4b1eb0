//! Printed digits in a plain font: what the model has never seen. The font is drawn from lines and arcs here, so that
//! no font has to be installed.

use crate::draw::{Picture, grey, paper, png};

/// The kind's name.
pub const KIND: &str = "printed in a plain font, PNG";

/// Points of a stroke; x and y from 0 to 1, y down.
type Stroke = Vec<(f32, f32)>;

/// Each digit in each style: width, thickness, slant, size.
pub fn pictures() -> Result<Vec<Picture>, image::ImageError> {
    let mut pictures = Vec::new();
    for width in [0.5, 0.62] {
        for thickness in [0.07, 0.1, 0.15] {
            for slant in [0.0, 0.2] {
                for size in [70.0, 140.0] {
                    for digit in 0..10u8 {
                        // With and without a foot: fonts differ in the 1.
                        let strokes = glyph(digit, thickness < 0.09);
                        let image = grey(|x, y| {
                            let (dx, dy) = ((x - 100.0) / size, (y - 100.0) / size);
                            let place = (dx + slant * dy, dy + 0.5);
                            let distance = distance(&strokes, width, place);
                            paper(((thickness / 2.0 - distance) * size + 0.5).clamp(0.0, 1.0))
                        });
                        pictures.push(Picture {
                            kind: KIND,
                            truth: digit,
                            bytes: png(image)?,
                        });
                    }
                }
            }
        }
    }
    Ok(pictures)
}

/// How far a place is from the nearest stroke.
fn distance(strokes: &[Stroke], width: f32, (x, y): (f32, f32)) -> f32 {
    let mut nearest = f32::INFINITY;
    for (from, to) in strokes.iter().flat_map(|s| s.iter().zip(s.iter().skip(1))) {
        let at = |point: &(f32, f32)| ((point.0 - 0.5) * width, point.1);
        let ((x0, y0), (x1, y1)) = (at(from), at(to));
        let (dx, dy) = (x1 - x0, y1 - y0);
        let along = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy).max(1e-9);
        let along = along.clamp(0.0, 1.0);
        nearest = nearest.min((x - x0 - along * dx).hypot(y - y0 - along * dy));
    }
    nearest
}

/// Part of an ellipse; degrees from the right, clockwise.
fn arc(centre: (f32, f32), radii: (f32, f32), from: f32, to: f32) -> Stroke {
    let point = |step: u8| {
        let (sin, cos) = (from + (to - from) * f32::from(step) / 32.0)
            .to_radians()
            .sin_cos();
        (centre.0 + radii.0 * cos, centre.1 + radii.1 * sin)
    };
    (0..=32).map(point).collect()
}

fn glyph(digit: u8, foot: bool) -> Vec<Stroke> {
    let ring = |centre, radii| arc(centre, radii, 0.0, 360.0);
    match digit {
        0 => vec![ring((0.5, 0.5), (0.5, 0.5))],
        1 => {
            let mut strokes = vec![vec![(0.15, 0.18), (0.55, 0.0), (0.55, 1.0)]];
            if foot {
                strokes.push(vec![(0.15, 1.0), (0.95, 1.0)]);
            }
            strokes
        }
        2 => {
            let mut bow = arc((0.48, 0.28), (0.46, 0.28), 195.0, 385.0);
            bow.extend([(0.0, 1.0), (1.0, 1.0)]);
            vec![bow]
        }
        3 => vec![
            arc((0.45, 0.25), (0.45, 0.25), 205.0, 450.0),
            arc((0.45, 0.75), (0.5, 0.25), 270.0, 515.0),
        ],
        4 => vec![vec![(0.75, 1.0), (0.75, 0.0), (0.0, 0.7), (1.0, 0.7)]],
        5 => {
            let mut line = vec![(0.9, 0.0), (0.15, 0.0), (0.08, 0.47)];
            line.extend(arc((0.45, 0.67), (0.5, 0.33), 220.0, 505.0));
            vec![line]
        }
        6 | 9 => {
            let mut back = arc((0.5, 0.5), (0.5, 0.5), 305.0, 180.0);
            back.push((0.0, 0.68));
            let strokes = vec![back, ring((0.5, 0.69), (0.5, 0.31))];
            let turned = |stroke: Stroke| stroke.into_iter().map(|(x, y)| (1.0 - x, 1.0 - y)).collect();
            if digit == 6 {
                strokes
            } else {
                strokes.into_iter().map(turned).collect()
            }
        }
        7 => vec![vec![(0.0, 0.0), (1.0, 0.0), (0.35, 1.0)]],
        _ => vec![ring((0.5, 0.25), (0.42, 0.25)), ring((0.5, 0.75), (0.5, 0.25))],
    }
}
