//! Themes and topics of a made-up collection.

use crate::{
    label::{self, Cluster, ClusterConfig, Labels, Levels},
    synthetic::{self, ByWord, SMALL, WordEmbedder},
};

#[test]
fn clusters_find_the_made_up_themes_and_name_them() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    assert!(Labels::load(dir.path()).unwrap_err().to_string().contains("themecast label --data"));
    let config = ClusterConfig { themes: Some(4), seed: 1, starts: 10 };
    let cluster = Cluster::new(config, &WordEmbedder);
    let card = label::run(dir.path(), &cluster, &|_| {}).unwrap();
    assert_eq!((card.documents, card.looping_left_out), (60, 1));
    assert!(card.train_segments > 200 && card.test_segments > 90);
    let labels = Labels::load(dir.path()).unwrap();
    assert_eq!(labels.card, card);
    assert_eq!(labels.segments.len(), 59 * 8);
    let shares: Vec<f32> = labels.themes.iter().map(|theme| theme.share).collect();
    assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-5 && shares.is_sorted_by(|a, b| a >= b));
    for label in &labels.segments {
        let words =
            synthetic::WORDS.iter().find(|words| words.iter().any(|w| label.text.contains(w)));
        let name = &labels.themes[label.theme as usize].name;
        assert!(words.unwrap().iter().all(|word| name.contains(word)), "{name}: {}", label.text);
    }
    assert!(card.agreement.unwrap().adjusted_rand_index > 0.9);
}

#[test]
fn without_a_number_the_clustering_chooses_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    let config = ClusterConfig { starts: 2, ..ClusterConfig::default() };
    let cluster = Cluster::new(config, &WordEmbedder);
    let card = label::run(dir.path(), &cluster, &|_| {}).unwrap();
    let table = card.parameters["resolutions"].as_array().unwrap();
    let tried: Vec<u64> = table.iter().map(|one| one["themes"].as_u64().unwrap()).collect();
    assert_eq!(tried, [8, 12, 16, 24, 32, 48]);
    let best = table.iter().map(|one| one["stability"].as_f64().unwrap()).fold(0.0, f64::max);
    let chosen = card.parameters["themes"].as_u64().unwrap();
    let own = table.iter().find(|one| one["themes"] == chosen).unwrap();
    assert!(own["stability"].as_f64().unwrap() >= best - 0.01, "{table:?}");
    assert_eq!(Labels::load(dir.path()).unwrap().themes.len() as u64, chosen);
}

#[test]
fn topics_are_kept_beside_themes_and_go_when_there_are_none() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    let four = ClusterConfig { themes: Some(4), seed: 1, starts: 10 };
    let clusters = Cluster::new(four, &WordEmbedder);
    let levels = Levels { themes: &ByWord, topics: Some(&clusters) };
    let card = label::run(dir.path(), levels, &|_| {}).unwrap();
    let labels = Labels::load(dir.path()).unwrap();
    assert_eq!(labels.card.method, "by-word");
    assert_eq!(labels.topics.as_ref().unwrap().len(), 4);
    for label in &labels.segments {
        let topic = labels.topic(label).unwrap();
        let theme = &labels.themes[label.theme as usize];
        assert!(topic.name.contains(&theme.id), "{}: {}", topic.name, theme.id);
    }
    let beside = card.topics.unwrap();
    assert_eq!((beside.method.as_str(), beside.topics.number), ("cluster", 4));
    assert!((beside.adjusted_mutual_information - 1.0).abs() < 1e-9, "the same words");
    assert_eq!(beside.topics.persistence, beside.themes.persistence);
    let same = labels.segments.windows(2).filter(|two| two[0].document == two[1].document);
    let kept = same.clone().filter(|two| two[0].topic == two[1].topic).count() as f64;
    let expected = kept / same.count() as f64;
    assert!((beside.topics.persistence.unwrap() - expected).abs() < 1e-12);
    label::run(dir.path(), &ByWord, &|_| {}).unwrap();
    assert!(!dir.path().join("labels").join("topics.json").exists());
    let labels = Labels::load(dir.path()).unwrap();
    assert_eq!((&labels.topics, &labels.card.topics), (&None, &None));
    assert!(labels.segments.iter().all(|one| one.topic.is_none() && labels.topic(one).is_none()));
}

#[test]
fn too_few_segments_for_topics_are_told_and_topics_that_do_not_fit_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    let with = |number: usize| {
        let config = ClusterConfig { themes: Some(number), seed: 1, starts: 2 };
        let clusters = Cluster::new(config, &WordEmbedder);
        let told = std::cell::RefCell::new(String::new());
        let levels = Levels { themes: &ByWord, topics: Some(&clusters) };
        let card = label::run(dir.path(), levels, &|line| told.borrow_mut().push_str(line));
        (card.unwrap(), told.into_inner())
    };
    let (card, told) = with(5000);
    assert!(card.topics.is_none() && told.contains("topics: none, for "), "{told}");
    assert!(with(4).0.topics.is_some());
    let path = dir.path().join("labels").join("topics.json");
    let three = std::fs::read_to_string(&path).unwrap();
    let mut three: Vec<serde_json::Value> = serde_json::from_str(&three).unwrap();
    three.pop();
    std::fs::write(&path, serde_json::to_string(&three).unwrap()).unwrap();
    let error = Labels::load(dir.path()).unwrap_err().to_string();
    assert!(error.contains("topic 3 of a catalogue of 3"), "{error}");
}
