//! A first look: the connection works.

use super::support::TestNode;

#[test]
fn a_value_that_was_set_is_read_back() {
    let node = TestNode::start();
    let mut connection = node.connect();
    let _: () = redis::cmd("SET").arg("k").arg("v").query(&mut connection).unwrap();
    let value: String = redis::cmd("GET").arg("k").query(&mut connection).unwrap();
    assert_eq!(value, "v");
}
