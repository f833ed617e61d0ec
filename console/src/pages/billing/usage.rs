//! Usage as a chart and tables.

use ledger::{KeyUse, RouteUse, Usage};
use metering::{Credits, TimeMs};

use crate::billing::usage::{Span, total};
use crate::pages::when::When;
use crate::show;

/// Width of a day, and height of the highest bar, in the chart's own units.
const DAY: usize = 10;
const HEIGHT: u64 = 100;

/// What the card shows.
pub struct UsageCard {
    pub is_period: bool,
    pub total: String,
    pub has_any: bool,
    pub bars: Vec<Bar>,
    /// Width of the chart.
    pub width: usize,
    /// What the highest bar stands for.
    pub most: String,
    pub first: String,
    pub last: String,
    pub days: Vec<DayRow>,
    pub keys: Vec<Share>,
    pub routes: Vec<Share>,
    /// `None` = nothing of the account's shard was counted yet.
    pub as_of: Option<When>,
}

/// A bar of the chart.
pub struct Bar {
    pub x: usize,
    pub y: u64,
    pub height: u64,
    pub title: String,
}

/// A day of the table.
pub struct DayRow {
    pub day: String,
    pub credits: String,
    pub calls: String,
}

/// A key's or a route's part of all.
pub struct Share {
    pub name: String,
    pub credits: String,
    pub calls: String,
    pub percent: u64,
}

impl UsageCard {
    pub fn of(usage: &Usage, span: Span) -> Self {
        let all = total(usage);
        let most = usage.days.iter().map(|day| day.credits).max().unwrap_or_default();
        let bars = usage.days.iter().enumerate().map(|(index, day)| {
            let height = height(day.credits, most);
            let title = format!("{}: {}", day.day, show::credits_in_words(day.credits));
            Bar { x: index * DAY + 1, y: HEIGHT - height, height, title }
        });
        let day = |day: &ledger::DayUse| DayRow {
            day: day.day.to_string(),
            credits: show::credits(day.credits),
            calls: show::number(day.calls),
        };
        let named = |day: Option<&ledger::DayUse>| day.map(|day| day.day.to_string()).unwrap_or_default();
        Self {
            is_period: span == Span::Period,
            total: show::credits_in_words(all),
            has_any: !all.is_zero(),
            width: usage.days.len() * DAY,
            bars: bars.filter(|bar| bar.height > 0).collect(),
            most: show::credits_in_words(most),
            first: named(usage.days.first()),
            last: named(usage.days.last()),
            days: usage.days.iter().rev().map(day).collect(),
            keys: usage.keys.iter().map(|key| of_key(key, all)).collect(),
            routes: usage.routes.iter().map(|route| of_route(route, all)).collect(),
            as_of: (usage.as_of > TimeMs::EPOCH).then(|| When::instant(usage.as_of)),
        }
    }
}

/// What was used at all can be seen.
fn height(credits: Credits, most: Credits) -> u64 {
    if credits.is_zero() {
        return 0;
    }
    show::percent(credits, most).clamp(1, HEIGHT)
}

fn of_key(key: &KeyUse, all: Credits) -> Share {
    let name = match (&key.name, key.key) {
        (Some(name), _) => name.clone(),
        (None, Some(key)) => key.to_string(),
        (None, None) => "Chat (signed-in sessions)".to_owned(),
    };
    share(name, key.credits, key.calls, all)
}

fn of_route(route: &RouteUse, all: Credits) -> Share {
    share(route.route.clone(), route.credits, route.calls, all)
}

fn share(name: String, credits: Credits, calls: u64, all: Credits) -> Share {
    let percent = show::share(credits, all);
    Share { name, credits: show::credits(credits), calls: show::number(calls), percent }
}

#[cfg(test)]
mod tests {
    use ledger::{Day, DayUse};

    use super::*;
    use crate::billing::lots::tests::{NOW, credits};

    fn usage(days: &[u64]) -> Usage {
        let first = Day::of(NOW);
        let day = |(number, &used): (u64, &u64)| DayUse { day: first.plus(number), credits: credits(used), calls: 1 };
        Usage {
            days: (0..).zip(days).map(day).collect(),
            keys: vec![KeyUse { key: None, name: None, credits: credits(days.iter().sum()), calls: 2 }],
            routes: vec![RouteUse { route: "chat".to_owned(), credits: credits(0), calls: 0 }],
            as_of: NOW,
        }
    }

    #[test]
    fn the_highest_bar_fills_the_chart_and_the_least_use_can_be_seen() {
        let card = UsageCard::of(&usage(&[0, 1, 500, 1_000]), Span::Period);
        let bars: Vec<_> = card.bars.iter().map(|bar| (bar.x, bar.y, bar.height)).collect();
        assert_eq!(bars, [(11, 99, 1), (21, 50, 50), (31, 0, 100)]);
        assert_eq!((card.width, card.first.as_str(), card.last.as_str()), (40, "2026-11-26", "2026-11-29"));
        assert_eq!(card.days[0].day, "2026-11-29", "the latest first");
        assert_eq!((card.keys[0].percent, card.routes[0].percent), (100, 0));
        assert_eq!(card.keys[0].name, "Chat (signed-in sessions)");
    }

    #[test]
    fn nothing_and_very_much_are_drawn_alike() {
        let none = UsageCard::of(&usage(&[0, 0]), Span::LastDays);
        assert!(!none.has_any && none.bars.is_empty() && !none.is_period);
        let most = Credits::MAX.get();
        let much = UsageCard::of(&usage(&[most, 0]), Span::LastDays);
        assert_eq!((much.bars.len(), much.bars[0].height), (1, 100));
    }
}
