//! Searches by radius and by box: which scores to look at, and which positions really lie within.

use super::cell::{Cell, MAX_STEP, WEB_MERCATOR};
use super::{Angle, EARTH_RADIUS_M, Position, latitude_distance_m};
use crate::types::zset::ScoreRange;

/// Half the width of the Web Mercator map, in metres: the size of a cell after no halving.
const MERCATOR_MAX_M: f64 = 20_037_726.37;

/// The area searched, around its centre, in metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Everything within a distance.
    Circle {
        /// The distance.
        radius_m: f64,
    },
    /// A rectangle along meridians and parallels.
    Box {
        /// From west to east.
        width_m: f64,
        /// From south to north.
        height_m: f64,
    },
}

/// A search around a position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// The middle of the shape.
    pub center: Position,
    /// What is searched.
    pub shape: Shape,
}

/// Outermost longitudes and latitudes of a shape; they may lie beyond the map.
struct Bounds {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

impl Search {
    /// The distance from the centre in metres, if the position lies within the shape.
    pub fn distance_if_inside(&self, position: Position) -> Option<f64> {
        if let Shape::Box { width_m, height_m } = self.shape {
            // The latitude is the cheaper test.
            if latitude_distance_m(position.latitude, self.center.latitude) > height_m / 2.0 {
                return None;
            }
            let beside = Position { longitude: self.center.longitude, latitude: position.latitude };
            if position.distance_m(beside) > width_m / 2.0 {
                return None;
            }
        }
        let distance_m = self.center.distance_m(position);
        match self.shape {
            Shape::Circle { radius_m } if distance_m > radius_m => None,
            _ => Some(distance_m),
        }
    }

    /// The score ranges that hold every position within the shape, and others near it: at most nine, in the order in
    /// which Redis visits them, which unsorted replies show.
    pub fn score_ranges(&self) -> Vec<ScoreRange> {
        let mut cells: Vec<Cell> = Vec::with_capacity(9);
        for cell in self.covering_cells() {
            // On a coarse grid neighbours on opposite sides are one cell.
            if !cells.contains(&cell) {
                cells.push(cell);
            }
        }
        cells
            .into_iter()
            .map(|cell| {
                let (min, max) = cell.scores();
                ScoreRange { min, max, min_exclusive: false, max_exclusive: true }
            })
            .collect()
    }

    /// The centre's cell and those around it that the shape may reach into.
    fn covering_cells(&self) -> impl Iterator<Item = Cell> {
        // North, south, east, west, then the corners.
        const AROUND: [(i32, i32); 9] = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)];
        let bounds = self.bounds();
        let mut step = self.estimated_step();
        let mut cell = Cell::around(self.center, WEB_MERCATOR, step);
        if step > 1 && neighbours_fall_short(cell, &bounds) {
            step -= 1;
            cell = Cell::around(self.center, WEB_MERCATOR, step);
        }
        let extent = cell.extent();
        // A centre cell that reaches beyond the shape on one side needs no neighbours there.
        let useless = move |(east, north): (i32, i32)| {
            step >= 2
                && ((north < 0 && extent.latitude.0 < bounds.south)
                    || (north > 0 && extent.latitude.1 > bounds.north)
                    || (east < 0 && extent.longitude.0 < bounds.west)
                    || (east > 0 && extent.longitude.1 > bounds.east))
        };
        AROUND
            .into_iter()
            .filter(move |&direction| !useless(direction))
            .map(move |(east, north)| cell.neighbour(east, north))
    }

    /// How often to halve the map so that a cell is about as large as the shape.
    fn estimated_step(&self) -> u32 {
        let mut reach_m = match self.shape {
            Shape::Circle { radius_m } => radius_m,
            Shape::Box { width_m, height_m } => {
                ((width_m / 2.0) * (width_m / 2.0) + (height_m / 2.0) * (height_m / 2.0)).sqrt()
            }
        };
        if reach_m.is_nan() || reach_m <= 0.0 {
            return MAX_STEP;
        }
        let mut step = 1i32;
        while reach_m < MERCATOR_MAX_M {
            reach_m *= 2.0;
            step += 1;
        }
        step -= 2;
        // Cells are narrower on the ground towards the poles.
        let latitude = self.center.latitude.abs();
        step -= i32::from(latitude > 66.0) + i32::from(latitude > 80.0);
        step.clamp(1, MAX_STEP as i32) as u32
    }

    fn bounds(&self) -> Bounds {
        let (half_width_m, half_height_m) = match self.shape {
            Shape::Circle { radius_m } => (radius_m, radius_m),
            Shape::Box { width_m, height_m } => (width_m / 2.0, height_m / 2.0),
        };
        let Position { longitude, latitude } = self.center;
        let latitude_reach = (half_height_m / EARTH_RADIUS_M).to_degrees_c();
        // Meridians draw together away from the equator: the side nearer to the pole spans more degrees.
        let widest = if latitude < 0.0 { latitude - latitude_reach } else { latitude + latitude_reach };
        let longitude_reach = (half_width_m / EARTH_RADIUS_M / widest.to_radians_c().cos()).to_degrees_c();
        Bounds {
            west: longitude - longitude_reach,
            south: latitude - latitude_reach,
            east: longitude + longitude_reach,
            north: latitude + latitude_reach,
        }
    }
}

/// Whether the shape reaches beyond a neighbouring cell, as it may when its centre is near the edge of its own.
fn neighbours_fall_short(cell: Cell, bounds: &Bounds) -> bool {
    cell.neighbour(0, 1).extent().latitude.1 < bounds.north
        || cell.neighbour(0, -1).extent().latitude.0 > bounds.south
        || cell.neighbour(1, 0).extent().longitude.1 < bounds.east
        || cell.neighbour(-1, 0).extent().longitude.0 > bounds.west
}
