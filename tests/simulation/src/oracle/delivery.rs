//! What is created in the targets, as it comes: each message once, in order, albums whole, within the budget.

use simulator::world::message::Message;
use simulator::world::{ChatId, World};
use transfer::ids::TaskId;

use super::Invariant;
use super::expected::{self, Expect};
use super::state::{Made, State, TaskView};

impl State {
    /// Looks at what was created since the last look.
    pub(super) fn look_at_targets(&mut self, world: &World) {
        let targets: Vec<ChatId> = self.looked_at.keys().copied().collect();
        for target in targets {
            let Some(chat) = world.chat(target) else { continue };
            let made = chat.history.appended();
            let from = self.looked_at.insert(target, made.len()).unwrap_or(0);
            for message in made.get(from..).unwrap_or_default() {
                self.created(target, message);
            }
        }
    }

    fn created(&mut self, target: ChatId, message: &Message) {
        let Some((source, id)) = message.source else { return };
        if !self.pool.contains(&message.by.0) {
            return;
        }
        let Some(task) = self.owner(target, source, id.0, message.random_id) else {
            let (by, made) = (message.by, message.id);
            self.violated(
                Invariant::OnlySelected,
                format!("account {by} made message {made} in {target} of {source}/{id}, which no task asked for"),
            );
            return;
        };
        let made = Made { target: message.id.0, by: message.by.0, group: message.group };
        self.charge(made.by, message.random_id);
        let broken = self.enter(&task, id.0, made);
        for (invariant, text) in broken {
            self.violated(invariant, text);
        }
    }

    /// Whose message it is: by its random id; without one that is known, the one task between the two chats.
    fn owner(&self, target: ChatId, source: ChatId, id: i32, random_id: i64) -> Option<TaskId> {
        if let Some((task, of)) = self.random.get(&random_id) {
            return (*of == id).then(|| task.clone());
        }
        let mut between = self.tasks.values().filter(|task| task.plan.source == source && task.plan.target == target);
        let task = between.next()?;
        between.next().is_none().then(|| task.plan.id.clone())
    }

    fn enter(&mut self, task: &TaskId, id: i32, made: Made) -> Vec<(Invariant, String)> {
        let mut broken = Vec::new();
        let Some(view) = self.tasks.get_mut(task) else { return broken };
        let source = self.sources.entry(view.plan.source).or_default();
        if let Some(first) = view.created.get(&id) {
            let text = format!(
                "{task}: message {id} stands twice in {}: as {} by account {} and as {} by account {}",
                view.plan.target, first.target, first.by, made.target, made.by
            );
            broken.push((Invariant::ExactlyOnce, text));
            return broken;
        }
        let Some(window) = view.window else {
            let text = format!("{task}: message {id} was carried before the range was fixed");
            broken.push((Invariant::OnlySelected, text));
            return broken;
        };
        let expected = TaskView::expect(&mut view.expected, source, &view.plan, window);
        if expected.get(&id).copied().unwrap_or(Expect::Not) == Expect::Not {
            let text = format!("{task}: message {id} was carried though it is not selected");
            broken.push((Invariant::OnlySelected, text));
        }
        let (least, most) = expected::places(source, window, id);
        if view.furthest > most {
            let text = format!(
                "{task}: message {id} (which belongs at {most}) came as {} after one that belongs at {}",
                made.target, view.furthest
            );
            broken.push((Invariant::Order, text));
        }
        view.furthest = view.furthest.max(least);
        if let Some(group) = source.get(&id).map(|original| original.group).filter(|group| *group != 0) {
            broken.extend(view.album_broken(group, id, made));
        } else if made.group != 0 {
            let text = format!("{task}: message {id} is in no album, and its copy {} is", made.target);
            broken.push((Invariant::AlbumWhole, text));
        }
        view.created.insert(id, made);
        broken
    }

    fn charge(&mut self, account: i64, random_id: i64) {
        let Some(day) = self.charged.get(&(account, random_id)).copied() else { return };
        let created = self.created_on.entry((account, day)).or_default();
        *created += 1;
        let created = *created;
        let view = self.account(&transfer::ids::AccountId(account.to_string()));
        let Some(budget) = view.budget.filter(|_| view.budget_known) else { return };
        if created == budget + 1 && !self.clock_jumps {
            let text = format!("account {account} has carried {created} messages of {day}; its budget is {budget}");
            self.violated(Invariant::Budget, text);
        }
    }
}

impl TaskView {
    /// What is wrong with an album after this member was created, if anything.
    fn album_broken(&mut self, group: i64, id: i32, made: Made) -> Option<(Invariant, String)> {
        let task = &self.plan.id;
        let earlier = self.album_last.insert(group, id);
        if earlier.is_some_and(|earlier| earlier > id) {
            let text = format!("{task}: {id} came after {} of the same album", earlier.unwrap_or(0));
            return Some((Invariant::Order, text));
        }
        let became = self.album_became.get(&group).copied();
        if earlier.is_some() && (made.group == 0 || became != Some(made.group)) {
            let text = format!(
                "{task}: the album of {id} is torn: its copy {} is not in one album with that of {}",
                made.target,
                earlier.unwrap_or(0)
            );
            return Some((Invariant::AlbumWhole, text));
        }
        self.album_became.insert(group, made.group);
        if made.group != 0 && *self.album_was.entry(made.group).or_insert(group) != group {
            let text = format!("{task}: the copy {} of {id} is in the album of another", made.target);
            return Some((Invariant::AlbumWhole, text));
        }
        None
    }
}
