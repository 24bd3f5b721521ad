//! The items of a training, and their words as tensors.

use acumen_model::network::Stack;
use acumen_model::recommend::{ItemTower, RecommendData, RecommendError, Vocabulary};
use burn::module::Param;
use burn::tensor::{Device, Tensor};
use rayon::prelude::*;

use crate::layers::{matrix, select};
use crate::recommend::{touches, windows::Sequence};

/// Words of fewer items say which item it is, and nothing of a new one.
const ITEMS_OF_A_WORD_MIN: u32 = 2;

/// What is known of the items.
pub(super) struct Items {
    /// How many events each is in.
    pub(super) touches: Vec<u32>,
    /// The words of each with their weights.
    pub(super) words: Vec<Vec<(u32, f32)>>,
    /// The words that are known, where there are any.
    pub(super) vocabulary: Option<Vocabulary>,
}

impl Items {
    /// The items of some events.
    pub(super) fn new(
        data: &RecommendData<'_>,
        sequences: &[Sequence],
    ) -> Result<Items, RecommendError> {
        let items = data.interactions.n_items();
        let mut known = Items {
            touches: touches(sequences, items),
            words: vec![Vec::new(); items],
            vocabulary: None,
        };
        if let Some(attributes) = data.attributes {
            if attributes.n_items() != items {
                return Err(RecommendError::Items {
                    attributes: attributes.n_items(),
                    items,
                });
            }
            let vocabulary = Vocabulary::new(attributes, ITEMS_OF_A_WORD_MIN);
            if !vocabulary.is_empty() {
                known.words = ItemTower::read(&vocabulary, attributes);
                known.vocabulary = Some(vocabulary);
            }
        }
        Ok(known)
    }

    /// For each of some items the sum of the lines of its words.
    pub(super) fn words_of(
        &self,
        items: &[u32],
        lines: &Param<Tensor<2>>,
        device: &Device,
    ) -> Tensor<2> {
        let words = || items.iter().map(|item| &self.words[*item as usize]);
        let longest = words().map(Vec::len).max().unwrap_or(0).max(1);
        let (mut numbers, mut weights) = (Vec::new(), Vec::new());
        for words in words() {
            numbers.extend(words.iter().map(|(word, _)| *word as i32));
            weights.extend(words.iter().map(|(_, weight)| *weight));
            numbers.resize(weights.len() + longest - words.len(), 0);
            weights.resize(numbers.len(), 0.0);
        }
        let count = numbers.len();
        let found = select(lines.val(), numbers, device) * matrix(weights, [count, 1], device);
        let width = found.dims()[1];
        let sums = found.reshape([items.len(), longest, width]).sum_dim(1);
        sums.reshape([items.len(), width])
    }

    /// The tower as it serves.
    pub(super) fn tower(&self, words: Vec<f32>, layers: Stack) -> ItemTower {
        ItemTower {
            vocabulary: self.vocabulary.clone().expect("words have lines"),
            words,
            layers,
        }
    }

    /// The lines of all items as they serve; those that nobody touched have none of their own.
    pub(super) fn lines(&self, own: &[f32], tower: Option<&ItemTower>) -> Vec<Option<Vec<f32>>> {
        let width = own.len() / self.touches.len().max(1);
        let line = |(item, own): (usize, &[f32])| {
            let own = (self.touches[item] > 0).then_some(own);
            match tower {
                Some(tower) => tower.line(own, &self.words[item]),
                None => own.map(<[f32]>::to_vec),
            }
        };
        let all = own.par_chunks_exact(width.max(1)).enumerate();
        all.map(line).collect()
    }
}
