//! The operations that the upload queue has a say in.
//!
//! Each asks the queue first, where there is one, and S3 where the queue has nothing to say. All
//! handles of a service come through here.

use crate::error::S3Error;
use crate::operation::Operation;
use crate::request::{CopyObject, Upload};
use crate::response::{ObjectInfo, Stored, Written};
use crate::service::Inner;

impl Inner {
    pub(crate) async fn upload(&self, upload: Upload) -> Result<Written, S3Error> {
        #[cfg(feature = "spool")]
        if let Some(queue) = &self.queue {
            return queue.upload(self, upload).await;
        }
        self.booked(Operation::Upload, self.target.upload(upload)).await
    }

    pub(crate) async fn delete(&self, key: String) -> Result<Written, S3Error> {
        #[cfg(feature = "spool")]
        if let Some(queue) = &self.queue {
            return queue.delete(self, key).await;
        }
        self.booked(Operation::Delete, self.target.delete(key)).await
    }

    pub(crate) async fn head(&self, key: String) -> Result<ObjectInfo, S3Error> {
        #[cfg(feature = "spool")]
        if let Some(queue) = &self.queue
            && let Some(answer) = queue.head(self, &key).await
        {
            return answer;
        }
        self.booked(Operation::Head, self.target.head(key)).await
    }

    pub(crate) async fn copy(&self, copy: CopyObject) -> Result<Stored, S3Error> {
        #[cfg(feature = "spool")]
        if let Some(queue) = &self.queue {
            queue.check_copy(self, &copy)?;
        }
        self.booked(Operation::Copy, self.target.copy(copy)).await
    }
}
