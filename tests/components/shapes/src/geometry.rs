//! The exported interface `geometry`: procedures that do something with named types.

use crate::Shapes;
use crate::bindings::exports::demo::shapes::geometry::{Circle, Figure, Guest, Point, Rectangle};

impl Guest for Shapes {
    fn area(figure: Figure) -> f64 {
        match figure {
            Figure::Empty => 0.0,
            Figure::Circle(circle) => std::f64::consts::PI * circle.radius.powi(2),
            Figure::Rectangle(rectangle) => rectangle.width * rectangle.height,
            Figure::Polygon(corners) => {
                let next = corners.iter().cycle().skip(1);
                let doubled: f64 =
                    corners.iter().zip(next).map(|(a, b)| a.x * b.y - b.x * a.y).sum();
                doubled.abs() / 2.0
            }
        }
    }

    fn translate(figure: Figure, by: Point) -> Figure {
        let shift = |point: Point| Point { x: point.x + by.x, y: point.y + by.y };
        match figure {
            Figure::Empty => Figure::Empty,
            Figure::Circle(circle) => {
                Figure::Circle(Circle { center: shift(circle.center), ..circle })
            }
            Figure::Rectangle(rectangle) => {
                Figure::Rectangle(Rectangle { corner: shift(rectangle.corner), ..rectangle })
            }
            Figure::Polygon(corners) => Figure::Polygon(corners.into_iter().map(shift).collect()),
        }
    }

    fn bounding_box(points: Vec<Point>) -> Result<Rectangle, String> {
        let Some(first) = points.first() else {
            return Err("a bounding box needs one point or more; got 0".into());
        };
        let (mut low, mut high) = (*first, *first);
        for point in &points {
            low = Point { x: low.x.min(point.x), y: low.y.min(point.y) };
            high = Point { x: high.x.max(point.x), y: high.y.max(point.y) };
        }
        Ok(Rectangle { corner: low, width: high.x - low.x, height: high.y - low.y })
    }

    fn nearest(points: Vec<Point>) -> Option<(Point, Point)> {
        let distance = |a: &Point, b: &Point| (a.x - b.x).hypot(a.y - b.y);
        let pairs = points
            .iter()
            .enumerate()
            .flat_map(|(index, a)| points[..index].iter().map(move |b| (*b, *a)));
        pairs.min_by(|(a, b), (c, d)| distance(a, b).total_cmp(&distance(c, d)))
    }
}
