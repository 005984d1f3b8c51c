//! RFC 7692 §5, §7: which parameters follow from what was offered?
