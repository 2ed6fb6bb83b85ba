//! The camera of the account's phone: reads the QR code of a picture with a decoder that nobody here wrote.

use rqrr::PreparedImage;

/// What the QR code in a PNG says.
///
/// # Panics
/// The picture is no PNG in shades of grey, or shows no QR code.
pub(crate) fn read(png: &[u8]) -> String {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((frame.color_type, frame.bit_depth), (png::ColorType::Grayscale, png::BitDepth::Eight));
    let (width, height) = (frame.width as usize, frame.height as usize);
    let mut image = PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "the picture shows {} QR codes", grids.len());
    grids[0].decode().unwrap().1
}
