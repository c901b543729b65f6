//! Jobs that this host was handed and cannot begin yet: their procedure is not there, or as many of their
//! group run as may. Knows no store; what may begin is given to whoever asks.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use super::group::Group;
use super::model::{Job, JobId, Priority};
use super::store::Turn;
use super::wanted::Wanted;

/// Less is sooner.
type Order = (Priority, u64);

/// Jobs that wait for something but their turn, and how many run of each group.
#[derive(Default)]
pub(super) struct Waiting {
    /// For a procedure, or a version of one, that is not there.
    parked: HashMap<Wanted, BTreeMap<Order, Turn>>,
    /// Until another job of their group has ended.
    held: HashMap<Group, BTreeMap<Order, Turn>>,
    /// How many jobs run of each group of which only so many may.
    shares: HashMap<Group, u32>,
    places: HashMap<JobId, (Order, Cause)>,
}

/// What a job waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cause {
    Procedure(Wanted),
    Share(Group),
}

/// A job that was held back.
#[derive(Debug)]
pub(super) struct Held {
    /// The group that is full, and how many of it may run.
    pub(super) full: (Group, u32),
    /// Jobs that can have what this one leaves unused.
    pub(super) instead: Vec<Turn>,
}

impl Waiting {
    /// A job whose procedure is not there.
    pub(super) fn park(&mut self, turn: Turn, wanted: Wanted) {
        let order = order(&turn.job);
        self.places.insert(turn.job.id, (order, Cause::Procedure(wanted.clone())));
        self.parked.entry(wanted).or_default().insert(order, turn);
    }

    /// The parked jobs for which there is what they want.
    pub(super) fn unpark(&mut self, is_there: impl Fn(&Wanted) -> bool) -> Vec<Turn> {
        let found: Vec<_> = self.parked.extract_if(|wanted, _| is_there(wanted)).collect();
        self.leave(found.into_iter().flat_map(|(_, jobs)| jobs.into_values()))
    }

    /// All jobs that are held back: whoever begins one finds out whether it is too early.
    pub(super) fn release_held(&mut self) -> Vec<Turn> {
        let held = std::mem::take(&mut self.held);
        self.leave(held.into_values().flat_map(BTreeMap::into_values))
    }

    /// The parked jobs.
    pub(super) fn parked(&self) -> Vec<JobId> {
        self.parked.values().flat_map(BTreeMap::values).map(|turn| turn.job.id).collect()
    }

    /// Takes a job out that is not to be begun.
    pub(super) fn remove(&mut self, id: JobId) -> Option<Turn> {
        let (order, cause) = self.places.remove(&id)?;
        match cause {
            Cause::Procedure(wanted) => remove_from(&mut self.parked, &wanted, order),
            Cause::Share(group) => remove_from(&mut self.held, &group, order),
        }
    }

    /// Takes a parked job out, and says what it wants; `None` if it is not parked.
    pub(super) fn remove_parked(&mut self, id: JobId) -> Option<(Turn, Wanted)> {
        let (_, Cause::Procedure(wanted)) = self.places.get(&id)? else { return None };
        let wanted = wanted.clone();
        Some((self.remove(id)?, wanted))
    }

    /// Whether the job is one of these.
    pub(super) fn has(&self, id: JobId) -> bool {
        self.places.contains_key(&id)
    }

    /// Counts a job as one that runs in each of its groups, and gives it back; or, where one of them is full,
    /// holds it back until that has room.
    pub(super) fn take_or_hold(
        &mut self,
        groups: &[(Group, u32)],
        turn: Turn,
    ) -> Result<Turn, Held> {
        let has_room = |(group, most): &&(Group, u32)| {
            self.shares.get(group).is_none_or(|running| running < most)
        };
        let Some(full) = groups.iter().find(|group| !has_room(group)).cloned() else {
            for (group, _) in groups {
                *self.shares.entry(group.clone()).or_default() += 1;
            }
            return Ok(turn);
        };
        let roomy: Vec<_> =
            groups.iter().filter(has_room).map(|(group, _)| group.clone()).collect();
        let order = order(&turn.job);
        self.places.insert(turn.job.id, (order, Cause::Share(full.0.clone())));
        self.held.entry(full.0.clone()).or_default().insert(order, turn);
        let instead = roomy.iter().filter_map(|group| self.next_of(group)).collect();
        Err(Held { full, instead })
    }

    /// A job of these groups has ended: gives the next one of each.
    pub(super) fn give_back(&mut self, groups: &[(Group, u32)]) -> Vec<Turn> {
        let mut next = Vec::new();
        for (group, _) in groups {
            match self.shares.get_mut(group) {
                Some(running) if *running > 1 => *running -= 1,
                _ => drop(self.shares.remove(group)),
            }
            next.extend(self.next_of(group));
        }
        next
    }

    /// The next job of each group of which none runs: one that could begin before it may have been cancelled
    /// instead.
    pub(super) fn release_idle(&mut self) -> Vec<Turn> {
        let idle: Vec<_> =
            self.held.keys().filter(|group| !self.shares.contains_key(*group)).cloned().collect();
        idle.iter().filter_map(|group| self.next_of(group)).collect()
    }

    fn next_of(&mut self, group: &Group) -> Option<Turn> {
        let held = self.held.get_mut(group)?;
        let next = held.pop_first();
        if held.is_empty() {
            self.held.remove(group);
        }
        let (_, turn) = next?;
        self.places.remove(&turn.job.id);
        Some(turn)
    }

    fn leave(&mut self, jobs: impl Iterator<Item = Turn>) -> Vec<Turn> {
        let mut left = Vec::new();
        for turn in jobs {
            self.places.remove(&turn.job.id);
            left.push(turn);
        }
        left
    }
}

fn order(job: &Job) -> Order {
    (job.priority, job.sequence)
}

/// Takes a job out of a group, and the group away when it was the last.
fn remove_from<K: Hash + Eq>(
    groups: &mut HashMap<K, BTreeMap<Order, Turn>>,
    group: &K,
    order: Order,
) -> Option<Turn> {
    let members = groups.get_mut(group)?;
    let turn = members.remove(&order);
    if members.is_empty() {
        groups.remove(group);
    }
    turn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::model::NewJob;

    fn id(n: u8) -> JobId {
        JobId::from_bytes([n; 16])
    }

    /// Job `n`, with this urgency.
    fn turn(n: u8, urgency: u8) -> Turn {
        let priority = Priority::new(urgency).unwrap();
        let new = NewJob { priority, ..NewJob::for_tests(id(n)) };
        Turn::new(new.record(n.into()))
    }

    fn ids(turns: &[Turn]) -> Vec<JobId> {
        turns.iter().map(|turn| turn.job.id).collect()
    }

    fn procedure(name: &str) -> Group {
        Group::Procedure(name.into())
    }

    #[test]
    fn of_a_procedure_with_a_share_only_so_many_run_and_the_rest_follow_in_order() {
        let mut waiting = Waiting::default();
        let groups = [(procedure("long"), 1)];
        let take = |waiting: &mut Waiting, n, u| waiting.take_or_hold(&groups, turn(n, u)).is_ok();
        assert!(take(&mut waiting, 1, 3));
        assert!(
            !take(&mut waiting, 2, 3) && !take(&mut waiting, 3, 0) && !take(&mut waiting, 4, 3)
        );
        assert!(waiting.has(id(2)) && !waiting.has(id(1)));
        assert_eq!(ids(&waiting.give_back(&groups)), [id(3)]);
        assert!(take(&mut waiting, 3, 0));
        // A procedure may have lost its limit.
        assert_eq!(ids(&waiting.release_held()), [2, 4].map(id));
        assert!(!take(&mut waiting, 2, 3) && !take(&mut waiting, 4, 3));
        assert_eq!(waiting.remove(id(2)).map(|turn| turn.job.id), Some(id(2)));
        assert_eq!(ids(&waiting.give_back(&groups)), [id(4)]);
        assert!(waiting.places.is_empty() && waiting.held.is_empty());
    }

    #[test]
    fn a_job_of_two_groups_keeps_no_room_that_it_cannot_use() {
        let mut waiting = Waiting::default();
        let (long, anna) = (procedure("long"), Group::Owner("anna".into()));
        let both = [(long.clone(), 1), (anna.clone(), 1)];
        let [of_long, of_anna] = [[(long, 1)], [(anna.clone(), 1)]];
        assert!(waiting.take_or_hold(&of_anna, turn(1, 3)).is_ok());
        assert!(waiting.take_or_hold(&of_long, turn(2, 3)).is_ok());
        assert!(waiting.take_or_hold(&both, turn(3, 3)).is_err());
        assert!(waiting.take_or_hold(&of_long, turn(4, 3)).is_err());
        // The procedure has room again, and the next job cannot use it, since Anna has none.
        assert_eq!(ids(&waiting.give_back(&of_long)), [id(3)]);
        let held = waiting.take_or_hold(&both, turn(3, 3)).unwrap_err();
        assert_eq!((held.full, ids(&held.instead)), ((anna, 1), vec![id(4)]));
        assert!(waiting.take_or_hold(&of_long, turn(4, 3)).is_ok());
        assert!(waiting.give_back(&of_long).is_empty());
        assert_eq!(ids(&waiting.give_back(&of_anna)), [id(3)]);
        assert!(waiting.take_or_hold(&both, turn(3, 3)).is_ok());
    }

    #[test]
    fn a_turn_that_is_not_used_goes_to_the_next() {
        let mut waiting = Waiting::default();
        let groups = [(procedure("long"), 1)];
        assert!(waiting.take_or_hold(&groups, turn(1, 3)).is_ok());
        assert!((2..4).all(|n| waiting.take_or_hold(&groups, turn(n, 3)).is_err()));
        assert!(waiting.release_idle().is_empty());
        assert_eq!(ids(&waiting.give_back(&groups)), [id(2)], "which is cancelled");
        assert_eq!(ids(&waiting.release_idle()), [id(3)]);
    }

    #[test]
    fn a_parked_job_waits_for_what_it_wants() {
        let mut waiting = Waiting::default();
        let wanted = |name: &str| Wanted::procedure(name);
        waiting.park(turn(1, 3), wanted("one"));
        let groups = [(procedure("long"), 1)];
        assert!(waiting.take_or_hold(&groups, turn(9, 3)).is_ok());
        assert!(waiting.take_or_hold(&groups, turn(2, 3)).is_err());
        assert_eq!(waiting.parked(), [id(1)]);
        assert!(waiting.unpark(|w| *w == wanted("other")).is_empty());
        assert_eq!(ids(&waiting.unpark(|w| *w == wanted("one"))), [id(1)]);
        assert!(waiting.unpark(|_| true).is_empty() && !waiting.has(id(1)));
        waiting.park(turn(3, 3), wanted("one"));
        assert!(waiting.remove_parked(id(2)).is_none());
        let (found, its) = waiting.remove_parked(id(3)).unwrap();
        assert_eq!((found.job.id, its), (id(3), wanted("one")));
        assert!(!waiting.has(id(3)) && waiting.has(id(2)));
    }
}
