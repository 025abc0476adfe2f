//! AUTH, and what HELLO needs of it.

use super::super::{CommandError, CommandResult, args::Args, ctx::Ctx};

/// The one user that there is.
const DEFAULT_USER: &[u8] = b"default";

const WRONG_PASSWORD: CommandError =
    CommandError::coded("WRONGPASS invalid username-password pair or user is disabled.");

/// `AUTH [username] password`
pub(super) fn auth(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> CommandResult {
    match args.len() {
        2 if ctx.settings.password.is_empty() => Err(CommandError::err(
            "AUTH <password> called without any password configured for the default user. Are you sure your \
             configuration is correct?",
        )),
        2 => authenticate(ctx, DEFAULT_USER, args.get(1)),
        3 => authenticate(ctx, args.get(1), args.get(2)),
        _ => Err(CommandError::Syntax),
    }?;
    ctx.reply.ok();
    Ok(())
}

/// Lets the client in if user and password are right.
///
/// # Errors
/// They are not.
pub(super) fn authenticate(ctx: &mut Ctx<'_, '_>, user: &[u8], password: &[u8]) -> CommandResult {
    let expected = ctx.settings.password.as_bytes();
    let is_right = expected.is_empty() || is_equal(expected, password);
    if user != DEFAULT_USER || !is_right {
        return Err(WRONG_PASSWORD);
    }
    ctx.session.is_authenticated = true;
    ctx.session.refresh_mode();
    Ok(())
}

/// Compares without telling by the time it takes how much is right.
fn is_equal(expected: &[u8], given: &[u8]) -> bool {
    let mut difference = expected.len() ^ given.len();
    for (index, byte) in given.iter().enumerate() {
        difference |= usize::from(byte ^ expected[index % expected.len()]);
    }
    difference == 0
}

#[cfg(test)]
mod tests {
    use super::is_equal;

    #[test]
    fn only_the_very_password_is_equal() {
        assert!(is_equal(b"secret", b"secret"));
        for wrong in [&b""[..], b"secre", b"secrets", b"Secret", b"secretsecret"] {
            assert!(!is_equal(b"secret", wrong));
        }
    }
}
