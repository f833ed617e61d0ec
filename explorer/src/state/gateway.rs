//! A gateway's view of one request, and the command that may still be on its way.

/// How a request stands at its gateway.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Gateway {
    #[default]
    Unasked,
    /// The debit was asked for.
    Waiting,
    Drawn,
    /// No answer came: the undo is queued.
    Unknown,
    /// The give-back is queued.
    GivingBack,
    /// The settlement is queued.
    Settling,
    // over
    Refused,
    Kept,
    Undone,
    GivenBack,
    Settled,
    /// A settlement was told that the hold is closed already: by itself, or by its release.
    ToldClosed,
    /// The gateway is gone.
    Died,
}

/// One request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Op {
    pub gateway: Gateway,
    /// The certification under which the debit is on its way; 0 = it is not.
    pub wire: u8,
    /// The incarnation under which it was sent last.
    pub wire_incarnation: u8,
    pub not_after: u8,
    /// Where the debit's event is, as it was answered.
    pub event: u8,
    pub event_incarnation: u8,
    /// The certification under which its closing was acknowledged.
    pub acknowledged: u8,
    /// Of a hold: its deadline.
    pub hold_until: u8,
    /// Its settlement was queued before the hold's deadline.
    pub is_in_time: bool,
}
