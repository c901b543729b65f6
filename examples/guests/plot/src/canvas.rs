//! Draws a curve and writes it as PNG.

use crate::sine::Data;

const WIDTH: usize = 640;
const HEIGHT: usize = 400;

/// How far the frame is from the edges of the picture.
const MARGIN: usize = 20;

const WHITE: [u8; 3] = [255, 255, 255];
const GREY: [u8; 3] = [190, 190, 190];
const BLUE: [u8; 3] = [31, 90, 180];

/// Colours, row by row from the top.
struct Canvas {
    pixels: Vec<u8>,
}

/// The curve in a frame, with a line where it is 0.
pub(crate) fn picture(data: &Data) -> Vec<u8> {
    let mut canvas = Canvas { pixels: WHITE.repeat(WIDTH * HEIGHT) };
    let (left, right) = (MARGIN as f64, (WIDTH - MARGIN) as f64);
    let (top, bottom) = (MARGIN as f64, (HEIGHT - MARGIN) as f64);
    let middle = f64::midpoint(top, bottom);
    for (from, to) in [
        ((left, top), (right, top)),
        ((left, bottom), (right, bottom)),
        ((left, top), (left, bottom)),
        ((right, top), (right, bottom)),
        ((left, middle), (right, middle)),
    ] {
        canvas.line(from, to, GREY);
    }
    let greatest = data.y.iter().fold(0.0_f64, |greatest, y| greatest.max(y.abs()));
    // A flat curve is one at 0.
    let scale = if greatest > 0.0 { (middle - top) * 0.95 / greatest } else { 0.0 };
    let place = |(t, y): (&f64, &f64)| (left + (right - left) * t, middle - y * scale);
    let places: Vec<_> = data.t.iter().zip(&data.y).map(place).collect();
    for pair in places.windows(2) {
        canvas.line(pair[0], pair[1], BLUE);
    }
    canvas.png()
}

impl Canvas {
    fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: [u8; 3]) {
        let (width, height) = (to.0 - from.0, to.1 - from.1);
        let steps = width.abs().max(height.abs()).ceil().max(1.0);
        for step in 0..=steps as u32 {
            let part = f64::from(step) / steps;
            self.set(from.0 + width * part, from.1 + height * part, colour);
        }
    }

    fn set(&mut self, x: f64, y: f64, colour: [u8; 3]) {
        let (x, y) = (x.round() as usize, y.round() as usize);
        if x < WIDTH && y < HEIGHT {
            let place = (y * WIDTH + x) * 3;
            self.pixels[place..place + 3].copy_from_slice(&colour);
        }
    }

    fn png(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, WIDTH as u32, HEIGHT as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().expect("writing into memory");
        writer.write_image_data(&self.pixels).expect("the pixels fit the picture");
        writer.finish().expect("writing into memory");
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_can_be_read_again_and_shows_the_curve() {
        let file = picture(&Data { t: vec![0.0, 0.5, 1.0], y: vec![-1.0, 1.0, -1.0] });
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (WIDTH as u32, HEIGHT as u32));
        let at =
            |x: usize, y: usize| <[u8; 3]>::try_from(&pixels[(y * WIDTH + x) * 3..][..3]).unwrap();
        assert_eq!(at(0, 0), WHITE);
        assert_eq!(at(MARGIN, MARGIN), GREY);
        let column = |x: usize| (0..HEIGHT).find(|y| at(x, *y) == BLUE).unwrap();
        assert!(column(WIDTH / 2) < column(WIDTH / 4), "the curve is highest in the middle");
    }
}
