//! A picture of one number per pixel, and the few filters that reading needs.

/// Numbers row by row, of which 0 to 1 is the usual range.
#[derive(Clone, PartialEq, Debug)]
pub struct Plane {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

/// A rectangle of pixels; right and bottom are exclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

impl Bounds {
    pub fn width(&self) -> usize {
        self.right.saturating_sub(self.left)
    }

    pub fn height(&self) -> usize {
        self.bottom.saturating_sub(self.top)
    }

    pub fn with(&self, other: &Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

impl Plane {
    pub fn new(width: usize, height: usize, value: impl Fn(usize, usize) -> f32) -> Self {
        let values = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .map(|(x, y)| value(x, y))
            .collect();
        Self {
            width,
            height,
            values,
        }
    }

    /// The value at a place; 0 outside.
    pub fn at(&self, x: isize, y: isize) -> f32 {
        match (usize::try_from(x), usize::try_from(y)) {
            (Ok(x), Ok(y)) if x < self.width => self.values.get(y * self.width + x).copied().unwrap_or(0.0),
            _ => 0.0,
        }
    }

    pub fn map(&self, f: impl Fn(f32) -> f32) -> Self {
        Self {
            values: self.values.iter().map(|value| f(*value)).collect(),
            ..*self
        }
    }

    /// Of two planes of the same size.
    pub fn zip(&self, other: &Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let pairs = self.values.iter().zip(&other.values);
        Self {
            values: pairs.map(|(a, b)| f(*a, *b)).collect(),
            ..*self
        }
    }

    pub fn longer_side(&self) -> usize {
        self.width.max(self.height)
    }

    /// Each pixel becomes the mean of the square of `2 × radius + 1` around it; beyond the edge it goes on as at the edge.
    pub fn blur(&self, radius: usize) -> Self {
        self.each_line(radius, mean)
    }

    /// Dark (low) things that are narrower than `2 × radius + 1` vanish; slopes and steps of larger regions stay.
    pub fn close(&self, radius: usize) -> Self {
        // With the edge going on for as far as both passes look, slopes stay exact up to the edge.
        let pad = 2 * radius;
        let clamp = |at: usize, limit: usize| at.saturating_sub(pad).min(limit.saturating_sub(1));
        let padded = Self::new(self.width + 2 * pad, self.height + 2 * pad, |x, y| {
            let at = clamp(y, self.height) * self.width + clamp(x, self.width);
            self.values.get(at).copied().unwrap_or(0.0)
        });
        let closed = padded
            .each_line(radius, |line, radius, out| {
                extreme(line, radius, out, |a, b| a >= b)
            })
            .each_line(radius, |line, radius, out| {
                extreme(line, radius, out, |a, b| a <= b)
            });
        Self::new(self.width, self.height, |x, y| {
            let at = (y + pad) * closed.width + x + pad;
            closed.values.get(at).copied().unwrap_or(0.0)
        })
    }

    /// A filter of lines, on rows and then on columns.
    fn each_line(&self, radius: usize, filter: impl Fn(&[f32], usize, &mut Vec<f32>)) -> Self {
        let across = self.lines(radius, &filter);
        across.transposed().lines(radius, &filter).transposed()
    }

    fn lines(&self, radius: usize, filter: impl Fn(&[f32], usize, &mut Vec<f32>)) -> Self {
        let mut values = Vec::with_capacity(self.values.len());
        for line in self.values.chunks_exact(self.width.max(1)) {
            filter(line, radius, &mut values);
        }
        Self { values, ..*self }
    }

    fn transposed(&self) -> Self {
        Self::new(self.height, self.width, |x, y| {
            self.values.get(x * self.width + y).copied().unwrap_or(0.0)
        })
    }

    /// A part of it.
    pub fn part(&self, bounds: &Bounds) -> Self {
        Self::new(bounds.width(), bounds.height(), |x, y| {
            let at = (bounds.top + y) * self.width + bounds.left + x;
            self.values.get(at).copied().unwrap_or(0.0)
        })
    }

    /// The smallest rectangle with everything that is more than `threshold`.
    pub fn bounds(&self, threshold: f32) -> Option<Bounds> {
        let mut found: Option<Bounds> = None;
        for (y, row) in self.values.chunks_exact(self.width.max(1)).enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, value)| **value > threshold) {
                let here = Bounds {
                    left: x,
                    top: y,
                    right: x + 1,
                    bottom: y + 1,
                };
                found = Some(found.map_or(here, |bounds| bounds.with(&here)));
            }
        }
        found
    }
}

/// Means over `2 × radius + 1` neighbours.
fn mean(line: &[f32], radius: usize, out: &mut Vec<f32>) {
    let at = |index: usize| {
        let index = index.saturating_sub(radius).min(line.len().saturating_sub(1));
        f64::from(line.get(index).copied().unwrap_or(0.0))
    };
    let window = 2 * radius + 1;
    // In f64, so that adding and subtracting along the line leaves no trace.
    let mut sum: f64 = (0..window).map(at).sum();
    for index in 0..line.len() {
        out.push((sum / window as f64) as f32);
        sum += at(index + window) - at(index);
    }
}

/// The first of `2 × radius + 1` neighbours in an order (`ahead`: the largest or the smallest), in one pass.
fn extreme(line: &[f32], radius: usize, out: &mut Vec<f32>, ahead: impl Fn(f32, f32) -> bool) {
    let mut queue: std::collections::VecDeque<(usize, f32)> = Default::default();
    for index in 0..line.len() + radius {
        if let Some(value) = line.get(index) {
            while queue.back().is_some_and(|(_, last)| ahead(*value, *last)) {
                queue.pop_back();
            }
            queue.push_back((index, *value));
        }
        if let Some(centre) = index.checked_sub(radius) {
            while queue.front().is_some_and(|(at, _)| at + radius < centre) {
                queue.pop_front();
            }
            out.push(queue.front().map_or(0.0, |(_, value)| *value));
        }
    }
}

/// Sums over any rectangle of a plane, also between pixels.
pub struct Sums {
    width: usize,
    height: usize,
    /// Of everything above and left of each corner.
    sums: Vec<f64>,
}

impl Sums {
    pub fn new(plane: &Plane) -> Self {
        let stride = plane.width + 1;
        let mut sums = vec![0.0; stride];
        for row in plane.values.chunks_exact(plane.width.max(1)) {
            let above = sums.len() - stride;
            let mut along = 0.0;
            sums.push(0.0);
            for (x, value) in row.iter().enumerate() {
                along += f64::from(*value);
                sums.push(along + sums.get(above + x + 1).copied().unwrap_or(0.0));
            }
        }
        Self {
            width: plane.width,
            height: plane.height,
            sums,
        }
    }

    /// The sum up to a place between pixels.
    fn upto(&self, x: f64, y: f64) -> f64 {
        let (x, y) = (x.clamp(0.0, self.width as f64), y.clamp(0.0, self.height as f64));
        let (column, row) = (x.floor() as usize, y.floor() as usize);
        let (right, down) = (x - x.floor(), y - y.floor());
        let at = |x: usize, y: usize| {
            let index = y.min(self.height) * (self.width + 1) + x.min(self.width);
            self.sums.get(index).copied().unwrap_or(0.0)
        };
        (at(column, row) * (1.0 - right) + at(column + 1, row) * right) * (1.0 - down)
            + (at(column, row + 1) * (1.0 - right) + at(column + 1, row + 1) * right) * down
    }

    /// The mean of `columns × rows` cells of `cell` (width, height) from `start`; outside the plane everything is 0.
    pub fn cells(&self, columns: usize, rows: usize, start: (f64, f64), cell: (f64, f64)) -> Plane {
        let area = (cell.0 * cell.1).max(f64::MIN_POSITIVE);
        Plane::new(columns, rows, |x, y| {
            let (x0, y0) = (start.0 + cell.0 * x as f64, start.1 + cell.1 * y as f64);
            let (x1, y1) = (x0 + cell.0, y0 + cell.1);
            let sum = self.upto(x1, y1) - self.upto(x0, y1) - self.upto(x1, y0) + self.upto(x0, y0);
            (sum / area).clamp(0.0, 1.0) as f32
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blurring_keeps_a_flat_plane_flat_and_spreads_a_point() {
        let flat = Plane::new(7, 5, |_, _| 0.5);
        assert_eq!(flat.blur(9), flat);
        let point = Plane::new(5, 5, |x, y| f32::from(u8::from((x, y) == (2, 2))));
        let blurred = point.blur(1);
        assert!((blurred.at(1, 1) - 1.0 / 9.0).abs() < 1e-6);
        assert_eq!(blurred.at(0, 0), 0.0);
    }

    #[test]
    fn closing_removes_a_dark_line_and_keeps_a_slope_to_the_edge() {
        let slope = Plane::new(30, 20, |x, y| (x + 2 * y) as f32);
        assert_eq!(slope.close(4), slope);
        let line = Plane::new(30, 20, |x, _| if (10..13).contains(&x) { 0.0 } else { 1.0 });
        assert!(line.close(2).values.iter().all(|value| *value == 1.0));
        assert_eq!(line.close(1), line);
    }

    #[test]
    fn cells_are_means_also_between_pixels_and_beyond_the_edge() {
        let sums = Sums::new(&Plane::new(4, 4, |x, _| if x < 2 { 1.0 } else { 0.0 }));
        let cells = sums.cells(2, 1, (-1.0, 0.0), (3.0, 4.0));
        assert!((cells.at(0, 0) - 2.0 / 3.0).abs() < 1e-6 && cells.at(1, 0) == 0.0);
        let half = sums.cells(1, 1, (1.5, 0.5), (1.0, 1.0));
        assert!((half.at(0, 0) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn bounds_hold_what_is_above_the_threshold() {
        let plane = Plane::new(6, 4, |x, y| {
            if (x, y) == (4, 1) || (x, y) == (2, 3) {
                1.0
            } else {
                0.2
            }
        });
        let bounds = plane.bounds(0.5).unwrap();
        assert_eq!(
            (bounds.left, bounds.top, bounds.right, bounds.bottom),
            (2, 1, 5, 4)
        );
        assert_eq!(plane.bounds(1.0), None);
    }
}
