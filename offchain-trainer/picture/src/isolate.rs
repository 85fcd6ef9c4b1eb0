//! One thing of all the ink: specks and frames go, the pieces of a broken digit stay together, two things are refused.

use crate::{
    PictureError,
    plane::{Bounds, Plane},
};

/// What may belong to a stroke, if it is connected to what surely does.
const FAINT: f32 = 0.3;
/// What is counted as a stroke's area.
const HALF: f32 = 0.5;
/// A piece without anything as strong as this is a smudge.
const STRONG: f32 = 0.6;
/// A frame spans this share of the picture, both ways.
const FRAME_SPAN: f32 = 0.5;
/// How far inwards its lines may reach, as a share of its size.
const FRAME_DEPTH: f32 = 0.12;
/// What share of each side they cover.
const FRAME_COVERAGE: f32 = 0.9;
/// What share of its ink may be elsewhere.
const FRAME_INNER: f32 = 0.1;
/// A line along the edge of the picture is no thicker than this and no shorter than [`FRAME_SPAN`].
const LINE_DEPTH: f32 = 0.1;
/// How close to the edge it is.
const EDGE: f32 = 0.03;
/// A piece with less of the largest piece's area is a speck.
const SPECK: f32 = 0.04;
/// A piece with more of it, and apart, is another thing.
const THING: f32 = 0.3;
/// How far apart the pieces of one digit may be, as a share of its size; gaps between upper and lower parts count less.
const GAP: f32 = 0.12;
const VERTICAL_GAP: f32 = 0.6;
/// More than this share of ink in specks: it isn't clear what is meant.
const LITTER: f32 = 0.6;
/// Two pieces side by side, as high as the whole, that together are as wide as this share of the height: two digits.
const TALL: f32 = 0.7;
const PAIR: f32 = 0.85;
/// No digit is wider than this, in heights.
const WIDEST: f32 = 1.9;
/// A digit has at least so many pixels of height.
const SMALLEST: usize = 6;
/// Pixels around a piece that go where it goes: its soft edge.
const RIM: usize = 2;
/// More pieces than this are no digit and specks, but noise.
const MOST_PIECES: usize = 4000;

struct Piece {
    label: u32,
    bounds: Bounds,
    area: usize,
}

/// The digit and a few empty pixels around it.
pub fn isolate(ink: &Plane) -> Result<Plane, PictureError> {
    let smooth = ink.blur(1);
    let (labels, pieces) = pieces(&smooth)?;
    let alone = pieces.len() == 1;
    let mut pieces: Vec<Piece> = pieces
        .into_iter()
        .filter(|piece| {
            !is_frame(piece, &labels, ink) && (alone || !is_line_along_the_edge(&piece.bounds, ink))
        })
        .collect();
    // The largest first; of equal ones the one further up.
    pieces.sort_by_key(|piece| (std::cmp::Reverse(piece.area), piece.label));
    let mut rest = pieces.into_iter();
    let largest = rest.next().ok_or(PictureError::Blank)?;
    let (kept, whole, rest) = gather(largest, rest.collect());

    let largest = kept.first().map_or(0, |piece| piece.area);
    if rest
        .iter()
        .any(|piece| piece.area as f32 >= THING * largest as f32)
    {
        return Err(PictureError::SeveralThings);
    }
    let area = |pieces: &[Piece]| pieces.iter().map(|piece| piece.area).sum::<usize>() as f32;
    if area(&rest) > LITTER * area(&kept) || whole.height() < SMALLEST {
        return Err(PictureError::Unclear);
    }
    let (width, height) = (whole.width() as f32, whole.height() as f32);
    if width > WIDEST * height || is_pair(&kept, &whole) {
        return Err(PictureError::SeveralThings);
    }
    Ok(cut_out(ink, &labels, &kept, &whole))
}

/// Connected ink (also diagonally), labelled from 1 in reading order.
fn pieces(smooth: &Plane) -> Result<(Vec<u32>, Vec<Piece>), PictureError> {
    let (width, height) = (smooth.width, smooth.height);
    let mut labels = vec![0u32; smooth.values.len()];
    let mut pieces = Vec::new();
    let mut stack = Vec::new();
    let value = |at: usize| smooth.values.get(at).copied().unwrap_or(0.0);
    let mut next = 0;
    for start in 0..labels.len() {
        if value(start) <= FAINT || labels.get(start) != Some(&0) {
            continue;
        }
        next += 1;
        let (mut area, mut strongest) = (0, 0.0f32);
        let mut bounds: Option<Bounds> = None;
        stack.push(start);
        while let Some(at) = stack.pop() {
            match labels.get_mut(at) {
                Some(label) if *label == 0 => *label = next,
                _ => continue,
            }
            let (x, y) = (at % width, at / width);
            let here = Bounds {
                left: x,
                top: y,
                right: x + 1,
                bottom: y + 1,
            };
            bounds = Some(bounds.map_or(here, |bounds| bounds.with(&here)));
            area += usize::from(value(at) > HALF);
            strongest = strongest.max(value(at));
            for y in y.saturating_sub(1)..(y + 2).min(height) {
                for x in x.saturating_sub(1)..(x + 2).min(width) {
                    let neighbour = y * width + x;
                    if value(neighbour) > FAINT && labels.get(neighbour) == Some(&0) {
                        stack.push(neighbour);
                    }
                }
            }
        }
        if let Some(bounds) = bounds.filter(|_| strongest >= STRONG) {
            pieces.push(Piece {
                label: next,
                bounds,
                area,
            });
            if pieces.len() > MOST_PIECES {
                return Err(PictureError::Unclear);
            }
        }
    }
    Ok((labels, pieces))
}

/// Four lines around everything.
fn is_frame(piece: &Piece, labels: &[u32], ink: &Plane) -> bool {
    let (width, height) = (piece.bounds.width(), piece.bounds.height());
    if (width as f32) < FRAME_SPAN * ink.width as f32 || (height as f32) < FRAME_SPAN * ink.height as f32 {
        return false;
    }
    let depth = ((FRAME_DEPTH * width.min(height) as f32) as usize).max(2);
    let (mut above, mut below) = (vec![false; width], vec![false; width]);
    let (mut left, mut right) = (vec![false; height], vec![false; height]);
    let (mut inner, mut all) = (0usize, 0usize);
    for y in 0..height {
        for x in 0..width {
            let at = (piece.bounds.top + y) * ink.width + piece.bounds.left + x;
            if labels.get(at) != Some(&piece.label) {
                continue;
            }
            all += 1;
            let mut deep = true;
            for (near, line, index) in [
                (y < depth, &mut above, x),
                (y + depth >= height, &mut below, x),
                (x < depth, &mut left, y),
                (x + depth >= width, &mut right, y),
            ] {
                if let Some(covered) = line.get_mut(index).filter(|_| near) {
                    *covered = true;
                    deep = false;
                }
            }
            inner += usize::from(deep);
        }
    }
    let covered = |line: &[bool]| {
        line.iter().filter(|covered| **covered).count() as f32 >= FRAME_COVERAGE * line.len() as f32
    };
    [&above, &below, &left, &right].iter().all(|line| covered(line))
        && (inner as f32) < FRAME_INNER * all as f32
}

/// What is left of a frame that the picture cuts off, or the edge of the paper.
fn is_line_along_the_edge(bounds: &Bounds, ink: &Plane) -> bool {
    let (width, height) = (bounds.width() as f32, bounds.height() as f32);
    let side = ink.longer_side() as f32;
    let (across, down) = (EDGE * ink.width as f32, EDGE * ink.height as f32);
    // It runs along the edge: a tall 1 only ends there.
    let along = if height > width {
        bounds.left as f32 <= across || bounds.right as f32 >= ink.width as f32 - across
    } else {
        bounds.top as f32 <= down || bounds.bottom as f32 >= ink.height as f32 - down
    };
    along && width.min(height) < LINE_DEPTH * side && width.max(height) > FRAME_SPAN * side
}

/// The largest piece and those that belong to it; the bounds of them all; the others.
fn gather(largest: Piece, mut rest: Vec<Piece>) -> (Vec<Piece>, Bounds, Vec<Piece>) {
    let mut whole = largest.bounds;
    let speck = SPECK * largest.area as f32;
    let mut kept = vec![largest];
    loop {
        let belongs = |piece: &Piece| {
            let bounds = &piece.bounds;
            let gap = |end: usize, start: usize| start.saturating_sub(end) as f32;
            let across = gap(bounds.right, whole.left).max(gap(whole.right, bounds.left));
            let down = gap(bounds.bottom, whole.top).max(gap(whole.bottom, bounds.top));
            piece.area as f32 >= speck
                && across.max(down * VERTICAL_GAP) <= GAP * whole.width().max(whole.height()) as f32
        };
        let Some(found) = rest.iter().position(belongs) else {
            return (kept, whole, rest);
        };
        let piece = rest.remove(found);
        whole = whole.with(&piece.bounds);
        kept.push(piece);
    }
}

/// Whether the pieces are two digits that stand close together.
fn is_pair(kept: &[Piece], whole: &Bounds) -> bool {
    let height = whole.height() as f32;
    let tall = |piece: &&Piece| piece.bounds.height() as f32 >= TALL * height;
    let mut tall = kept.iter().filter(tall);
    match (tall.next(), tall.next()) {
        (Some(a), Some(b)) => {
            let apart = a.bounds.right <= b.bounds.left || b.bounds.right <= a.bounds.left;
            apart && whole.width() as f32 >= PAIR * height
        }
        _ => false,
    }
}

/// The ink of these pieces with its soft edges, and nothing of the others.
fn cut_out(ink: &Plane, labels: &[u32], kept: &[Piece], whole: &Bounds) -> Plane {
    let margin = 2 * RIM;
    let mine = |label: u32| kept.iter().any(|piece| piece.label == label);
    // Of each pixel's surroundings: is there anything kept, is there anything else?
    Plane::new(
        whole.width() + 2 * margin,
        whole.height() + 2 * margin,
        |column, row| {
            let place = |offset: usize, start: usize, limit: usize| {
                (start + offset).checked_sub(margin).filter(|at| *at < limit)
            };
            let (Some(x), Some(y)) = (
                place(column, whole.left, ink.width),
                place(row, whole.top, ink.height),
            ) else {
                return 0.0;
            };
            let label = |x: usize, y: usize| labels.get(y * ink.width + x).copied().unwrap_or(0);
            let (mut near_mine, mut near_others) = (false, false);
            for y in y.saturating_sub(RIM)..(y + RIM + 1).min(ink.height) {
                for x in x.saturating_sub(RIM)..(x + RIM + 1).min(ink.width) {
                    match label(x, y) {
                        0 => {}
                        label if mine(label) => near_mine = true,
                        _ => near_others = true,
                    }
                }
            }
            let here = label(x, y);
            if mine(here) && here != 0 || near_mine && !near_others {
                ink.at(x as isize, y as isize)
            } else {
                0.0
            }
        },
    )
}
