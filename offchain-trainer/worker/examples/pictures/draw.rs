//! Validation digits as pictures of 200×200 pixels, in ten kinds. The same on every run.

use hydra_primitives::domain_hash;
use hydra_update::Shard;
use image::{
    DynamicImage, GrayImage, Luma, Rgba, RgbaImage,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
};

/// Width and height of a picture.
pub const SIDE: u32 = 200;

/// What is done to the digits.
pub const KINDS: [&str; 10] = [
    "enlarged: in squares or smoothly, PNG",
    "turned by 5 to 12 degrees, PNG",
    "thin ink with gaps, WebP",
    "thick ink, PNG",
    "uneven light and a shadow's edge, JPEG",
    "specks, WebP",
    "a frame, PNG",
    "a fifth to a third of the size, anywhere, PNG",
    "white ink on transparency, PNG",
    "like a photo: blurred, noisy, dim, JPEG",
];

/// A picture file and what it shows.
pub struct Picture {
    pub kind: &'static str,
    pub truth: u8,
    pub bytes: Vec<u8>,
}

/// Pseudo-random numbers (SplitMix64).
pub struct Random(u64);

impl Random {
    pub fn new(parts: &[&[u8]]) -> Self {
        let hash = domain_hash("hydraai distorted digits v1", parts);
        Self(hash.to_low_u64_be())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * (self.next() >> 40) as f32 / (1u32 << 24) as f32
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// Mean 0, standard deviation 1, roughly.
    fn noise(&mut self) -> f32 {
        (0..12).map(|_| self.between(-0.5, 0.5)).sum()
    }
}

/// `count` pictures of one kind, each of another digit while they last.
pub fn pictures(
    kind: &'static str,
    digits: &Shard,
    count: usize,
    seed: u64,
) -> Result<Vec<Picture>, image::ImageError> {
    let mut random = Random::new(&[kind.as_bytes(), &seed.to_le_bytes()]);
    let mut order: Vec<usize> = (0..digits.labels.len()).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, random.below(i as u64 + 1) as usize);
    }
    let mut pictures = Vec::new();
    for index in order.into_iter().cycle().take(count) {
        let size = digits.inputs_per_sample as usize;
        let Some(digit) = digits.inputs.get(index * size..(index + 1) * size) else {
            continue;
        };
        pictures.push(Picture {
            kind,
            truth: digits.labels.get(index).copied().unwrap_or(u8::MAX),
            bytes: draw(kind, digit, &mut random)?,
        });
    }
    Ok(pictures)
}

/// How the digit's 8×8 values become ink.
#[derive(Clone, Copy)]
enum Ink {
    Squares,
    Smooth,
    /// Ink is where the smooth value is above the level, with an edge of some softness.
    Strokes(f32, f32),
}

/// Where the digit is.
#[derive(Clone, Copy)]
struct Place {
    size: f32,
    centre: (f32, f32),
    degrees: f32,
}

fn place(size: f32) -> Place {
    Place {
        size,
        centre: (100.0, 100.0),
        degrees: 0.0,
    }
}

fn draw(kind: &str, digit: &[f32], random: &mut Random) -> Result<Vec<u8>, image::ImageError> {
    let at = KINDS.iter().position(|k| *k == kind);
    let strokes = Ink::Strokes(0.5, 0.12);
    match at {
        Some(0) => {
            let ink = [Ink::Squares, Ink::Smooth, Ink::Strokes(0.5, 0.2)][random.below(3) as usize];
            let whole = matches!(ink, Ink::Squares) && random.below(2) == 0;
            let size = if whole {
                200.0
            } else {
                random.between(130.0, 180.0)
            };
            png(grey(|x, y| paper(value(digit, ink, place(size), x, y))))
        }
        Some(1) => {
            let sign = if random.below(2) == 0 { -1.0 } else { 1.0 };
            let turned = Place {
                degrees: sign * random.between(5.0, 12.0),
                ..place(150.0)
            };
            png(grey(|x, y| paper(value(digit, strokes, turned, x, y))))
        }
        Some(2) => webp(grey(|x, y| {
            paper(value(digit, Ink::Strokes(0.72, 0.12), place(150.0), x, y))
        })),
        Some(3) => png(grey(|x, y| {
            paper(value(digit, Ink::Strokes(0.28, 0.12), place(150.0), x, y))
        })),
        Some(4) => {
            let place = Place {
                centre: (random.between(85.0, 115.0), random.between(85.0, 115.0)),
                ..place(random.between(120.0, 150.0))
            };
            // Any angle will do.
            #[allow(clippy::approx_constant)]
            let (sin, cos) = random.between(0.0, 6.28).sin_cos();
            let shadow = (random.below(2) == 0).then(|| random.between(-0.2, 0.2));
            let noise: Vec<f32> = (0..SIDE * SIDE).map(|_| 0.012 * random.noise()).collect();
            let image = grey(|x, y| {
                let slope = (x / 200.0 - 0.5) * cos + (y / 200.0 - 0.5) * sin;
                let shade = if shadow.is_some_and(|edge| slope > edge) {
                    0.2
                } else {
                    0.0
                };
                let light = 0.62 + 0.5 * slope - shade;
                let noise = noise.get(y as usize * 200 + x as usize).copied().unwrap_or(0.0);
                light * (1.0 - 0.75 * value(digit, strokes, place, x, y)) + noise
            });
            jpeg(image, 90)
        }
        Some(5) => {
            let mut image = grey(|x, y| paper(value(digit, strokes, place(150.0), x, y)));
            for _ in 0..5 + random.below(20) {
                let (left, top) = (random.below(196) as u32, random.below(196) as u32);
                let (size, level) = (1 + random.below(4) as u32, random.below(60) as u8);
                for (x, y) in (0..size).flat_map(|y| (0..size).map(move |x| (x, y))) {
                    image.put_pixel(left + x, top + y, Luma([level]));
                }
            }
            webp(image)
        }
        Some(6) => {
            let place = Place {
                centre: (random.between(92.0, 108.0), random.between(92.0, 108.0)),
                ..place(120.0)
            };
            let (margin, depth) = (random.below(12) as u32, 2 + random.below(6) as u32);
            png(GrayImage::from_fn(SIDE, SIDE, |x, y| {
                let edge = x.min(y).min(SIDE - 1 - x).min(SIDE - 1 - y);
                let ink = value(digit, strokes, place, x as f32 + 0.5, y as f32 + 0.5);
                let line = (margin..margin + depth).contains(&edge);
                Luma([byte(if line { 0.08 } else { paper(ink) })])
            }))
        }
        Some(7) => {
            let size = random.between(36.0, 60.0);
            let room = |random: &mut Random| random.between(size / 2.0 + 2.0, 198.0 - size / 2.0);
            let place = Place {
                centre: (room(random), room(random)),
                ..place(size)
            };
            png(grey(|x, y| {
                paper(value(digit, Ink::Strokes(0.5, 0.2), place, x, y))
            }))
        }
        Some(8) => {
            let place = place(random.between(120.0, 180.0));
            let image = RgbaImage::from_fn(SIDE, SIDE, |x, y| {
                let ink = value(digit, strokes, place, x as f32 + 0.5, y as f32 + 0.5);
                Rgba([255, 255, 255, byte(ink)])
            });
            png(image)
        }
        _ => {
            let place = Place {
                centre: (random.between(80.0, 120.0), random.between(80.0, 120.0)),
                degrees: random.between(-6.0, 6.0),
                ..place(random.between(90.0, 150.0))
            };
            let ink = Ink::Strokes(random.between(0.4, 0.6), 0.3);
            let (lamp_x, lamp_y) = (random.between(40.0, 160.0), random.between(40.0, 160.0));
            let sharp = grey(|x, y| {
                let (dx, dy) = ((x - lamp_x) / 200.0, (y - lamp_y) / 200.0);
                (0.75 - 0.25 * (dx * dx + dy * dy)) * (1.0 - 0.7 * value(digit, ink, place, x, y))
            });
            let mut image = image::imageops::blur(&sharp, 1.2);
            for pixel in image.pixels_mut() {
                *pixel = Luma([byte(f32::from(pixel.0[0]) / 255.0 + 0.02 * random.noise())]);
            }
            jpeg(image, 35 + random.below(35) as u8)
        }
    }
}

/// Ink at a place of the picture, 0 to 1.
fn value(digit: &[f32], ink: Ink, place: Place, x: f32, y: f32) -> f32 {
    let (sin, cos) = place.degrees.to_radians().sin_cos();
    let (dx, dy) = (x - place.centre.0, y - place.centre.1);
    let scale = 8.0 / place.size;
    let (column, row) = (
        (cos * dx + sin * dy) * scale + 4.0,
        (cos * dy - sin * dx) * scale + 4.0,
    );
    let at = |x: f32, y: f32| {
        let inside = (0.0..8.0).contains(&x) && (0.0..8.0).contains(&y);
        let index = y.max(0.0) as usize * 8 + x.max(0.0) as usize;
        digit.get(index).copied().filter(|_| inside).unwrap_or(0.0)
    };
    let smooth = || {
        let (x, y) = (column - 0.5, row - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (across, down) = (weights(x - left), weights(y - top));
        let mut sum = 0.0;
        for (j, down) in (-1i8..).zip(down) {
            for (i, across) in (-1i8..).zip(across) {
                sum += across * down * at((left + f32::from(i)).floor(), (top + f32::from(j)).floor());
            }
        }
        sum.clamp(0.0, 1.0)
    };
    match ink {
        Ink::Squares => at(column.floor(), row.floor()),
        Ink::Smooth => smooth(),
        Ink::Strokes(level, softness) => ((smooth() - level) / softness + 0.5).clamp(0.0, 1.0),
    }
}

/// Catmull-Rom's, for the four neighbours of a place.
fn weights(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        -0.5 * t + t2 - 0.5 * t3,
        1.0 - 2.5 * t2 + 1.5 * t3,
        0.5 * t + 2.0 * t2 - 1.5 * t3,
        -0.5 * t2 + 0.5 * t3,
    ]
}

/// Dark ink on nearly white paper.
pub fn paper(ink: f32) -> f32 {
    0.95 - 0.87 * ink
}

fn byte(value: f32) -> u8 {
    (value * 255.0).round().clamp(0.0, 255.0) as u8
}

/// A picture from the brightness at the middle of each pixel.
pub fn grey(value: impl Fn(f32, f32) -> f32) -> GrayImage {
    GrayImage::from_fn(SIDE, SIDE, |x, y| {
        Luma([byte(value(x as f32 + 0.5, y as f32 + 0.5))])
    })
}

pub fn png(image: impl Into<DynamicImage>) -> Result<Vec<u8>, image::ImageError> {
    let mut bytes = Vec::new();
    image.into().write_with_encoder(PngEncoder::new(&mut bytes))?;
    Ok(bytes)
}

fn jpeg(image: GrayImage, quality: u8) -> Result<Vec<u8>, image::ImageError> {
    let mut bytes = Vec::new();
    image.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))?;
    Ok(bytes)
}

fn webp(image: GrayImage) -> Result<Vec<u8>, image::ImageError> {
    let mut bytes = Vec::new();
    let colours = DynamicImage::from(image).to_rgb8();
    colours.write_with_encoder(WebPEncoder::new_lossless(&mut bytes))?;
    Ok(bytes)
}
