//! The cluster's status as text for a terminal.

use std::fmt::Write as _;

use rondache_protocol::slot::SLOTS;

use crate::{
    cluster::{
        member::WEIGHT_ONE,
        status::{ClusterStatus, MemberStatus, Rebalancing},
    },
    config::sizes::human_size,
};

/// Characters of a bar.
const BAR_LEN: usize = 20;

/// The whole report.
#[must_use]
pub fn status(status: &ClusterStatus) -> String {
    let mut text = headline(status);
    text.push_str(&members(status));
    if let Some(line) = progress(&status.rebalancing) {
        text.push_str(&line);
    }
    // Writing to a String cannot fail.
    let unserved = u32::from(SLOTS) - status.slots_served();
    if unserved > 0 {
        let _ = writeln!(text, "{unserved} of {SLOTS} slots have no live owner");
    }
    let takeovers = status.takeovers;
    if takeovers.firm + takeovers.provisional + takeovers.cold > 0 {
        let _ = writeln!(
            text,
            "takeovers: {} with a majority, {} without, {} of them cold",
            takeovers.firm, takeovers.provisional, takeovers.cold
        );
    }
    match status.headroom_bytes {
        Some(bytes) if bytes < 0 => {
            let _ = writeln!(text, "memory: short by {} if the largest node dies", human_size(bytes.unsigned_abs()));
        }
        Some(bytes) => {
            let _ = writeln!(text, "memory: {} to spare if the largest node dies", human_size(bytes.unsigned_abs()));
        }
        None => {}
    }
    text
}

fn headline(status: &ClusterStatus) -> String {
    let id = status.cluster_id.get(..8).map(|id| format!(" ({id})")).unwrap_or_default();
    let count = match status.members.len() {
        1 => "1 member".to_owned(),
        count => format!("{count} members"),
    };
    let majority = if status.has_majority { "" } else { ", NO MAJORITY" };
    format!("cluster {}{id}: {count}{majority}, {} copies of each slot\n\n", status.cluster_name, status.replicas)
}

fn members(status: &ClusterStatus) -> String {
    let mut rows = vec![
        ["", "MEMBER", "ADDRESS", "STATE", "WEIGHT", "ZONE", "SLOTS", "SHARE", "COPIES", "KEYS", "MEMORY", "LAG"]
            .map(str::to_owned),
    ];
    for (place, member) in (0..).zip(&status.members) {
        rows.push(row(member, place == status.myself));
    }
    // Columns that say nothing about anybody are left out.
    let is_shown = |column: usize| column == 0 || rows[1..].iter().any(|row| !row[column].is_empty());
    let shown: Vec<usize> = (0..rows[0].len()).filter(|column| is_shown(*column)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = shown.iter().map(|column| width(*column)).collect();
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> =
            shown.iter().zip(&widths).map(|(column, width)| format!("{:<width$}", row[*column])).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text.push('\n');
    text
}

fn row(member: &MemberStatus, is_me: bool) -> [String; 12] {
    let share = f64::from(member.slots_owned) / f64::from(SLOTS);
    let planned = if member.slots_planned == member.slots_owned {
        member.slots_owned.to_string()
    } else {
        format!("{} → {}", member.slots_owned, member.slots_planned)
    };
    let memory = member.memory_bytes.map(|used| match member.memory_bytes_max {
        Some(limit) if limit > 0 => format!("{} of {}", human_size(used), human_size(limit)),
        _ => human_size(used),
    });
    [
        if is_me { "*" } else { "" }.to_owned(),
        member.name.clone(),
        member.addrs.client.to_string(),
        member.state.name().to_owned(),
        (f64::from(member.weight) / f64::from(WEIGHT_ONE)).to_string(),
        member.zone.clone(),
        planned,
        format!("{} {:>5.1} %", bar(share), share * 100.0),
        member.slots_copied.to_string(),
        member.keys.map_or_else(String::new, |keys| keys.to_string()),
        memory.unwrap_or_default(),
        member.lag_ms.map_or_else(String::new, |ms| format!("{ms} ms")),
    ]
}

/// A bar, `share` of which is full.
fn bar(share: f64) -> String {
    let full = (share.clamp(0.0, 1.0) * BAR_LEN as f64).round() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(BAR_LEN - full))
}

/// A line about what moves; `None`: nothing does.
#[must_use]
pub fn progress(moving: &Rebalancing) -> Option<String> {
    if moving.slots_left == 0 {
        return None;
    }
    let share = moving.share_done();
    let left =
        moving.seconds_left().map_or_else(|| "time left unknown".to_owned(), |s| format!("{} left", duration(s)));
    Some(format!(
        "moving {}: {} {:.0} %, {} slots to go, {} right now, {}/s, {left}\n",
        human_size(moving.bytes_done + moving.bytes_left),
        bar(share),
        share * 100.0,
        moving.slots_left,
        moving.slots_moving,
        human_size(moving.bytes_per_s),
    ))
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::status::{MemberState, tests::three};

    #[test]
    fn members_stand_in_columns_with_their_shares() {
        let text = status(&three());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "cluster test: 3 members, 0 copies of each slot");
        assert_eq!(lines[2], "   MEMBER  ADDRESS         STATE   WEIGHT  SLOTS  SHARE                         COPIES");
        assert_eq!(lines[3], "*  a       127.0.0.1:7001  active  1       5462   ███████░░░░░░░░░░░░░  33.3 %  5462");
        assert!(!text.contains("moving") && !text.contains("NO MAJORITY"), "{text}");
    }

    #[test]
    fn what_moves_has_a_bar_and_a_time() {
        let mut moving = three();
        moving.members[0].slots_planned = 4096;
        moving.rebalancing = Rebalancing {
            slots_left: 300,
            slots_moving: 4,
            slots_done: 100,
            bytes_done: 1 << 20,
            bytes_left: 3 << 20,
            bytes_per_s: 1 << 20,
        };
        let text = status(&moving);
        assert!(text.contains("5462 → 4096"), "{text}");
        assert!(
            text.contains("█████░░░░░░░░░░░░░░░ 25 %, 300 slots to go, 4 right now, 1.00M/s, 3 s left\n"),
            "{text}"
        );
    }

    #[test]
    fn trouble_is_told() {
        let mut trouble = three();
        trouble.has_majority = false;
        trouble.members[2].state = MemberState::Dead;
        trouble.headroom_bytes = Some(-1024);
        trouble.takeovers.cold = 3;
        let text = status(&trouble);
        for line in ["NO MAJORITY", "5460 of 16384 slots have no live owner", "3 of them cold", "short by 1.00K"] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }

    #[test]
    fn times_are_rounded_to_their_unit() {
        assert_eq!([119, 120, 7200].map(duration), ["119 s", "2 min", "2 h"]);
    }
}
