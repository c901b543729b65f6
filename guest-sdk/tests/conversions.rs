//! Values on their way between the bindings and the author's types, without a component around them.

#![expect(clippy::needless_pass_by_value, reason = "owned arguments are tested")]

#[tarp_guest::procedures]
mod echo {
    use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

    use tarp_guest::{Context, Failure};

    type Row = Vec<Peak>;

    #[derive(Clone, Debug, PartialEq)]
    pub struct Peak {
        pub position: f64,
        pub kind: Kind,
        pub length: Meters,
        pub r#type: u8,
        pub tags: BTreeMap<String, Vec<Kind>>,
    }

    #[derive(Clone, Debug, PartialEq)]
    pub struct Meters(pub f64);

    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum Kind {
        HTTPServer = 7,
        Bell = 3,
    }

    #[flags]
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Marks {
        pub checked: bool,
        pub by_hand: bool,
        pub r#final: bool,
    }

    #[derive(Clone, Debug, PartialEq)]
    pub enum Figure {
        Circle { radius: f64, r#type: u8 },
        Grid { counts: [usize; 2], value: Option<isize> },
        Point {},
        Size(usize),
    }

    #[derive(Clone, Debug, PartialEq)]
    pub struct Grid {
        pub shape: [usize; 3],
        pub tags: BTreeMap<String, Vec<usize>>,
    }

    #[derive(Debug)]
    pub struct Broken(std::num::ParseFloatError);

    impl std::fmt::Display for Broken {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("the value is broken")
        }
    }

    impl std::error::Error for Broken {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    pub(crate) mod elsewhere {
        /// Has a text and is no error.
        pub(crate) struct Text;

        impl std::fmt::Display for Text {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a text")
            }
        }
    }

    fn broken() -> elsewhere_error::Error {
        Broken("x".parse::<f64>().unwrap_err())
    }

    mod elsewhere_error {
        pub(super) use super::Broken as Error;
    }

    #[derive(Clone, Debug, PartialEq)]
    pub enum Guest {
        Nothing,
        One(f64),
        Two(f64, Kind),
        Tuple((f64, f64)),
        Marked(Marks),
    }

    pub fn peak(peak: Peak) -> Peak {
        peak
    }

    pub fn rows(rows: Vec<Row>) -> Vec<Row> {
        rows
    }

    pub fn marks(marks: Marks) -> Marks {
        marks
    }

    pub fn guest(guest: Guest) -> Guest {
        guest
    }

    pub fn maybe(kind: Option<(Kind, u8)>) -> Result<Option<(Kind, u8)>, Kind> {
        if kind.is_some() { Ok(kind) } else { Err(Kind::Bell) }
    }

    pub fn numbers(values: Vec<f64>) -> Vec<f64> {
        values
    }

    pub fn map(values: HashMap<String, Kind>) -> BTreeMap<String, Kind> {
        values.into_iter().collect()
    }

    pub fn borrowed(text: &str, peaks: &[Peak], map: &HashMap<u8, Kind>, kind: &Kind) -> String {
        format!("{text} {} {} {kind:?}", peaks.len(), map.len())
    }

    pub fn text() -> &'static str {
        "text"
    }

    pub fn refuse(cx: &Context) -> Result<(), Failure> {
        cx.info("refusing");
        Err(Failure::invalid_state("closed"))
    }

    pub fn figure(figure: Figure) -> Figure {
        figure
    }

    pub fn grids(grids: &[Grid], least: usize) -> Result<Vec<Grid>, String> {
        Ok(grids.iter().filter(|grid| grid.shape[0] >= least).cloned().collect())
    }

    pub fn mirrored(vector: [i8; 3], matrix: [[f32; 2]; 2]) -> ([i8; 3], [[f32; 2]; 2]) {
        (vector, matrix)
    }

    pub fn shifted(by: isize, map: HashMap<u8, usize>, text: &str) -> String {
        format!("{text} {} {}", by - 1, map[&1])
    }

    pub fn union(a: HashSet<u32>, b: &BTreeSet<u32>) -> BTreeSet<u32> {
        a.iter().chain(b).copied().collect()
    }

    pub fn sizes(values: BTreeSet<usize>) -> HashSet<usize> {
        values.into_iter().collect()
    }

    pub fn busy(n: usize) -> Result<(), Failure> {
        Err(Failure::busy(n.to_string(), None))
    }

    pub fn own_error(n: usize) -> Result<usize, Kind> {
        Ok(n)
    }

    pub async fn later(values: [u8; 2]) -> u8 {
        values[0]
    }

    pub fn of_anyhow(text: &str) -> anyhow::Result<f64> {
        use anyhow::Context as _;
        text.parse::<f64>().with_context(|| format!("reading {text}"))
    }

    pub fn boxed(text: &str) -> Result<f64, Box<dyn std::error::Error>> {
        text.parse::<f64>()?;
        Err(Box::new(broken()))
    }

    pub fn sent(text: &str) -> Result<f64, Box<dyn std::error::Error + Send + Sync + 'static>> {
        Ok(text.parse()?)
    }

    pub fn with_a_cause(n: usize) -> Result<usize, elsewhere_error::Error> {
        if n == 0 { Err(broken()) } else { Ok(n) }
    }

    pub fn only_displayed() -> Result<(), elsewhere::Text> {
        Err(elsewhere::Text)
    }

    pub fn of_io() -> std::io::Result<u8> {
        Err(std::io::Error::other("no disk"))
    }

    pub fn some_error() -> Result<u8, impl std::error::Error> {
        "x".parse::<u8>()
    }

    mod tests {
        use std::collections::{BTreeMap, HashMap};

        use super::__procedures::Procedures;
        use super::__procedures::bindings::{self, Guest as _};

        fn bound_peak() -> bindings::Peak {
            bindings::Peak {
                position: 1.5,
                kind: bindings::Kind::HttpServer,
                length: 3.0,
                type_: 4,
                tags: vec![("a".into(), vec![bindings::Kind::Bell])],
            }
        }

        #[test]
        fn records() {
            let peak = Procedures::peak(bound_peak());
            assert_eq!((peak.position, peak.length, peak.type_), (1.5, 3.0, 4));
            assert!(matches!(peak.kind, bindings::Kind::HttpServer));
            assert_eq!(peak.tags.len(), 1);
            assert!(
                matches!(peak.tags[0], (ref name, ref kinds) if name == "a" && kinds.len() == 1)
            );
            let rows = Procedures::rows(vec![vec![], vec![bound_peak(), bound_peak()]]);
            assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [0, 2]);
        }

        #[test]
        fn flags() {
            use bindings::Marks as M;
            for marks in [M::empty(), M::CHECKED | M::FINAL, M::BY_HAND, M::all()] {
                assert_eq!(Procedures::marks(marks), marks);
            }
        }

        #[test]
        fn cases() {
            use bindings::Guest_;
            let same = |value: Guest_| format!("{:?}", Procedures::guest(value));
            assert_eq!(same(Guest_::Nothing), "Guest_::Nothing");
            assert_eq!(same(Guest_::One(1.0)), "Guest_::One(1.0)");
            let two = Procedures::guest(Guest_::Two((2.0, bindings::Kind::Bell)));
            assert!(matches!(two, Guest_::Two((2.0, bindings::Kind::Bell))));
            assert_eq!(same(Guest_::Tuple((1.0, 2.0))), "Guest_::Tuple((1.0, 2.0))");
            let marked = Guest_::Marked(bindings::Marks::CHECKED);
            assert!(matches!(Procedures::guest(marked), Guest_::Marked(bindings::Marks::CHECKED)));
        }

        #[test]
        fn options_and_results() {
            let some = Procedures::maybe(Some((bindings::Kind::HttpServer, 1)));
            assert!(matches!(some, Ok(Some((bindings::Kind::HttpServer, 1)))));
            assert!(matches!(Procedures::maybe(None), Err(bindings::Kind::Bell)));
        }

        #[test]
        fn numbers_are_not_copied() {
            let values = vec![1.0; 1000];
            let place = values.as_ptr();
            let same = Procedures::numbers(values);
            assert_eq!((same.as_ptr(), same.len()), (place, 1000));
        }

        #[test]
        fn maps_are_lists_of_pairs() {
            let pairs =
                vec![("b".into(), bindings::Kind::Bell), ("a".into(), bindings::Kind::HttpServer)];
            let sorted: BTreeMap<_, _> = Procedures::map(pairs).into_iter().collect();
            assert_eq!(sorted.keys().collect::<Vec<_>>(), ["a", "b"]);
            assert!(matches!(sorted["b"], bindings::Kind::Bell));
            assert_eq!(
                super::map(HashMap::from([("a".into(), super::Kind::Bell)]))["a"],
                super::Kind::Bell
            );
        }

        #[test]
        fn references() {
            let map = vec![(1, bindings::Kind::Bell), (2, bindings::Kind::Bell)];
            let text = Procedures::borrowed(
                "t".into(),
                vec![bound_peak()],
                map,
                bindings::Kind::HttpServer,
            );
            assert_eq!(text, "t 1 2 HTTPServer");
            assert_eq!(Procedures::text(), "text");
        }

        #[test]
        fn failures_go_through() {
            let failure = Procedures::refuse().unwrap_err();
            assert_eq!(failure, tarp_guest::Failure::invalid_state("closed"));
        }

        #[test]
        fn cases_with_fields_are_records() {
            use bindings::Figure as F;
            let circle = F::Circle(bindings::FigureCircle { radius: 1.5, type_: 2 });
            let same = Procedures::figure(circle).unwrap();
            assert!(matches!(same, F::Circle(bindings::FigureCircle { radius: 1.5, type_: 2 })));
            let grid = |counts| F::Grid(bindings::FigureGrid { counts, value: Some(-1) });
            let F::Grid(same) = Procedures::figure(grid(vec![3, 4])).unwrap() else { panic!() };
            assert_eq!((same.counts, same.value), (vec![3, 4], Some(-1)));
            assert!(matches!(Procedures::figure(F::Point), Ok(F::Point)));
            let message = Procedures::figure(grid(vec![3])).unwrap_err();
            assert_eq!(message, "the argument `figure.counts`: expected a list of 2, got one of 1");
        }

        fn grid(shape: &[u64], tag: u64) -> bindings::Grid {
            bindings::Grid { shape: shape.to_vec(), tags: vec![("a".into(), vec![0, tag])] }
        }

        #[test]
        fn a_refused_value_is_named() {
            let found = Procedures::grids(vec![grid(&[1, 2, 3], 4), grid(&[0; 3], 4)], 1).unwrap();
            assert_eq!(
                (found.len(), &found[0].shape, &found[0].tags[0].1),
                (1, &vec![1, 2, 3], &vec![0, 4])
            );
            let message =
                Procedures::grids(vec![grid(&[1; 3], 4), grid(&[1; 4], 4)], 1).unwrap_err();
            assert_eq!(
                message,
                "the argument `grids[1].shape`: expected a list of 3, got one of 4"
            );
        }

        #[test]
        fn arrays_are_lists() {
            let rows = vec![vec![1.0, 2.0], vec![3.0, 4.0]];
            let (vector, matrix) = Procedures::mirrored(vec![1, 2, 3], rows.clone()).unwrap();
            assert_eq!((vector, &matrix), (vec![1, 2, 3], &rows));
            let message = Procedures::mirrored(vec![1, 2], rows).unwrap_err();
            assert_eq!(message, "the argument `vector`: expected a list of 3, got one of 2");
            let message =
                Procedures::mirrored(vec![1, 2, 3], vec![vec![1.0; 2], vec![1.0]]).unwrap_err();
            assert_eq!(message, "the argument `matrix[1]`: expected a list of 2, got one of 1");
        }

        #[test]
        fn sizes_are_integers() {
            assert_eq!(Procedures::shifted(-4, vec![(1, 7)], "t".into()), Ok("t -5 7".into()));
            // On a machine of 64 bits nothing is beyond a `usize`; `private` tests the refusal.
            assert_eq!(Procedures::own_error(3).unwrap(), 3);
            assert_eq!(Procedures::busy(3), Err(tarp_guest::Failure::busy("3", None)));
        }

        #[test]
        fn sets_are_lists() {
            assert_eq!(Procedures::union(vec![3, 1, 3], vec![2]), [1, 2, 3]);
            let mut sizes = Procedures::sizes(vec![9, 5, 9]).unwrap();
            sizes.sort_unstable();
            assert_eq!(sizes, [5, 9]);
        }

        #[test]
        fn errors_are_told_with_their_causes() {
            assert_eq!(Procedures::of_anyhow("1.5".into()), Ok(1.5));
            let message = Procedures::of_anyhow("x".into()).unwrap_err();
            assert_eq!(message, "reading x: invalid float literal");
            let broken = "the value is broken: invalid float literal";
            assert_eq!(Procedures::boxed("1".into()), Err(broken.into()));
            assert_eq!(Procedures::boxed("x".into()), Err("invalid float literal".into()));
            assert_eq!(Procedures::sent("x".into()), Err("invalid float literal".into()));
            assert_eq!(Procedures::with_a_cause(0), Err(broken.into()));
            assert_eq!(Procedures::with_a_cause(2), Ok(2));
            assert_eq!(Procedures::only_displayed(), Err("a text".into()));
            assert_eq!(Procedures::of_io(), Err("no disk".into()));
            assert!(Procedures::some_error().unwrap_err().contains("invalid digit"));
        }
    }
}
