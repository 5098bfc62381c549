use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn each_is_told_what_a_server_of_its_own_would_tell(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        shared(&bytes, true);
    }

    #[test]
    fn a_server_may_say_anything(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        said(&bytes);
    }
}
