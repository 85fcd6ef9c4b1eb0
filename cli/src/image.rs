//! From a picture of a digit to the 8×8 pixels the digits model was trained on.
//!
//! The training images (UCI handwritten digits) are white ink on black, 0 to 16, and fill their 8 rows while the outer
//! columns stay nearly empty. So:
//!
//! 1. to grey (Rec. 601 weights), transparent parts over white, 16 bits to 8;
//! 2. a greyscale PNG of 8×8 pixels with a dark border is taken as it is: `value × 16 / 255`, rounded;
//! 3. if the border is light (its median is above the middle), invert, so that ink is high;
//! 4. the border's level becomes 0 and the strongest ink 255;
//! 5. the ink (96 and more) is boxed in, and the box is fitted into 8 rows × 6 columns, centred;
//! 6. each pixel is the mean over its area, `× 16 / 255`, rounded.
//!
//! Files come from anywhere: size and dimensions are bounded before anything is allocated for them.

use std::{
    fs::File,
    io::{self, Cursor, Read},
    path::{Path, PathBuf},
};

/// The largest file, in bytes.
pub const MAX_BYTES: u64 = 4 << 20;
/// The largest width and height.
pub const MAX_SIDE: u32 = 4096;
/// Rows and columns of the model's input.
pub const SIDE: usize = 8;
/// The value of a full pixel.
pub const FULL: u8 = 16;

/// Columns the ink may fill; the outer ones stay empty, as in the training images.
const INK_COLUMNS: f64 = 6.0;
/// What counts as ink for its box, of 255. Lower values box in smudges: on enlarged validation images, 96 loses the
/// fewest digits of 32, 64 and 96.
const INK: u8 = 96;
/// Less difference than this between border and ink is noise.
const MIN_CONTRAST: u8 = 32;

/// Why a file is no picture of a digit. Each message is its own documentation.
#[allow(missing_docs)]
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error("can't read {}: {source}; check the path", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is larger than 4 MiB: make the picture smaller", .0.display())]
    TooLarge(PathBuf),
    #[error("{} is not a PNG file: convert it to PNG first", .0.display())]
    NotPng(PathBuf),
    #[error("{} is damaged ({reason}): save it again", .path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("{} has {width}x{height} pixels, more than 4096x4096: make the picture smaller", .path.display())]
    TooManyPixels { path: PathBuf, width: u32, height: u32 },
    #[error("{} shows nothing but background: draw the digit with more contrast", .0.display())]
    Blank(PathBuf),
}

/// A picture in grey, 0 is black.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Grey {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
    /// The file itself was greyscale without transparency.
    plain: bool,
}

/// Reads the PNG at `path` as the model's input: 64 numbers from 0 to 16, row by row.
pub fn read(path: &Path) -> Result<Vec<u8>, ImageError> {
    let unreadable = |source| ImageError::Unreadable {
        path: path.into(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(unreadable(io::ErrorKind::IsADirectory.into()));
    }
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large from one that just fits.
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ImageError::TooLarge(path.into()));
    }
    pixels(&bytes, path)
}

/// The model's input from a PNG's bytes. `path` is only for messages.
pub fn pixels(bytes: &[u8], path: &Path) -> Result<Vec<u8>, ImageError> {
    let mut grey = decode(bytes, path)?;
    if grey.border_median() > 127 {
        grey.pixels.iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
    } else if grey.plain && (grey.width, grey.height) == (SIDE, SIDE) {
        return Ok(grey.pixels.iter().map(|pixel| level(f64::from(*pixel))).collect());
    }
    grey.stretch()
        .and_then(|ink| ink.fit())
        .ok_or_else(|| ImageError::Blank(path.into()))
}

fn decode(bytes: &[u8], path: &Path) -> Result<Grey, ImageError> {
    if !bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Err(ImageError::NotPng(path.into()));
    }
    let damaged = |reason: String| ImageError::Damaged {
        path: path.into(),
        reason,
    };
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let header = decoder
        .read_header_info()
        .map_err(|error| damaged(error.to_string()))?;
    let (width, height) = (header.width, header.height);
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(ImageError::TooManyPixels {
            path: path.into(),
            width,
            height,
        });
    }
    let mut reader = decoder.read_info().map_err(|error| damaged(error.to_string()))?;
    let size = reader
        .output_buffer_size()
        .ok_or_else(|| damaged("its size overflows".into()))?;
    let mut buffer = vec![0; size];
    let info = reader
        .next_frame(&mut buffer)
        .map_err(|error| damaged(error.to_string()))?;
    // An animated PNG's first frame may be smaller than the canvas.
    let (width, height) = (info.width as usize, info.height as usize);
    let samples = info.color_type.samples();
    let wanted = width * height;
    let pixels: Vec<u8> = buffer
        .chunks(info.line_size.max(1))
        .take(height)
        .flat_map(|line| line.chunks_exact(samples).take(width))
        .map(grey)
        .collect();
    if wanted == 0 || pixels.len() != wanted {
        return Err(damaged("it has fewer pixels than it says".into()));
    }
    let plain = reader.info().color_type == png::ColorType::Grayscale && samples == 1;
    Ok(Grey {
        width,
        height,
        pixels,
        plain,
    })
}

/// One pixel of one to four 8-bit samples, over white.
fn grey(samples: &[u8]) -> u8 {
    let (luma, alpha) = match *samples {
        [value] => (u32::from(value), 255),
        [value, alpha] => (u32::from(value), u32::from(alpha)),
        [red, green, blue] => (luma(red, green, blue), 255),
        [red, green, blue, alpha] => (luma(red, green, blue), u32::from(alpha)),
        _ => (255, 255),
    };
    let over_white = (luma * alpha + 255 * (255 - alpha) + 127) / 255;
    u8::try_from(over_white).unwrap_or(255)
}

fn luma(red: u8, green: u8, blue: u8) -> u32 {
    (299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue) + 500) / 1000
}

/// 0 to 255 as 0 to 16, rounded.
fn level(value: f64) -> u8 {
    // In range by construction; `as` saturates should it ever not be.
    (value * f64::from(FULL) / 255.0).round().min(f64::from(FULL)) as u8
}

impl Grey {
    /// What most of the outermost pixels look like: the background, unless ink covers half of the border.
    fn border_median(&self) -> u8 {
        let mut border: Vec<u8> = Vec::new();
        for (y, row) in self.pixels.chunks_exact(self.width).enumerate() {
            if y == 0 || y + 1 == self.height {
                border.extend_from_slice(row);
            } else {
                border.extend(row.first().into_iter().chain(row.last()));
            }
        }
        let middle = border.len() / 2;
        border.sort_unstable();
        border.get(middle).copied().unwrap_or(0)
    }

    /// Background to 0 and the strongest ink to 255; `None` when there is no ink.
    fn stretch(mut self) -> Option<Self> {
        let low = self.border_median();
        let high = self.pixels.iter().copied().max()?;
        let contrast = high
            .checked_sub(low)
            .filter(|contrast| *contrast >= MIN_CONTRAST)?;
        for pixel in &mut self.pixels {
            let value = u32::from(pixel.saturating_sub(low)) * 255 / u32::from(contrast);
            *pixel = u8::try_from(value).unwrap_or(255);
        }
        Some(self)
    }

    /// Left, top, right and bottom (exclusive) of the ink.
    fn ink(&self) -> Option<(usize, usize, usize, usize)> {
        let mut found: Option<(usize, usize, usize, usize)> = None;
        for (y, row) in self.pixels.chunks_exact(self.width).enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, value)| **value >= INK) {
                let (left, top, right, bottom) = found.unwrap_or((x, y, x, y));
                found = Some((left.min(x), top, right.max(x + 1), bottom.max(y + 1)));
            }
        }
        found
    }

    /// The ink in 8×8 pixels by area averaging.
    fn fit(&self) -> Option<Vec<u8>> {
        let (left, top, right, bottom) = self.ink()?;
        let (width, height) = ((right - left) as f64, (bottom - top) as f64);
        // Source pixels per cell: the tighter of "8 rows high" and "6 columns wide" decides.
        let cell = (height / SIDE as f64).max(width / INK_COLUMNS);
        let half = cell * SIDE as f64 / 2.0;
        let x0 = left as f64 + width / 2.0 - half;
        let y0 = top as f64 + height / 2.0 - half;
        let mut result = Vec::with_capacity(SIDE * SIDE);
        for row in 0..SIDE {
            for column in 0..SIDE {
                let (x, y) = (x0 + cell * column as f64, y0 + cell * row as f64);
                result.push(level(self.mean(x, y, x + cell, y + cell)));
            }
        }
        Some(result)
    }

    /// Mean over a rectangle; outside the picture is background.
    fn mean(&self, x0: f64, y0: f64, x1: f64, y1: f64) -> f64 {
        let mut sum = 0.0;
        for y in span(y0, y1, self.height) {
            let rows = overlap(y, y0, y1);
            let Some(row) = self.pixels.get(y * self.width..(y + 1) * self.width) else {
                continue;
            };
            for x in span(x0, x1, self.width) {
                sum += rows * overlap(x, x0, x1) * f64::from(row.get(x).copied().unwrap_or(0));
            }
        }
        let area = (x1 - x0) * (y1 - y0);
        if area > 0.0 { sum / area } else { 0.0 }
    }
}

/// The whole pixels that touch `from..to`, within `0..limit`.
fn span(from: f64, to: f64, limit: usize) -> std::ops::Range<usize> {
    let clamp = |value: f64| value.clamp(0.0, limit as f64) as usize;
    clamp(from.floor())..clamp(to.ceil())
}

/// How much of pixel `index` lies in `from..to`.
fn overlap(index: usize, from: f64, to: f64) -> f64 {
    let start = index as f64;
    (to.min(start + 1.0) - from.max(start)).max(0.0)
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
