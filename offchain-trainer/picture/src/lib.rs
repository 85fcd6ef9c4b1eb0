//! Pictures as people have them, read as the small images that models know.
