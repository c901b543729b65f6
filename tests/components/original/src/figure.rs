//! Draws a curve: black points on white, one for each column.

const WIDTH: usize = 400;
const HEIGHT: usize = 200;

/// A PNG of values, from the left to the right.
pub(crate) fn figure(values: &[f64]) -> Vec<u8> {
    let mut pixels = vec![u8::MAX; WIDTH * HEIGHT];
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // A flat curve is one in the middle.
    let (from, height) =
        if greatest > least { (least, greatest - least) } else { (least - 1.0, 2.0) };
    for column in 0..WIDTH {
        if let Some(value) = values.get(column * values.len() / WIDTH) {
            let row = (1.0 - (value - from) / height) * (HEIGHT - 1) as f64;
            pixels[row as usize * WIDTH + column] = 0;
        }
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, WIDTH as u32, HEIGHT as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().expect("writing into memory");
    writer.write_image_data(&pixels).expect("the pixels fit the picture");
    writer.finish().expect("writing into memory");
    file
}
