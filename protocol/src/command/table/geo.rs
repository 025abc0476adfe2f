//! Geo indexes: sorted sets of places.

use crate::command::{AclCategories as C, CommandSpec, Flags as F, Group, KeyAccess as A, KeyFinder, KeySpec as K};

const fn command(name: &'static str, arity: i16, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Geo, since)
}

/// The family's commands.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("geoadd", -5, "3.2.0")
        .flags(&[F::WRITE, F::DENYOOM, F::IDEMPOTENT])
        .acl(&[C::GEO])
        .keys(&[K::one(1, &[A::RW, A::UPDATE])])
        .docs("Puts places with longitude and latitude into a geo index.", "O(log(N)) a place, for N places"),
    command("geodist", -4, "3.2.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::GEO])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers the distance between two places.", "O(1)"),
    command("geohash", -2, "3.2.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::GEO])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers places' positions as geohash text.", "O(N) for N places asked for"),
    command("geopos", -2, "3.2.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::GEO])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Answers places' longitudes and latitudes.", "O(N) for N places asked for"),
    command("georadius", -6, "3.2.0")
        .flags(&[F::WRITE, F::DENYOOM])
        .acl(&[C::GEO])
        .keys(&[
            K::one(1, &[A::RO, A::ACCESS]),
            K::behind("STORE", 6, &[A::OW, A::UPDATE]),
            K::behind("STOREDIST", 6, &[A::OW, A::UPDATE]),
        ])
        .finder(KeyFinder::GeoRadius)
        .deprecated("6.2.0", "`GEOSEARCH` or `GEOSEARCHSTORE`, `BYRADIUS`")
        .docs(
            "Finds the places within a distance of a point, and answers or stores them.",
            "O(N+log(M)) for N places near the circle and M in it",
        ),
    command("georadiusbymember", -5, "3.2.0")
        .flags(&[F::WRITE, F::DENYOOM])
        .acl(&[C::GEO])
        .keys(&[
            K::one(1, &[A::RO, A::ACCESS]),
            K::behind("STORE", 5, &[A::OW, A::UPDATE]),
            K::behind("STOREDIST", 5, &[A::OW, A::UPDATE]),
        ])
        .finder(KeyFinder::GeoRadius)
        .deprecated("6.2.0", "`GEOSEARCH` or `GEOSEARCHSTORE`, `BYRADIUS` and `FROMMEMBER`")
        .docs(
            "Finds the places within a distance of another place, and answers or stores them.",
            "O(N+log(M)) for N places near the circle and M in it",
        ),
    command("georadiusbymember_ro", -5, "3.2.10")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::GEO])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .deprecated("6.2.0", "`GEOSEARCH`, `BYRADIUS` and `FROMMEMBER`")
        .docs(
            "Finds the places within a distance of another place.",
            "O(N+log(M)) for N places near the circle and M in it",
        ),
    command("georadius_ro", -6, "3.2.10")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::GEO])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .deprecated("6.2.0", "`GEOSEARCH`, `BYRADIUS`")
        .docs("Finds the places within a distance of a point.", "O(N+log(M)) for N places near the circle and M in it"),
    command("geosearch", -7, "6.2.0")
        .flags(&[F::READONLY, F::IDEMPOTENT])
        .acl(&[C::GEO])
        .keys(&[K::one(1, &[A::RO, A::ACCESS])])
        .docs("Finds the places inside a circle or a box.", "O(N+log(M)) for N places near the shape and M in it"),
    command("geosearchstore", -8, "6.2.0")
        .flags(&[F::WRITE, F::DENYOOM])
        .acl(&[C::GEO])
        .keys(&[K::one(1, &[A::OW, A::UPDATE]), K::one(2, &[A::RO, A::ACCESS])])
        .docs(
            "Stores the places inside a circle or a box under another key.",
            "O(N+log(M)) for N places near the shape and M in it",
        ),
];
