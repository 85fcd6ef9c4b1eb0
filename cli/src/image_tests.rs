use super::*;
use image::{GrayImage, Luma, codecs::png::PngEncoder};

fn png(width: u32, height: u32, grey: impl Fn(u32, u32) -> u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    GrayImage::from_fn(width, height, |x, y| Luma([grey(x, y)]))
        .write_with_encoder(PngEncoder::new(&mut bytes))
        .unwrap();
    bytes
}

fn file(folder: &tempfile::TempDir, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join("picture");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_picture_has_several_readings_and_the_models_own_input_one() {
    let folder = tempfile::tempdir().unwrap();
    let bar = |x: u32, y: u32| {
        if (90..110).contains(&x) && (30..170).contains(&y) {
            0
        } else {
            255
        }
    };
    let reading = read(&file(&folder, &png(200, 200, bar))).unwrap();
    assert!(reading.inputs().len() > 1 && reading.inputs().len() <= hydra_trainer_api::MAX_READINGS);
    let exact = read(&file(&folder, &png(8, 8, |x, _| if x == 3 { 255 } else { 0 }))).unwrap();
    let mut expected = vec![0; 64];
    expected
        .iter_mut()
        .skip(3)
        .step_by(8)
        .for_each(|value| *value = 16);
    assert_eq!(exact, Reading::Exact(expected));
}

#[test]
fn a_refused_picture_is_named_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, &png(50, 50, |_, _| 255));
    let error = read(&path).unwrap_err();
    assert!(matches!(
        error,
        ImageError::Picture {
            source: PictureError::Blank,
            ..
        }
    ));
    assert_eq!(
        error.to_string(),
        format!(
            "{} can't be asked about: it shows nothing but background: draw the digit with more contrast",
            path.display()
        )
    );
}

#[test]
fn files_are_bounded_and_folders_are_no_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.png");
    let file = File::create(&path).unwrap();
    file.set_len(MAX_BYTES as u64 + 1).unwrap();
    assert!(matches!(
        read(&path),
        Err(ImageError::Picture {
            source: PictureError::TooLarge,
            ..
        })
    ));
    assert!(matches!(read(folder.path()), Err(ImageError::Unreadable { .. })));
    assert!(matches!(
        read(&folder.path().join("missing.png")),
        Err(ImageError::Unreadable { .. })
    ));
}
