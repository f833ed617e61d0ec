//! Customers: whose one is, and where its mails go.

use ledger::stripe::{Effect, Parking};

use super::{Seen, account};
use crate::objects::{Customer, email};

pub(super) fn seen(seen: &Seen) -> Result<Vec<Effect>, Parking> {
    let customer: Customer = seen.read()?;
    if customer.deleted {
        return deleted(seen);
    }
    Ok(vec![Effect::CustomerSeen {
        account: account(customer.metadata.as_ref().and_then(|metadata| metadata.account.as_deref()))?,
        email: email(customer.email.as_ref()),
        customer: customer.id,
        as_of: seen.as_of,
    }])
}

pub(super) fn deleted(seen: &Seen) -> Result<Vec<Effect>, Parking> {
    let customer: Customer = seen.read()?;
    Ok(vec![Effect::CustomerDeleted { customer: customer.id, as_of: seen.as_of }])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::read::tests::{ACCOUNT, AS_OF, seen as just_seen};

    #[test]
    fn a_customer_is_told_with_its_account_and_address() {
        let object = json!({ "id": "cus_1", "email": "a@example.com", "metadata": { "account": ACCOUNT } });
        let wanted = Effect::CustomerSeen {
            customer: "cus_1".into(),
            account: Some(ACCOUNT.parse().unwrap()),
            email: Some("a@example.com".into()),
            as_of: AS_OF,
        };
        assert_eq!(seen(&just_seen(object)), Ok(vec![wanted]));
        let bare = Effect::CustomerSeen { customer: "cus_1".into(), account: None, email: None, as_of: AS_OF };
        assert_eq!(seen(&just_seen(json!({ "id": "cus_1", "email": "none", "metadata": null }))), Ok(vec![bare]));
        let of_another = json!({ "id": "cus_1", "metadata": { "account": "somebody" } });
        assert_eq!(seen(&just_seen(of_another)).unwrap_err().code, "account_unknown");
    }

    #[test]
    fn a_customer_that_is_gone_by_now_is_gone() {
        let wanted = vec![Effect::CustomerDeleted { customer: "cus_1".into(), as_of: AS_OF }];
        assert_eq!(seen(&just_seen(json!({ "id": "cus_1", "deleted": true }))), Ok(wanted.clone()));
        assert_eq!(deleted(&just_seen(json!({ "id": "cus_1" }))), Ok(wanted));
    }
}
