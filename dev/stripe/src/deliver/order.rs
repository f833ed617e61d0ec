//! Lets held deliveries go, in any order, any of them more than once.

use super::post::{Delivery, Post, State};

/// The order in which held deliveries go, by event ids or kinds; one that is named twice goes twice.
/// Without an order all of them go as they came. Returns how many went.
pub fn release(post: &mut Post, order: Option<&[String]>) -> Result<usize, String> {
    let held: Vec<Delivery> =
        post.deliveries.iter().filter(|delivery| delivery.state == State::Held).cloned().collect();
    let going: Vec<Delivery> = match order {
        None => held.clone(),
        Some(order) => {
            let mut going = Vec::new();
            for name in order {
                let named = held.iter().filter(|delivery| delivery.event == *name || delivery.kind == *name);
                let before = going.len();
                going.extend(named.cloned());
                if going.len() == before {
                    return Err(format!("{name}: no such event is held"));
                }
            }
            going
        }
    };
    let gone: Vec<u64> = going.iter().map(|delivery| delivery.number).collect();
    post.deliveries.retain(|delivery| !gone.contains(&delivery.number));
    for delivery in going {
        post.let_go(delivery);
    }
    Ok(gone.len())
}
