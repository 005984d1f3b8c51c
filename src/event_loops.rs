#![doc = include_str!("event_loops/intro.md")]

#[doc = include_str!("event_loops/blocking.md")]
#[doc = "```rust,ignore"]
#[doc = include_str!("../examples/loops/blocking.rs")]
#[doc = "```"]
pub mod blocking {}

#[doc = include_str!("event_loops/readiness.md")]
#[doc = "```rust,ignore"]
#[doc = include_str!("../examples/loops/readiness.rs")]
#[doc = "```"]
pub mod readiness {}

#[doc = include_str!("event_loops/completion.md")]
#[doc = "```rust,ignore"]
#[doc = include_str!("../examples/loops/completion.rs")]
#[doc = "```"]
pub mod completion {}

#[doc = include_str!("event_loops/tasks.md")]
#[doc = "```rust,ignore"]
#[doc = include_str!("../examples/loops/reading_task.rs")]
#[doc = "```"]
/// # The task that writes
#[doc = "```rust,ignore"]
#[doc = include_str!("../examples/loops/writing_task.rs")]
#[doc = "```"]
pub mod tasks {}
