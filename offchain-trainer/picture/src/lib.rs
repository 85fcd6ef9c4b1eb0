//! Pictures as people have them, read as the small images that models know.
//!
//! The digits model was trained on normalised scans of handwriting, 8×8 pixels of 0 to 16. What people have is a photo, a
//! drawing with a transparent background, a screenshot with a frame. [`read`] finds the ink as a person would, or says
//! why it can't, so that nobody pays for a question about a blank page:
//!
//! 1. `decode`: PNG, JPEG or WebP, bounded before anything is allocated; turned as its EXIF data says; shrunk to at most
//!    480 pixels a side; transparent parts get the colour that lets the visible ones be seen.
//! 2. `ink`: which of light and dark is ink; the background's brightness everywhere, shadows included; ink relative to it.
//! 3. `isolate`: connected pieces; specks and frames go, what belongs together stays, two things are refused.
//! 4. `readings`: the ink in 8×8 pixels, in 24 slightly different ways (thickness, slant, proportions, height). A model
//!    whose answers to them agree may be called sure; one whose answers differ may not.
//!
//! Bytes in, reading out: must never touch files or the network, and never panic, whatever the bytes. Why it is done like
//! this and how well it works: `docs/decisions/008-how-a-picture-is-read.md`.

mod decode;
mod edge;
mod ink;
mod isolate;
mod plane;
mod readings;

/// Rows and columns of the model's input.
pub const SIDE: usize = 8;
/// The value of a full pixel.
pub const FULL: u8 = 16;
/// The largest file, in bytes. A phone's photo has 3 to 12 MiB.
pub const MAX_BYTES: usize = 16 << 20;
/// The largest number of pixels.
pub const MAX_PIXELS: u64 = 50_000_000;
/// The largest width and height.
pub const MAX_SIDE: u32 = 16_384;

/// One input of the model: 64 values from 0 to 16, row by row.
pub type Pixels = Vec<u8>;

/// What a picture shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reading {
    /// The picture was the model's input already: a greyscale PNG of 8×8 pixels with a dark border.
    Exact(Pixels),
    /// The same ink, seen in several ways; never empty.
    Several(Vec<Pixels>),
}

impl Reading {
    /// Each input the model is to be asked about.
    pub fn inputs(&self) -> &[Pixels] {
        match self {
            Self::Exact(pixels) => std::slice::from_ref(pixels),
            Self::Several(pixels) => pixels,
        }
    }
}

/// Why a picture can't be read. Each message is its own documentation.
#[allow(missing_docs)]
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PictureError {
    #[error("it is larger than 16 MiB: make the picture smaller")]
    TooLarge,
    #[error("it is neither PNG nor JPEG nor WebP: save the picture as one of them")]
    UnknownFormat,
    #[error("it is damaged ({0}): save the picture again")]
    Damaged(String),
    #[error(
        "it has {width}x{height} pixels, more than can be read (16384 a side, 50 million in all): make the picture smaller"
    )]
    TooManyPixels { width: u32, height: u32 },
    #[error(
        "it would take more memory to read than a picture should: make the picture smaller, or save it anew"
    )]
    TooMuchMemory,
    #[error("it shows nothing but background: draw the digit with more contrast")]
    Blank,
    #[error(
        "it isn't clear what in it is ink: take a picture of one digit on plain paper, sharp and evenly lit"
    )]
    Unclear,
    #[error("it shows several things that could be a digit: cut out the one that is meant")]
    SeveralThings,
}

/// Reads a picture.
///
/// # Errors
/// [`PictureError`]: nothing that could be asked about was found.
pub fn read(bytes: &[u8]) -> Result<Reading, PictureError> {
    if bytes.len() > MAX_BYTES {
        return Err(PictureError::TooLarge);
    }
    let picture = decode::decode(bytes)?;
    if let Some(pixels) = picture.exact {
        return Ok(Reading::Exact(pixels));
    }
    let ink = ink::find(&picture.grey)?;
    let digit = isolate::isolate(&ink)?;
    readings::readings(&digit).map(Reading::Several)
}
