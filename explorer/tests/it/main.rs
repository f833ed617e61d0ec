//! The scopes hold, each guard is needed, and the search says so the same way every time.

use explorer::guards::GUARDS;
use explorer::scope::NAMES;
use explorer::{Guard, Guards, Scope, Search, Size, experiments};

fn scope(name: &str) -> Scope {
    Scope::named(name, Size::Ci).unwrap_or_else(|| panic!("there is no scope {name}"))
}

#[test]
fn with_all_guards_every_promise_holds_in_every_scope() {
    for name in NAMES {
        let found = Search::of(scope(name), Guards::ALL).run();
        let said = found.violation.as_ref().map(|violation| violation.path.join("\n"));
        assert!(found.is_exhausted, "{name} does not hold:\n{said:?}");
        assert_eq!(found.cut, 0, "{name} is larger than the model has room for");
        assert!(found.states > 1_000, "{name} has only {} states", found.states);
    }
}

#[test]
fn without_a_guard_the_promise_that_it_keeps_breaks() {
    for words in GUARDS {
        let outcome = experiments::run(words.guard);
        assert!(outcome.holds, "{} shows something else; breaks alone in {:?}", words.name, outcome.breaks_alone);
    }
}

#[test]
fn a_counterexample_is_told_step_by_step() {
    let found = Search::of(scope("late"), Guards::ALL.without(Guard::UndoPending)).run();
    let violation = found.violation.expect("a late debit draws");
    assert_eq!(violation.path[0], "request 1: asks for its debit");
    assert!(violation.path.last().is_some_and(|step| step.contains("its late debit is drawn")), "{:?}", violation.path);
}

#[test]
fn one_thread_finds_what_several_find() {
    let run = |threads| Search { threads, ..Search::of(scope("handover"), Guards::ALL) }.run();
    let (one, three) = (run(1), run(3));
    assert_eq!((one.states, one.transitions, one.depth), (three.states, three.transitions, three.depth));
    let broken = |threads| {
        let guards = Guards::ALL.without(Guard::NewPrefix);
        let found = Search { threads, ..Search::of(scope("crash"), guards) }.run();
        found.violation.expect("an account of the incarnation before stays").path
    };
    assert_eq!(broken(1), broken(3));
}

#[test]
fn a_search_that_is_too_large_says_that_it_was_not_exhausted() {
    let found = Search { states_most: 500, ..Search::of(scope("crash"), Guards::ALL) }.run();
    assert!(!found.is_exhausted && found.violation.is_none());
}
