//! A login token as a QR code: a picture for a chat, half blocks for a terminal. Both show a way into an account for half a minute.

use qrcode::{Color, EcLevel, QrCode};
use transfer::bot::Picture;

/// Pixels of a module. Chats send pictures on as JPEG and shrink them; below 8 phones begin to guess.
const MODULE_PX: usize = 10;
/// Light modules around the code, which scanners need to find it.
const QUIET_ZONE: usize = 4;

/// What cannot be drawn: the text is longer than any token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too long for a QR code")]
pub struct TooLong;

/// Modules, quiet zone included; dark is true.
struct Modules {
    width: usize,
    dark: Vec<bool>,
}

impl Modules {
    fn of(text: &str) -> Result<Self, TooLong> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_longer_than_any| TooLong)?;
        let (inner, colors) = (code.width(), code.to_colors());
        let width = inner + 2 * QUIET_ZONE;
        let mut dark = vec![false; width * width];
        for (n, color) in colors.into_iter().enumerate() {
            let (x, y) = (n % inner + QUIET_ZONE, n / inner + QUIET_ZONE);
            dark[y * width + x] = color == Color::Dark;
        }
        Ok(Self { width, dark })
    }

    /// Below the last row everything is light.
    fn is_dark(&self, x: usize, y: usize) -> bool {
        self.dark.get(y * self.width + x).copied().unwrap_or(false)
    }
}

/// A PNG of it.
///
/// # Errors
/// The text is too long.
pub fn picture(text: &str) -> Result<Picture, TooLong> {
    let modules = Modules::of(text)?;
    let side = modules.width * MODULE_PX;
    let pixel = |n: usize| if modules.is_dark(n % side / MODULE_PX, n / side / MODULE_PX) { 0 } else { u8::MAX };
    let pixels: Vec<u8> = (0..side * side).map(pixel).collect();
    let mut bytes = Vec::new();
    let side = u32::try_from(side).map_err(|_larger_than_any| TooLong)?;
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    written.expect("memory can be written to");
    Ok(Picture(bytes))
}

/// Lines of half blocks, two modules high, for a terminal with light letters on a dark ground.
///
/// # Errors
/// The text is too long.
pub fn blocks(text: &str) -> Result<String, TooLong> {
    let modules = Modules::of(text)?;
    let mut lines = String::new();
    for y in (0..modules.width).step_by(2) {
        for x in 0..modules.width {
            lines.push(match (modules.is_dark(x, y), modules.is_dark(x, y + 1)) {
                (false, false) => '█',
                (false, true) => '▀',
                (true, false) => '▄',
                (true, true) => ' ',
            });
        }
        lines.push('\n');
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "tg://login?token=AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA";

    #[test]
    fn the_picture_shows_each_module_as_a_square_inside_a_quiet_zone() {
        let (modules, picture) = (Modules::of(URL).unwrap(), picture(URL).unwrap());
        let mut reader = png::Decoder::new(std::io::Cursor::new(&picture.0)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let side = usize::try_from(info.width).unwrap();
        assert_eq!((side, info.height), (modules.width * MODULE_PX, info.width));
        for (n, pixel) in pixels.iter().enumerate() {
            let (x, y) = (n % side / MODULE_PX, n / side / MODULE_PX);
            assert_eq!(*pixel == 0, modules.is_dark(x, y), "{x} {y}");
            let edge = [x, y].iter().any(|at| *at < QUIET_ZONE || *at >= modules.width - QUIET_ZONE);
            assert!(!edge || *pixel == u8::MAX, "{x} {y}");
        }
        assert!(modules.is_dark(QUIET_ZONE, QUIET_ZONE), "the finder pattern stands in the corner");
    }

    #[test]
    fn the_terminal_shows_the_same_modules() {
        let (modules, text) = (Modules::of(URL).unwrap(), blocks(URL).unwrap());
        for (row, line) in text.lines().enumerate() {
            assert_eq!(line.chars().count(), modules.width);
            for (x, block) in line.chars().enumerate() {
                assert_eq!(matches!(block, '▄' | ' '), modules.is_dark(x, 2 * row));
                assert_eq!(matches!(block, '▀' | ' '), modules.is_dark(x, 2 * row + 1));
            }
        }
        assert!(blocks(&"x".repeat(5_000)).is_err());
    }
}
