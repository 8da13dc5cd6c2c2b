//! Posts in Buffer are made once, whatever becomes of the answers. The Buffer of this file keeps what it is told to make.

use serde_json::Value;

use super::*;

const BUFFER: &str = "[[destination]]\nname = 'desk'\ntype = 'buffer'\npurposes = ['analytics']\n\
    organization = 'o1'\nchannels = ['c1', 'c2']\nwhen = ['x']\ntext = 'New in the shop'\napi_key = { secret = 'KEY' }\n";

/// What Buffer has, and how many of its answers still get lost on the way back.
struct World {
    posts: RefCell<Vec<(String, String)>>,
    lost: RefCell<Vec<&'static str>>,
}

impl World {
    fn losing(lost: &[&'static str]) -> World {
        World { posts: RefCell::default(), lost: RefCell::new(lost.to_vec()) }
    }

    fn answer(&self, line: &str) -> Response {
        let asked: Value = serde_json::from_str(line.strip_prefix("graphql ").unwrap()).unwrap();
        let variables = &asked["variables"];
        let Some(input) = variables.get("i") else {
            let posts = self.posts.borrow();
            let found = posts.iter().filter(|(channel, _)| variables["c"][0] == channel.as_str());
            let edges: Vec<_> =
                found.map(|(_, text)| json!({ "node": { "text": text } })).collect();
            let posts = json!({ "edges": edges, "pageInfo": { "hasNextPage": false } });
            return answer(200, &json!({ "data": { "posts": posts } }).to_string());
        };
        let text = |name: &str| input[name].as_str().unwrap().to_owned();
        let channel = text("channelId");
        self.posts.borrow_mut().push((channel.clone(), text("text")));
        let mut lost = self.lost.borrow_mut();
        match lost.iter().position(|one| *one == channel) {
            Some(at) => {
                lost.remove(at);
                answer(0, "")
            }
            None => {
                let made = json!({ "createPost": { "__typename": "PostActionSuccess" } });
                answer(200, &json!({ "data": made }).to_string())
            }
        }
    }

    /// Makes one attempt after another until the event has ended, and returns how many it took.
    fn deliver(&self) -> u32 {
        let config = parse(&format!("{HEAD}{BUFFER}")).unwrap();
        let mut next = delivery("m1", "track");
        for attempt in 1..10 {
            let loaded = Loaded::of(&config.destinations[0]).unwrap();
            let limits = loaded.kind.limits;
            let sent = vec![next.clone()];
            let (_, results) =
                deliver_to(loaded.destination, limits, sent, |line| self.answer(line));
            let result = &results["m1"];
            if *result == DeliveryResult::Delivered {
                return attempt;
            }
            let DeliveryResult::Retry { steps, .. } = result else { panic!("{result:?}") };
            next.steps = *steps;
        }
        panic!("it never ends")
    }

    fn channels(self) -> Vec<String> {
        self.posts.take().into_iter().map(|(channel, _)| channel).collect()
    }
}

#[test]
fn each_channel_gets_its_post() {
    let world = World::losing(&[]);
    assert_eq!((world.deliver(), world.channels()), (1, vec!["c1".to_owned(), "c2".to_owned()]));
}

#[test]
fn a_post_whose_answer_was_lost_is_found_and_not_made_again() {
    for lost in [&["c1"][..], &["c2"], &["c1", "c2"]] {
        let world = World::losing(lost);
        assert_eq!(world.deliver() as usize, lost.len() + 1, "{lost:?}");
        assert_eq!(world.channels(), ["c1", "c2"], "{lost:?}");
    }
}
