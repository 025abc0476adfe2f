//! The arguments of GEOSEARCH, GEORADIUS and their kin.

use super::{
    super::{CommandError, CommandResult, args::Args},
    parse,
};
use crate::types::{
    geo::{Position, Shape, Unit},
    zset::ZSet,
};

/// Which command it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// GEORADIUS, or GEORADIUS_RO, which cannot store.
    Around { may_store: bool },
    /// GEORADIUSBYMEMBER, or GEORADIUSBYMEMBER_RO, which cannot store.
    AroundMember { may_store: bool },
    /// GEOSEARCH
    Search,
    /// GEOSEARCHSTORE
    SearchStore,
}

impl Form {
    /// Index of the key that is searched.
    pub(super) fn source_at(self) -> usize {
        if self == Self::SearchStore { 2 } else { 1 }
    }

    fn first_option(self) -> usize {
        match self {
            Self::Around { .. } => 6,
            Self::AroundMember { .. } => 5,
            Self::Search => 2,
            Self::SearchStore => 3,
        }
    }

    pub(super) fn is_search(self) -> bool {
        matches!(self, Self::Search | Self::SearchStore)
    }

    fn may_store(self) -> bool {
        matches!(self, Self::Around { may_store: true } | Self::AroundMember { may_store: true })
    }
}

/// The order of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Nearest,
    Farthest,
}

/// What a search asks for.
#[derive(Clone, Debug)]
pub(super) struct SearchArgs {
    /// `None` where it is a member of a key that does not exist.
    pub(super) center: Option<Position>,
    /// `None` where GEORADIUSBYMEMBER found no key.
    pub(super) shape: Option<Shape>,
    /// The unit of the distances in the result.
    pub(super) unit: Unit,
    pub(super) with_distance: bool,
    pub(super) with_hash: bool,
    pub(super) with_position: bool,
    pub(super) order: Option<Order>,
    /// Places wanted at most; 0: all.
    pub(super) count: usize,
    /// Whether any places will do, rather than the nearest.
    pub(super) any: bool,
    /// Index of the key to store the result under.
    pub(super) destination_at: Option<usize>,
    /// Whether the stored scores are distances.
    pub(super) stores_distance: bool,
}

/// Reads the arguments of a search of `set`, the source key's value if there is one.
pub(super) fn parse(args: &Args<'_>, form: Form, set: Option<&ZSet>) -> Result<SearchArgs, CommandError> {
    let found = SearchArgs {
        center: None,
        shape: None,
        unit: Unit::Metres,
        with_distance: false,
        with_hash: false,
        with_position: false,
        order: None,
        count: 0,
        any: false,
        destination_at: (form == Form::SearchStore).then_some(1),
        stores_distance: false,
    };
    let mut parser = Parser { args, form, set, at: form.first_option(), from: None, found };
    parser.positional()?;
    while parser.at < args.len() {
        if !(parser.word() || parser.option()? || parser.search_option()?) {
            return Err(CommandError::Syntax);
        }
        parser.at += 1;
    }
    parser.check()?;
    Ok(parser.found)
}

/// Where GEOSEARCH said that its centre is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Member,
    Position,
}

struct Parser<'p, 'a> {
    args: &'p Args<'a>,
    form: Form,
    set: Option<&'p ZSet>,
    /// The argument to read next; a reader that takes values leaves it at the last of them.
    at: usize,
    from: Option<From>,
    found: SearchArgs,
}

impl Parser<'_, '_> {
    /// Centre and radius of the GEORADIUS commands, which stand in front of the options.
    fn positional(&mut self) -> CommandResult {
        let radius_at = self.at.saturating_sub(2);
        match self.form {
            Form::Around { .. } => self.found.center = Some(parse::position(self.args, 2)?),
            // Without a key the member cannot be found, and the radius is not looked at either.
            Form::AroundMember { .. } if self.set.is_none() => return Ok(()),
            Form::AroundMember { .. } => self.found.center = self.member_position(2)?,
            Form::Search | Form::SearchStore => return Ok(()),
        }
        self.radius(radius_at)
    }

    /// The position of the member at an argument; `None` where there is no key.
    fn member_position(&self, at: usize) -> Result<Option<Position>, CommandError> {
        let Some(set) = self.set else { return Ok(None) };
        let score = set.score(self.args.get(at));
        let score = score.ok_or(CommandError::coded("ERR could not decode requested zset member"))?;
        Ok(Some(Position::from_score(score)))
    }

    fn radius(&mut self, at: usize) -> CommandResult {
        let (radius_m, unit) = parse::radius(self.args, at)?;
        self.found.shape = Some(Shape::Circle { radius_m });
        self.found.unit = unit;
        Ok(())
    }

    fn is(&self, word: &str) -> bool {
        self.args.is(self.at, word)
    }

    /// Whether `values` arguments follow the present one.
    fn is_with(&self, word: &str, values: usize) -> bool {
        self.at + values < self.args.len() && self.is(word)
    }

    /// Options without a value.
    fn word(&mut self) -> bool {
        if self.is("withdist") {
            self.found.with_distance = true;
        } else if self.is("withhash") {
            self.found.with_hash = true;
        } else if self.is("withcoord") {
            self.found.with_position = true;
        } else if self.is("any") {
            self.found.any = true;
        } else if self.is("asc") {
            self.found.order = Some(Order::Nearest);
        } else if self.is("desc") {
            self.found.order = Some(Order::Farthest);
        } else if self.form == Form::SearchStore && self.is("storedist") {
            self.found.stores_distance = true;
        } else {
            return false;
        }
        true
    }

    /// COUNT, and the STORE options of the GEORADIUS commands.
    fn option(&mut self) -> Result<bool, CommandError> {
        if self.is_with("count", 1) {
            let count = self.args.integer(self.at + 1)?;
            let count = usize::try_from(count).ok().filter(|&count| count > 0);
            self.found.count = count.ok_or(CommandError::coded("ERR COUNT must be > 0"))?;
        } else if self.form.may_store() && (self.is_with("store", 1) || self.is_with("storedist", 1)) {
            self.found.destination_at = Some(self.at + 1);
            self.found.stores_distance = self.is("storedist");
        } else {
            return Ok(false);
        }
        self.at += 1;
        Ok(true)
    }

    /// Centre and shape of the GEOSEARCH commands.
    fn search_option(&mut self) -> Result<bool, CommandError> {
        if !self.form.is_search() {
            return Ok(false);
        }
        let is_box = matches!(self.found.shape, Some(Shape::Box { .. }));
        let is_circle = matches!(self.found.shape, Some(Shape::Circle { .. }));
        if self.from != Some(From::Position) && self.is_with("frommember", 1) {
            self.found.center = self.member_position(self.at + 1)?;
            self.from = Some(From::Member);
            self.at += 1;
        } else if self.from != Some(From::Member) && self.is_with("fromlonlat", 2) {
            self.found.center = Some(parse::position(self.args, self.at + 1)?);
            self.from = Some(From::Position);
            self.at += 2;
        } else if !is_box && self.is_with("byradius", 2) {
            self.radius(self.at + 1)?;
            self.at += 2;
        } else if !is_circle && self.is_with("bybox", 3) {
            let (width_m, height_m, unit) = parse::width_and_height(self.args, self.at + 1)?;
            self.found.shape = Some(Shape::Box { width_m, height_m });
            self.found.unit = unit;
            self.at += 3;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Whether the options go together.
    fn check(&self) -> CommandResult {
        let found = &self.found;
        if found.destination_at.is_some() && (found.with_distance || found.with_hash || found.with_position) {
            let what = if self.form == Form::SearchStore { "GEOSEARCHSTORE" } else { "STORE option in GEORADIUS" };
            return Err(CommandError::err(format_args!(
                "{what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            )));
        }
        let missing = if !self.form.is_search() {
            None
        } else if self.from.is_none() {
            Some("FROMMEMBER or FROMLONLAT")
        } else if found.shape.is_none() {
            Some("BYRADIUS and BYBOX")
        } else {
            None
        };
        if let Some(missing) = missing {
            let name = String::from_utf8_lossy(self.args.get(0));
            return Err(CommandError::err(format_args!("exactly one of {missing} can be specified for {name}")));
        }
        if found.any && found.count == 0 {
            return Err(CommandError::coded("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }
}
