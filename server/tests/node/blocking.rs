//! Commands that wait for elements.

use redis::Value;

use super::{
    lines::{call, patient, receive, receive_as, refusal, send, send_waiting, wait_until_blocked},
    support::TestNode,
};

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn an_element_that_is_there_is_popped_at_once() {
    let node = TestNode::start();
    let mut client = patient(&node);
    call::<i64>(&mut client, "RPUSH b 1 2 3");
    assert_eq!(call::<Vec<String>>(&mut client, "BLPOP a b 0"), strings(&["b", "1"]));
    assert_eq!(call::<Vec<String>>(&mut client, "BRPOP a b 0"), strings(&["b", "3"]));
    assert_eq!(call::<String>(&mut client, "BLMOVE b c LEFT RIGHT 0"), "2");
    assert_eq!(call::<(String, Vec<String>)>(&mut client, "BLMPOP 0 2 b c LEFT"), ("c".to_owned(), strings(&["2"])));
}

#[test]
fn those_who_waited_longest_are_served_first() {
    let node = TestNode::start();
    let mut waiting: Vec<_> = (0..3).map(|_| patient(&node)).collect();
    for (already, client) in waiting.iter_mut().enumerate() {
        send_waiting(&node, client, "BLPOP l 0", already);
    }
    let mut pusher = patient(&node);
    assert_eq!(call::<i64>(&mut pusher, "RPUSH l 1 2"), 2);
    assert_eq!(receive_as::<Vec<String>>(&mut waiting[0]), strings(&["l", "1"]));
    assert_eq!(receive_as::<Vec<String>>(&mut waiting[1]), strings(&["l", "2"]));
    call::<i64>(&mut pusher, "RPUSH l 3");
    assert_eq!(receive_as::<Vec<String>>(&mut waiting[2]), strings(&["l", "3"]));
    assert_eq!(call::<i64>(&mut pusher, "EXISTS l"), 0);
}

#[test]
fn a_timeout_answers_null() {
    let node = TestNode::start();
    let mut client = patient(&node);
    assert_eq!(call::<Value>(&mut client, "BLPOP l 0.01"), Value::Nil);
    assert_eq!(call::<Value>(&mut client, "BLMOVE l m LEFT LEFT 0.01"), Value::Nil);
    assert_eq!(call::<Value>(&mut client, "BLMPOP 0.01 1 l LEFT"), Value::Nil);
    call::<i64>(&mut client, "RPUSH l later");
    assert_eq!(call::<i64>(&mut client, "LLEN l"), 1);
}

#[test]
fn requests_behind_a_waiting_one_run_after_it() {
    let node = TestNode::start();
    let mut client = patient(&node);
    send(&mut client, "BLPOP l 0");
    send(&mut client, "RPUSH l mine");
    send_waiting(&node, &mut client, "LLEN l", 0);
    call::<i64>(&mut patient(&node), "RPUSH l theirs");
    assert_eq!(receive_as::<Vec<String>>(&mut client), strings(&["l", "theirs"]));
    assert_eq!(receive_as::<i64>(&mut client), 1);
    assert_eq!(receive_as::<i64>(&mut client), 1);
}

#[test]
fn a_transaction_never_waits_and_serves_others_at_its_end() {
    let node = TestNode::start();
    let (mut client, mut waiting) = (patient(&node), patient(&node));
    send_waiting(&node, &mut waiting, "BLPOP l 0", 0);
    for line in ["MULTI", "RPUSH l a", "DEL l", "BLPOP l 0", "RPUSH l b"] {
        call::<Value>(&mut client, line);
    }
    let replies: Vec<Value> = call(&mut client, "EXEC");
    assert_eq!(replies, [Value::Int(1), Value::Int(1), Value::Nil, Value::Int(1)]);
    assert_eq!(receive_as::<Vec<String>>(&mut waiting), strings(&["l", "b"]));
}

#[test]
fn a_value_of_another_type_is_waited_out() {
    let node = TestNode::start();
    let (mut client, mut waiting) = (patient(&node), patient(&node));
    send_waiting(&node, &mut waiting, "BLPOP l 0", 0);
    for line in ["SET l text", "DEL l", "ZADD l 1 m", "DEL l", "SADD l m", "DEL l"] {
        call::<Value>(&mut client, line);
    }
    wait_until_blocked(&mut client, 1);
    call::<i64>(&mut client, "RPUSH l x");
    assert_eq!(receive_as::<Vec<String>>(&mut waiting), strings(&["l", "x"]));
}

#[test]
fn a_destination_of_another_type_is_an_error_that_keeps_the_element() {
    let node = TestNode::start();
    let (mut client, mut waiting) = (patient(&node), patient(&node));
    call::<()>(&mut client, "SET s text");
    send_waiting(&node, &mut waiting, "BRPOPLPUSH l s 0", 0);
    call::<i64>(&mut client, "RPUSH l x");
    assert!(receive(&mut waiting).expect_err("a wrong type").to_string().contains("WRONGTYPE"));
    assert_eq!(call::<Vec<String>>(&mut client, "LRANGE l 0 -1"), strings(&["x"]));
}

#[test]
fn an_element_is_handed_on_along_a_chain_of_moves() {
    let node = TestNode::start();
    let (mut first, mut second, mut last) = (patient(&node), patient(&node), patient(&node));
    send_waiting(&node, &mut last, "BLPOP c 0", 0);
    send_waiting(&node, &mut second, "BLMOVE b c LEFT LEFT 0", 1);
    send_waiting(&node, &mut first, "BRPOPLPUSH a b 0", 2);
    call::<i64>(&mut patient(&node), "RPUSH a x");
    assert_eq!(receive_as::<String>(&mut first), "x");
    assert_eq!(receive_as::<String>(&mut second), "x");
    assert_eq!(receive_as::<Vec<String>>(&mut last), strings(&["c", "x"]));
}

#[test]
fn a_list_that_is_renamed_or_swapped_in_is_noticed() {
    let node = TestNode::start();
    let (mut client, mut waiting) = (patient(&node), patient(&node));
    send_waiting(&node, &mut waiting, "BLPOP l 0", 0);
    call::<i64>(&mut client, "RPUSH other x");
    call::<()>(&mut client, "RENAME other l");
    assert_eq!(receive_as::<Vec<String>>(&mut waiting), strings(&["l", "x"]));
    send_waiting(&node, &mut waiting, "BLPOP l 0", 0);
    call::<()>(&mut client, "SELECT 1");
    call::<i64>(&mut client, "RPUSH l y");
    wait_until_blocked(&mut client, 1);
    call::<()>(&mut client, "SWAPDB 0 1");
    assert_eq!(receive_as::<Vec<String>>(&mut waiting), strings(&["l", "y"]));
}

#[test]
fn a_client_that_leaves_takes_nothing() {
    let node = TestNode::start();
    let mut client = patient(&node);
    let mut leaving = patient(&node);
    send_waiting(&node, &mut leaving, "BLPOP l 0", 0);
    drop(leaving);
    wait_until_blocked(&mut client, 0);
    call::<i64>(&mut client, "RPUSH l x");
    assert_eq!(call::<i64>(&mut client, "LLEN l"), 1);
}

#[test]
fn client_unblock_ends_a_wait_as_a_timeout_or_an_error() {
    let node = TestNode::start();
    let (mut client, mut waiting) = (patient(&node), patient(&node));
    let id: i64 = call(&mut waiting, "CLIENT ID");
    send_waiting(&node, &mut waiting, "BLPOP l 0", 0);
    assert_eq!(call::<i64>(&mut client, &format!("CLIENT UNBLOCK {id}")), 1);
    assert_eq!(receive(&mut waiting), Ok(Value::Nil));
    send_waiting(&node, &mut waiting, "BLPOP l 0", 0);
    assert_eq!(call::<i64>(&mut client, &format!("CLIENT UNBLOCK {id} ERROR")), 1);
    assert!(receive(&mut waiting).expect_err("an error").to_string().contains("UNBLOCKED"));
    assert_eq!(call::<i64>(&mut client, &format!("CLIENT UNBLOCK {id}")), 0);
}

#[test]
fn client_unblock_works_inside_a_transaction_on_the_same_key() {
    let node = TestNode::start();
    let (mut client, mut waiting) = (patient(&node), patient(&node));
    let id: i64 = call(&mut waiting, "CLIENT ID");
    send_waiting(&node, &mut waiting, "BLPOP l 0", 0);
    for line in ["MULTI", "LLEN l", &format!("CLIENT UNBLOCK {id}")] {
        call::<Value>(&mut client, line);
    }
    assert_eq!(call::<Vec<i64>>(&mut client, "EXEC"), [0, 1]);
    assert_eq!(receive(&mut waiting), Ok(Value::Nil));
}

#[test]
fn many_threads_lose_no_element_and_serve_each_once() {
    const PAIRS: usize = 4;
    const ELEMENTS: usize = 200;
    let node = TestNode::start();
    let popped: Vec<String> = std::thread::scope(|scope| {
        let poppers: Vec<_> = (0..PAIRS)
            .map(|_| {
                let mut client = patient(&node);
                scope.spawn(move || {
                    let pop = |_| call::<(String, String)>(&mut client, "BLPOP a b 0").1;
                    (0..ELEMENTS).map(pop).collect::<Vec<_>>()
                })
            })
            .collect();
        for pusher in 0..PAIRS {
            let mut client = patient(&node);
            scope.spawn(move || {
                for element in 0..ELEMENTS {
                    let key = if element % 2 == 0 { "a" } else { "b" };
                    call::<i64>(&mut client, &format!("RPUSH {key} {pusher}-{element}"));
                }
            });
        }
        poppers.into_iter().flat_map(|popper| popper.join().expect("a thread that ends")).collect()
    });
    let distinct: std::collections::HashSet<&String> = popped.iter().collect();
    assert_eq!((popped.len(), distinct.len()), (PAIRS * ELEMENTS, PAIRS * ELEMENTS));
}

#[test]
fn timeouts_that_are_none_are_refused() {
    let node = TestNode::start();
    let mut client = patient(&node);
    assert!(refusal(&mut client, "BLPOP l -1").contains("timeout is negative"));
    assert!(refusal(&mut client, "BLMPOP x 1 l LEFT").contains("timeout is not a float or out of range"));
    assert!(refusal(&mut client, "BLMOVE a b LEFT LEFT 9223372036854775808").contains("timeout is out of range"));
}
