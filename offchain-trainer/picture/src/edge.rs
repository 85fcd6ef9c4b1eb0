//! A frame around the whole picture. It touches the edge, so nothing says what is behind it, and no background can be
//! estimated there: it is cut off first.
//!
//! Must leave alone what not all edges have: a digit that fills the picture has bars along some of them.

use crate::plane::{Bounds, Plane};

/// How far a frame may reach inwards, a margin around it included, as a share of the picture.
const DEPTH: f32 = 0.06;
/// Its lines differ from what is inside by more than this,
const OTHER: f32 = 0.3;
/// and what is inside differs less than this
const SAME: f32 = 0.1;
/// from so many lines on. Light that fades takes more.
const SHARP: usize = 2;

/// The picture inside its frame, or as it is.
pub fn without_frame(grey: &Plane) -> Plane {
    let rows: Vec<f32> = (0..grey.height)
        .map(|y| median((0..grey.width).map(|x| grey.at(x as isize, y as isize)).collect()))
        .collect();
    let columns: Vec<f32> = (0..grey.width)
        .map(|x| {
            median(
                (0..grey.height)
                    .map(|y| grey.at(x as isize, y as isize))
                    .collect(),
            )
        })
        .collect();
    let [top, left] = [
        depth(rows.iter(), rows.len()),
        depth(columns.iter(), columns.len()),
    ];
    let bottom = depth(rows.iter().rev(), rows.len());
    let right = depth(columns.iter().rev(), columns.len());
    match (top, left, bottom, right) {
        (Some(top), Some(left), Some(bottom), Some(right)) => grey.part(&Bounds {
            left,
            top,
            right: grey.width.saturating_sub(right),
            bottom: grey.height.saturating_sub(bottom),
        }),
        _ => grey.clone(),
    }
}

/// How many lines from the edge are frame and margin, and the soft one after them; `None` if none is.
fn depth<'a>(lines: impl Iterator<Item = &'a f32> + Clone, count: usize) -> Option<usize> {
    let limit = ((DEPTH * count as f32) as usize).max(1);
    let inside = *lines.clone().nth(limit + SHARP)?;
    let outermost = lines.clone().take(limit);
    let last = outermost
        .enumerate()
        .filter(|(_, line)| (*line - inside).abs() > OTHER)
        .last()?
        .0;
    let after = lines.clone().nth(last + SHARP)?;
    // Where a thicker frame goes on, `inside` is its own.
    let is_inside = (inside - median(lines.clone().copied().collect())).abs() < OTHER;
    (is_inside && (after - inside).abs() < SAME).then_some(last + SHARP)
}

fn median(mut values: Vec<f32>) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(value: impl Fn(usize, usize) -> f32) -> Plane {
        Plane::new(100, 80, value)
    }

    #[test]
    fn a_frame_is_cut_off_and_fading_light_is_not() {
        let framed = picture(|x, y| f32::from(x > 2 && x < 96 && y > 3 && y < 78));
        let inside = without_frame(&framed);
        assert!(inside.values.iter().all(|value| *value == 1.0), "{inside:?}");
        assert!(inside.width > 85 && inside.height > 68);
        // With a margin around it.
        let within = picture(|x, y| f32::from(x.min(99 - x).min(y).min(79 - y) != 2));
        let inside = without_frame(&within);
        assert!(inside.values.iter().all(|value| *value == 1.0), "{inside:?}");
        let slope = picture(|x, y| (x + y) as f32 / 180.0);
        assert_eq!(without_frame(&slope), slope);
        let plain = picture(|_, _| 0.5);
        assert_eq!(without_frame(&plain), plain);
    }

    #[test]
    fn strokes_along_some_edges_are_no_frame() {
        let one = picture(|x, _| f32::from(x > 4));
        assert_eq!(without_frame(&one), one);
        // Nor are the bars of a two that fills the picture.
        let two = picture(|x, y| f32::from(y > 3 && y < 76 && x.abs_diff(99 - y) > 2));
        assert_eq!(without_frame(&two), two);
        // Nor is a thick border that may be anything.
        let thicker = picture(|x, y| f32::from(!(3..12).contains(&x.min(99 - x).min(y).min(79 - y))));
        assert_eq!(without_frame(&thicker), thicker);
        let thick = picture(|x, y| f32::from(x > 20 && x < 80 && y > 20 && y < 60));
        assert_eq!(without_frame(&thick), thick);
    }

    #[test]
    fn the_smallest_pictures_have_no_frame() {
        for side in 0..4 {
            let tiny = Plane::new(side, side, |x, _| x as f32);
            assert!(without_frame(&tiny).width <= side);
        }
    }
}
