//! A node inside a service, and the memory that is the node's among the service's own.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use rondache_server::{
    config::settings::Settings,
    node::{Node, local::LocalNode},
};

/// As in the `rondache` program: without it a node cannot know what it uses.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const MIB: u64 = 1024 * 1024;
const VALUE_LEN: usize = 4096;

fn node(change: impl FnOnce(&mut Settings)) -> (Arc<Node>, LocalNode) {
    let mut settings = Settings { listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))], ..Settings::default() };
    change(&mut settings);
    let node = Node::new(settings);
    node.memory.apply(&node.store, &node.settings.load());
    let local = LocalNode::new(&node);
    (node, local)
}

fn request(words: &[&[u8]]) -> Vec<u8> {
    let mut request = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        request.extend_from_slice(word);
        request.extend_from_slice(b"\r\n");
    }
    request
}

fn run(local: &LocalNode, words: &[&[u8]]) -> Vec<u8> {
    let mut reply = Vec::new();
    assert!(local.execute(words[0], &request(words), &mut reply), "left alone: {}", words[0].escape_ascii());
    reply
}

fn set_many(local: &LocalNode, numbers: std::ops::Range<u32>) {
    for number in numbers {
        assert_eq!(run(local, &[b"SET", format!("k{number}").as_bytes(), &[b'v'; VALUE_LEN]]), b"+OK\r\n");
    }
}

fn is_there(local: &LocalNode, number: u32) -> bool {
    run(local, &[b"STRLEN", format!("k{number}").as_bytes()]) != b":0\r\n"
}

#[test]
fn what_a_service_writes_on_its_own_threads_is_the_nodes_memory() {
    let (node, local) = node(|_| {});
    let before = node.memory.used_bytes();
    let writer = local.clone();
    std::thread::spawn(move || set_many(&writer, 0..2048)).join().expect("no panic");
    let grown = node.memory.used_bytes() - before;
    assert!((8 * MIB..12 * MIB).contains(&grown), "{grown} bytes for 8 MiB of values");
    // Another thread gives it back.
    for number in 0..2048 {
        run(&local, &[b"GETDEL", format!("k{number}").as_bytes()]);
    }
    let left = node.memory.used_bytes().saturating_sub(before);
    assert!(left < 2 * MIB, "{left} bytes left");
}

#[test]
fn what_a_service_keeps_for_itself_is_none_of_the_nodes_memory() {
    let (node, local) = node(|_| {});
    set_many(&local, 0..1);
    let before = node.memory.used_bytes();
    let kept: Vec<_> = (0..2048).map(|_| run(&local, &[b"GET", b"k0"])).collect();
    let grown = node.memory.used_bytes().saturating_sub(before);
    assert!(grown < MIB, "{grown} bytes grown by {} replies of 4 KiB", kept.len());
}

#[test]
fn the_limit_holds_for_what_a_service_writes_and_evicts_no_more_than_it_must() {
    let (node, local) = node(|settings| settings.maxmemory_bytes = 24 * MIB);
    set_many(&local, 0..16_384);
    let used = node.memory.used_bytes();
    // Room is made before a write, for what it adds is not known yet.
    assert!(used <= 24 * MIB + 64 * 1024, "{used} bytes used");
    let kept = (0..16_384).filter(|number| is_there(&local, *number)).count();
    // 24 MiB are 6,144 times 4 KiB; keys and tables take their part.
    assert!((4000..6144).contains(&kept), "{kept} keys are left");
}
