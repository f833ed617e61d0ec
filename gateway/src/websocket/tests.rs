//! The follower of messages against a plain reading of whole frames, however the bytes are cut.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A frame of a caller.
fn frame(opcode: u8, last: bool, payload: usize) -> Vec<u8> {
    let mut frame = vec![if last { 0x80 } else { 0 } | opcode];
    match payload {
        ..126 => frame.push(0x80 | u8::try_from(payload).unwrap()),
        126..65_536 => {
            frame.push(0xfe);
            frame.extend(u16::try_from(payload).unwrap().to_be_bytes());
        }
        _ => {
            frame.push(0xff);
            frame.extend((payload as u64).to_be_bytes());
        }
    }
    // Payload that looks like heads of frames.
    frame.extend([1, 2, 3, 4]);
    frame.extend(std::iter::repeat_n(0x82, payload));
    frame
}

/// One message in some frames, with control frames among them.
fn message() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let size = prop_oneof![4 => 0..10_usize, 2 => 120..130_usize, 1 => 65_530..65_540_usize];
    (1..=2_u8, vec((size, any::<bool>()), 1..4)).prop_map(|(kind, parts)| {
        let count = parts.len();
        let frames = parts.into_iter().enumerate().flat_map(|(number, (size, ping))| {
            let part = frame(if number == 0 { kind } else { 0 }, number + 1 == count, size);
            let control = ping.then(|| frame(9, true, size.min(125)));
            if number == 0 {
                control.into_iter().chain([part]).collect::<Vec<_>>()
            } else {
                vec![part].into_iter().chain(control).collect()
            }
        });
        frames.collect()
    })
}

/// What goes on when the first so many messages are paid for, and at which message it ended.
fn forward(stream: &[u8], cuts: &[usize], affordable: usize) -> (Vec<u8>, usize, bool) {
    let mut messages = Messages::default();
    let (mut forwarded, mut paid, mut sizes) = (Vec::new(), 0, cuts.iter().cycle());
    let mut rest = stream;
    while !rest.is_empty() {
        let (piece, later) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        rest = later;
        let buffer = messages.take(Bytes::copy_from_slice(piece));
        let mut at = 0;
        loop {
            match messages.next(&buffer, &mut at) {
                Ok(Next::Message(begins)) if paid == affordable => {
                    forwarded.extend_from_slice(&buffer[..begins]);
                    return (forwarded, paid, true);
                }
                Ok(Next::Message(_)) => paid += 1,
                Ok(Next::End(end)) => break forwarded.extend_from_slice(&buffer[..end]),
                Err(Malformed) => return (forwarded, paid, false),
            }
        }
        assert!(buffer.len() - at < 14, "more than a head was kept");
    }
    (forwarded, paid, false)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_cutting_pays_for_the_same_messages_and_passes_the_same_bytes(
        messages in vec(message(), 0..5),
        cuts in vec(prop_oneof![4 => 1..20_usize, 1 => 1..70_000_usize], 1..20),
        affordable in 0..6_usize,
    ) {
        let whole: Vec<Vec<u8>> = messages.iter().map(|frames| frames.concat()).collect();
        let (forwarded, paid, refused) = forward(&whole.concat(), &cuts, affordable);
        prop_assert_eq!(paid, messages.len().min(affordable));
        prop_assert_eq!(refused, messages.len() > affordable);
        // Of the message that is not paid for nothing goes on but a control frame before it.
        let control = messages.get(affordable).filter(|frames| frames[0][0] == 0x89);
        let wanted = [whole[..paid].concat(), control.map_or_else(Vec::new, |frames| frames[0].clone())].concat();
        prop_assert!(forwarded == wanted, "{} bytes went on, not {}", forwarded.len(), wanted.len());
    }

    /// What the upstream says passes whole, and the caller is told of the end only between two frames.
    #[test]
    fn a_close_never_stands_within_a_frame(
        sizes in vec(prop_oneof![4 => 0..10_usize, 1 => 120..130_usize, 1 => 65_530..65_540_usize], 1..6),
        cuts in vec(prop_oneof![4 => 1..20_usize, 1 => 1..70_000_usize], 1..20),
        after in 0..20_usize,
    ) {
        let stream: Vec<u8> = sizes.iter().flat_map(|size| frame(2, true, *size)).collect();
        let ends: Vec<usize> = sizes.iter().scan(0, |end, size| { *end += frame(2, true, *size).len(); Some(*end) }).collect();
        let close = close_frame(CloseCode::PolicyViolation, "credits_exhausted", None);
        let mut messages = Messages::default();
        let (mut told, mut rest, mut sizes) = (Vec::new(), &stream[..], cuts.iter().cycle());
        for number in 0.. {
            if number == after {
                told.extend(messages.close(CloseCode::PolicyViolation, "credits_exhausted").into_iter().flatten());
            }
            if rest.is_empty() {
                break;
            }
            let (piece, later) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            rest = later;
            let mut piece = Some(Bytes::copy_from_slice(piece));
            messages.answer(&mut piece);
            told.extend_from_slice(&piece.unwrap());
        }
        match told.strip_suffix(&close[..]) {
            Some(before) => prop_assert!((before.is_empty() || ends.contains(&before.len())) && stream.starts_with(before)),
            None => prop_assert!(told == stream),
        }
    }
}

#[test]
fn what_could_hide_a_message_is_refused() {
    let unmasked = || vec![0x81, 1, b'a'];
    let continued = || [frame(1, false, 1), frame(1, true, 1)].concat();
    for (what, bytes) in [
        ("a frame that is not masked", unmasked()),
        ("a message within a message", continued()),
        ("a part of no message", frame(0, true, 1)),
        ("an opcode that means nothing", frame(3, true, 1)),
        ("another", frame(11, true, 1)),
        ("a control frame in parts", frame(9, false, 1)),
        ("a large control frame", frame(9, true, 126)),
        ("a short length written long", vec![0x81, 0xfe, 0, 125]),
        ("and longer", vec![0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff]),
        ("a length below zero", vec![0x81, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0]),
    ] {
        let mut messages = Messages::default();
        let buffer = messages.take(Bytes::from(bytes));
        let (mut at, mut next) = (0, Ok(Next::Message(0)));
        while matches!(next, Ok(Next::Message(_))) {
            next = messages.next(&buffer, &mut at);
        }
        assert_eq!(next, Err(Malformed), "{what}");
    }
}

#[test]
fn a_close_frame_is_masked_towards_a_server() {
    assert_eq!(close_frame(CloseCode::ProtocolError, "x", None), [0x88, 3, 0x03, 0xea, b'x'].as_slice());
    let masked = close_frame(CloseCode::ProtocolError, "x", Some([1, 2, 3, 4]));
    assert_eq!(masked, [0x88, 0x83, 1, 2, 3, 4, 0x02, 0xe8, b'x' ^ 3].as_slice());
}
