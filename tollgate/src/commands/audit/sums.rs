//! The sums over accounts, and the equalities that must hold between them.

use ledger::AccountSums;

/// Credits of all accounts looked at. A sum of everybody may be more than one account can have, hence the width.
#[derive(Default)]
pub struct Sums {
    pub accounts: u64,
    pub granted: u128,
    pub drawn: u128,
    pub given_back: u128,
    pub expired: u128,
    pub clawed_back: u128,
    pub original: u128,
    pub left: u128,
    pub overdraft: u128,
    pub debits: u64,
    pub give_backs: u64,
    unequal: Vec<String>,
}

impl Sums {
    pub fn add(&mut self, accounts: &[AccountSums]) {
        for sums in accounts {
            self.accounts += 1;
            self.granted += u128::from(sums.granted);
            self.drawn += u128::from(sums.drawn);
            self.given_back += u128::from(sums.given_back);
            self.expired += u128::from(sums.expired);
            self.clawed_back += u128::from(sums.clawed_back);
            self.original += u128::from(sums.original);
            self.left += u128::from(sums.left);
            self.overdraft += u128::from(sums.overdraft);
            self.debits += sums.debits;
            self.give_backs += sums.give_backs;
            self.unequal.extend(unequal(sums));
        }
    }

    /// What does not hold, account by account: two accounts whose errors cancel out are two errors.
    pub fn broken(&self) -> Vec<String> {
        self.unequal.clone()
    }
}

/// Granted = drawn − given back + expired + clawed back + left; and granted as the lots say.
fn unequal(sums: &AccountSums) -> Vec<String> {
    let wide = u128::from;
    let came = wide(sums.granted) + wide(sums.given_back) + wide(sums.overdraft);
    let went = wide(sums.drawn) + wide(sums.expired) + wide(sums.clawed_back) + wide(sums.left);
    let mut found = Vec::new();
    if came != went {
        found.push(format!(
            "{}: granted {} is not drawn {} − given back {} + expired {} + clawed back {} + left {} (overdraft {})",
            sums.account,
            sums.granted,
            sums.drawn,
            sums.given_back,
            sums.expired,
            sums.clawed_back,
            sums.left,
            sums.overdraft
        ));
    }
    if sums.granted != sums.original {
        found.push(format!(
            "{}: its entries grant {} credits, its lots were granted with {}",
            sums.account, sums.granted, sums.original
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums() -> AccountSums {
        AccountSums {
            account: format!("acct_{}", "1".repeat(32)).parse().unwrap(),
            granted: 100,
            drawn: 50,
            given_back: 10,
            expired: 20,
            clawed_back: 5,
            original: 100,
            left: 35,
            overdraft: 0,
            debits: 3,
            give_backs: 1,
        }
    }

    #[test]
    fn what_was_granted_went_somewhere() {
        assert!(unequal(&sums()).is_empty());
        let one_off: [fn(&mut AccountSums); 6] = [
            |sums| sums.drawn += 1,
            |sums| sums.given_back += 1,
            |sums| sums.expired += 1,
            |sums| sums.clawed_back += 1,
            |sums| sums.left += 1,
            |sums| sums.original += 1,
        ];
        for change in one_off {
            let mut changed = sums();
            change(&mut changed);
            assert_eq!(unequal(&changed).len(), 1, "{changed:?}");
        }
    }

    #[test]
    fn errors_that_cancel_out_are_errors() {
        let mut total = Sums::default();
        let (more, less) = (AccountSums { left: 36, ..sums() }, AccountSums { left: 34, ..sums() });
        total.add(&[more, less]);
        assert_eq!(total.broken().len(), 2);
    }
}
