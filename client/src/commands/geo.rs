//! Geo indexes: members with a longitude and a latitude.

use super::commands;
use crate::{Cmd, ToArg};

/// A unit of length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeoUnit {
    /// Metres.
    Metres,
    /// Kilometres.
    Kilometres,
    /// Miles.
    Miles,
    /// Feet.
    Feet,
}

impl ToArg for GeoUnit {
    fn write_to(&self, cmd: &mut Cmd) {
        cmd.push(match self {
            Self::Metres => b"m",
            Self::Kilometres => b"km",
            Self::Miles => b"mi",
            Self::Feet => b"ft",
        });
    }
}

/// Where to search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GeoShape {
    /// Within so far around a point.
    Radius(f64, GeoUnit),
    /// In a box around a point: width, height.
    Box(f64, f64, GeoUnit),
}

/// The order of what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeoOrder {
    /// The nearest first.
    Nearest,
    /// The farthest first.
    Farthest,
}

impl GeoShape {
    fn add_to(self, cmd: Cmd) -> Cmd {
        match self {
            Self::Radius(radius, unit) => cmd.arg("BYRADIUS").arg(radius).arg(unit),
            Self::Box(width, height, unit) => cmd.arg("BYBOX").arg(width).arg(height).arg(unit),
        }
    }
}

impl GeoOrder {
    fn word(self) -> &'static str {
        match self {
            Self::Nearest => "ASC",
            Self::Farthest => "DESC",
        }
    }
}

commands! {
    /// Gives a member its place, and answers how many are new: 0 or 1.
    geoadd(key: impl ToArg, longitude: f64, latitude: f64, member: impl ToArg) -> u64 =
        Cmd::new("GEOADD").arg(key).arg(longitude).arg(latitude).arg(member);
    /// The places of members: longitude, latitude.
    geopos(key: impl ToArg, members: impl IntoIterator<Item = impl ToArg>) -> Vec<Option<(f64, f64)>> =
        Cmd::new("GEOPOS").arg(key).args(members);
    /// How far two members are apart.
    geodist(key: impl ToArg, a: impl ToArg, b: impl ToArg, unit: GeoUnit) -> Option<f64> =
        Cmd::new("GEODIST").arg(key).arg(a).arg(b).arg(unit);
    /// The geohashes of members.
    geohash(key: impl ToArg, members: impl IntoIterator<Item = impl ToArg>) -> Vec<Option<String>> =
        Cmd::new("GEOHASH").arg(key).args(members);
    /// Up to so many members in a shape around a place: longitude, latitude.
    geosearch<T>(key: impl ToArg, longitude: f64, latitude: f64, shape: GeoShape, order: GeoOrder, count: u64) -> Vec<T> =
        shape
            .add_to(Cmd::new("GEOSEARCH").arg(key).arg("FROMLONLAT").arg(longitude).arg(latitude))
            .arg(order.word())
            .arg("COUNT")
            .arg(count);
    /// Up to so many members in a shape around a member.
    geosearch_member<T>(key: impl ToArg, member: impl ToArg, shape: GeoShape, order: GeoOrder, count: u64) -> Vec<T> =
        shape
            .add_to(Cmd::new("GEOSEARCH").arg(key).arg("FROMMEMBER").arg(member))
            .arg(order.word())
            .arg("COUNT")
            .arg(count);
}
