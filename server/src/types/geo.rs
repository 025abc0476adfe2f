//! Geohashes and distances, bit for bit as Redis computes them.
//!
//! A position is kept as the score of a sorted set: 26 bits of latitude interleaved with 26 of longitude, so that positions
//! near each other mostly have scores near each other, and an area on the map is a handful of score ranges.

mod cell;
mod search;

pub use search::{Search, Shape};

use cell::{Cell, WEB_MERCATOR, WHOLE_GLOBE};

/// The radius that distances are computed with, in metres.
const EARTH_RADIUS_M: f64 = 6_372_797.560_856;
/// The alphabet of geohash texts.
const GEOHASH_ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
/// Characters of a geohash text.
pub const GEOHASH_CHARS: usize = 11;

/// A point on the map, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// East of Greenwich, -180 to 180.
    pub longitude: f64,
    /// North of the equator, -85.05112878 to 85.05112878.
    pub latitude: f64,
}

impl Position {
    /// Whether the position is on the map that can be indexed; the poles are not.
    pub fn is_valid(self) -> bool {
        WEB_MERCATOR.contains(self)
    }

    /// The score that stands for this position, or `None` if it is off the map.
    pub fn to_score(self) -> Option<f64> {
        self.is_valid().then(|| Cell::around(self, WEB_MERCATOR, cell::MAX_STEP).bits() as f64)
    }

    /// The middle of the cell that a score stands for.
    ///
    /// Scores that no position has (the set may hold any) give some position all the same.
    pub fn from_score(score: f64) -> Self {
        let extent = Cell::from_bits(score as u64, cell::MAX_STEP).extent();
        let middle = |(low, high): (f64, f64), (min, max): (f64, f64)| ((low + high) / 2.0).clamp(min, max);
        Self {
            longitude: middle(extent.longitude, WEB_MERCATOR.longitude),
            latitude: middle(extent.latitude, WEB_MERCATOR.latitude),
        }
    }

    /// The great-circle distance in metres (haversine).
    pub fn distance_m(self, other: Self) -> f64 {
        let half_lon = ((other.longitude.to_radians_c() - self.longitude.to_radians_c()) / 2.0).sin();
        if half_lon == 0.0 {
            return latitude_distance_m(self.latitude, other.latitude);
        }
        let (lat1, lat2) = (self.latitude.to_radians_c(), other.latitude.to_radians_c());
        let half_lat = ((lat2 - lat1) / 2.0).sin();
        let a = half_lat * half_lat + lat1.cos() * lat2.cos() * half_lon * half_lon;
        2.0 * EARTH_RADIUS_M * a.sqrt().asin()
    }
}

/// The distance between two parallels, in metres.
fn latitude_distance_m(a: f64, b: f64) -> f64 {
    EARTH_RADIUS_M * (b.to_radians_c() - a.to_radians_c()).abs()
}

/// Angles in the very operations that C code uses, since other roundings would show in printed distances.
trait Angle {
    fn to_radians_c(self) -> f64;
    fn to_degrees_c(self) -> f64;
}

const RADIANS_PER_DEGREE: f64 = std::f64::consts::PI / 180.0;

impl Angle for f64 {
    fn to_radians_c(self) -> f64 {
        self * RADIANS_PER_DEGREE
    }

    fn to_degrees_c(self) -> f64 {
        self / RADIANS_PER_DEGREE
    }
}

/// The standard geohash text of a score's position.
///
/// The standard divides the latitudes from pole to pole, so the position is encoded anew. 52 bits fill ten characters; the
/// eleventh is always `0`.
pub fn geohash_text(score: f64) -> [u8; GEOHASH_CHARS] {
    let bits = Cell::around(Position::from_score(score), WHOLE_GLOBE, cell::MAX_STEP).bits();
    let mut text = [GEOHASH_ALPHABET[0]; GEOHASH_CHARS];
    for (index, character) in text.iter_mut().take(GEOHASH_CHARS - 1).enumerate() {
        let digit = (bits >> (52 - 5 * (index + 1))) & 0x1f;
        *character = GEOHASH_ALPHABET[digit as usize];
    }
    text
}

/// A unit of length that commands accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// `m`
    Metres,
    /// `km`
    Kilometres,
    /// `ft`
    Feet,
    /// `mi`
    Miles,
}

impl Unit {
    /// Reads `m`, `km`, `ft` or `mi`, in any case.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let table = [("m", Self::Metres), ("km", Self::Kilometres), ("ft", Self::Feet), ("mi", Self::Miles)];
        table.iter().find(|(name, _)| text.eq_ignore_ascii_case(name.as_bytes())).map(|&(_, unit)| unit)
    }

    /// The unit's length in metres.
    pub fn metres(self) -> f64 {
        match self {
            Self::Metres => 1.0,
            Self::Kilometres => 1000.0,
            Self::Feet => 0.3048,
            Self::Miles => 1609.34,
        }
    }
}

/// Appends a distance with four decimals, as GEODIST and WITHDIST reply it.
pub fn write_distance(out: &mut Vec<u8>, distance: f64) {
    let scaled = (distance * 10_000.0).round_ties_even() as i64;
    if scaled < 0 {
        out.push(b'-');
    }
    let magnitude = scaled.unsigned_abs();
    out.extend_from_slice(format!("{}.{:04}", magnitude / 10_000, magnitude % 10_000).as_bytes());
}

#[cfg(test)]
mod tests;
