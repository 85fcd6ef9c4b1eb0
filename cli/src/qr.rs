//! A QR code of half blocks, two squares to a letter: no colours, so it is the same wherever it is shown.

use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};

/// The code of this text, light on dark, or the other way round. Empty if there is too much text for one.
pub fn draw(text: &str, dark_on_light: bool) -> String {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::L) else {
        return String::new();
    };
    // What is printed is the letter's colour: light on the usual terminal, where the code's light parts are to be.
    let (dark, light) = match dark_on_light {
        true => (Dense1x2::Dark, Dense1x2::Light),
        false => (Dense1x2::Light, Dense1x2::Dark),
    };
    code.render::<Dense1x2>()
        .dark_color(dark)
        .light_color(light)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    #[test]
    fn a_code_fits_a_small_terminal_and_has_its_quiet_border() {
        let code = draw(ADDRESS, false);
        let lines: Vec<&str> = code.lines().collect();
        assert!(lines.len() <= 24, "{}", lines.len());
        assert!(lines.iter().all(|line| line.chars().count() <= 80));
        assert!(lines[0].chars().all(|c| c == '█'), "{code}");
        assert!(draw(ADDRESS, true).lines().next().unwrap().trim().is_empty());
    }

    #[test]
    fn the_squares_are_those_of_the_code() {
        let code = QrCode::with_error_correction_level(ADDRESS, EcLevel::L).unwrap();
        let (width, squares) = (code.width(), code.to_colors());
        let drawn = draw(ADDRESS, true);
        let lines: Vec<Vec<char>> = drawn.lines().map(|line| line.chars().collect()).collect();
        for (index, colour) in squares.into_iter().enumerate() {
            // Four squares of border.
            let (x, y) = (index % width + 4, index / width + 4);
            let letter = lines[y / 2][x];
            let shown = match y % 2 {
                0 => matches!(letter, '█' | '▀'),
                _ => matches!(letter, '█' | '▄'),
            };
            assert_eq!(shown, colour == qrcode::Color::Dark, "{x}, {y}");
        }
    }
}
