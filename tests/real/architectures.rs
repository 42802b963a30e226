//! Every RMSNorm architecture that is claimed, as small random models in folders of safetensors;
//! and one whose norms do not map.

use crate::world::{ask, block_on, relative, tapped};
use futures::StreamExt;
use safetensors::{Dtype, tensor::TensorView};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};
use themecast::host::{
    Call, Event, Host, HostError, Route,
    mistral::{self, Isolation, LoadError, ModelSource, Options},
};
use themecast_plugin_api::Site;

const HIDDEN: usize = 64;
const LAYERS: usize = 3;
const HEADS: usize = 4;
const KV_HEADS: usize = 2;
const HEAD: usize = HIDDEN / HEADS;
const MLP: usize = 128;
const VOCABULARY: usize = 258;

/// The tensors of a small model: name, shape, and whether it is a norm.
fn tensors(kind: &str) -> Vec<(String, Vec<usize>, bool)> {
    let mut all = vec![
        ("model.embed_tokens.weight".to_owned(), vec![VOCABULARY, HIDDEN], false),
        ("lm_head.weight".to_owned(), vec![VOCABULARY, HIDDEN], false),
        ("model.norm.weight".to_owned(), vec![HIDDEN], true),
    ];
    for layer in 0..LAYERS {
        let mut add = |name: &str, shape: &[usize], norm| {
            all.push((format!("model.layers.{layer}.{name}"), shape.to_vec(), norm));
        };
        add("input_layernorm.weight", &[HIDDEN], true);
        add("post_attention_layernorm.weight", &[HIDDEN], true);
        add("self_attn.o_proj.weight", &[HIDDEN, HIDDEN], false);
        add("mlp.down_proj.weight", &[HIDDEN, MLP], false);
        let (q, kv) = (HEADS * HEAD, KV_HEADS * HEAD);
        if kind == "phi3" {
            add("self_attn.qkv_proj.weight", &[q + 2 * kv, HIDDEN], false);
            add("mlp.gate_up_proj.weight", &[2 * MLP, HIDDEN], false);
            continue;
        }
        for (name, rows) in [("q", q), ("k", kv), ("v", kv)] {
            add(&format!("self_attn.{name}_proj.weight"), &[rows, HIDDEN], false);
            if kind == "qwen2" {
                add(&format!("self_attn.{name}_proj.bias"), &[rows], false);
            }
        }
        add("mlp.gate_proj.weight", &[MLP, HIDDEN], false);
        add("mlp.up_proj.weight", &[MLP, HIDDEN], false);
        match kind {
            "qwen3" => {
                add("self_attn.q_norm.weight", &[HEAD], true);
                add("self_attn.k_norm.weight", &[HEAD], true);
            }
            "gemma2" => {
                add("pre_feedforward_layernorm.weight", &[HIDDEN], true);
                add("post_feedforward_layernorm.weight", &[HIDDEN], true);
            }
            _ => {}
        }
    }
    all
}

/// Numbers around 0 that look random.
fn random(count: usize) -> Vec<u8> {
    let mut state = count as u64 | 1;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 40) as f32 / (1u64 << 23) as f32 - 1.0) * 0.08
    };
    (0..count).flat_map(|_| next().to_le_bytes()).collect()
}

fn config(kind: &str, class: &str) -> Value {
    json!({
        "architectures": [class], "model_type": kind, "hidden_size": HIDDEN,
        "intermediate_size": MLP, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS, "head_dim": HEAD, "vocab_size": VOCABULARY,
        "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "max_position_embeddings": 512,
        "original_max_position_embeddings": 512, "hidden_act": "silu",
        "hidden_activation": "gelu_pytorch_tanh", "tie_word_embeddings": false,
        "torch_dtype": "float32", "bos_token_id": 256, "eos_token_id": 257, "pad_token_id": 0,
        "use_sliding_window": false, "sliding_window": 512, "max_window_layers": LAYERS,
        "attention_bias": false, "use_cache": true, "rope_scaling": null,
        "partial_rotary_factor": 1.0, "query_pre_attn_scalar": HEAD,
        "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0,
    })
}

/// A byte-level tokenizer: one token a byte, and two special ones.
fn tokenizer() -> Value {
    let printable = |b: u32| matches!(b, 33..=126 | 161..=172 | 174..=255);
    let (plain, other): (Vec<u32>, Vec<u32>) = (0..256).partition(|b| printable(*b));
    let shifted = 256..256 + other.len() as u32;
    let letters = plain.into_iter().chain(shifted).map(|c| char::from_u32(c).unwrap());
    let vocabulary: serde_json::Map<String, Value> =
        letters.enumerate().map(|(id, letter)| (letter.to_string(), id.into())).collect();
    let special = |id: u32, content: &str| {
        json!({"id": id, "content": content, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true})
    };
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
        "use_regex": true});
    json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null,
        "added_tokens": [special(256, "<s>"), special(257, "</s>")],
        "pre_tokenizer": bytes, "post_processor": null, "decoder": bytes,
        "model": {"type": "BPE", "dropout": null, "unk_token": null,
            "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false,
            "byte_fallback": false, "ignore_merges": false, "vocab": vocabulary, "merges": []},
    })
}

fn write(folder: &Path, kind: &str, class: &str) {
    let file = |name: &str, value: Value| fs::write(folder.join(name), value.to_string()).unwrap();
    file("config.json", config(kind, class));
    file("tokenizer.json", tokenizer());
    let template = "{% for m in messages %}{{ m['content'] }} {% endfor %}";
    let special = json!({"bos_token": "<s>", "eos_token": "</s>", "chat_template": template});
    file("tokenizer_config.json", special);
    let data: Vec<(String, Vec<usize>, Vec<u8>)> = tensors(kind)
        .into_iter()
        .map(|(name, shape, norm)| {
            let count = shape.iter().product();
            let ones = || (0..count).flat_map(|_| 1f32.to_le_bytes()).collect();
            (name, shape, if norm { ones() } else { random(count) })
        })
        .collect();
    let mut views = Vec::new();
    for (name, shape, bytes) in &data {
        views.push((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    }
    let metadata = Some([("format".to_owned(), "pt".to_owned())].into());
    let path = folder.join("model.safetensors");
    safetensors::serialize_to_file(views, metadata, &path).unwrap();
}

async fn load(kind: &str, class: &str) -> Result<std::sync::Arc<mistral::MistralHost>, LoadError> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), kind, class);
    let options = Options { self_check: false, prefix_cache: Some(0), ..Options::default() };
    mistral::load(&ModelSource::Folder(folder.path().to_owned()), &options).await
}

/// A base model has none, and is asked for completions.
#[test]
fn a_model_without_a_chat_template_passes_the_isolation_check() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "llama", "LlamaForCausalLM");
    let special = json!({"bos_token": "<s>", "eos_token": "</s>"}).to_string();
    fs::write(folder.path().join("tokenizer_config.json"), special).unwrap();
    let source = ModelSource::Folder(folder.path().to_owned());
    let options = Options { prefix_cache: Some(0), ..Options::default() };
    let host = block_on(mistral::load(&source, &options)).unwrap();
    assert_eq!(host.isolation(), Some(Isolation::Passed));
    block_on(async {
        let call = Call::new(Route::Chat, ask("hello", 4));
        let refused = host.generate(call).await.unwrap().next().await;
        assert!(matches!(refused, Some(Event::Failed(HostError::Invalid(_)))), "{refused:?}");
    });
}

#[test]
fn sites_of_every_claimed_architecture_resolve() {
    for (kind, class) in [
        ("llama", "LlamaForCausalLM"),
        ("mistral", "MistralForCausalLM"),
        ("qwen2", "Qwen2ForCausalLM"),
        ("qwen3", "Qwen3ForCausalLM"),
        ("phi3", "Phi3ForCausalLM"),
    ] {
        block_on(async {
            let host = load(kind, class).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
            let sites = host.model().sites();
            assert_eq!((sites.len(), host.model().vocabulary_size), (2 * LAYERS + 1, VOCABULARY));
            let (_, steps) = tapped(&*host, ask("hello", 6), &sites).await;
            assert!(!steps.is_empty(), "{kind}");
            for step in &steps {
                assert_eq!(step.residuals.len(), sites.len() * HIDDEN, "{kind}");
                assert!(step.residuals.iter().all(|x| x.is_finite()), "{kind}");
            }
            // The residual changes from site to site: each one is a place of its own.
            let places: Vec<&[f32]> = steps[0].residuals.chunks(HIDDEN).collect();
            assert!(places.windows(2).all(|pair| pair[0] != pair[1]), "{kind}");
        });
    }
}

/// A hub name is loaded as mistral.rs loads it; here from the hub's cache, as after a download.
#[test]
fn a_hub_name_loads_from_the_hubs_cache() {
    let folder = tempfile::tempdir().unwrap();
    let hub = folder.path().join("hub");
    let repository = hub.join("models--themecast--tiny");
    let snapshot = repository.join("snapshots/0000");
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir_all(repository.join("refs")).unwrap();
    fs::write(repository.join("refs/main"), "0000").unwrap();
    write(&snapshot, "llama", "LlamaForCausalLM");
    let files: Vec<String> = fs::read_dir(&snapshot)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let listing = json!({"files": files}).to_string();
    fs::write(hub.join("themecast-tiny_repo_list.json"), listing).unwrap();
    let (prompts, out) = (folder.path().join("prompts.jsonl"), folder.path().join("out"));
    fs::write(&prompts, "{\"id\":\"p\",\"prompt\":\"hello\"}\n").unwrap();
    let mut collect = Command::new(env!("CARGO_BIN_EXE_themecast"));
    collect.args(["collect", "--model", "themecast/tiny", "--samples", "1", "--max-tokens", "6"]);
    collect.arg("--prompts").arg(&prompts).arg("--out").arg(&out);
    let output = collect.env("HF_HOME", folder.path()).env_remove("HF_HUB_CACHE").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let documents = themecast_lab::dataset::read_documents(&out).unwrap();
    assert_eq!(documents.len(), 1, "{stderr}");
}

#[test]
fn sandwich_norms_are_refused_with_the_reason() {
    let Err(error) = block_on(load("gemma2", "Gemma2ForCausalLM")) else {
        panic!("a model of sandwich norms was taken")
    };
    let error = error.to_string();
    assert!(error.contains("13 RMSNorms") && error.contains("Gemma 2 and 3"), "{error}");
}

/// The site names follow the forward pass: the first one is the token's embedding itself.
#[test]
fn the_first_site_is_the_embedding_of_the_last_token() {
    block_on(async {
        let host = load("llama", "LlamaForCausalLM").await.unwrap();
        let (_, steps) = tapped(&*host, ask("hello", 6), &[Site::LayerIn(0)]).await;
        let table = random(VOCABULARY * HIDDEN);
        for step in &steps {
            let row = &table[step.token as usize * HIDDEN * 4..][..HIDDEN * 4];
            let (values, _) = row.as_chunks::<4>();
            let embedding: Vec<f32> = values.iter().map(|b| f32::from_le_bytes(*b)).collect();
            // mistral.rs keeps the weights in half precision.
            assert!(relative(&embedding, &step.residuals) < 1e-2, "token {}", step.token);
        }
    });
}
