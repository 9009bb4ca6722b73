//! Equal subscriptions are one group: each event is executed once for all of it, and its bytes are shared.
//!
//! A group has the same document, operation and variables; only where each went on after a break may differ, for that is
//! replayed to each alone before it joins. It ends with its last member.

mod queue;

use super::answer::{SharedAnswer, Told};
use super::plan::{GroupKey, MissedKeys, Plan, Subscription, plan};
use super::{Hub, LiveEvent, SharedReads};
use crate::limits::Limits;
use crate::loaders::Reads;
use crate::operation::{RequestId, TellCost, refusal};
use crate::schema::Schema;
use crate::schema::errors::ApiError;
use async_graphql::{Request, Response as Answer};
use futures::stream::{BoxStream, StreamExt, empty, once};
use ingest::bus::FeedPosition;
use queue::{Queue, Totals};
use schema::store::Store;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_util::task::AbortOnDropHandle;

/// Subscriptions at one time, equal ones included: a connection may have several.
const MAX_MEMBERS: usize = 10_000;

/// Groups at one time, each executed for itself.
const MAX_GROUPS: usize = 1_000;

/// All groups of a process.
pub struct Groups {
    schema: Schema,
    hub: Arc<Hub>,
    limits: Limits,
    groups: Mutex<HashMap<GroupKey, Arc<Group>>>,
    /// Of all groups; changed while these are locked.
    members: AtomicUsize,
    totals: Arc<Totals>,
}

/// What the live feed does, for operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LiveFigures {
    /// Subscriptions that are open.
    pub(crate) subscriptions: usize,
    /// Of these, distinct ones: each is executed once an event.
    pub(crate) groups: usize,
    /// Subscribers that are given what they missed.
    pub(crate) replays: usize,
    /// Bytes of answers that wait for some subscriber.
    pub(crate) waiting_bytes: usize,
    /// Events that some subscriber was too slow for, since the process started.
    pub(crate) missed_count: u64,
}

/// Whether a group's execution listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Opening,
    Listens,
    Ended,
}

struct Group {
    is_state: bool,
    missed_keys: MissedKeys,
    stage: watch::Sender<Stage>,
    members: Mutex<Members>,
    under_way: Mutex<Option<UnderWay>>,
}

/// The event that is being executed.
struct UnderWay {
    /// Behind it.
    position: FeedPosition,
    /// How many all members missed before it.
    missed: u64,
    reads: SharedReads,
}

#[derive(Default)]
struct Members {
    queues: Vec<Arc<Queue>>,
    /// What who joins later is told at once.
    last: Option<Arc<SharedAnswer>>,
    run: Option<AbortHandle>,
}

impl Groups {
    /// No groups yet.
    pub fn new(schema: Schema, hub: Arc<Hub>, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            schema,
            hub,
            limits,
            groups: Mutex::default(),
            members: AtomicUsize::default(),
            totals: Arc::default(),
        })
    }

    /// What executes a request that is answered once.
    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// How it goes.
    pub(crate) fn figures(&self) -> LiveFigures {
        LiveFigures {
            subscriptions: self.members.load(Ordering::Relaxed),
            groups: self.lock().len(),
            replays: self.hub.replay_count(),
            waiting_bytes: self.totals.held.load(Ordering::Relaxed),
            missed_count: self.totals.missed.load(Ordering::Relaxed),
        }
    }

    /// What a request is told until its operation ends.
    pub(crate) fn open(self: &Arc<Self>, request: Request, id: RequestId) -> BoxStream<'static, Told> {
        let subscription = match plan(&request, &self.limits) {
            Plan::Subscription(subscription) => subscription,
            Plan::Query => return once(self.answer(request, id)).boxed(),
        };
        let asked_at = self.hub.position();
        let shared = copy(&request).variables(subscription.variables.clone()).data(id.clone());
        // What it does not declare would only be kept while it waits.
        let own = subscription.resumes.then(|| request.variables(subscription.declared.clone()).data(id.clone()));
        let Some(member) = self.join(subscription, shared, id.clone()) else {
            let refused = Answer::from_errors(vec![refusal(ApiError::too_many_listen(), &id.0)]);
            return once(async move { Told::Own(refused) }).boxed();
        };
        match own {
            Some(own) => self.resume(member, own, asked_at),
            None => member.told(None),
        }
    }

    /// Answers a query in a task of its own: nobody asks a connection's operations while its client does not read, and what
    /// waited half-way would keep the room of others.
    fn answer(&self, request: Request, id: RequestId) -> impl Future<Output = Told> + use<> {
        let schema = self.schema.clone();
        async move {
            let request_id = id.0.clone();
            let answering = tokio::spawn(async move { schema.execute(request.data(id)).await });
            // It ends with who asks.
            let answer = AbortOnDropHandle::new(answering).await;
            Told::Own(answer.unwrap_or_else(|_| Answer::from_errors(vec![refusal(ApiError::Internal, &request_id)])))
        }
    }

    /// First what the member missed, executed for it alone.
    fn resume(&self, member: Member, request: Request, asked_at: Option<FeedPosition>) -> BoxStream<'static, Told> {
        let (queue, stage) = (Arc::clone(&member.queue), member.group.stage.subscribe());
        let joined = Arc::new(Joined { queue, stage, asked_at });
        let replayed = self.schema.execute_stream(request.data(joined)).map(Told::Own);
        let live = once(async move {
            match member.queue.went_on_at() {
                Some(at) => member.told(Some(at)),
                // It was refused, or what it missed is not held any more.
                None => empty().boxed(),
            }
        });
        replayed.chain(live.flatten()).boxed()
    }

    fn join(self: &Arc<Self>, subscription: Subscription, request: Request, id: RequestId) -> Option<Member> {
        let queue = Arc::new(Queue::new(Arc::clone(&self.totals), subscription.resumes));
        let mut groups = self.lock();
        if self.members.load(Ordering::Relaxed) >= MAX_MEMBERS {
            return None;
        }
        if groups.len() >= MAX_GROUPS && !groups.contains_key(&subscription.key) {
            return None;
        }
        let key = subscription.key;
        let (group, is_new) = match groups.entry(key) {
            Entry::Occupied(known) => (Arc::clone(known.get()), false),
            Entry::Vacant(new) => {
                (Arc::clone(new.insert(Group::new(subscription.is_state, subscription.missed_keys))), true)
            }
        };
        group.admit(&queue);
        self.members.fetch_add(1, Ordering::Relaxed);
        drop(groups);
        if is_new {
            let answers = self.schema.execute_stream(request.data(Together(Arc::clone(&group))));
            let running = Running { groups: Arc::downgrade(self), key, group: Arc::clone(&group) };
            group.lock().run = Some(tokio::spawn(run(running, answers)).abort_handle());
        }
        Some(Member { groups: Arc::clone(self), key, id, group, queue })
    }

    fn leave(&self, key: GroupKey, group: &Arc<Group>, queue: &Arc<Queue>) {
        let mut groups = self.lock();
        let mut members = group.lock();
        self.members.fetch_sub(1, Ordering::Relaxed);
        members.queues.retain(|other| !Arc::ptr_eq(other, queue));
        if members.queues.is_empty() {
            members.run.take().inspect(AbortHandle::abort);
            remove(&mut groups, key, group);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<GroupKey, Arc<Group>>> {
        self.groups.lock().expect("no holder of this lock panics")
    }
}

fn remove(groups: &mut HashMap<GroupKey, Arc<Group>>, key: GroupKey, group: &Arc<Group>) {
    if groups.get(&key).is_some_and(|known| Arc::ptr_eq(known, group)) {
        groups.remove(&key);
    }
}

/// Executes for the group until its feed ends, or its last member has left: then it is aborted.
async fn run(running: Running, mut answers: BoxStream<'static, Answer>) {
    while let Some(answer) = answers.next().await {
        let Some(groups) = running.groups.upgrade() else { return };
        let under_way = running.group.take_under_way();
        let (position, missed) = under_way.map_or((None, 0), |event| (Some(event.position), event.missed));
        running.group.tell(Arc::new(SharedAnswer::new(answer, position, missed, &groups.totals.held)));
    }
}

/// A group's execution: however it ends, the group ends with it.
struct Running {
    groups: Weak<Groups>,
    key: GroupKey,
    group: Arc<Group>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(groups) = self.groups.upgrade() {
            remove(&mut groups.lock(), self.key, &self.group);
        }
        self.group.end();
    }
}

impl Group {
    fn new(is_state: bool, missed_keys: MissedKeys) -> Arc<Self> {
        let stage = watch::Sender::new(Stage::Opening);
        Arc::new(Self { is_state, missed_keys, stage, members: Mutex::default(), under_way: Mutex::default() })
    }

    fn admit(&self, queue: &Arc<Queue>) {
        let mut members = self.lock();
        if let Some(last) = &members.last {
            queue.push(last);
        }
        members.queues.push(Arc::clone(queue));
    }

    /// Never waits for a member.
    fn tell(&self, answer: Arc<SharedAnswer>) {
        let mut members = self.lock();
        members.queues.iter().for_each(|queue| queue.push(&answer));
        // Who joins between a refusal and the group's end is refused, too.
        if self.is_state || answer.is_refusal() {
            members.last = Some(answer);
        }
    }

    fn end(&self) {
        self.stage.send_replace(Stage::Ended);
        self.lock().queues.iter().for_each(|queue| queue.end());
    }

    fn take_under_way(&self) -> Option<UnderWay> {
        self.under_way.lock().expect("no holder of this lock panics").take()
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock().expect("no holder of this lock panics")
    }
}

/// One subscription; leaves its group when it is dropped.
struct Member {
    groups: Arc<Groups>,
    key: GroupKey,
    id: RequestId,
    group: Arc<Group>,
    queue: Arc<Queue>,
}

impl Member {
    /// What it is told, but what lies in front of `from`: it knows that already.
    fn told(self, from: Option<FeedPosition>) -> BoxStream<'static, Told> {
        let told = futures::stream::unfold((self, from), async |(member, from)| {
            let (answer, missed) = member.queue.pop_behind(from.as_ref()).await?;
            Some((answer.told(missed, &member.group.missed_keys, &member.id), (member, from)))
        });
        told.boxed()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.groups.leave(self.key, &self.group, &self.queue);
    }
}

/// Put into a request that is executed for a group.
#[derive(Clone)]
pub(crate) struct Together(Arc<Group>);

impl Together {
    /// From now on the execution hears all.
    pub(crate) fn listens(&self) {
        self.0.stage.send_replace(Stage::Listens);
    }

    /// The event that is executed next.
    pub(crate) fn begin(&self, event: &LiveEvent) {
        let (position, missed, reads) = (event.cursor.position.clone(), event.missed_count, event.reads.clone());
        *self.0.under_way.lock().expect("no holder of this lock panics") = Some(UnderWay { position, missed, reads });
    }

    /// What this event's executions read, those of other groups too; none where no event is executed.
    pub(crate) fn reads(&self, store: &Arc<dyn Store>) -> Option<Arc<Reads>> {
        let under_way = self.0.under_way.lock().expect("no holder of this lock panics");
        under_way.as_ref().map(|event| event.reads.of(store))
    }
}

/// Put into a request that asks for what it missed: the live feed that it has joined meanwhile.
pub(crate) struct Joined {
    queue: Arc<Queue>,
    stage: watch::Receiver<Stage>,
    /// Where the live feed stood when it was asked: what was stored since then is wanted, however old the page is.
    pub(super) asked_at: Option<FeedPosition>,
}

impl Joined {
    /// Waits until the live feed runs, or has ended.
    pub(super) async fn runs(&self) {
        // An error says that the group is gone, with its feed.
        let _ = self.stage.clone().wait_for(|stage| *stage != Stage::Opening).await;
    }

    /// Whether the live feed holds all that comes behind `at`; if it overflowed, it is emptied and begins anew.
    pub(super) fn go_on(&self, at: &FeedPosition) -> bool {
        self.queue.go_on(at)
    }
}

/// The same request but for its variables and what is put into it.
fn copy(request: &Request) -> Request {
    let copy = Request::new(request.query.clone()).data(TellCost::of(request));
    match &request.operation_name {
        Some(name) => copy.operation_name(name.clone()),
        None => copy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::ServerError;

    #[tokio::test]
    async fn who_joins_behind_a_refusal_is_refused() {
        let (group, totals) = (Group::new(false, MissedKeys::default()), Arc::<Totals>::default());
        let refusal = Answer::from_errors(vec![ServerError::new("no", None)]);
        group.tell(Arc::new(SharedAnswer::new(refusal, None, 0, &totals.held)));
        let late = Arc::new(Queue::new(totals, false));
        group.admit(&late);
        group.end();
        assert!(late.pop_behind(None).await.is_some_and(|(answer, _)| answer.is_refusal()));
    }
}
