//! Paths as a shell takes them, in commands that people are told to type.

use std::{borrow::Cow, path::Path};

/// Quoted where it has to be.
pub fn word(path: &Path) -> String {
    let text = path.to_string_lossy();
    // Only a NUL can't be quoted, and no path has one.
    shlex::try_quote(&text)
        .unwrap_or(Cow::Borrowed(&text))
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_where_a_shell_would_take_it_for_something_else() {
        assert_eq!(word(Path::new("/home/a/my-images_2.x")), "/home/a/my-images_2.x");
        for path in ["my images", "a'b", "$(reboot)", "-é\"; ls", "~", "a\nb", ""] {
            let word = word(Path::new(path));
            assert_eq!(shlex::split(&word).unwrap(), [path], "{word}");
        }
    }
}
