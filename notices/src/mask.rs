//! Addresses as the log may have them: enough to tell that two lines are about the same one, and not whose it is.

/// `a***@example.com` of an address; of anything else, nothing.
pub fn masked(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => {
            let first: String = local.chars().take(1).collect();
            format!("{first}***@{domain}")
        }
        None => "***".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_a_letter_and_the_domain_are_left() {
        let shown = ["ada@example.com", "ü@x", "@x", "nothing", ""].map(masked);
        assert_eq!(shown, ["a***@example.com", "ü***@x", "***@x", "***", "***"]);
    }
}
