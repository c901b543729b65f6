//! Values on their way between the bindings and the author's types, without a component around them.

#[tarp_guest::procedures]
mod echo {
    use std::collections::{BTreeMap, HashMap};

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
    }
}
