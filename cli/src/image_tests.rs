use super::*;
use png::{BitDepth, ColorType};
use proptest::prelude::*;

/// A 7 in the manner of the training images.
const SEVEN: [u8; 64] = [
    0, 0, 7, 13, 16, 13, 1, 0, //
    0, 0, 8, 10, 8, 16, 4, 0, //
    0, 0, 0, 0, 4, 15, 0, 0, //
    0, 0, 5, 8, 14, 13, 3, 0, //
    0, 0, 12, 16, 16, 11, 4, 0, //
    0, 0, 0, 13, 12, 0, 0, 0, //
    0, 0, 2, 16, 5, 0, 0, 0, //
    0, 0, 9, 14, 0, 0, 0, 0,
];

fn png(width: u32, height: u32, color: ColorType, depth: BitDepth, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
    bytes
}

fn grey_png(width: u32, height: u32, data: &[u8]) -> Vec<u8> {
    png(width, height, ColorType::Grayscale, BitDepth::Eight, data)
}

fn convert(bytes: &[u8]) -> Result<Vec<u8>, ImageError> {
    pixels(bytes, Path::new("test.png"))
}

/// The seven, each pixel `scale` times as wide and high, with `margin` around, as values 0 to 255.
fn large_seven(scale: usize, margin: usize) -> (u32, Vec<u8>) {
    let side = 8 * scale + 2 * margin;
    let mut data = vec![0; side * side];
    for (i, value) in SEVEN.iter().enumerate() {
        for dy in 0..scale {
            for dx in 0..scale {
                data[(margin + i / 8 * scale + dy) * side + margin + i % 8 * scale + dx] =
                    (u16::from(*value) * 255 / 16) as u8;
            }
        }
    }
    (side as u32, data)
}

fn distance(a: &[u8], b: &[u8]) -> u32 {
    a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum()
}

#[test]
fn an_8x8_greyscale_png_with_a_dark_border_passes_through_exactly() {
    let data: Vec<u8> = SEVEN
        .iter()
        .map(|value| (f64::from(*value) * 255.0 / 16.0).round() as u8)
        .collect();
    assert_eq!(convert(&grey_png(8, 8, &data)).unwrap(), SEVEN);
    let sixteen: Vec<u8> = data.iter().flat_map(|value| [*value, *value]).collect();
    assert_eq!(
        convert(&png(8, 8, ColorType::Grayscale, BitDepth::Sixteen, &sixteen)).unwrap(),
        SEVEN
    );
}

#[test]
fn size_margin_and_paper_hardly_matter() {
    let (side, ink) = large_seven(20, 37);
    let dark = convert(&grey_png(side, side, &ink)).unwrap();
    assert!(distance(&dark, &SEVEN) < 200, "{dark:?}");
    let paper: Vec<u8> = ink.iter().map(|value| 255 - value).collect();
    assert_eq!(convert(&grey_png(side, side, &paper)).unwrap(), dark);
}

#[test]
fn colour_and_transparency_become_ink_on_paper() {
    let (side, ink) = large_seven(9, 5);
    let expected = convert(&grey_png(side, side, &ink)).unwrap();
    let colour: Vec<u8> = ink.iter().flat_map(|value| [255 - value; 3]).collect();
    assert_eq!(
        convert(&png(side, side, ColorType::Rgb, BitDepth::Eight, &colour)).unwrap(),
        expected
    );
    let black_ink_on_nothing: Vec<u8> = ink.iter().flat_map(|value| [0, 0, 0, *value]).collect();
    assert_eq!(
        convert(&png(
            side,
            side,
            ColorType::Rgba,
            BitDepth::Eight,
            &black_ink_on_nothing
        ))
        .unwrap(),
        expected
    );
}

#[test]
fn palettes_and_single_bits_are_understood() {
    // A 12x12 picture with a vertical bar, one bit per pixel.
    let bar: Vec<u8> = (0..12).flat_map(|_| [0b0000_0110, 0]).collect();
    let from_bits = convert(&png(12, 12, ColorType::Grayscale, BitDepth::One, &bar)).unwrap();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 12, 12);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::One);
    encoder.set_palette(vec![0, 0, 0, 255, 255, 255]);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&bar).unwrap();
    writer.finish().unwrap();
    assert_eq!(convert(&bytes).unwrap(), from_bits);
    // The bar is 2 wide and 12 high: 8 rows high and centred.
    assert!(
        from_bits
            .chunks(8)
            .all(|row| row[3] > 0 && row[4] > 0 && row[0] == 0 && row[7] == 0),
        "{from_bits:?}"
    );
}

#[test]
fn a_blank_picture_is_refused() {
    for value in [0, 100, 255] {
        assert!(
            matches!(
                convert(&grey_png(30, 20, &vec![value; 600])),
                Err(ImageError::Blank(_))
            ),
            "{value}"
        );
    }
}

#[test]
fn a_single_dot_is_a_picture() {
    let mut data = vec![0; 100];
    data[55] = 255;
    assert_eq!(convert(&grey_png(10, 10, &data)).unwrap().len(), 64);
}

#[test]
fn what_is_no_png_is_refused() {
    assert!(matches!(convert(b""), Err(ImageError::NotPng(_))));
    assert!(matches!(
        convert(b"\xff\xd8\xff\xe0 JFIF"),
        Err(ImageError::NotPng(_))
    ));
    assert!(matches!(
        convert(b"\x89PNG\r\n\x1a\n"),
        Err(ImageError::Damaged { .. })
    ));
}

#[test]
fn enormous_dimensions_are_refused_before_anything_is_allocated() {
    let mut bytes = grey_png(1, 1, &[0]);
    // Width and height of the header chunk, then its checksum over type and data.
    bytes[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let crc = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    assert!(matches!(convert(&bytes), Err(ImageError::TooManyPixels { .. })));
    let wide = grey_png(4097, 1, &[0; 4097]);
    assert!(matches!(
        convert(&wide),
        Err(ImageError::TooManyPixels {
            width: 4097,
            height: 1,
            ..
        })
    ));
}

#[test]
fn a_truncated_png_is_refused() {
    let (side, ink) = large_seven(4, 4);
    let bytes = grey_png(side, side, &ink);
    for cut in [20, 40, bytes.len() - 30] {
        assert!(
            matches!(convert(&bytes[..cut]), Err(ImageError::Damaged { .. })),
            "{cut}"
        );
    }
}

#[test]
fn files_are_bounded_and_folders_are_no_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.png");
    let file = File::create(&path).unwrap();
    file.set_len(MAX_BYTES + 1).unwrap();
    assert!(matches!(read(&path), Err(ImageError::TooLarge(_))));
    assert!(matches!(read(folder.path()), Err(ImageError::Unreadable { .. })));
    assert!(matches!(
        read(&folder.path().join("missing.png")),
        Err(ImageError::Unreadable { .. })
    ));
}

fn crc32(bytes: &[u8]) -> u32 {
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    });
    !crc
}

proptest! {
    #[test]
    fn whatever_decodes_becomes_64_values_up_to_16(
        width in 1u32..40, height in 1u32..40, seed in any::<u64>()
    ) {
        let mut state = seed | 1;
        let data: Vec<u8> = (0..width * height).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        }).collect();
        if let Ok(pixels) = convert(&grey_png(width, height, &data)) {
            prop_assert_eq!(pixels.len(), 64);
            prop_assert!(pixels.iter().all(|value| *value <= FULL));
        }
    }

    #[test]
    fn no_damage_makes_it_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        let (side, ink) = large_seven(2, 1);
        let mut bytes = grey_png(side, side, &ink);
        for (index, value) in flips {
            let i = index.index(bytes.len());
            bytes[i] = value;
        }
        let _ = convert(&bytes);
    }
}
