//! Where the queue stands in for S3: before each write, and before each read of a key that it holds.
//!
//! What a caller gets from here is booked as what S3 did: rejected if it was not asked, a failure if
//! it failed. Only S3 itself succeeds.

use std::sync::{Arc, OnceLock, Weak};

use super::claim::{Attempt, Uplink};
use super::drain::Drain;
use super::error::SpoolError;
use super::handle::Spool;
use super::intake::{self, Write};
use super::loan::{Loan, lend};
use super::pace::{self, Fate};
use super::settings::SpoolMode;
use crate::classify::Judgement;
use crate::error::S3Error;
use crate::operation::Operation;
use crate::request::{Attributes, Upload};
use crate::response::Written;
use crate::service::Inner;

/// The spool of a service.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) spool: Spool,
    /// None past the breaker: nothing is queued there, and nothing that is queued overtaken.
    mode: Option<SpoolMode>,
    drain: OnceLock<Drain>,
}

impl Queue {
    pub(crate) const fn new(spool: Spool, mode: SpoolMode) -> Self {
        Self { spool, mode: Some(mode), drain: OnceLock::new() }
    }

    /// The same for calls past the breaker.
    pub(crate) fn bypass(&self) -> Self {
        Self { spool: self.spool.clone(), mode: None, drain: OnceLock::new() }
    }

    /// Whether calls go past it.
    pub(super) const fn is_bypassed(&self) -> bool {
        self.mode.is_none()
    }

    /// Begins to drain into `service`, for as long as it lives.
    pub(crate) fn start(&self, service: &Arc<Inner>, limit: usize) {
        let (store, breaker) = (Arc::clone(&self.spool.store), service.breaker.clone());
        let home = Home(Arc::downgrade(service));
        self.drain.get_or_init(|| Drain::spawn(store, breaker, home, limit));
    }
}

/// A service from within its own drain.
#[derive(Clone, Debug)]
struct Home(Weak<Inner>);

impl Uplink for Home {
    async fn send(&self, write: Write) -> Result<Written, S3Error> {
        match self.0.upgrade() {
            Some(service) => service.send(write).await,
            None => Err(S3Error::spool(SpoolError::Closed, None)),
        }
    }
}

impl Uplink for Inner {
    async fn send(&self, write: Write) -> Result<Written, S3Error> {
        let operation = write.operation();
        match write {
            Write::Upload(upload) => self.booked(operation, self.target.upload(*upload)).await,
            Write::Delete(key) => self.booked(operation, self.target.delete(key)).await,
        }
    }
}

impl Write {
    const fn operation(&self) -> Operation {
        match self {
            Self::Upload(_) => Operation::Upload,
            Self::Delete(_) => Operation::Delete,
        }
    }

    fn key(&self) -> &str {
        match self {
            Self::Upload(upload) => &upload.key,
            Self::Delete(key) => key,
        }
    }
}

/// How a write can be had again after S3 was asked.
#[derive(Debug)]
enum Spare {
    Copy(Write),
    Lent { key: String, attributes: Attributes, loan: Loan },
}

impl Spare {
    fn of(write: Write) -> (Write, Self) {
        match write {
            Write::Delete(key) => (Write::Delete(key.clone()), Self::Copy(Write::Delete(key))),
            Write::Upload(upload) => {
                if let Some(copy) = upload.try_clone() {
                    return (Write::Upload(upload), Self::Copy(copy.into()));
                }
                let Upload { key, body, attributes } = *upload;
                let (body, loan) = lend(body);
                let spare = Self::Lent { key: key.clone(), attributes: attributes.clone(), loan };
                (Upload { key, body, attributes }.into(), spare)
            }
        }
    }

    fn back(self) -> Option<Write> {
        match self {
            Self::Copy(write) => Some(write),
            Self::Lent { key, attributes, loan } => {
                let body = loan.back()?;
                Some(Upload { key, body, attributes }.into())
            }
        }
    }
}

impl Queue {
    pub(crate) async fn upload(&self, service: &Inner, upload: Upload) -> Result<Written, S3Error> {
        self.write(service, upload.into()).await
    }

    pub(crate) async fn delete(&self, service: &Inner, key: String) -> Result<Written, S3Error> {
        self.write(service, Write::Delete(key)).await
    }

    async fn write(&self, service: &Inner, write: Write) -> Result<Written, S3Error> {
        if self.spool.holds(write.key()) {
            service.ledger.rejected(write.operation());
            if self.is_bypassed() {
                let error = SpoolError::KeyQueued(write.key().to_owned());
                return Err(S3Error::spool(error, None));
            }
            return self.keep(write, None).await;
        }
        match self.mode {
            None => service.send(write).await,
            Some(SpoolMode::OnOpen) => self.ask_first(service, write).await,
            Some(SpoolMode::WriteAhead) => self.store_first(service, write).await,
        }
    }

    async fn ask_first(&self, service: &Inner, write: Write) -> Result<Written, S3Error> {
        let (write, spare) = Spare::of(write);
        if let Spare::Lent { .. } = spare {
            // A long stream is read before its first request, so the breaker is asked before.
            match service.breaker.try_acquire() {
                Ok(permit) => drop(permit),
                Err(rejected) => {
                    service.ledger.rejected(write.operation());
                    drop(write);
                    return self.keep_spare(spare, S3Error::Rejected(rejected)).await;
                }
            }
        }
        match service.send(write).await {
            Err(error) if is_outage(&error) => self.keep_spare(spare, error).await,
            answer => answer,
        }
    }

    async fn keep_spare(&self, spare: Spare, error: S3Error) -> Result<Written, S3Error> {
        match spare.back() {
            Some(write) => self.keep(write, Some(error)).await,
            None => Err(error),
        }
    }

    async fn keep(&self, write: Write, cause: Option<S3Error>) -> Result<Written, S3Error> {
        match intake::store(&self.spool.store, write, false).await {
            Ok(ticket) => Ok(Written::Queued { id: ticket.id }),
            Err(error) => Err(S3Error::spool(error, cause)),
        }
    }

    async fn store_first(&self, service: &Inner, write: Write) -> Result<Written, S3Error> {
        let operation = write.operation();
        let stored = intake::store(&self.spool.store, write, true).await;
        let ticket = stored.map_err(|error| S3Error::spool(error, None))?;
        let queued = Written::Queued { id: ticket.id };
        let Some(claim) = ticket.claim else {
            service.ledger.rejected(operation);
            return Ok(queued);
        };
        let (claim, error) = match claim.attempt(service).await {
            Attempt::Done(written) => return Ok(written),
            Attempt::Unreadable(error) => return Err(S3Error::spool(error, None)),
            Attempt::NotTaken(claim, error) => (claim, error),
        };
        match pace::fate(&error, claim.item.refusals) {
            Fate::Rejected => drop(claim),
            Fate::Failed => claim.rests(false),
            Fate::Barred | Fate::Refused | Fate::Dead => {
                // Its caller is here to take the error.
                claim.discard().await;
                return Err(error);
            }
        }
        Ok(queued)
    }
}

/// Whether S3, or the way to it, is to blame.
fn is_outage(error: &S3Error) -> bool {
    error.rejected().is_some() || error.judgement() == Judgement::Failure
}
