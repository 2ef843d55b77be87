//! What somebody wants, from all they said of one thing: pure, and the one place where it is decided.
//!
//! Two clocks: a moment is asked of what was *recorded* so far; records have the time at which they were *said*. Consent stands at
//! a moment if the last thing said by then was that it is given, its time is not over, and nobody found since that it never was
//! valid (DPV scope note of `dpv:ConsentInvalidated`; GDPR Art. 7(3): nothing else reaches back).

use super::Said;

/// One thing said, as far as it decides. Times are microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// What.
    pub said: Said,
    /// When it was said.
    pub at: i64,
    /// Until when it holds.
    pub until: Option<i64>,
    /// For `invalidated`: from when on; none from the beginning.
    pub invalid_from: Option<i64>,
    /// Whether consent was explicit (GDPR Art. 9(2)(a)).
    pub explicit: bool,
    /// Whether whoever holds parental responsibility said it (GDPR Art. 8(1)).
    pub parental: bool,
}

impl Word {
    /// Whether consent given at `given` is found by this never to have been valid at `moment`.
    fn invalidates(&self, given: i64, moment: i64) -> bool {
        self.said == Said::Invalidated && given <= self.at && self.invalid_from.is_none_or(|from| from <= moment)
    }
}

/// What stands at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Something was said by then.
    pub spoken: bool,
    /// Consent holds, an objection is open, a restriction is in place.
    pub stands: bool,
    /// Consent holds, and is explicit; of an objection, that the person did not withdraw it, whatever grounds were held against it.
    pub explicit: bool,
    /// Consent holds, and was given by whoever holds parental responsibility.
    pub parental: bool,
}

/// Folds words in the order they were recorded.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    last: Option<Word>,
    /// Few have any.
    invalidations: Vec<Word>,
}

impl Fold {
    /// Take the next word that was recorded; `moment` is the one asked for. Of two said at one instant, the later recorded counts.
    pub fn take(&mut self, word: Word, moment: i64) {
        if word.said == Said::Invalidated {
            self.invalidations.push(word);
        }
        if word.at <= moment && self.last.is_none_or(|last| last.at <= word.at) {
            self.last = Some(word);
        }
    }

    /// What stands at the moment.
    pub fn standing(&self, moment: i64) -> Standing {
        let Some(last) = self.last else { return Standing::default() };
        let stands = last.said.stands()
            && last.until.is_none_or(|until| moment < until)
            && !self.invalidations.iter().any(|found| found.invalidates(last.at, moment));
        let explicit = match last.said {
            Said::Objected | Said::ObjectionOverridden => true,
            _ => stands && last.explicit,
        };
        Standing { spoken: true, stands, explicit, parental: stands && last.parental }
    }
}

/// What stands at a moment, of words in the order they were recorded.
pub fn standing(words: &[Word], moment: i64) -> Standing {
    let mut fold = Fold::default();
    words.iter().for_each(|word| fold.take(*word, moment));
    fold.standing(moment)
}

/// Since when what does not stand at a moment has not stood, if it ever did before.
pub fn ended(words: &[Word], moment: i64) -> Option<i64> {
    let mut instants: Vec<i64> = words.iter().flat_map(|w| [Some(w.at), w.until, w.invalid_from]).flatten().collect();
    instants.sort_unstable();
    let before = instants.into_iter().rev().filter(|at| *at <= moment);
    before.into_iter().find(|at| standing(words, at - 1).stands).filter(|_| !standing(words, moment).stands)
}

/// Since when what stands at a moment has stood.
pub fn begun(words: &[Word], moment: i64) -> Option<i64> {
    let mut instants: Vec<i64> = words.iter().flat_map(|w| [Some(w.at), w.until, w.invalid_from]).flatten().collect();
    instants.sort_unstable();
    let before = instants.into_iter().rev().filter(|at| *at <= moment);
    before.into_iter().find(|at| !standing(words, at - 1).stands).filter(|_| standing(words, moment).stands)
}

/// What of several things that somebody spoke of says that they are against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// Consent to a purpose and the broader ones that cover it, nearest first: the nearest they spoke of does not stand.
    Unwilling,
    /// Objections, restrictions: any one stands.
    Any,
    /// Objections, whatever grounds were held against them: the person withdrew one of them not (GDPR Art. 21(3)).
    Whatever,
}

impl Against {
    fn holds(self, things: &[Fold], moment: i64) -> bool {
        let mut standings = things.iter().map(|fold| fold.standing(moment));
        match self {
            Self::Unwilling => standings.find(|one| one.spoken).is_some_and(|nearest| !nearest.stands),
            Self::Any => standings.any(|one| one.stands),
            Self::Whatever => standings.any(|one| one.explicit),
        }
    }

    /// Since when it has been known that somebody is against it, who is at a moment: the latest instant from which on whoever looked,
    /// knowing what was recorded by then, found them against it. `words` are in the order they were recorded, each with the time of
    /// that and the thing it is of.
    pub fn known_since(self, words: &[(i64, usize, Word)], moment: i64) -> Option<i64> {
        let things = words.iter().map(|(_, thing, _)| thing + 1).max()?;
        let held = |at: i64| {
            let mut folds = vec![Fold::default(); things];
            // At the moment itself all is known that is known now, be it of a past moment.
            let known = words.iter().filter(|(recorded, ..)| *recorded <= at || at >= moment);
            known.for_each(|(_, thing, word)| folds[*thing].take(*word, at));
            self.holds(&folds, at)
        };
        if !held(moment) {
            return None;
        }
        let instants = words.iter().flat_map(|(recorded, _, w)| [Some(*recorded), Some(w.at), w.until, w.invalid_from]);
        let mut instants: Vec<i64> = instants.flatten().map(|at| at.min(moment)).collect();
        instants.sort_unstable();
        instants.into_iter().rev().find(|at| !held(at - 1))
    }
}

/// Why something cannot be said next, after words recorded before: consent that stands is renewed or ended, not asked for again;
/// what does not stand is given anew, not renewed. What ends something may always be said.
///
/// # Errors
/// The sentence for whoever records it.
pub fn may_follow(words: &[Word], next: &Word) -> Result<(), &'static str> {
    let stands = || standing(words, next.at).stands;
    match next.said {
        Said::Renewed if !stands() => Err("nothing stands that could be renewed: record `given`"),
        Said::Requested | Said::Deferred if stands() => {
            Err("consent stands, and asking again would end it: record `renewed`, or what the person answers")
        }
        Said::ObjectionWithdrawn | Said::ObjectionOverridden if !stands() => Err("no objection stands at that time"),
        Said::RestrictionLifted if !stands() => Err("no restriction stands at that time"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn word(said: Said, at: i64) -> Word {
        Word { said, at, until: None, invalid_from: None, explicit: false, parental: false }
    }

    #[test]
    fn the_last_word_counts_and_no_other_reaches_back() {
        let mut words = vec![word(Said::Given, 10)];
        assert_eq!(standing(&words, 9), Standing::default());
        assert!(standing(&words, 10).stands);
        words.push(word(Said::Withdrawn, 20));
        assert!(standing(&words, 19).stands && !standing(&words, 20).stands && standing(&words, 20).spoken);
        words.push(word(Said::Given, 30));
        assert!(standing(&words, 30).stands && !standing(&words, 29).stands);
        // Recorded late, said early: it changes the past it belongs to and nothing after.
        words.push(word(Said::Refused, 15));
        assert!(!standing(&words, 16).stands && standing(&words, 14).stands && standing(&words, 31).stands);
    }

    #[test]
    fn what_a_child_says_after_its_parents_is_the_childs() {
        let given = Word { parental: true, ..word(Said::Given, 10) };
        let words = [given, word(Said::Renewed, 20), word(Said::Withdrawn, 30)];
        assert!(standing(&words, 15).parental && !standing(&words, 20).parental && standing(&words, 20).stands);
        assert!(!standing(&words, 30).stands, "whoever of them withdraws");
        let ended = Word { until: Some(12), ..given };
        assert!(!standing(&[ended], 12).parental);
    }

    #[test]
    fn it_ends_at_the_instant_it_says() {
        let words = [Word { until: Some(20), ..word(Said::Given, 10) }];
        assert!(standing(&words, 19).stands && !standing(&words, 20).stands);
    }

    #[test]
    fn only_what_is_invalidated_reaches_back_and_only_to_what_was_given_before() {
        let found = Word { invalid_from: Some(15), ..word(Said::Invalidated, 40) };
        let words = [word(Said::Given, 10), found, word(Said::Given, 50)];
        assert!(standing(&words, 14).stands, "before that it was valid");
        assert!(!standing(&words, 15).stands && !standing(&words, 45).stands);
        assert!(standing(&words, 50).stands, "given anew");
        let ever = [word(Said::Given, 10), word(Said::Invalidated, 40)];
        assert!(!standing(&ever, 10).stands);
    }

    #[test]
    fn it_is_known_since_when_it_has_ended() {
        let lasting = Word { until: Some(20), ..word(Said::Given, 10) };
        assert_eq!((ended(&[lasting], 25), ended(&[lasting], 15), ended(&[], 15)), (Some(20), None, None));
        let words = [word(Said::Given, 10), word(Said::Withdrawn, 12), word(Said::Given, 14), word(Said::Refused, 16)];
        assert_eq!((ended(&words, 30), ended(&words, 13)), (Some(16), Some(12)));
        assert_eq!(ended(&[word(Said::Refused, 5)], 9), None, "it never stood");
    }

    /// Words, each recorded when it was said.
    fn at_once(words: &[(usize, Word)]) -> Vec<(i64, usize, Word)> {
        words.iter().map(|(thing, word)| (word.at, *thing, *word)).collect()
    }

    #[test]
    fn it_is_known_since_when_somebody_is_against_it() {
        use Against::{Any, Unwilling, Whatever};
        let own = |words: &[Word]| at_once(&words.iter().map(|word| (0, *word)).collect::<Vec<_>>());
        let withdrew = own(&[word(Said::Given, 10), word(Said::Withdrawn, 12), word(Said::Refused, 14)]);
        assert_eq!((Unwilling.known_since(&withdrew, 30), Unwilling.known_since(&withdrew, 11)), (Some(12), None));
        let back = own(&[word(Said::Refused, 5), word(Said::Given, 7), word(Said::Withdrawn, 9)]);
        let at = |moment| Unwilling.known_since(&back, moment);
        assert_eq!((at(4), at(6), at(8), at(9)), (None, Some(5), None, Some(9)));
        assert_eq!(Unwilling.known_since(&own(&[word(Said::Refused, 5), word(Said::Refused, 7)]), 9), Some(5));
        // Said early, recorded late: asked about a moment before that, it is known at that moment.
        let late = [(30, 0, word(Said::Refused, 2))];
        let at = |moment| Unwilling.known_since(&late, moment);
        assert_eq!((at(1), at(10), at(30), at(40)), (None, Some(10), Some(30), Some(30)));
        // Consent that ends by itself, and was refused before that, told later: it was known when that was told.
        let ends = (10, 0, Word { until: Some(20), ..word(Said::Given, 10) });
        assert_eq!((Unwilling.known_since(&[ends], 25), Unwilling.known_since(&[ends], 19)), (Some(20), None));
        let refused = [ends, (19, 0, word(Said::Refused, 12))];
        assert_eq!((Unwilling.known_since(&refused, 19), Unwilling.known_since(&refused, 25)), (Some(19), Some(19)));
        let objects = [word(Said::Objected, 3), word(Said::ObjectionWithdrawn, 4), word(Said::Objected, 6)];
        assert_eq!((Any.known_since(&own(&objects), 9), Any.known_since(&own(&objects), 5)), (Some(6), None));
        let overridden = own(&[word(Said::Objected, 3), word(Said::ObjectionOverridden, 4), word(Said::Objected, 8)]);
        assert_eq!((Any.known_since(&overridden, 7), Any.known_since(&overridden, 9)), (None, Some(8)));
        assert_eq!((Whatever.known_since(&overridden, 7), Whatever.known_since(&overridden, 9)), (Some(3), Some(3)));
    }

    #[test]
    fn whoever_says_no_again_of_something_nearer_was_against_it_before() {
        let (refused, given) = (word(Said::Refused, 2), word(Said::Given, 4));
        let again = at_once(&[(1, refused), (0, word(Said::Refused, 9))]);
        assert_eq!(Against::Unwilling.known_since(&again, 10), Some(2));
        // The nearer word counts, whichever was recorded first.
        assert_eq!(Against::Unwilling.known_since(&at_once(&[(1, refused), (0, given)]), 10), None);
        assert_eq!(Against::Unwilling.known_since(&at_once(&[(0, given), (1, refused)]), 10), None);
        let (everything, own) = (word(Said::Objected, 2), word(Said::Objected, 5));
        let both = at_once(&[(1, everything), (0, own), (1, word(Said::ObjectionWithdrawn, 7))]);
        assert_eq!(Against::Any.known_since(&both, 8), Some(2));
    }

    proptest! {
        #[test]
        fn it_is_what_looking_at_every_instant_gives(
            words in prop::collection::vec((0usize..2, 0usize..9, 0i64..20, prop::option::of(1i64..15), 0i64..10), 0..8),
            moment in -1i64..40,
        ) {
            let mut words: Vec<(i64, usize, Word)> = words.into_iter().map(|(thing, said, at, lasts, late)| {
                let said = Said::ALL[said];
                let until = lasts.filter(|_| said.stands()).map(|l| at + l);
                (at + late, thing, Word { until, ..word(said, at) })
            }).collect();
            words.sort_by_key(|(recorded, ..)| *recorded);
            let against = |at: i64| {
                let of = |thing: usize| -> Vec<Word> {
                    let known = words.iter().filter(|(recorded, own, _)| *own == thing && (*recorded <= at || at >= moment));
                    known.map(|(_, _, word)| *word).collect()
                };
                let standings = [0, 1].map(|thing| standing(&of(thing), at));
                standings.iter().find(|one| one.spoken).is_some_and(|nearest| !nearest.stands)
            };
            let naive = against(moment).then(|| (-2..=moment).rev().find(|at| !against(at - 1)).unwrap());
            prop_assert_eq!(Against::Unwilling.known_since(&words, moment), naive);
        }
    }

    #[test]
    fn what_cannot_follow_is_said() {
        let given = [word(Said::Given, 10)];
        may_follow(&[], &word(Said::Renewed, 5)).unwrap_err();
        may_follow(&given, &word(Said::Renewed, 11)).unwrap();
        may_follow(&given, &word(Said::Requested, 11)).unwrap_err();
        may_follow(&given, &word(Said::Requested, 9)).unwrap();
        may_follow(&[], &word(Said::Withdrawn, 5)).unwrap();
        may_follow(&[], &word(Said::ObjectionWithdrawn, 5)).unwrap_err();
        may_follow(&[], &word(Said::RestrictionLifted, 5)).unwrap_err();
    }

    #[test]
    fn numbers_stay_what_they_are() {
        for (place, said) in Said::ALL.into_iter().enumerate() {
            assert_eq!(
                (usize::from(said.number()), Said::numbered(i16::try_from(place).unwrap())),
                (place, Some(said))
            );
        }
        assert_eq!((Said::numbered(14), Said::numbered(-1)), (None, None));
    }

    /// The same by looking at all words at once.
    fn naive(words: &[Word], moment: i64) -> bool {
        let mut by_time: Vec<(i64, usize)> = words.iter().enumerate().map(|(place, w)| (w.at, place)).collect();
        by_time.sort_unstable();
        let Some((_, place)) = by_time.into_iter().rfind(|(at, _)| *at <= moment) else { return false };
        let last = words[place];
        let over = last.until.is_some_and(|until| until <= moment);
        let never = words
            .iter()
            .any(|w| w.said == Said::Invalidated && w.at >= last.at && w.invalid_from.unwrap_or(i64::MIN) <= moment);
        matches!(last.said, Said::Given | Said::Renewed) && !over && !never
    }

    proptest! {
        #[test]
        fn it_is_what_looking_at_all_of_it_gives(
            words in prop::collection::vec((0usize..9, 0i64..30, prop::option::of(1i64..20), prop::option::of(0i64..30)), 0..12),
            moment in -1i64..35,
        ) {
            let words: Vec<Word> = words.into_iter().map(|(said, at, lasts, from)| {
                let said = Said::ALL[said];
                Word {
                    said, at, explicit: false, parental: false,
                    until: lasts.filter(|_| said.stands()).map(|l| at + l),
                    invalid_from: from.filter(|_| said == Said::Invalidated),
                }
            }).collect();
            prop_assert_eq!(standing(&words, moment).stands, naive(&words, moment));
        }
    }
}
