//! What a file's name says: its type and how long it may be kept.

use super::hashed::carries_hash;

/// Extension (lower case), content type. Sorted, so that a look is a binary search.
#[rustfmt::skip]
const TYPES: &[(&str, &str)] = &[
    ("7z", "application/x-7z-compressed"), ("aac", "audio/aac"), ("apng", "image/apng"), ("atom", "application/atom+xml"),
    ("avi", "video/x-msvideo"), ("avif", "image/avif"), ("bin", "application/octet-stream"), ("bmp", "image/bmp"),
    ("br", "application/octet-stream"), ("bz2", "application/x-bzip2"), ("cjs", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"), ("csv", "text/csv; charset=utf-8"), ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"), ("eot", "application/vnd.ms-fontobject"),
    ("epub", "application/epub+zip"), ("flac", "audio/flac"), ("geojson", "application/geo+json"), ("gif", "image/gif"),
    ("glb", "model/gltf-binary"), ("gltf", "model/gltf+json"), ("gz", "application/gzip"), ("heic", "image/heic"),
    ("htm", "text/html; charset=utf-8"), ("html", "text/html; charset=utf-8"), ("ico", "image/x-icon"),
    ("ics", "text/calendar; charset=utf-8"), ("jar", "application/java-archive"), ("jpeg", "image/jpeg"), ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"), ("json", "application/json"), ("jsonld", "application/ld+json"),
    ("jxl", "image/jxl"), ("m3u8", "application/vnd.apple.mpegurl"), ("m4a", "audio/mp4"), ("m4s", "video/iso.segment"),
    ("m4v", "video/mp4"), ("map", "application/json"), ("md", "text/markdown; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"), ("mov", "video/quicktime"), ("mp3", "audio/mpeg"), ("mp4", "video/mp4"),
    ("mpd", "application/dash+xml"), ("mpeg", "video/mpeg"), ("mpg", "video/mpeg"), ("oga", "audio/ogg"), ("ogg", "audio/ogg"),
    ("ogv", "video/ogg"), ("opus", "audio/ogg"), ("otf", "font/otf"), ("pdf", "application/pdf"), ("png", "image/png"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"), ("rss", "application/rss+xml"),
    ("rtf", "application/rtf"), ("svg", "image/svg+xml"), ("svgz", "image/svg+xml"), ("tar", "application/x-tar"),
    ("tgz", "application/gzip"), ("tif", "image/tiff"), ("tiff", "image/tiff"), ("toml", "application/toml"), ("ts", "video/mp2t"),
    ("ttf", "font/ttf"), ("txt", "text/plain; charset=utf-8"), ("vcf", "text/vcard; charset=utf-8"),
    ("vtt", "text/vtt; charset=utf-8"), ("wasm", "application/wasm"), ("wav", "audio/wav"), ("weba", "audio/webm"),
    ("webm", "video/webm"), ("webmanifest", "application/manifest+json"), ("webp", "image/webp"), ("woff", "font/woff"),
    ("woff2", "font/woff2"), ("xhtml", "application/xhtml+xml"), ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), ("xml", "application/xml"),
    ("xz", "application/x-xz"), ("yaml", "application/yaml"), ("yml", "application/yaml"), ("zip", "application/zip"),
    ("zst", "application/zstd"),
];

/// The longest extension of the table.
const LONGEST: usize = 11;

/// The content type of the file `name`; `application/octet-stream` for what the table lacks.
pub(super) fn content_type(name: &[u8]) -> &'static str {
    if name == b"apple-app-site-association" {
        return "application/json";
    }
    let extension = extension(name).unwrap_or_default();
    let mut lower = [0u8; LONGEST];
    let Some(lower) = lower.get_mut(..extension.len()) else { return "application/octet-stream" };
    lower.copy_from_slice(extension);
    lower.make_ascii_lowercase();
    match TYPES.binary_search_by(|(known, _)| known.as_bytes().cmp(lower)) {
        Ok(index) => TYPES[index].1,
        Err(_) => "application/octet-stream",
    }
}

/// Whether a browser shows the type as a document of its own, so that a policy matters.
pub(super) fn is_document(content_type: &str) -> bool {
    content_type.starts_with("text/html") || content_type.ends_with("+xml") || content_type.ends_with("/xml")
}

/// `Cache-Control` of the file `name`: immutable with a hash in its name, 5 minutes for HTML, otherwise asked about each time.
pub(super) fn cache_control(name: &[u8]) -> &'static [u8] {
    if content_type(name).starts_with("text/html") {
        b"public, max-age=300"
    } else if carries_hash(name) {
        b"public, max-age=31536000, immutable"
    } else {
        b"public, max-age=0, must-revalidate"
    }
}

/// What follows the last dot of `name`; `None` without a dot or when nothing follows.
pub(super) fn extension(name: &[u8]) -> Option<&[u8]> {
    let dot = memchr::memrchr(b'.', name)?;
    (dot + 1 < name.len()).then(|| &name[dot + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_lower() {
        assert!(TYPES.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(TYPES.iter().map(|(known, _)| known.len()).max(), Some(LONGEST));
        assert!(TYPES.iter().all(|(known, _)| known.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())));
    }

    #[test]
    fn the_extension_tells_the_type() {
        for (name, kind) in [
            ("index.html", "text/html; charset=utf-8"),
            ("PHOTO.JPG", "image/jpeg"),
            ("app.8f3a2b1c.js.map", "application/json"),
            ("site.webmanifest", "application/manifest+json"),
            ("LICENSE", "application/octet-stream"),
            ("a.unheardofextension", "application/octet-stream"),
            ("a.", "application/octet-stream"),
            ("apple-app-site-association", "application/json"),
        ] {
            assert_eq!(content_type(name.as_bytes()), kind, "{name}");
        }
    }

    #[test]
    fn html_is_never_immutable() {
        assert_eq!(cache_control(b"page-3f9ab12c44aa.html"), b"public, max-age=300");
        assert_eq!(cache_control(b"app.8f3a2b1c.js"), b"public, max-age=31536000, immutable");
        assert_eq!(cache_control(b"logo.svg"), b"public, max-age=0, must-revalidate");
    }
}
