//! The HELP subcommands of containers.

use rondache_protocol::resp::writer::ReplyWriter;

/// Writes the lines of a HELP subcommand: each form of the command in `forms` with a sentence on it.
pub(crate) fn write_help(reply: &mut ReplyWriter<'_>, command: &str, forms: &[(&str, &str)]) {
    reply.array(1 + 2 * (forms.len() + 1));
    reply.simple(&format!("{command} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    for (form, sentence) in forms.iter().chain(&[("HELP", "Answers this text.")]) {
        reply.simple(form);
        reply.simple(&format!("    {sentence}"));
    }
}
