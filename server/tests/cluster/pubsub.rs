//! Messages reach the subscribers of every node.

use super::support::Cluster;

/// Publishes until somebody on the other node has heard it: nodes begin to tell each other soon after they met.
fn publish_until_heard(cluster: &Cluster, line: &str, expected: &str, mut listener: super::support::Client) {
    let mut publisher = cluster.connect(0);
    while !cluster.nodes[0].node().hub.broadcasts.is_on() {
        std::thread::yield_now();
    }
    publisher.ask(line);
    listener.expect(expected);
}

#[test]
fn a_published_message_reaches_subscribers_of_another_node() {
    let cluster = Cluster::start(2);
    let mut listener = cluster.connect(1);
    listener.call("SUBSCRIBE news", "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    publish_until_heard(
        &cluster,
        "PUBLISH news hello",
        "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n",
        listener,
    );
}

#[test]
fn a_message_of_a_shard_channel_reaches_subscribers_of_another_node() {
    let cluster = Cluster::start(2);
    let mut listener = cluster.connect(1);
    listener.call("SSUBSCRIBE news", "*3\r\n$10\r\nssubscribe\r\n$4\r\nnews\r\n:1\r\n");
    publish_until_heard(
        &cluster,
        "SPUBLISH news hello",
        "*3\r\n$8\r\nsmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n",
        listener,
    );
}
