//! The exact text of each message, and texts that are refused.

use super::mirror::{read_ops, write_ops, write_replica, write_view};
use super::*;
use crate::cart::replica::Sender;
use crate::cart::tests::{A, B, add, line, on, other_line};

fn sender() -> Sender {
    Sender { cart: "c".into(), replica: A, token: "t".into(), base: 9_007_199_254_740_993 }
}

/// A delta of replica A: two mugs added, four of five mugs taken back, and a cup of another replica removed.
fn delta() -> Cart {
    let mut cart = on(3);
    let cup = cart.add(B, &other_line("cup"), 1).unwrap();
    cart.absorb(&cup);
    let mut delta = add(&mut cart, A, 2);
    let taken = cart.dec(A, &line(), 4).unwrap();
    cart.absorb(&taken);
    delta.absorb(&taken);
    delta.absorb(&cart.remove(A, &other_line("cup")).unwrap());
    let info = LineInfo::read(&mut Cells::new("nMug\\t\"big\"\\n\\\\o/\tm\tp1999")).unwrap();
    #[cfg(feature = "edge")]
    assert_eq!(
        info,
        LineInfo {
            name: Some("Mug\t\"big\"\n\\o/".into()),
            image: Some(String::new()),
            unit_price: Some(1_999),
            url: None
        }
    );
    delta.show(&line(), (0, info));
    delta
}

const OPS: &str = "o\t1\tc\t0\t1\tt\t1\t3\t9007199254740993
x\t2\t1
p\tmug\t7\tEUR\t1\t1\tadd\t2\t1\t1
p\tmug\t7\tEUR\t3\t1\tadd\t3\t1\t3
i\tmug\t7\tEUR\t0\tnMug\\t\"big\"\\n\\\\o/\tm\tp1999";

#[test]
fn operations_are_written_as_documented_and_read_back() {
    let delta = delta();
    assert_eq!(write_ops(&sender(), &(1..=3), &delta), OPS);
    assert_eq!(read_ops(OPS), Some((sender(), 1..=3, delta)));
}

#[test]
fn views_are_written_as_documented_and_read_back() {
    let mut view = View { full: true, cart: "c".into(), rev: 12, acked: 3, known: on(3) };
    view.known.absorb(&delta());
    view.known.retain_looks(|_| false);
    let whole = "f\tc\t12\t0\t3\nv\t1\t3\nv\t2\t1\nv\t3\t1
p\tmug\t7\tEUR\t1\t1\tadd\t2\t1\t1
p\tmug\t7\tEUR\t3\t1\tadd\t3\t1\t3";
    assert_eq!(write_view(&view), whole);
    assert_eq!(read_view(whole), Some(view.clone()));
    view = View { full: false, known: delta(), ..view };
    view.known.retain_looks(|_| false);
    let changed = "d\tc\t12\t0\t3\nx\t1\t2\nx\t1\t3\nx\t2\t1
p\tmug\t7\tEUR\t1\t1\tadd\t2\t1\t1
p\tmug\t7\tEUR\t3\t1\tadd\t3\t1\t3";
    assert_eq!(write_view(&view), changed);
    assert_eq!(read_view(changed), Some(view));
    let nothing = View { full: true, ..View::default() };
    assert_eq!(read_view("f\t\t0\t0\t0"), Some(nothing));
}

#[test]
fn a_kept_replica_is_written_as_documented_and_reads_back() {
    let group = |replica, from, sent| {
        let mut delta = Cart::of(2);
        delta.ctx.insert(Dot { r: replica, n: from });
        Group { replica, token: "t".into(), from, to: from, sent, delta }
    };
    let known = Cart { epoch: 2, ..on(3) };
    let waiting = vec![group(A, 4, true), group(B, 1, false)];
    let kept = KeptReplica { cart: "c".into(), rev: 7, known, waiting };
    let text = "k\tc\t7\t2\nv\t3\t1\np\tmug\t7\tEUR\t3\t1\tadd\t3
q\t1\tt\t2\t4\t4\t1\nx\t1\t4
q\t2\tt\t2\t1\t1\t0\nv\t2\t1";
    assert_eq!(write_replica(&kept), text);
    assert_eq!(read_kept(text), Some(kept));
}

#[test]
fn a_text_with_one_wrong_cell_is_refused_whole() {
    let changes = [
        ("o\t1", "o\t2"),                 // another version
        ("o\t1", "d\t1"),                 // another kind of message
        ("\t1\t3\t9007", "\t0\t3\t9007"), // numbers begin with 1
        ("\t1\t3\t9007", "\t4\t3\t9007"),
        ("\t1\t3\t9007", "\t1\t4294967295\t9007"), // more than one message may bring
        ("\t9007199254740993", "\t18446744073709551616"),
        ("\t9007199254740993", ""),
        ("\t9007199254740993", "\t1\t1"),
        ("x\t2\t1", "x\t2\t0"),
        ("x\t2\t1", "x\t2\t-1"),
        ("x\t2\t1", "x\t2\t4294967296"),
        ("x\t2\t1", "x\t2\t1\t1"),
        ("x\t2\t1", "x\t2"),
        ("x\t2\t1", "x"),
        ("x\t2\t1", "y\t2\t1"),
        ("x\t2\t1", ""),
        ("x\t2\t1", "v\t2\t1\nv\t2\t2"),
        ("x\t2\t1", "q\t2\tt\t0\t1\t1\t0"), // a group belongs to what is kept
        ("add", "dec"),
        ("EUR", "eur"),
        ("\t3\t1\t3\ni", "\t3\t1\ni"), // a counter without units
        ("\t3\t1\t3\ni", "\t3\t1\t3\t1\t3\ni"), // twice
        ("\tm\t", "\tm\tm\t"),
        ("\tm\t", "\tz\t"),
        ("\tm\t", "\t\t"),
        ("\tm\t", "\té\t"),
        ("p1999", "p19.99"),
        ("\\\\o", "\\o"),
        ("\\\\o/", "\\"),
    ];
    for (from, to) in changes {
        assert!(OPS.contains(from), "{from:?}");
        assert_eq!(read_ops(&OPS.replacen(from, to, 1)), None, "{from:?} -> {to:?}");
    }
    for put in OPS.lines().filter(|line| line.starts_with(['p', 'i'])) {
        assert_eq!(read_ops(&[OPS, put].join("\n")), None, "twice: {put:?}");
    }
    for text in ["", "\n", "f", "d\tc\t1\t0", "k\tc\t1\t0\nq\t1\tt\t0\t1\t1\t2", "f\tc\t1\t0\t0\n"]
    {
        assert_eq!((read_ops(text), read_view(text), read_kept(text)), (None, None, None));
    }
}
