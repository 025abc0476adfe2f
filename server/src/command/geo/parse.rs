//! Positions and lengths among the arguments.

use super::super::{CommandError, args::Args};
use crate::{
    types::geo::{Position, Unit},
    util::number::parse_f64,
};

/// The longitude at `at` and the latitude behind it.
pub(super) fn position(args: &Args<'_>, at: usize) -> Result<Position, CommandError> {
    let position = Position { longitude: args.float(at)?, latitude: args.float(at + 1)? };
    if !position.is_valid() {
        return Err(CommandError::err(format_args!(
            "invalid longitude,latitude pair {:.6},{:.6}",
            position.longitude, position.latitude
        )));
    }
    Ok(position)
}

/// The unit of length at `at`.
pub(super) fn unit(args: &Args<'_>, at: usize) -> Result<Unit, CommandError> {
    Unit::parse(args.get(at)).ok_or(CommandError::coded("ERR unsupported unit provided. please use M, KM, FT, MI"))
}

/// The radius at `at` with the unit behind it; the radius in metres.
pub(super) fn radius(args: &Args<'_>, at: usize) -> Result<(f64, Unit), CommandError> {
    let radius = parse_f64(args.get(at)).ok_or(CommandError::coded("ERR need numeric radius"))?;
    if radius < 0.0 {
        return Err(CommandError::coded("ERR radius cannot be negative"));
    }
    let unit = unit(args, at + 1)?;
    Ok((radius * unit.metres(), unit))
}

/// The width at `at` with the height and their unit behind it; both in metres.
pub(super) fn width_and_height(args: &Args<'_>, at: usize) -> Result<(f64, f64, Unit), CommandError> {
    let width = parse_f64(args.get(at)).ok_or(CommandError::coded("ERR need numeric width"))?;
    let height = parse_f64(args.get(at + 1)).ok_or(CommandError::coded("ERR need numeric height"))?;
    if width < 0.0 || height < 0.0 {
        return Err(CommandError::coded("ERR height or width cannot be negative"));
    }
    let unit = unit(args, at + 2)?;
    Ok((width * unit.metres(), height * unit.metres(), unit))
}
