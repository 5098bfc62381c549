use super::*;
use proptest::prelude::*;

fn written(write: fn(f64, &mut Vec<u8>), value: f64) -> String {
    let mut out = Vec::new();
    write(value, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn doubles_are_printed_with_seventeen_digits() {
    let printed = [
        (0.0, "0"),
        (-0.0, "-0"),
        (3.0, "3"),
        (-1.5, "-1.5"),
        (0.1, "0.10000000000000001"),
        (3.15, "3.1499999999999999"),
        (100.25, "100.25"),
        (0.0001, "0.0001"),
        (0.00012, "0.00012"),
        (0.012, "0.012"),
        (0.00001, "1.0000000000000001e-05"),
        (99999999999999984.0, "99999999999999984"),
        (1e17, "1e+17"),
        (-1.2345e20, "-1.2345e+20"),
        (123456789012345.6, "123456789012345.59"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        (5e-324, "4.9406564584124654e-324"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
    ];
    for (value, text) in printed {
        assert_eq!(written(write_double, value), text);
    }
}

#[test]
fn scores_are_kept_as_integers_as_far_as_that_goes() {
    assert_eq!(written(write_score, 1e17), "100000000000000000");
    assert_eq!(written(write_score, 4611686018427387904.0), "4611686018427387904");
    assert_eq!(written(write_score, 4611686018427388928.0), "4.6116860184273889e+18");
    assert_eq!(written(write_score, -0.0), "-0");
    assert_eq!(written(write_score, 2.5), "2.5");
}

#[test]
fn without_an_exponent_there_are_seventeen_decimals() {
    let printed = [
        (0.1, "0.10000000000000001"),
        (10.0, "10"),
        (-0.0, "0"),
        (1e-18, "0"),
        (-1e-18, "0"),
        (1e22, "10000000000000000000000"),
        (-122.5, "-122.5"),
        (f64::INFINITY, "inf"),
    ];
    for (value, text) in printed {
        assert_eq!(written(write_human, value), text);
    }
}

#[test]
fn doubles_are_read_as_strtod_reads_them() {
    let good = [
        ("1", 1.0),
        ("+1.5", 1.5),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1E-2", 0.01),
        ("007", 7.0),
        ("inf", f64::INFINITY),
        ("-Infinity", f64::NEG_INFINITY),
        ("+INF", f64::INFINITY),
        ("4.9e-324", 5e-324),
        ("0e999", 0.0),
        ("0x1.8p1", 3.0),
        ("-0XfF", -255.0),
        ("0x.8", 0.5),
        ("0x1p-1074", 5e-324),
        ("0x0.00000000000000000000000000000000000000000000000000000000000000000001p268", 0.0625),
        ("0x1.00000000000008", 1.0),
        ("0x1.000000000000080000000000000000000000000000000000001", 1.0000000000000002),
        ("0x1.fffffffffffffp1023", f64::MAX),
    ];
    for (text, value) in good {
        assert_eq!(parse_double(text.as_bytes()), Some(value), "{text}");
    }
    let bad = [
        "",
        "-",
        "+",
        ".",
        "e5",
        "1e",
        "1e+",
        " 1",
        "1 ",
        "1x",
        "--1",
        "+-1",
        "nan",
        "-nan",
        "infin",
        "1e309",
        "1e-400",
        "0x1p1024",
        "0x1.fffffffffffff8p1023",
        "0x1p-1075",
        "0x1g",
        "0x1p1.",
        "0x1.1.1",
        "0x",
        "1_0",
        "1\0",
    ];
    for text in bad {
        assert_eq!(parse_double(text.as_bytes()), None, "{text}");
    }
    assert!(parse_double(b"-0").is_some_and(|zero| zero.is_sign_negative()));
}

proptest! {
    #[test]
    fn doubles_are_read_as_they_were_printed(bits: u64) {
        let value = f64::from_bits(bits);
        prop_assume!(!value.is_nan());
        for write in [write_double, write_score] {
            let text = written(write, value);
            prop_assert_eq!(parse_double(text.as_bytes()).map(f64::to_bits), Some(bits), "{}", text);
        }
    }

    #[test]
    fn short_decimals_are_read_as_they_were_printed(whole in -1_000_000i64..1_000_000, scale in 0i32..6) {
        let value = whole as f64 / 10f64.powi(scale);
        prop_assert_eq!(parse_double(written(write_double, value).as_bytes()), Some(value));
        prop_assert_eq!(parse_double(written(write_human, value).as_bytes()), Some(value));
    }

    #[test]
    fn any_text_is_read_or_not(text: Vec<u8>) {
        if let Some(value) = parse_double(&text) {
            prop_assert!(!value.is_nan());
        }
    }
}
