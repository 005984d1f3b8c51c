//! When does whose time run out? One timer for all connections.

use std::collections::BTreeSet;
use std::time::Duration;

/// The deadlines of all connections, in order: at most one of each.
///
/// Almost every message moves a deadline to later. That is not noted here: the connection is asked when the deadline
/// that is noted has come, and says the real one. So a message costs nothing, and a turn of the loop one comparison.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    noted: BTreeSet<(Duration, usize)>,
}

impl Timer {
    /// Notes a connection's next deadline, if nothing earlier is noted of it. `noted` is kept with the connection.
    pub(crate) fn set(&mut self, key: usize, noted: &mut Option<Duration>, deadline: Option<Duration>) {
        let Some(deadline) = deadline else { return };
        match *noted {
            Some(earlier) if earlier <= deadline => return,
            Some(later) => drop(self.noted.remove(&(later, key))),
            None => {}
        }
        self.noted.insert((deadline, key));
        *noted = Some(deadline);
    }

    /// Forgets a connection.
    pub(crate) fn remove(&mut self, key: usize, noted: Option<Duration>) {
        if let Some(deadline) = noted {
            self.noted.remove(&(deadline, key));
        }
    }

    /// The first deadline of all.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.noted.first().map(|(deadline, _)| *deadline)
    }

    /// Takes off those whose deadline has come.
    pub(crate) fn due(&mut self, now: Duration) -> Vec<usize> {
        let mut due = Vec::new();
        while let Some(&(deadline, key)) = self.noted.first().filter(|(deadline, _)| *deadline <= now) {
            self.noted.remove(&(deadline, key));
            due.push(key);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_that_is_put_off_is_asked_for_when_it_comes() {
        let secs = Duration::from_secs;
        let (mut timer, mut noted) = (Timer::default(), None);
        timer.set(7, &mut noted, Some(secs(30)));
        timer.set(7, &mut noted, Some(secs(40)));
        timer.set(7, &mut noted, None);
        assert_eq!(timer.next(), Some(secs(30)));
        timer.set(7, &mut noted, Some(secs(10)));
        assert_eq!((timer.next(), noted), (Some(secs(10)), Some(secs(10))));
        assert_eq!(timer.due(secs(9)), []);
        assert_eq!(timer.due(secs(10)), [7]);
        assert_eq!(timer.next(), None);
    }
}
