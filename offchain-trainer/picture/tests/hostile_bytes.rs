//! Bytes from anywhere: refused or read, never a panic, never more memory than was allowed.

use hydra_picture::{FULL, MAX_BYTES, PictureError, read};
use image::{
    DynamicImage, GrayImage, ImageFormat, Luma,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
};
use proptest::prelude::*;

/// A PNG that is nothing but its header (and the chunk that must follow).
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], data: &[u8]| {
        bytes.extend_from_slice(&(data.len() as u32).to_be_bytes());
        let body = [kind, data].concat();
        bytes.extend_from_slice(&body);
        bytes.extend_from_slice(&crc32(&body).to_be_bytes());
    };
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    chunk(b"IHDR", &[&size[..], &[8, 2, 0, 0, 0]].concat());
    chunk(b"IDAT", &[0x78, 0x9c, 3, 0, 0, 0, 0, 1]);
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    });
    !crc
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let grey = GrayImage::from_fn(60, 60, |x, y| {
        Luma([if (25..35).contains(&x) && (10..50).contains(&y) {
            10
        } else {
            240
        }])
    });
    let (image, mut bytes) = (DynamicImage::from(grey).to_rgb8(), Vec::new());
    match format {
        ImageFormat::Png => image.write_with_encoder(PngEncoder::new(&mut bytes)),
        ImageFormat::Jpeg => image.write_with_encoder(JpegEncoder::new(&mut bytes)),
        _ => image.write_with_encoder(WebPEncoder::new_lossless(&mut bytes)),
    }
    .unwrap();
    bytes
}

const FORMATS: [ImageFormat; 3] = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP];

/// The most memory this process ever had, in KiB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmPeak:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn enormous_dimensions_are_refused_before_anything_is_allocated_for_them() {
    let before = peak_memory();
    for (width, height) in [(60_000, 60_000), (16_385, 1), (1, 16_385), (16_000, 16_000)] {
        assert_eq!(
            read(&png_of(width, height)),
            Err(PictureError::TooManyPixels { width, height })
        );
    }
    // Dimensions that the decoder itself won't hear of.
    assert_eq!(
        read(&png_of(0x7fff_ffff, 0x7fff_ffff)),
        Err(PictureError::TooMuchMemory)
    );
    // 60,000 × 60,000 pixels would be 10 GiB; 16,000 × 16,000 still 730 MiB.
    assert!(peak_memory() - before < 400 << 10);
    // A JPEG's dimensions are in its SOF0 segment: height, then width.
    let mut jpeg = encoded(ImageFormat::Jpeg);
    let at = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[at + 5..at + 9].copy_from_slice(&[0xea, 0x60, 0xea, 0x60]);
    assert!(matches!(read(&jpeg), Err(PictureError::TooManyPixels { .. })));
}

#[test]
fn a_chunk_that_claims_more_than_the_file_has_is_refused_before_memory_is_taken_for_it() {
    let (before, mut webp) = (peak_memory(), encoded(ImageFormat::WebP));
    webp.extend(b"EXIF");
    webp.extend(0xffff_fff0_u32.to_le_bytes());
    assert!(matches!(read(&webp), Err(PictureError::Damaged(_))));
    assert!(peak_memory() - before < 400 << 10);
}

#[test]
fn files_are_bounded() {
    assert_eq!(read(&vec![0; MAX_BYTES + 1]), Err(PictureError::TooLarge));
}

#[test]
fn what_is_no_picture_is_refused() {
    for bytes in [
        &b""[..],
        b"GIF89a",
        b"BM",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
    ] {
        assert_eq!(read(bytes), Err(PictureError::UnknownFormat));
    }
}

#[test]
fn what_is_cut_off_is_refused_or_read() {
    for format in FORMATS {
        let bytes = encoded(format);
        assert!(read(&bytes).is_ok(), "{format:?}");
        assert!(
            matches!(read(&bytes[..bytes.len() / 3]), Err(PictureError::Damaged(_))),
            "{format:?}"
        );
        for cut in 0..bytes.len() {
            let _ = read(&bytes[..cut]);
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(start in 0usize..4, bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let magic: &[u8] = [&b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff\xe0", b"RIFF\x40\0\0\0WEBPVP8L", b""][start];
        let _ = read(&[magic, &bytes].concat());
    }

    #[test]
    fn no_damage_makes_it_panic(
        format in 0usize..3,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = encoded(FORMATS[format]);
        for (index, value) in flips {
            let i = index.index(bytes.len());
            bytes[i] = value;
        }
        let _ = read(&bytes);
    }

    #[test]
    fn whatever_is_read_is_an_input_of_the_model(width in 1u32..40, height in 1u32..40, seed in any::<u64>(), rough in 1u32..8) {
        let mut state = seed | 1;
        let mut cells = std::collections::HashMap::new();
        let image = GrayImage::from_fn(width, height, |x, y| {
            Luma([*cells.entry((x / rough, y / rough)).or_insert_with(|| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })])
        });
        let mut bytes = Vec::new();
        image.write_with_encoder(PngEncoder::new(&mut bytes)).unwrap();
        if let Ok(reading) = read(&bytes) {
            prop_assert!(!reading.inputs().is_empty());
            prop_assert!(reading.inputs().iter().all(|input| input.len() == 64 && input.iter().all(|v| *v <= FULL)));
        }
    }
}
