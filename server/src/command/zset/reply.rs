//! How members with scores are replied.

use rondache_protocol::resp::writer::ReplyWriter;

/// Writes an array of members: with scores a flat one in RESP2, and one of pairs in RESP3.
pub(super) fn members<'e>(
    reply: &mut ReplyWriter<'_>,
    entries: impl ExactSizeIterator<Item = (&'e [u8], f64)>,
    with_scores: bool,
) {
    if !with_scores {
        reply.array(entries.len());
        entries.for_each(|(member, _)| reply.bulk(member));
        return;
    }
    header(reply, entries.len());
    entries.for_each(|(member, score)| pair(reply, member, score));
}

/// The header of an array of so many members with scores.
pub(super) fn header(reply: &mut ReplyWriter<'_>, len: usize) {
    reply.array(if reply.is_resp3() { len } else { len.saturating_mul(2) });
}

/// One member with its score, behind a [`header`].
pub(super) fn pair(reply: &mut ReplyWriter<'_>, member: &[u8], score: f64) {
    if reply.is_resp3() {
        reply.array(2);
    }
    reply.bulk(member);
    reply.double(score);
}
