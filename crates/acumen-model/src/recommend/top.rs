//! The largest of many scores, found in one pass.

/// The items of the largest scores so far; of equal ones, the smaller numbers.
#[derive(Debug)]
pub(super) struct Top {
    most: usize,
    /// Up to twice as many as are wanted: they are cut down together.
    kept: Vec<(u32, f32)>,
    /// What a score must be above to be among them.
    above: f32,
}

impl Top {
    pub(super) fn new(most: usize) -> Top {
        Top {
            most,
            kept: Vec::with_capacity(2 * most),
            above: if most == 0 {
                f32::INFINITY
            } else {
                f32::NEG_INFINITY
            },
        }
    }

    /// What a score must be above to be looked at.
    #[inline(always)]
    pub(super) fn above(&self) -> f32 {
        self.above
    }

    /// Takes in the score of an item; items are to come in rising order.
    #[inline]
    pub(super) fn offer(&mut self, item: u32, score: f32) {
        if score > self.above {
            self.kept.push((item, score));
            if self.kept.len() == 2 * self.most {
                self.cut();
            }
        }
    }

    fn cut(&mut self) {
        if self.kept.len() > self.most {
            let by = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
            let (_, last, _) = self.kept.select_nth_unstable_by(self.most - 1, by);
            self.above = last.1;
            self.kept.truncate(self.most);
        }
    }

    /// The items, in no order.
    pub(super) fn items(mut self) -> Vec<u32> {
        if self.most > 0 {
            self.cut();
        }
        self.kept.into_iter().map(|(item, _)| item).collect()
    }
}
