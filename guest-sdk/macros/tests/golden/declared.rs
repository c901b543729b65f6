/// Everything that has a name.
///
/// In two paragraphs.
mod declared {
    //! And what is said inside.

    use super::Elsewhere;

    /// Not used by any procedure, so it may be what it likes.
    pub struct Private<'a, T>(&'a T, Elsewhere);

    type Pair = (String, Vec<Peak>);

    /// One peak.
    #[derive(Clone)]
    pub struct Peak {
        /// Where it is.
        pub position: f64,
        /** How high
            it is. */
        height: f64,
        kind: Kind,
        length: Meters,
        marks: Marks,
        r#type: u8,
        record: Option<String>,
    }

    /// A length.
    pub struct Meters(pub f64);

    /// What it looks like.
    pub enum Kind {
        /// A bell.
        Gaussian,
        HTTPServer = 7,
        Other,
    }

    /// What is special.
    #[flags]
    #[derive(Default)]
    pub struct Marks {
        /// Looked at.
        pub checked: bool,
        pub by_hand: bool,
    }

    pub enum Figure {
        Empty,
        /// By its radius.
        Circle(f64),
        Rectangle(f64, f64),
        Polygon(Vec<(f64, f64)>),
        /// Two lengths.
        Ellipse {
            /// The longer one.
            a: f64,
            half_b: Option<Meters>,
            corners: [usize; 2],
        },
        Nothing {},
    }

    pub enum Problem {
        NoPeak,
        Failed(Failure),
    }

    /// The same name as its type.
    pub fn figure(peaks: Vec<Pair>) -> Option<Figure> {}

    pub fn find(values: &[f64], around: &Meters) -> Result<Vec<Peak>, Problem> {}

    fn helper(anything: impl Fn()) {}

    pub(crate) fn other_helper<T>(anything: T) {}
}
