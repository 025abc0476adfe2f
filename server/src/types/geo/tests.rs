//! Known positions, and searches against a look at every position.

use proptest::prelude::*;

use super::*;

const PALERMO: Position = Position { longitude: 13.361389, latitude: 38.115556 };
const CATANIA: Position = Position { longitude: 15.087269, latitude: 37.502669 };

fn printed(distance: f64) -> String {
    let mut out = Vec::new();
    write_distance(&mut out, distance);
    String::from_utf8(out).expect("ASCII")
}

#[test]
fn the_documented_scores_are_met() {
    assert_eq!(PALERMO.to_score(), Some(3_479_099_956_230_698.0));
    assert_eq!(CATANIA.to_score(), Some(3_479_447_370_796_909.0));
}

#[test]
fn the_documented_positions_come_back() {
    let back = Position::from_score(3_479_099_956_230_698.0);
    assert_eq!(back, Position { longitude: 13.361389338970184, latitude: 38.1155563954963 });
}

#[test]
fn the_documented_geohashes_are_met() {
    assert_eq!(&geohash_text(PALERMO.to_score().expect("on the map")), b"sqc8b49rny0");
    assert_eq!(&geohash_text(CATANIA.to_score().expect("on the map")), b"sqdtr74hyu0");
}

#[test]
fn the_documented_distances_are_met() {
    let [a, b] = [PALERMO, CATANIA].map(|position| Position::from_score(position.to_score().expect("on the map")));
    assert_eq!(printed(a.distance_m(b)), "166274.1516");
    assert_eq!(printed(a.distance_m(b) / Unit::Kilometres.metres()), "166.2742");
    assert_eq!(printed(a.distance_m(b) / Unit::Miles.metres()), "103.3182");
    assert_eq!(printed(0.0), "0.0000");
}

#[test]
fn the_poles_are_off_the_map() {
    for (longitude, latitude) in [(0.0, 86.0), (0.0, -85.06), (180.1, 0.0), (-181.0, 0.0), (f64::NAN, 0.0)] {
        assert_eq!(Position { longitude, latitude }.to_score(), None, "{longitude} {latitude}");
    }
    assert!(Position { longitude: 180.0, latitude: 85.05112878 }.to_score().is_some());
}

#[test]
fn the_corners_of_the_map_are_what_valkey_makes_of_them() {
    let table = [
        (180.0, 85.05112878, 13_510_798_882_111_488.0, b"bp05b5048p0", 180.0, 85.05112877999999),
        (-180.0, -85.05112878, 0.0, b"00bh0hbj200", -179.99999731779099, -85.05112751263943),
        (0.0, 0.0, 3_377_699_720_527_872.0, b"s0000000000", 2.68220901489e-6, 1.26736058093e-6),
    ];
    for (longitude, latitude, score, text, back_longitude, back_latitude) in table {
        let corner = Position { longitude, latitude };
        assert_eq!(corner.to_score(), Some(score));
        assert_eq!(&geohash_text(score), text);
        let back = Position::from_score(score);
        assert!((back.longitude - back_longitude).abs() < 1e-13, "{back:?}");
        assert!((back.latitude - back_latitude).abs() < 1e-13, "{back:?}");
    }
}

#[test]
fn units_are_read_in_any_case() {
    assert_eq!(Unit::parse(b"KM"), Some(Unit::Kilometres));
    assert_eq!(Unit::parse(b"ft").map(Unit::metres), Some(0.3048));
    assert_eq!(Unit::parse(b"yd"), None);
}

#[test]
fn any_score_gives_a_position_on_the_map() {
    for score in [f64::NEG_INFINITY, -1.0, 0.5, 1e300, f64::INFINITY] {
        assert!(Position::from_score(score).is_valid(), "{score}");
        let _ = geohash_text(score);
    }
}

fn position() -> impl Strategy<Value = Position> {
    (-180.0f64..180.0, -80.0f64..80.0).prop_map(|(longitude, latitude)| Position { longitude, latitude })
}

proptest! {
    #[test]
    fn a_position_survives_its_score_to_less_than_a_metre(position in position()) {
        let back = Position::from_score(position.to_score().expect("on the map"));
        prop_assert!(position.distance_m(back) < 1.0);
    }

    #[test]
    fn the_ranges_of_a_search_hold_all_that_is_inside(
        center in (-150.0f64..150.0, -65.0f64..65.0), near in proptest::collection::vec((-1.0f64..1.0, -1.0f64..1.0), 60),
        reach_m in 1.0f64..800_000.0, stretch in 0.2f64..5.0, round: bool,
    ) {
        let center = Position { longitude: center.0, latitude: center.1 };
        let shape = if round { Shape::Circle { radius_m: reach_m } } else { Shape::Box { width_m: reach_m * stretch, height_m: reach_m } };
        let search = Search { center, shape };
        let ranges = search.score_ranges();
        prop_assert!(ranges.len() <= 9);
        let degrees = reach_m / 100_000.0 * 3.0;
        for (east, north) in near {
            let position = Position { longitude: center.longitude + east * degrees, latitude: center.latitude + north * degrees };
            let Some(score) = position.to_score() else { continue };
            if search.distance_if_inside(Position::from_score(score)).is_some() {
                prop_assert!(ranges.iter().any(|range| range.contains(score)), "{:?} is in no range", position);
            }
        }
    }
}
