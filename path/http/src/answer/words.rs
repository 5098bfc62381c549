//! Whether letters and digits make a name as people write them, `DatePicker` or `MySqlDb1`, or are random.

/// The pieces of a name in mixed case: `Hump`, `hump`, `HTML`, `123`, `3d`, and each mark.
pub(super) fn humps(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let (hump, behind) = rest.split_at(length_of_first(rest)?);
        rest = behind;
        Some(hump)
    })
}

fn length_of_first(name: &[u8]) -> Option<usize> {
    let run = |is: fn(&u8) -> bool, from: usize| name[from..].iter().take_while(|byte| is(byte)).count();
    Some(match name.first()? {
        b'0'..=b'9' => {
            let digits = run(u8::is_ascii_digit, 0);
            // `3d`, `4K`: a number with its unit is one piece.
            let has_unit = name.get(digits).is_some_and(u8::is_ascii_alphabetic);
            digits + usize::from(has_unit && name.get(digits + 1).is_none_or(|next| !next.is_ascii_lowercase()))
        }
        b'A'..=b'Z' => match (run(u8::is_ascii_uppercase, 0), name) {
            (1, _) => 1 + run(u8::is_ascii_lowercase, 1),
            // The last capital begins the next word: `HTMLView`.
            (capitals, name) if name.get(capitals).is_some_and(u8::is_ascii_lowercase) => capitals - 1,
            (capitals, _) => capitals,
        },
        b'a'..=b'z' => run(u8::is_ascii_lowercase, 0),
        _ => 1,
    })
}

/// Whether every hump is a number, a mark or could be a word, with at most one lone letter and one abbreviation in capitals.
pub(super) fn reads_as_name(name: &[u8]) -> bool {
    let (mut lone, mut capitals) = (0, 0);
    for hump in humps(name).filter(|hump| hump[0].is_ascii_alphabetic()) {
        match hump {
            [_] => lone += 1,
            [_, _] | [_, _, _] | [_, _, _, _] if hump.iter().all(u8::is_ascii_uppercase) => capitals += 1,
            _ if could_be_word(hump) => {}
            _ => return false,
        }
    }
    lone <= 1 && capitals <= 1
}

/// Words and abbreviations of two letters that stand in names.
const PAIRS: &[u8] = b"ad ai an am as at be bg by cd cm cs db de do em en ex fn fs go gl gt hi id if in io ip is it js kb lg lt \
    md me ms my no ns of ok on op or os pc qr re rs rx so sm to ts tv tx ui up us ux vm vr ws we xl ";

/// Abbreviations without a vowel, or hard to say, that are common in names.
const ABBREVIATIONS: &[u8] = b"html http https xml pdf css svg sql btn png jpg npm xhr grpc mdx jsx tsx ssr csv dns tls ssl ssh smtp \
    ctx cfg ptr tmp rtl ltr str src img dst msg txt cmd pkg lib nth rgb hsl hsv gql mqtt ftp gps cpu gpu pwd std sdk crm cms cdn ssd \
    tcp udp url rng php cpp mnt json gzip ";

/// Pairs of consonants that words begin with.
const BEGINNINGS: &[u8] =
    b"bl br ch cl cr dr dw fl fr gh gl gn gr kl kn kr ph pl pr ps rh sc sh sk sl sm sn sp sq st sv sw th tr ts tw vl wh wr ";

/// For each letter from `a` those that follow it in English words, counted in documentation; what is rare is left out,
/// what compounds need is kept.
const FOLLOWERS: [&[u8]; 26] = [
    b"abcdefghijklmnopqrstuvwxyz",
    b"abcdefghijlmnoprstuvwy",
    b"abcdefhiklmnopqrstuvyz",
    b"abcdefghijlmnoprstuvwyz",
    b"abcdefghijklmnopqrstuvwxyz",
    b"abcdefgilmnorstuwy",
    b"abcdefghilmnoprstuwyz",
    b"abcdefgiklmnoprstuwy",
    b"abcdefghijklmnopqrstuvwxyz",
    b"aeiosuw",
    b"abcdefghiklmnoprstuwy",
    b"abcdefghijklmnoprstuvwyz",
    b"abcdefghijklmnoprstuvwy",
    b"abcdefghijklmnopqrstuvwxyz",
    b"abcdefghijklmnoprstuvwxyz",
    b"abcdefghiklmnoprstuwy",
    b"iu",
    b"abcdefghiklmnoprstuvwyz",
    b"abcdefghiklmnopqrstuvwxyz",
    b"abcdefghiklmnoprstuvwyz",
    b"abcdefghijklmnoprstvxyz",
    b"acefgilmnostuy",
    b"abcdefhiklmnoprstuwy",
    b"acehimoptuxy",
    b"abcdefgiklmnoprstuwyz",
    b"aehilmouyz",
];

/// Two letters or more that English could have as a word.
fn could_be_word(hump: &[u8]) -> bool {
    let lower = hump.to_ascii_lowercase();
    if lower.len() == 2 || is_one_of(&lower, ABBREVIATIONS) {
        return is_one_of(&lower, PAIRS) || lower.len() > 2;
    }
    let is_vowel = |byte: &u8| matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    let begins_well = lower[..2].iter().any(is_vowel) || is_one_of(&lower[..2], BEGINNINGS);
    let follows = |pair: &[u8]| FOLLOWERS[usize::from(pair[0] - b'a')].contains(&pair[1]);
    begins_well && lower.iter().any(is_vowel) && lower.windows(2).all(follows) && lower.windows(5).all(|run| run.iter().any(is_vowel))
}

fn is_one_of(word: &[u8], list: &[u8]) -> bool {
    list.split(|byte| *byte == b' ').any(|known| known == word)
}

#[cfg(test)]
mod tests {
    use super::super::hashed::carries_hash;
    use super::*;

    #[test]
    fn names_fall_into_humps() {
        for (name, expected) in [
            ("DatePicker", "Date Picker"),
            ("iPhone14Pro", "i Phone 14 Pro"),
            ("HTMLView", "HTML View"),
            ("Map3dTo2d", "Map 3d To 2d"),
            ("view2Pdf_x", "view 2 Pdf _ x"),
            ("XYZ", "XYZ"),
            ("", ""),
        ] {
            let humps: Vec<_> = humps(name.as_bytes()).map(String::from_utf8_lossy).collect();
            assert_eq!(humps.join(" "), expected);
        }
    }

    /// Eight letters each, or ten: what could be taken for a hash by its length.
    const NAMES: &str = "
        Abstract Accepted Accounts Activity Advanced Airplane Alphabet Analysis Animated Approval Archived Articles Assembly
        Autumnal Backdrop Balanced Bathroom Birthday Bookmark Boundary Branches Calendar Campaign Carousel Category Checkbox
        Children Codebase Commands Complete Concepts Consumer Contacts Controls Cookbook Currency Customer Database Delivery
        Designer Detailed Dialogue Discount Document Download Dropdown Duration Dynamics Elements Employee Envelope Equation
        Estimate Exchange Exporter Extended Favorite Features Feedback Fallback Firewall Firmware Floating Football Function
        Gallery1 Generics Geometry Graphics Graphite Hardware Headline Helpdesk Homepage Identity Importer Includes Infinity
        Instance Internal Invoices Keyboard Keyframe Language Learning Lifetime Linkedin Listener Location Magazine Markdown
        Material Megaphone2 Messages Metadata Midnight Minified Mobility Modified Multiple Mountain National Navigate Networks
        Notebook Observer Offering Operator Ordinary Original Overview Parallel Partners Password Patterns Payments Personal
        Platform Playback Playlist Polyfill Portrait Position Practice Previews Products Progress Projects Property Provider
        Purchase Quantity Question Receipts Redirect Register Relative Reminder Renderer Required Research Resource Response
        Rollback Sandbox2 Scenario Schedule Security Selector Sequence Services Settings Shipping Shoulder Sidebars Skeleton
        Software Solution Speakers Standard Starting Strategy Strength Subtitle Supplier Swimming Template Terminal Timeline
        Tomorrow Tracking Transfer Treasure Triangle Tutorial Twilight Typeface Umbrella Upstream Validate Variable Vehicles
        Velocity Versions Vertical Vignette Warranty Watchdog Website2 Whatever Windmill Workflow Workshop Yourself Zeppelin
        MyWidget GoToPage AppShell TopNavUi NavItems TabPanel ListView CardGrid PageHead UserMenu LogInBox DateTime TimeZone
        GridCell FormItem IconPack BlogPost NewsFeed ChatRoom FileTree CodeEdit HtmlView HTMLView PdfMaker CsvTable JSONTree
        URLInput APIProxy DOMUtils UIButton IOStream AuthUser TodoList LazyLoad DarkMode DragDrop ShopCart ImgCrop2 MySqlDb1
        Windows8 Chapter1 Section4 iPadPro2 Html5Box Web3Auth H264Info Map3dBox Base64Js Utf8Text useState useTheme onScroll
        appStore readJson diffJson jsonDiff toString forwards";

    #[test]
    fn what_people_write_reads_as_a_name() {
        let names: Vec<&str> = NAMES.split_whitespace().collect();
        assert!(names.len() > 200);
        let taken_for_hash = |name: &&&str| !reads_as_name(name.as_bytes()) || carries_hash(format!("index-{name}.js").as_bytes());
        assert_eq!(names.iter().filter(taken_for_hash).collect::<Vec<_>>(), Vec::<&&str>::new());
    }

    #[test]
    fn what_is_random_does_not() {
        for text in ["CUbMpAQx", "DiwrgTda", "BxYz1234", "_Gx81hQz", "Ck3vX9aZ", "BcRxN0zc", "XKQZWRTP", "qZtttvbQ"] {
            assert!(!reads_as_name(text.as_bytes()), "{text}");
        }
    }
}
