/// Names that WIT has not, or only once.
mod names {
    pub struct Acid {
        pKa: f64,
        T: f64,
        t: f64,
        größe: Option<u8>,
        r#type: u8,
    }

    pub enum Unit {
        M,
        MilliMetre,
        µm,
    }

    pub enum Shape {
        DarkBlue(HashMap<u8, Unit>),
        None,
    }

    #[procedure(aliases = ["rpcExample"])]
    pub fn log(V: f64, v: f64, #[default = Unit::MilliMetre] unit_: Unit) -> Acid {}

    pub fn fitPeak(by: BTreeMap<String, Shape>, at: HashMap<Unit, u8>) -> Result<Shape, Failure> {}

    pub fn plain(x: f64, y_z: Vec<u8>) -> Result<f64, String> {}
}
