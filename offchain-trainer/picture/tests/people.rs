//! Pictures as people have them: what is the same to a person must be the same to the reader, and what a person couldn't
//! name must be refused.

use hydra_picture::{PictureError, Reading, read};
use image::{
    DynamicImage, ExtendedColorType, GrayImage, ImageEncoder, Luma, Rgb, RgbImage, Rgba, RgbaImage,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
    imageops,
};

const SIDE: u32 = 200;

/// How much ink there is at a place of a 3, from 0 to 1: two bows, open to the left.
fn three(x: f32, y: f32) -> f32 {
    let bow = |cx: f32, cy: f32, r: f32| {
        let (dx, dy) = (x - cx, y - cy);
        let distance = (dx.hypot(dy) - r).abs();
        let open = dx < -0.3 * r && (cy < 0.5 && dy > -0.3 * r || cy > 0.5 && dy < 0.3 * r);
        if open { 1.0 } else { distance }
    };
    let distance = bow(0.45, 0.3, 0.17).min(bow(0.45, 0.67, 0.2));
    ((0.05 - distance) * 60.0 + 0.5).clamp(0.0, 1.0)
}

fn ink(size: f32, left: f32, top: f32) -> impl Fn(u32, u32) -> f32 {
    move |x, y| three((x as f32 + 0.5 - left) / size, (y as f32 + 0.5 - top) / size)
}

/// Black on white, 200×200.
fn paper() -> GrayImage {
    let ink = ink(200.0, 0.0, 0.0);
    GrayImage::from_fn(SIDE, SIDE, |x, y| Luma([(255.0 - 255.0 * ink(x, y)) as u8]))
}

fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    let (image, mut bytes) = (image.into(), Vec::new());
    image.write_with_encoder(PngEncoder::new(&mut bytes)).unwrap();
    bytes
}

fn readings(bytes: &[u8]) -> Vec<Vec<u8>> {
    match read(bytes) {
        Ok(Reading::Several(readings)) => readings,
        other => panic!("{other:?}"),
    }
}

/// Mean difference of a pixel, of 16.
fn difference(a: &[Vec<u8>], b: &[Vec<u8>]) -> f32 {
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    let sum: u32 = pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    sum as f32 / a.iter().flatten().count() as f32
}

/// With a dark line along all four edges.
fn framed(mut image: GrayImage, margin: u32, depth: u32) -> GrayImage {
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        let edge = x.min(y).min(SIDE - 1 - x).min(SIDE - 1 - y);
        if (margin..margin + depth).contains(&edge) {
            *pixel = Luma([10]);
        }
    }
    image
}

#[track_caller]
fn looks_like_the_paper(bytes: &[u8], tolerance: f32) {
    let difference = difference(&readings(&png(paper())), &readings(bytes));
    assert!(difference <= tolerance, "{difference}");
}

#[test]
fn white_and_black_ink_on_transparency_are_read_alike() {
    let ink = ink(200.0, 0.0, 0.0);
    for colour in [0, 255] {
        let image = RgbaImage::from_fn(SIDE, SIDE, |x, y| {
            Rgba([colour, colour, colour, (255.0 * ink(x, y)) as u8])
        });
        looks_like_the_paper(&png(image), 0.1);
    }
}

#[test]
fn a_card_with_transparent_corners_is_read_as_the_card() {
    let paper = paper();
    let image = RgbaImage::from_fn(SIDE, SIDE, |x, y| {
        let corner = x.min(SIDE - 1 - x) + y.min(SIDE - 1 - y) < 20;
        let grey = paper.get_pixel(x, y).0[0];
        Rgba([grey, grey, grey, if corner { 0 } else { 255 }])
    });
    looks_like_the_paper(&png(image), 0.1);
}

#[test]
fn a_black_pixel_in_a_corner_changes_nothing() {
    let mut image = paper();
    image.put_pixel(0, 0, Luma([0]));
    looks_like_the_paper(&png(image), 0.05);
}

#[test]
fn a_tall_one_is_not_mistaken_for_an_edge_nor_a_speck_for_a_digit() {
    let one = GrayImage::from_fn(SIDE, SIDE, |x, y| {
        Luma([if (94..106).contains(&x) && (5..195).contains(&y) {
            0
        } else {
            255
        }])
    });
    let mut with_a_speck = one.clone();
    for (x, y) in (30..35).flat_map(|x| (40..45).map(move |y| (x, y))) {
        with_a_speck.put_pixel(x, y, Luma([0]));
    }
    let difference = difference(&readings(&png(one)), &readings(&png(with_a_speck)));
    assert!(difference < 0.1, "{difference}");
}

#[test]
fn specks_and_frames_change_little() {
    let mut specks = paper();
    for i in 0u32..30 {
        let (x, y) = (i * 73 % 197, i * 131 % 197);
        for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            specks.put_pixel(x + dx, y + dy, Luma([0]));
        }
    }
    looks_like_the_paper(&png(specks), 0.8);
    // The digit begins 14 pixels from the edge: a frame that touches it is part of it, to a person as well.
    for (margin, depth) in [(0, 3), (2, 5), (6, 2)] {
        looks_like_the_paper(&png(framed(paper(), margin, depth)), 0.3);
    }
}

#[test]
fn light_on_dark_and_colours_are_read_alike() {
    let mut negative = paper();
    imageops::invert(&mut negative);
    looks_like_the_paper(&png(negative), 0.3);
    // Red and blue of equal brightness.
    let ink = ink(200.0, 0.0, 0.0);
    let colours = RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let mix = |on: f32, off: f32| (off + (on - off) * ink(x, y)) as u8;
        Rgb([mix(190.0, 40.0), mix(40.0, 100.0), mix(40.0, 130.0)])
    });
    looks_like_the_paper(&png(colours), 0.6);
}

#[test]
fn uneven_light_and_a_shadow_are_no_ink() {
    let ink = ink(200.0, 0.0, 0.0);
    let image = GrayImage::from_fn(SIDE, SIDE, |x, y| {
        let slope = 0.5 + 0.45 * x as f32 / 200.0;
        let shadow = if x + y > 230 { 0.75 } else { 1.0 };
        Luma([(255.0 * slope * shadow * (1.0 - 0.8 * ink(x, y))) as u8])
    });
    looks_like_the_paper(&png(image), 1.0);
}

#[test]
fn size_and_place_hardly_matter() {
    for (size, left, top) in [(50.0, 5.0, 140.0), (90.0, 100.0, 3.0), (220.0, -15.0, -10.0)] {
        let ink = ink(size, left, top);
        let image = GrayImage::from_fn(SIDE, SIDE, |x, y| Luma([(255.0 - 255.0 * ink(x, y)) as u8]));
        looks_like_the_paper(&png(image), 0.9);
    }
    // 12 million pixels, as phones have them, and 40, as icons have them.
    for (width, height, size) in [(4000, 3000, 1500.0), (40, 40, 40.0)] {
        let ink = ink(size, (width as f32 - size) / 2.0, (height as f32 - size) / 2.0);
        let image = GrayImage::from_fn(width, height, |x, y| Luma([(255.0 - 255.0 * ink(x, y)) as u8]));
        looks_like_the_paper(&png(image), 0.9);
    }
}

#[test]
fn jpeg_and_webp_are_read() {
    let paper = paper();
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, 40);
    encoder
        .write_image(&paper, SIDE, SIDE, ExtendedColorType::L8)
        .unwrap();
    looks_like_the_paper(&jpeg, 0.5);
    let mut webp = Vec::new();
    let colours = DynamicImage::from(paper).to_rgb8();
    let encoder = WebPEncoder::new_lossless(&mut webp);
    encoder
        .write_image(&colours, SIDE, SIDE, ExtendedColorType::Rgb8)
        .unwrap();
    looks_like_the_paper(&webp, 0.05);
}

#[test]
fn a_phones_orientation_is_applied() {
    // EXIF says "turn by 90 degrees to the right": what is stored lies on its left side.
    let lying = imageops::rotate270(&paper());
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 90);
    encoder.set_exif_metadata(exif).unwrap();
    encoder
        .write_image(&lying, SIDE, SIDE, ExtendedColorType::L8)
        .unwrap();
    looks_like_the_paper(&jpeg, 0.3);
    assert!(difference(&readings(&png(lying)), &readings(&png(paper()))) > 2.0);
}

#[test]
fn thin_and_thick_ink_have_readings_alike() {
    let drawn = |extra: f32| {
        GrayImage::from_fn(SIDE, SIDE, |x, y| {
            let near = (-8..=8).flat_map(|dy| (-8..=8).map(move |dx| (dx as f32, dy as f32)));
            let ink = near
                .filter(|(dx, dy)| dx.hypot(*dy) <= extra)
                .map(|(dx, dy)| three((x as f32 + 0.5 + dx) / 200.0, (y as f32 + 0.5 + dy) / 200.0))
                .fold(0.0, f32::max);
            Luma([(255.0 - 255.0 * ink) as u8])
        })
    };
    // The second half of the readings have strokes of one thickness.
    let (thin, thick) = (readings(&png(drawn(0.0))), readings(&png(drawn(6.0))));
    let half = thin.len() / 2;
    assert!(difference(&thin[half..], &thick[half..]) < difference(&thin[..half], &thick[..half]) * 0.8);
}

#[test]
fn an_8x8_grey_png_is_taken_as_it_is() {
    let values: Vec<u8> = (0..64)
        .map(|i| {
            if i % 8 == 0 || i % 8 == 7 {
                0
            } else {
                (i % 17) as u8
            }
        })
        .collect();
    let bytes = |invert: bool| {
        let pixel = |x: u32, y: u32| (f32::from(values[(y * 8 + x) as usize]) * 255.0 / 16.0).round() as u8;
        png(GrayImage::from_fn(8, 8, |x, y| {
            Luma([if invert { 255 - pixel(x, y) } else { pixel(x, y) }])
        }))
    };
    assert_eq!(read(&bytes(false)), Ok(Reading::Exact(values.clone())));
    // On white it is a picture like any other.
    assert!(!matches!(read(&bytes(true)), Ok(Reading::Exact(_))));
}

#[test]
fn what_shows_nothing_is_refused() {
    for grey in [0, 100, 255] {
        for side in [8, 30, 200] {
            let flat = GrayImage::from_pixel(side, side, Luma([grey]));
            assert_eq!(read(&png(flat)), Err(PictureError::Blank), "{grey} {side}");
        }
    }
    let nothing = RgbaImage::from_pixel(50, 50, Rgba([9, 9, 9, 0]));
    assert_eq!(read(&png(nothing)), Err(PictureError::Blank));
    let pale = GrayImage::from_fn(SIDE, SIDE, |x, y| {
        Luma([255 - (10.0 * ink(200.0, 0.0, 0.0)(x, y)) as u8])
    });
    assert_eq!(read(&png(pale)), Err(PictureError::Blank));
    let slope = GrayImage::from_fn(SIDE, SIDE, |x, _| Luma([x as u8]));
    assert_eq!(read(&png(slope)), Err(PictureError::Blank));
    let empty = GrayImage::from_pixel(SIDE, SIDE, Luma([255]));
    for (margin, depth) in [(0, 4), (10, 4)] {
        let frame = framed(empty.clone(), margin, depth);
        assert_eq!(read(&png(frame)), Err(PictureError::Blank));
    }
}

#[test]
fn noise_is_refused() {
    for (side, depth) in [(40, 255), (200, 255), (200, 60), (600, 255)] {
        let mut state = 7u64;
        let noise = GrayImage::from_fn(side, side, |_, _| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            Luma([128 - depth / 2 + ((state >> 33) % u64::from(depth)) as u8])
        });
        assert!(
            matches!(
                read(&png(noise)),
                Err(PictureError::Unclear | PictureError::Blank | PictureError::SeveralThings)
            ),
            "{side} {depth}"
        );
    }
}

#[test]
fn two_digits_are_refused() {
    for (size, second) in [(90.0, 100.0), (110.0, 70.0), (110.0, 56.0)] {
        let (a, b) = (ink(size, 5.0, 40.0), ink(size, 5.0 + second, 45.0));
        let image = GrayImage::from_fn(SIDE, SIDE, |x, y| {
            Luma([(255.0 - 255.0 * a(x, y).max(b(x, y))) as u8])
        });
        assert_eq!(read(&png(image)), Err(PictureError::SeveralThings), "{second}");
    }
}
