//! A node dies, and clients of every kind go on.

use std::{
    io::{BufRead, BufReader, Lines, Write},
    process::{Child, ChildStdout, Command, Stdio},
};

use redis::AsyncTypedCommands;
use rondache_cluster_tests::process::ClusterProcess;

use super::{
    programs,
    redis_rs::{connect, runtime, set_and_get},
    shared,
    tracking::{Tracking, keys, write},
};

const SCRIPT: &str = include_str!("redis_py_death.py");

/// Keys that were written well before the death.
const KEYS: u32 = 300;

/// Users of redis-py who keep asking the survivors.
struct Users {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Users {
    /// `None`: there is no redis-py.
    fn start(cluster: &ClusterProcess) -> Option<Self> {
        let mut child = Command::new(programs::python_with("redis")?)
            .args(["-u", "-c", SCRIPT])
            .args(cluster.nodes[..2].iter().map(|node| node.port().to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("its output is a pipe")).lines();
        let mut users = Self { child, lines };
        assert_eq!(users.line(), "running");
        Some(users)
    }

    fn line(&mut self) -> String {
        self.lines.next().and_then(Result::ok).unwrap_or_default()
    }

    /// Lets them end, and looks at what they saw.
    fn end(mut self) {
        let mut input = self.child.stdin.take().expect("its input is a pipe");
        writeln!(input, "settled").expect("it reads");
        let report = self.line();
        eprintln!("redis-py: {report}");
        assert!(self.child.wait().expect("it ends").success(), "{report}");
    }
}

#[test]
fn clients_of_the_survivors_see_no_error_and_miss_nothing_when_a_node_dies() {
    // The turn: nothing else runs meanwhile.
    let _turn = shared::cluster();
    let mut cluster = shared::start();
    let runtime = runtime();
    let mut following = runtime.block_on(connect(cluster.nodes[0].addr(), "resp2"));
    runtime.block_on(set_and_get(&mut following, "before", KEYS));
    let mut reader = Tracking::start(&cluster.nodes[0], &[]);
    let tracked = keys("tracked");
    write(&cluster.nodes[1], &tracked, "before");
    for key in &tracked {
        reader.ask::<String>(&["GET", key]);
    }
    let users = Users::start(&cluster);

    cluster.nodes[2].kill();
    reader.wait_for(tracked.clone());
    cluster.nodes[..2].iter_mut().for_each(|node| node.wait_settled(2));

    for key in &tracked {
        assert_eq!(reader.ask::<String>(&["GET", key]), "before");
    }
    write(&cluster.nodes[1], &tracked, "after");
    reader.wait_for(tracked);
    runtime.block_on(async {
        set_and_get(&mut following, "after", KEYS).await;
        for number in 0..KEYS {
            let value = following.get(format!("before:{number}")).await.expect("GET");
            assert_eq!(value, Some(number.to_string()), "acknowledged long before the death");
        }
    });
    if let Some(users) = users {
        users.end();
    }
}
