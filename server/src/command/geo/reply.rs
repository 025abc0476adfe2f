//! How distances and coordinates are replied.

use rondache_protocol::resp::writer::{ReplyWriter, shared};

use crate::{
    types::geo::{Position, Unit, write_distance},
    util::number::LongDouble,
};

/// A distance in the unit asked for: a string in RESP3 as well.
pub(super) fn distance(reply: &mut ReplyWriter<'_>, distance_m: f64, unit: Unit) {
    let mut text = Vec::new();
    write_distance(&mut text, distance_m / unit.metres());
    reply.bulk(&text);
}

/// Longitude and latitude, with all digits that they have.
pub(super) fn position(reply: &mut ReplyWriter<'_>, position: Position) {
    reply.array(2);
    for coordinate in [position.longitude, position.latitude] {
        let mut text = Vec::new();
        LongDouble::from_f64(coordinate).write(&mut text);
        if reply.is_resp3() {
            reply.raw(b",");
            reply.raw(&text);
            reply.raw(shared::CRLF);
        } else {
            reply.bulk(&text);
        }
    }
}
