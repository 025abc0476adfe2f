//! Redirections, honest and not.

use std::time::Duration;

use rondache_client::{ClientError, Cmd};

use crate::node::{Act, MockNode, all_slots_at, is, listen};

#[tokio::test]
async fn a_redirection_is_followed_and_remembered() {
    let (old, new) = (listen().await, listen().await);
    let new_addr = new.local_addr().expect("it listens");
    let old_addr = old.local_addr().expect("it listens");
    // Both are known: one by the other's slots.
    let slots = move |first: u16| {
        let node = |port: u16| format!("*3\r\n$9\r\n127.0.0.1\r\n:{port}\r\n$1\r\nx\r\n");
        let half = |range: &str, port| format!("*3\r\n{range}{}", node(port));
        format!("*2\r\n{}{}", half(":0\r\n:16382\r\n", first), half(":16383\r\n:16383\r\n", new_addr.port()))
    };
    let old = MockNode::serve(old, move |words| match () {
        () if is(words, "CLUSTER") => Act::reply(slots(old_addr.port())),
        () => Act::reply(format!("-MOVED 12182 {new_addr}\r\n")),
    });
    let new = MockNode::serve(new, move |words| match () {
        () if is(words, "CLUSTER") => Act::reply(slots(old_addr.port())),
        () => Act::reply("$1\r\nv\r\n"),
    });
    let client = old.builder().build().await.expect("a topology");
    assert!(client.is_cluster());
    assert_eq!(client.get::<String>("foo").await.expect("GET"), "v");
    assert_eq!((old.asked(), new.asked()), (1, 1));
    assert_eq!(client.get::<String>("foo").await.expect("GET"), "v");
    assert_eq!(new.asked(), 2);
}

#[tokio::test]
async fn nodes_that_point_at_each_other_are_given_up_on() {
    let (a, b) = (listen().await, listen().await);
    let (a_addr, b_addr) = (a.local_addr().expect("a"), b.local_addr().expect("b"));
    let script = move |other| {
        move |words: &[String]| {
            if is(words, "CLUSTER") {
                Act::reply(all_slots_at(a_addr))
            } else {
                Act::reply(format!("-MOVED 1 {other}\r\n"))
            }
        }
    };
    let a = MockNode::serve(a, script(b_addr));
    let b = MockNode::serve(b, script(a_addr));
    let client = a.builder().redirects_max(5).build().await.expect("a topology");
    let error = client.get::<String>("foo").await.expect_err("a loop");
    assert!(matches!(error, ClientError::Redirects { count: 5, .. }), "{error}");
    assert_eq!(a.asked() + b.asked(), 6);
}

#[tokio::test]
async fn a_storm_of_redirections_asks_for_the_topology_once_in_a_while() {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };
    let (a, b) = (listen().await, listen().await);
    let (a_addr, b_addr) = (a.local_addr().expect("a"), b.local_addr().expect("b"));
    let refreshes = Arc::new(AtomicUsize::new(0));
    let counter = refreshes.clone();
    let a = MockNode::serve(a, move |words| {
        if is(words, "CLUSTER") {
            counter.fetch_add(1, Ordering::SeqCst);
            Act::reply(all_slots_at(a_addr))
        } else {
            Act::reply(format!("-MOVED 1 {b_addr}\r\n"))
        }
    });
    let _b = MockNode::serve(b, |_| Act::reply("$1\r\nv\r\n"));
    let client = a.builder().build().await.expect("a topology");
    for number in 0..500 {
        client.get::<String>(number).await.expect("GET");
    }
    assert!(refreshes.load(Ordering::SeqCst) < 50, "{refreshes:?} refreshes");
}

#[tokio::test]
async fn a_topology_of_unreachable_nodes_is_survived_through_an_entry() {
    let lie = listen().await.local_addr().expect("an address that nobody listens at soon");
    let node =
        MockNode::start(
            move |words| {
                if is(words, "CLUSTER") { Act::reply(all_slots_at(lie)) } else { Act::reply("$1\r\nv\r\n") }
            },
        )
        .await;
    let client = node.builder().build().await.expect("a topology");
    assert_eq!(client.get::<String>("foo").await.expect("through the entry"), "v");
    // What was never sent is safe to send elsewhere, whatever it is.
    assert_eq!(client.query::<String>(Cmd::new("INCR").arg("foo")).await.expect("INCR"), "v");
}

#[tokio::test]
async fn try_again_is_tried_again_until_the_deadline() {
    let refusal = "-TRYAGAIN the slot is being moved\r\n";
    let script = move |words: &[String]| if is(words, "CLUSTER") { Act::Ignore } else { Act::reply(refusal) };
    let node = MockNode::start(script).await;
    let client = node.builder().deadline(Duration::from_millis(300)).build().await.expect("a node");
    let error = client.cmd(Cmd::new("INCR").arg("k")).await.expect_err("never ready");
    assert_eq!(error.code(), Some("TRYAGAIN"));
    assert!(node.asked() > 2, "{} attempts", node.asked());
}

#[tokio::test]
async fn a_pipeline_follows_redirections_of_single_commands() {
    let (a, b) = (listen().await, listen().await);
    let (a_addr, b_addr) = (a.local_addr().expect("a"), b.local_addr().expect("b"));
    let a = MockNode::serve(a, move |words| match () {
        () if is(words, "CLUSTER") => Act::reply(all_slots_at(a_addr)),
        () if words.get(1).is_some_and(|key| key == "foo") => Act::reply(format!("-MOVED 12182 {b_addr}\r\n")),
        () => Act::reply("$1\r\na\r\n"),
    });
    let _b = MockNode::serve(b, |_| Act::reply("$1\r\nb\r\n"));
    let client = a.builder().build().await.expect("a topology");
    let mut pipeline = client.pipeline();
    pipeline.add(Cmd::new("GET").arg("x")).add(Cmd::new("GET").arg("foo")).add(Cmd::new("GET").arg("y"));
    let values: Vec<String> = pipeline.query().await.expect("all");
    assert_eq!(values, ["a", "b", "a"]);
}

#[tokio::test]
async fn where_owners_point_at_each_other_an_entry_finds_the_way() {
    let (main, a, b) = (listen().await, listen().await, listen().await);
    let main_addr = main.local_addr().expect("main");
    let (a_addr, b_addr) = (a.local_addr().expect("a"), b.local_addr().expect("b"));
    let slots = move || {
        let port = main_addr.port().to_string();
        let metadata = format!("%1\r\n$9\r\nmain-port\r\n${}\r\n{port}\r\n", port.len());
        let node = format!("*4\r\n$9\r\n127.0.0.1\r\n:{}\r\n$1\r\nx\r\n{metadata}", a_addr.port());
        Act::reply(format!("*1\r\n*3\r\n:0\r\n:16383\r\n{node}"))
    };
    let script = move |other| {
        move |words: &[String]| match is(words, "CLUSTER") {
            true => slots(),
            false => Act::reply(format!("-MOVED 12182 {other}\r\n")),
        }
    };
    let answer = move |words: &[String]| if is(words, "CLUSTER") { slots() } else { Act::reply("$1\r\nv\r\n") };
    let main = MockNode::serve(main, answer);
    let (a, b) = (MockNode::serve(a, script(b_addr)), MockNode::serve(b, script(a_addr)));
    let client = main.builder().build().await.expect("a topology");
    assert_eq!(client.get::<String>("foo").await.expect("GET"), "v");
    assert_eq!((a.asked() + b.asked(), main.asked()), (3, 1));
}

#[tokio::test]
async fn a_pushed_change_of_the_topology_is_learnt_without_a_redirection() {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };
    let (a, b) = (listen().await, listen().await);
    let (a_addr, b_addr) = (a.local_addr().expect("a"), b.local_addr().expect("b"));
    let has_moved = Arc::new(AtomicBool::new(false));
    let (seen, moves) = (has_moved.clone(), has_moved.clone());
    let a = MockNode::serve(a, move |words| match () {
        () if is(words, "CLUSTER") => {
            Act::reply(all_slots_at(if seen.load(Ordering::SeqCst) { b_addr } else { a_addr }))
        }
        () if is(words, "SET") => {
            moves.store(true, Ordering::SeqCst);
            Act::reply("+OK\r\n>2\r\n$8\r\ntopology\r\n:7\r\n")
        }
        () => Act::reply("$1\r\na\r\n"),
    });
    let b = MockNode::serve(b, move |words| match () {
        () if is(words, "CLUSTER") => Act::reply(all_slots_at(b_addr)),
        () => Act::reply("$1\r\nb\r\n"),
    });
    let client = a.builder().refresh_interval(Duration::from_secs(3600)).build().await.expect("a topology");
    client.set("k", "v").await.expect("SET");
    let learnt = async {
        while client.nodes() != [Arc::from(b_addr.to_string())] {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), learnt).await.expect("the new topology");
    assert_eq!(client.get::<String>("k").await.expect("GET"), "b");
    assert_eq!((a.asked(), b.asked()), (1, 1));
}
