//! From a file's bytes to a grey picture of a size that is quick to read.
//!
//! Dimensions are checked before anything is allocated for them. Must never trust what a header says.

use image::{
    ColorType, DynamicImage, GenericImageView as _, ImageDecoder, ImageError, ImageFormat, ImageReader,
    Limits,
};
use std::io::Cursor;

use crate::{FULL, MAX_PIXELS, MAX_SIDE, PictureError, Pixels, SIDE, ink::MIN_CONTRAST, plane::Plane};

/// The most memory a decoder may take: the output of the largest picture in 8-bit colours, and as much again to work.
const MAX_ALLOCATED: u64 = 8 * MAX_PIXELS;
/// The longer side after shrinking. A digit that fills a tenth of it still has six pixels for each of the model's.
const LARGEST: usize = 480;
/// Below this a picture is enlarged, so that filters a few pixels wide don't smear it.
const SMALLEST: usize = 128;

/// A decoded picture.
pub struct Picture {
    /// 0 is black, 1 is white.
    pub grey: Plane,
    /// Set if the picture is the model's input already.
    pub exact: Option<Pixels>,
}

/// Decodes a picture.
pub fn decode(bytes: &[u8]) -> Result<Picture, PictureError> {
    let (image, format) = image(bytes)?;
    let exact = exact(&image, format)?;
    Ok(Picture {
        grey: grey(&shrink(&image)),
        exact,
    })
}

/// A WebP file is a row of chunks that say how long they are, and the decoder takes the memory for what they say.
fn check_chunks(bytes: &[u8]) -> Result<(), PictureError> {
    const HEADER: usize = 8;
    let mut rest = bytes.get(12..).unwrap_or_default();
    while let Some((header, after)) = rest.split_at_checked(HEADER) {
        let length = header.get(4..).and_then(|length| length.try_into().ok());
        let length = length.map_or(0, u32::from_le_bytes) as usize;
        // Each begins at an even place; the last one's padding may be missing.
        rest = match after.get(length..) {
            Some(rest) => rest.get(length % 2..).unwrap_or_default(),
            None => return Err(PictureError::Damaged("it is cut off".into())),
        };
    }
    Ok(())
}

fn image(bytes: &[u8]) -> Result<(DynamicImage, ImageFormat), PictureError> {
    let format = image::guess_format(bytes).map_err(|_| PictureError::UnknownFormat)?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP) {
        return Err(PictureError::UnknownFormat);
    }
    if format == ImageFormat::WebP {
        check_chunks(bytes)?;
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOCATED);
    reader.limits(limits.clone());
    let damaged = |error: ImageError| match error {
        ImageError::Limits(_) => PictureError::TooMuchMemory,
        error => PictureError::Damaged(error.to_string()),
    };
    // Reads the header only.
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if width > MAX_SIDE
        || height > MAX_SIDE
        || u64::from(width) * u64::from(height) > MAX_PIXELS
        || decoder.total_bytes() > MAX_ALLOCATED
    {
        return Err(PictureError::TooManyPixels { width, height });
    }
    if width == 0 || height == 0 {
        return Err(PictureError::Blank);
    }
    decoder.set_limits(limits).map_err(damaged)?;
    let orientation = decoder.orientation().map_err(damaged)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    image.apply_orientation(orientation);
    Ok((image, format))
}

/// The model's input, if the picture is just that.
fn exact(image: &DynamicImage, format: ImageFormat) -> Result<Option<Pixels>, PictureError> {
    let side = SIDE as u32;
    let plain = format == ImageFormat::Png && matches!(image.color(), ColorType::L8 | ColorType::L16);
    if !plain || image.dimensions() != (side, side) {
        return Ok(None);
    }
    let grey = image.to_luma8();
    let border = grey.enumerate_pixels().filter(|(x, y, _)| {
        let edge = |at: u32| at == 0 || at + 1 == side;
        edge(*x) || edge(*y)
    });
    let mut border: Vec<u8> = border.map(|(_, _, pixel)| pixel.0[0]).collect();
    border.sort_unstable();
    if border.get(border.len() / 2).is_none_or(|middle| *middle > 127) {
        return Ok(None);
    }
    let values = grey.pixels().map(|pixel| pixel.0[0]);
    let range = values.clone().max().unwrap_or(0) - values.clone().min().unwrap_or(0);
    if f32::from(range) / 255.0 < MIN_CONTRAST {
        return Err(PictureError::Blank);
    }
    // value × 16 / 255, rounded.
    Ok(Some(
        values
            .map(|value| ((u16::from(value) * u16::from(FULL) + 127) / 255) as u8)
            .collect(),
    ))
}

/// Colours without gamma, each times its opacity; then the opacity. All from 0 to 1.
struct Shrunk {
    width: usize,
    height: usize,
    pixels: Vec<[f32; 4]>,
}

/// Means over rectangles of the picture, or copies of its pixels where it is small.
fn shrink(image: &DynamicImage) -> Shrunk {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let longer = width.max(height).max(1);
    let size = |side: usize| {
        if longer > LARGEST {
            (side * LARGEST / longer).max(1)
        } else {
            side * SMALLEST.div_ceil(longer).max(1)
        }
    };
    let (columns, rows) = (size(width), size(height));
    let range = |at: usize, from: usize, to: usize| {
        let start = at * from / to;
        start..((at + 1) * from / to).max(start + 1).min(from)
    };
    let mut pixels = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        for column in 0..columns {
            let mut sum = [0.0f32; 4];
            let (xs, ys) = (range(column, width, columns), range(row, height, rows));
            let count = (xs.len() * ys.len()).max(1) as f32;
            for y in ys {
                for x in xs.clone() {
                    let [red, green, blue, alpha] = image.get_pixel(x as u32, y as u32).0.map(f32::from);
                    let opacity = alpha / 255.0;
                    for (sum, value) in
                        sum.iter_mut()
                            .zip([red * opacity, green * opacity, blue * opacity, alpha])
                    {
                        *sum += value / 255.0;
                    }
                }
            }
            pixels.push(sum.map(|value| value / count));
        }
    }
    Shrunk {
        width: columns,
        height: rows,
        pixels,
    }
}

/// Rec. 601.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];
/// A single colour is looked at instead of brightness if it shows so much more: red ink on blue paper of equal brightness.
const CLEARER: f32 = 2.0;
/// What is visible varies by more than this (standard deviation): ink and paper are both there, not ink alone.
const TWO_COLOURS: f32 = 0.15;

fn grey(shrunk: &Shrunk) -> Plane {
    let views = [LUMA, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let [luma, colours @ ..] = views.map(|weights| view(shrunk, weights));
    let contrast = deviation(&luma);
    let best = colours
        .into_iter()
        .map(|plane| (deviation(&plane), plane))
        .filter(|(deviation, _)| *deviation > CLEARER * contrast)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.map_or(luma, |(_, plane)| plane)
}

/// One number per pixel, with transparent parts filled.
fn view(shrunk: &Shrunk, weights: [f32; 3]) -> Plane {
    let value = |[red, green, blue, _]: &[f32; 4]| red * weights[0] + green * weights[1] + blue * weights[2];
    let values: Vec<f32> = shrunk.pixels.iter().map(value).collect();
    let opacity: f32 = shrunk.pixels.iter().map(|pixel| pixel[3]).sum();
    let count = shrunk.pixels.len().max(1) as f32;
    let fill = if opacity < 0.999 * count && opacity > 0.0 {
        // Weighted by opacity, as the values are.
        let mean = values.iter().sum::<f32>() / opacity;
        let spread = shrunk.pixels.iter().zip(&values).map(|(pixel, value)| {
            let difference = value / pixel[3].max(f32::EPSILON) - mean;
            pixel[3] * difference * difference
        });
        let deviation = (spread.sum::<f32>() / opacity).sqrt();
        match (deviation > TWO_COLOURS, mean > 0.5) {
            // A card with rounded corners: they look like the card.
            (true, _) => median(shrunk, &values).unwrap_or(mean),
            // Light ink is on dark, dark ink on light.
            (false, true) => 0.0,
            (false, false) => 1.0,
        }
    } else {
        1.0
    };
    let values = shrunk
        .pixels
        .iter()
        .zip(&values)
        .map(|(pixel, value)| value + (1.0 - pixel[3]) * fill)
        .collect();
    Plane {
        width: shrunk.width,
        height: shrunk.height,
        values,
    }
}

/// Of what is mostly opaque.
fn median(shrunk: &Shrunk, values: &[f32]) -> Option<f32> {
    let visible = shrunk
        .pixels
        .iter()
        .zip(values)
        .filter(|(pixel, _)| pixel[3] > 0.5);
    let mut values: Vec<f32> = visible.map(|(pixel, value)| value / pixel[3]).collect();
    values.sort_unstable_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}

fn deviation(plane: &Plane) -> f32 {
    let count = plane.values.len().max(1) as f32;
    let mean = plane.values.iter().sum::<f32>() / count;
    let squares = plane.values.iter().map(|value| (value - mean) * (value - mean));
    (squares.sum::<f32>() / count).sqrt()
}
