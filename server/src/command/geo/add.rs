//! GEOADD.

use super::{
    super::{
        CommandError, CommandResult,
        args::Args,
        ctx::Ctx,
        zset::add::{AddOptions, add},
    },
    parse,
};

/// `GEOADD key [NX|XX] [CH] longitude latitude member [longitude latitude member …]`
pub(super) fn geoadd(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    let key = ctx.key(args, 1);
    let words = [("nx", AddOptions::NX), ("xx", AddOptions::XX), ("ch", AddOptions::CH)];
    let mut options = AddOptions::empty();
    let mut first = 2;
    while let Some((_, option)) = words.iter().find(|(word, _)| args.is(first, word)) {
        options |= *option;
        first += 1;
    }
    let rest = args.len().saturating_sub(first);
    if rest == 0 || !rest.is_multiple_of(3) || options.contains(AddOptions::NX | AddOptions::XX) {
        return Err(CommandError::Syntax);
    }
    // All positions are checked before the first member is added.
    let places = (first..args.len()).step_by(3).map(|at| {
        let score = parse::position(args, at)?.to_score().ok_or(CommandError::NotFloat)?;
        Ok((score, args.get(at + 2)))
    });
    let places = places.collect::<Result<Vec<_>, CommandError>>()?;
    add(ctx, &key, options, places.into_iter())
}
