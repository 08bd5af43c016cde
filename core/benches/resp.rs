//! Encoding, scanning and decoding, without a server.

use std::hint::black_box;

use alizarin_core::FromReply as _;
use alizarin_core::resp::{Limits, Packed, Reader, Scan, Scanner};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// `HGETALL` of 20 short fields under RESP3.
fn hash_reply() -> Vec<u8> {
    let mut reply = b"%20\r\n".to_vec();
    for field in 0..20 {
        for text in [format!("field{field:02}"), format!("value-{}", field * 7_919)] {
            reply.extend_from_slice(format!("${}\r\n{text}\r\n", text.len()).as_bytes());
        }
    }
    reply
}

fn encode(c: &mut Criterion) {
    c.bench_function("encode/get", |b| {
        b.iter(|| {
            let mut packed = Packed::new();
            packed.push(b"GET");
            packed.push_key(black_box(b"user:1000"));
            packed
        });
    });
}

fn scan(c: &mut Criterion) {
    let one = hash_reply();
    let replies = one.repeat(1_000);
    let mut group = c.benchmark_group("scan");
    group.throughput(Throughput::Bytes(replies.len() as u64));
    group.bench_function("1000 maps of 20", |b| {
        b.iter(|| {
            let mut scanner = Scanner::new(Limits::default());
            let mut rest = black_box(replies.as_slice());
            let mut frames = 0;
            while let Ok(Scan::Frame { len, .. }) = scanner.scan(rest) {
                rest = &rest[len..];
                frames += 1;
                if rest.is_empty() {
                    break;
                }
            }
            assert_eq!(frames, 1_000);
        });
    });
    group.finish();
}

fn decode(c: &mut Criterion) {
    let reply = hash_reply();
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Bytes(reply.len() as u64));
    group.bench_function("map of 20 into pairs", |b| {
        b.iter(|| Vec::<(String, String)>::from_reply(&mut Reader::new(black_box(&reply))));
    });
    group.bench_function("bulk into String", |b| {
        b.iter(|| String::from_reply(&mut Reader::new(black_box(b"$16\r\n0123456789abcdef\r\n"))));
    });
    group.finish();
}

criterion_group!(benches, encode, scan, decode);
criterion_main!(benches);
