//! CONFIG, over real sockets.

use redis::{Connection, ErrorKind, RedisResult};

use super::support::TestNode;

fn get(connection: &mut Connection, pattern: &str) -> Vec<(String, String)> {
    redis::cmd("CONFIG").arg("GET").arg(pattern).query(connection).unwrap()
}

fn set(connection: &mut Connection, args: &[&str]) -> RedisResult<()> {
    redis::cmd("CONFIG").arg("SET").arg(args).query(connection)
}

fn refusal(connection: &mut Connection, args: &[&str]) -> String {
    let error = set(connection, args).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server(redis::ServerErrorKind::ResponseError));
    error.detail().unwrap_or_default().to_owned()
}

#[test]
fn a_setting_that_was_changed_is_answered() {
    let node = TestNode::start();
    let mut connection = node.connect();
    set(&mut connection, &["maxmemory", "10mb", "maxmemory-policy", "allkeys-lru"]).unwrap();
    assert_eq!(get(&mut connection, "maxmemory"), [("maxmemory".into(), "10485760".into())]);
    assert_eq!(get(&mut connection, "*Y-POLICY"), [("maxmemory-policy".into(), "allkeys-lru".into())]);
}

#[test]
fn an_old_name_answers_for_the_new_one() {
    let node = TestNode::start();
    let mut connection = node.connect();
    set(&mut connection, &["hash-max-ziplist-entries", "7"]).unwrap();
    assert_eq!(get(&mut connection, "hash-max-listpack-entries"), [("hash-max-listpack-entries".into(), "7".into())]);
}

#[test]
fn one_bad_value_changes_nothing() {
    let node = TestNode::start();
    let mut connection = node.connect();
    let refusal = refusal(&mut connection, &["timeout", "7", "hz", "many"]);
    assert_eq!(
        refusal,
        "CONFIG SET failed (possibly related to argument 'hz') - argument couldn't be parsed into an integer"
    );
    assert_eq!(get(&mut connection, "timeout"), [("timeout".into(), "0".into())]);
}

#[test]
fn an_unknown_name_suggests_the_near_one() {
    let node = TestNode::start();
    let refusal = refusal(&mut node.connect(), &["ttl-jiter", "5"]);
    assert_eq!(
        refusal,
        "Unknown option or number of arguments for CONFIG SET - 'ttl-jiter' (did you mean 'ttl-jitter'?)"
    );
}

#[test]
fn what_is_fixed_at_the_start_cannot_be_changed() {
    let node = TestNode::start();
    let refusal = refusal(&mut node.connect(), &["port", "1"]);
    assert_eq!(refusal, "CONFIG SET failed (possibly related to argument 'port') - can't set immutable config");
}

#[test]
fn a_rewritten_file_holds_what_was_changed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("node.toml");
    std::fs::write(&path, "# my node\ntimeout = 5\n").unwrap();
    let node = TestNode::start_with(&["--config", path.to_str().unwrap()]);
    let mut connection = node.connect();
    set(&mut connection, &["timeout", "9"]).unwrap();
    redis::cmd("CONFIG").arg("REWRITE").exec(&mut connection).unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("# my node\ntimeout = \"9\"\n"));
}

#[test]
fn without_a_file_there_is_nothing_to_rewrite() {
    let node = TestNode::start();
    let error = redis::cmd("CONFIG").arg("REWRITE").exec(&mut node.connect()).unwrap_err();
    assert_eq!(error.detail(), Some("The server is running without a config file"));
}
