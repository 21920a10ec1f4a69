//! Which part of a Redis Cluster a key belongs to.
//!
//! A cluster client sends each command to the master that owns the key's slot, so one that hangs is
//! seen by the keys of its slots alone. redis-rs keeps the number of a slot to itself; the algorithm
//! is part of the specification of Redis Cluster (CRC-16/XMODEM over the key, or over what stands
//! between its first braces).

/// How many slots there are.
const SLOTS: u16 = 16_384;

/// The slot of a key, as a share of all: 0 to `shares` − 1.
pub(crate) fn share_of(key: &[u8], shares: usize) -> usize {
    let share = usize::from(slot(key)).saturating_mul(shares) >> SLOTS.trailing_zeros();
    share.min(shares.saturating_sub(1))
}

fn slot(key: &[u8]) -> u16 {
    crc16(tag(key).unwrap_or(key)) & (SLOTS - 1)
}

/// What stands between the first brace and the next one that closes, unless it is nothing.
fn tag(key: &[u8]) -> Option<&[u8]> {
    let behind = key.splitn(2, |byte| *byte == b'{').nth(1)?;
    let mut parts = behind.splitn(2, |byte| *byte == b'}');
    let tag = parts.next()?;
    (parts.next().is_some() && !tag.is_empty()).then_some(tag)
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc: u16, _bit| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        // As `CLUSTER KEYSLOT` answers.
        for (key, expected) in [("foo", 12_182), ("somekey", 11_058), ("foo{hash_tag}", 2515)] {
            assert_eq!(slot(key.as_bytes()), expected, "{key}");
        }
        assert_eq!(slot(b"{user}.name"), slot(b"user"));
        assert_eq!(slot(b"{}x"), crc16(b"{}x") & (SLOTS - 1));
    }

    #[test]
    fn shares_divide_the_slots_evenly() {
        let mut seen = [0_u32; 16];
        for n in 0..16_000 {
            seen[share_of(format!("key {n}").as_bytes(), 16)] += 1;
        }
        assert!(seen.iter().all(|count| (800..1200).contains(count)), "{seen:?}");
    }
}
