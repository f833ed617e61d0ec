//! The table for people.

use std::fmt::Write;

use super::Audit;
use super::receipts::Told;

pub fn text(audit: &Audit) -> String {
    let (sums, rest) = (&audit.sums, &audit.rest);
    let mut text = format!("{:<34}{:>18}\n", format!("{} accounts", sums.accounts), "credits");
    let mut line = |name: &str, sign: &str, credits: u128, note: &str| {
        let _ = writeln!(text, "  {name:<32}{:>18}{note}", format!("{sign}{}", grouped(credits))); // a String takes all
    };
    line("granted", "", sums.granted, "");
    line("drawn", "− ", sums.drawn, &format!("   in {} debits", grouped(sums.debits.into())));
    line(
        "given back",
        "+ ",
        sums.given_back,
        &format!("   in {} give-backs, and of holds", grouped(sums.give_backs.into())),
    );
    line("expired", "− ", sums.expired, "");
    line("clawed back", "− ", sums.clawed_back, "");
    line("left in the book", "= ", sums.left, "");
    line("left in live state", "", rest.left_live, "");
    line("overdraft", "", sums.overdraft, "");
    line("drift", "", rest.drift.into(), "");
    if let Some(told) = &audit.told {
        text.push_str(&receipts(audit, told));
    }
    let told: Vec<String> = audit.told.iter().flat_map(Told::broken).collect();
    for broken in audit.broken.iter().chain(&told) {
        let _ = writeln!(text, "WRONG  {broken}");
    }
    if let Some(why) = &rest.why_not {
        let _ = writeln!(text, "NOT AT REST  {why}");
    }
    text.push_str(if audit.broken.is_empty() && told.is_empty() {
        "every equality holds"
    } else {
        "not everything holds"
    });
    text
}

fn receipts(audit: &Audit, told: &Told) -> String {
    let mut text = format!("{:<34}{:>18}{:>16}\n", "receipts", "credits", "answers");
    let unknown = told.without_receipt(audit.standing);
    for (name, credits, answers) in [
        ("paid, as told", told.paid.credits, told.paid.answers),
        ("free or given back, as told", 0, told.free.answers),
        ("broken off, drawn", told.broken_paid.credits, told.broken_paid.answers),
        ("broken off, not drawn", 0, told.broken_free.answers),
        ("told a cost, not in the book", told.lost.credits, told.lost.answers),
        ("told a cost, given back", told.returned.credits, told.returned.answers),
        ("told another cost", told.other.credits, told.other.answers),
        ("told free, drawn", told.charged.credits, told.charged.answers),
        ("debits without a receipt", unknown.credits.into(), unknown.debits),
    ] {
        let _ = writeln!(text, "  {name:<32}{:>18}{:>16}", grouped(credits), grouped(answers.into())); // a String takes all
    }
    text
}

/// `1234567` as `1 234 567`.
fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let grouped = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(grouped, ["0", "999", "1 000", "1 234 567"]);
    }
}
