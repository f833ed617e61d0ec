//! Money for people: an amount in the smallest unit of its currency, as Stripe counts it.

/// Currencies of which Stripe counts whole units (docs.stripe.com/currencies, "zero-decimal").
const WHOLE: [&str; 15] =
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"];
/// Those of which it counts thousandths.
const THOUSANDTHS: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

/// `99.00 USD`.
pub fn amount(minor: u64, currency: &str) -> String {
    let code = currency.to_uppercase();
    let digits = if WHOLE.contains(&currency) {
        0
    } else if THOUSANDTHS.contains(&currency) {
        3
    } else {
        2
    };
    let unit = 10_u64.pow(digits);
    let whole = crate::show::number(minor / unit);
    if digits == 0 {
        return format!("{whole} {code}");
    }
    let width = usize::try_from(digits).unwrap_or(2);
    format!("{whole}.{:0width$} {code}", minor % unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_currency_has_its_own_decimals() {
        let shown = [(9_900, "usd"), (5, "eur"), (0, "usd"), (1_900, "jpy"), (12_345, "kwd"), (123_456_789, "usd")];
        let shown = shown.map(|(minor, currency)| amount(minor, currency).replace('\u{202f}', " "));
        assert_eq!(shown, ["99.00 USD", "0.05 EUR", "0.00 USD", "1 900 JPY", "12.345 KWD", "1 234 567.89 USD"]);
    }
}
