//! Cells of the grid: the map halved `step` times in each direction.

use super::Position;

/// Halvings of a full score: 26 bits for each coordinate.
pub(super) const MAX_STEP: u32 = 26;

/// Lowest and highest longitude and latitude of an area, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extent {
    pub(super) longitude: (f64, f64),
    pub(super) latitude: (f64, f64),
}

/// The map that scores divide: the square of the Web Mercator projection (EPSG:3857).
pub(super) const WEB_MERCATOR: Extent =
    Extent { longitude: (-180.0, 180.0), latitude: (-85.051_128_78, 85.051_128_78) };
/// The map that standard geohash texts divide.
pub(super) const WHOLE_GLOBE: Extent = Extent { longitude: (-180.0, 180.0), latitude: (-90.0, 90.0) };

impl Extent {
    pub(super) fn contains(&self, position: Position) -> bool {
        let within = |value: f64, (low, high): (f64, f64)| value >= low && value <= high;
        within(position.longitude, self.longitude) && within(position.latitude, self.latitude)
    }
}

/// A cell by its column and row, counted from the south-west.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    column: u32,
    row: u32,
    step: u32,
}

impl Cell {
    /// The cell of a map that a position on it lies in.
    pub(super) fn around(position: Position, map: Extent, step: u32) -> Self {
        let cells = (1u64 << step) as f64;
        let place = |value: f64, (low, high): (f64, f64)| ((value - low) / (high - low) * cells) as u32;
        Self { column: place(position.longitude, map.longitude), row: place(position.latitude, map.latitude), step }
    }

    pub(super) fn from_bits(bits: u64, step: u32) -> Self {
        Self { column: gather_even_bits(bits >> 1), row: gather_even_bits(bits), step }
    }

    /// Rows in the even bits, columns in the odd ones.
    pub(super) fn bits(self) -> u64 {
        spread_to_even_bits(self.row) | (spread_to_even_bits(self.column) << 1)
    }

    /// The scores of the positions in the cell: from the first, up to but without the second.
    pub(super) fn scores(self) -> (f64, f64) {
        let shift = 2 * (MAX_STEP - self.step);
        ((self.bits() << shift) as f64, ((self.bits() + 1) << shift) as f64)
    }

    /// The cell that many columns east and rows north, around the map's edges if need be.
    pub(super) fn neighbour(self, east: i32, north: i32) -> Self {
        let mask = u32::MAX >> (32 - self.step);
        let shift = |place: u32, by: i32| {
            if by == 0 { place } else { place.wrapping_add_signed(by) & mask }
        };
        Self { column: shift(self.column, east), row: shift(self.row, north), step: self.step }
    }

    pub(super) fn extent(self) -> Extent {
        let cells = (1u64 << self.step) as f64;
        let span = |place: u32, (low, high): (f64, f64)| {
            let edge = |index: f64| low + index / cells * (high - low);
            (edge(f64::from(place)), edge(f64::from(place.wrapping_add(1))))
        };
        Extent { longitude: span(self.column, WEB_MERCATOR.longitude), latitude: span(self.row, WEB_MERCATOR.latitude) }
    }
}

/// The masks of the doubling steps between 32 adjacent bits and every other bit.
const MASKS: [u64; 5] =
    [0x0000_ffff_0000_ffff, 0x00ff_00ff_00ff_00ff, 0x0f0f_0f0f_0f0f_0f0f, 0x3333_3333_3333_3333, 0x5555_5555_5555_5555];

fn spread_to_even_bits(value: u32) -> u64 {
    MASKS.iter().zip([16, 8, 4, 2, 1]).fold(u64::from(value), |bits, (mask, shift)| (bits | (bits << shift)) & mask)
}

fn gather_even_bits(bits: u64) -> u32 {
    let gathered =
        MASKS.iter().rev().zip([0, 1, 2, 4, 8]).fold(bits, |bits, (mask, shift)| (bits | (bits >> shift)) & mask);
    (gathered | (gathered >> 16)) as u32
}
