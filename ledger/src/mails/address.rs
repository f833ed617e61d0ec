//! Which addresses mails may go to, and when two of them are one.

use crate::LedgerError;

/// The longest address that mail servers must take.
const ADDRESS_BYTES_MAX: usize = 254;
const LOCAL_BYTES_MAX: usize = 64;
/// Beside letters and digits, what stands in a local part without quotes.
const IN_LOCAL: &str = "!#$%&'*+-/=?^_`{|}~.";

/// Takes an address as people have it, `name@example.com`: without quotes, comments or a display name.
pub fn check_address(address: &str) -> Result<(), LedgerError> {
    let refused = |why: &str| Err(LedgerError::AddressInvalid { why: why.to_owned() });
    if address.len() > ADDRESS_BYTES_MAX {
        return refused("it has more than 254 bytes");
    }
    let Some((local, domain)) = address.rsplit_once('@') else { return refused("it has no @") };
    if local.is_empty() || local.len() > LOCAL_BYTES_MAX {
        return refused("what stands before the @ has 1 to 64 bytes");
    }
    if !local.chars().all(|letter| letter.is_alphanumeric() || IN_LOCAL.contains(letter)) || is_dotted_wrong(local) {
        return refused("what stands before the @ is letters, digits, signs, and single dots between them");
    }
    let labels_are_good = domain.split('.').all(|label| {
        let ends_well = !label.starts_with('-') && !label.ends_with('-');
        (1..=63).contains(&label.len())
            && ends_well
            && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
    });
    if !labels_are_good {
        return refused("what stands after the @ is the name of a mail domain");
    }
    Ok(())
}

fn is_dotted_wrong(local: &str) -> bool {
    local.starts_with('.') || local.ends_with('.') || local.contains("..")
}

/// The address in lower case: two that differ in case alone are taken for one. What comes before the @ might tell them apart by the letter of
/// the standard, and does with no provider.
#[must_use]
pub fn fold_address(address: &str) -> String {
    address.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_have_them_are_taken() {
        let local = "a".repeat(LOCAL_BYTES_MAX);
        let [longest, too_long] = [61, 62].map(|last| format!("{local}@{0}.{0}.{1}", "b".repeat(63), "c".repeat(last)));
        assert_eq!((longest.len(), check_address(&too_long).is_err()), (ADDRESS_BYTES_MAX, true));
        for good in
            ["a@b", "ada.lovelace+credits@mail.example.com", "o'neil@x-y.example", "jürgen@bücher.example", &longest]
        {
            assert!(check_address(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn what_could_be_more_than_an_address_is_refused() {
        let long = format!("{}@b", "a".repeat(65));
        let longer = format!("a@{}", "b.".repeat(200));
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a b@c",
            "a@b c",
            "a@b\r\nBcc: c@d",
            "a@b\0",
            "<a@b>",
            "Ada <a@b>",
            "\"a b\"@c",
            "a@@b",
            "a@b@c",
            ".a@b",
            "a.@b",
            "a..b@c",
            "a@b..c",
            "a@.b",
            "a@b.",
            "a@-b",
            "a@b-",
            "a,b@c",
            "a;b@c",
            "a@b,c@d",
            "a:b@c",
            "a(b)@c",
            "a@[127.0.0.1]",
            "a\u{202e}@b",
            "a@b\u{200b}",
            &long,
            &longer,
        ] {
            let refused = check_address(bad).expect_err(bad);
            assert_eq!(refused.code(), "address_invalid", "{bad}");
        }
    }

    #[test]
    fn case_makes_no_other_address() {
        assert_eq!(fold_address(" Ada@Example.COM "), "ada@example.com");
    }
}
