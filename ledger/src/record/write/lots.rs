//! Moving what remains of lots, by what the whole batch did to each.

use std::collections::HashSet;

use metering::{Credits, LotId};
use serde_json::json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::columns::{self, credits, lot_number, stamp};
use crate::incidents::write_incident;
use crate::record::Shortfall;
use crate::record::plan::{LotDelta, Plan};
use crate::{Fence, LedgerError};

/// A lot that can't take its delta as it is.
#[derive(FromRow)]
struct OddLot {
    lot_id: i64,
    /// What would remain; null where the account has no such lot.
    after: Option<i64>,
}

/// Deltas as the statements take them.
#[derive(Default)]
struct Moves {
    lots: Vec<i64>,
    accounts: Vec<Uuid>,
    deltas: Vec<i64>,
}

impl Moves {
    fn of<'a>(lots: impl Iterator<Item = (&'a LotId, &'a LotDelta)>) -> Self {
        let mut moves = Self::default();
        for (lot, moved) in lots {
            moves.lots.push(lot_number(*lot));
            moves.accounts.push(moved.account.as_uuid());
            moves.deltas.push(moved.delta);
        }
        moves
    }
}

impl Plan {
    pub(super) async fn write_lots(&mut self, connection: &mut PgConnection, fence: Fence) -> Result<(), LedgerError> {
        let asked = Moves::of(self.lots.iter().filter(|(_, lot)| lot.delta != 0));
        if !asked.lots.is_empty() {
            let moved: Vec<i64> = sqlx::query_scalar(include_str!("../../../queries/move_lots.sql"))
                .bind(&asked.lots)
                .bind(&asked.accounts)
                .bind(&asked.deltas)
                .fetch_all(&mut *connection)
                .await?;
            if moved.len() < asked.lots.len() {
                self.explain_odd_lots(&mut *connection, fence, &moved).await?;
            }
        }
        if !self.swept.is_empty() {
            let times = self.swept.iter().map(|(_, at)| stamp(*at)).collect::<Result<Vec<_>, _>>()?;
            sqlx::query(include_str!("../../../queries/sweep_lots.sql"))
                .bind(self.swept.iter().map(|(lot, _)| lot_number(*lot)).collect::<Vec<_>>())
                .bind(times)
                .execute(connection)
                .await?;
        }
        Ok(())
    }

    /// Lots that did not move: too little in them is a shortfall, which is booked; too much, or no such lot, can't be and
    /// stops the batch.
    async fn explain_odd_lots(
        &mut self,
        connection: &mut PgConnection,
        fence: Fence,
        moved: &[i64],
    ) -> Result<(), LedgerError> {
        let moved: HashSet<i64> = moved.iter().copied().collect();
        let odd = self.lots.iter().filter(|(id, lot)| lot.delta != 0 && !moved.contains(&lot_number(**id)));
        let odd = Moves::of(odd);
        let lots: Vec<OddLot> = sqlx::query_as(include_str!("../../../queries/odd_lots.sql"))
            .bind(odd.lots)
            .bind(odd.accounts)
            .bind(odd.deltas)
            .fetch_all(&mut *connection)
            .await?;
        for lot in lots {
            let shortfall = self.explain(&lot)?;
            book_shortfall(&mut *connection, fence, shortfall).await?;
            self.recorded.shortfalls.push(shortfall);
        }
        Ok(())
    }

    fn explain(&self, odd: &OddLot) -> Result<Shortfall, LedgerError> {
        let lot = columns::lot(odd.lot_id)?;
        let asked = self.lots.get(&lot);
        let LotDelta { account, last: event, .. } =
            *asked.ok_or_else(|| LedgerError::Corrupt(format!("a move of {lot} nobody asked for")))?;
        match odd.after {
            Some(after) if after < 0 => Ok(Shortfall { account, lot, credits: credits(after.saturating_neg())? }),
            Some(_) => {
                Err(LedgerError::Unappliable { event, why: format!("{lot} would hold more than it was granted") })
            }
            None => Err(LedgerError::Unappliable { event, why: format!("{account} has no {lot}") }),
        }
    }
}

/// Never clamped away in silence: what the lot did not have is the account's overdraft, and an incident says so.
async fn book_shortfall(connection: &mut PgConnection, fence: Fence, shortfall: Shortfall) -> Result<(), LedgerError> {
    let missing: Credits = shortfall.credits;
    sqlx::query("UPDATE lots SET remaining = 0 WHERE lot_id = $1")
        .bind(lot_number(shortfall.lot))
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE accounts SET overdraft = overdraft + $2 WHERE account_id = $1")
        .bind(shortfall.account.as_uuid())
        .bind(i64::from(missing))
        .execute(&mut *connection)
        .await?;
    let detail = json!({ "account": shortfall.account, "lot": shortfall.lot, "credits": missing });
    write_incident(connection, fence.shard, "shortfall", &detail).await
}
