//! An order that is repeated after its refund, because its answer was lost: every kind that changes an order's state leaves the refund.

use serde_json::Value;

use super::every_kind::{configured, events};
use super::*;
use crate::forward::destination::Token;

/// A kind that keeps orders, and its words.
#[derive(Clone, Copy)]
struct Words {
    kind: &'static str,
    /// Lines of its settings.
    settings: &'static str,
    /// A part of the address of orders.
    orders: &'static str,
    /// The list of records in a request. Salesforce's and Zoho's answers differ by it.
    list: &'static str,
    number: &'static str,
    stage: &'static str,
    /// A field that only an order tells.
    name: &'static str,
    paid: &'static str,
    refunded: &'static str,
}

const CRM_SETTINGS: &str = "order.currency = 'EUR'\norder.refunded_stage = 'Closed Lost'";
const SALESFORCE: Words = Words {
    kind: "salesforce",
    settings: CRM_SETTINGS,
    orders: "Opportunity",
    list: "records",
    number: "Order_Number__c",
    stage: "StageName",
    name: "Name",
    paid: "Closed Won",
    refunded: "Closed Lost",
};
const ZOHO: Words = Words {
    kind: "zoho",
    orders: "/Deals/",
    list: "data",
    number: "Order_Number",
    stage: "Stage",
    name: "Deal_Name",
    ..SALESFORCE
};
const MARKETO: Words = Words {
    kind: "marketo",
    settings: "",
    orders: "customobjects",
    list: "input",
    number: "orderId",
    stage: "status",
    name: "total",
    paid: "completed",
    refunded: "refunded",
};

/// A service's records of orders: the stage by the number.
struct Service {
    words: Words,
    stages: BTreeMap<String, String>,
    /// Whether the next answer about an order that was made is lost.
    loses_answer: bool,
}

impl Service {
    /// Takes the records of a request as the service does, and answers.
    fn answer(&mut self, request: &Outgoing) -> Result<Response, Failure> {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let is_order = request.url.contains(self.words.orders);
        let action = body["action"].as_str().unwrap_or_default();
        let (mut results, mut is_made) = (Vec::new(), false);
        for record in body[self.words.list].as_array().unwrap() {
            let (result, is_new) = match is_order {
                true => self.take(record, action),
                false => (self.result(Ok(false)), false),
            };
            results.push(result);
            is_made |= is_new;
        }
        if is_made && std::mem::take(&mut self.loses_answer) {
            return Err(Failure::Retriable("the answer was lost".to_owned()));
        }
        let body = match self.words.list {
            "records" => json!(results),
            "data" => json!({ "data": results }),
            _ => json!({"success": true, "result": results}),
        };
        Ok(answer(200, &body.to_string()))
    }

    /// Changes or makes an order. Returns the result, and whether the order was made.
    fn take(&mut self, record: &Value, action: &str) -> (Value, bool) {
        let Words { number, stage, name, .. } = self.words;
        let number = record[number].as_str().unwrap().to_owned();
        let known = self.stages.get(&number).cloned();
        let told = record.get(stage).and_then(Value::as_str).map(str::to_owned);
        let refused = match (&known, action) {
            (None, "updateOnly") => Some("1013"),
            (Some(_), "createOnly") => Some("1017"),
            (None, "") if record.get(name).is_none() => Some(name),
            (None, "") if told.is_none() => Some(stage),
            _ => None,
        };
        if let Some(why) = refused {
            return (self.result(Err(why)), false);
        }
        let is_new = known.is_none();
        self.stages.insert(number, told.or(known).unwrap());
        (self.result(Ok(is_new)), is_new)
    }

    /// The result of a record: whether it was made, or the code or the missing field for which it was refused.
    fn result(&self, taken: Result<bool, &str>) -> Value {
        match (self.words.list, taken) {
            ("records", Ok(is_new)) => {
                json!({"success": true, "created": is_new, "errors": [], "id": "1"})
            }
            ("records", Err(field)) => {
                json!({"success": false, "errors": [{"statusCode": "REQUIRED_FIELD_MISSING", "fields": [field]}]})
            }
            ("data", Ok(is_new)) => {
                json!({"code": "SUCCESS", "action": if is_new { "insert" } else { "update" }})
            }
            ("data", Err(field)) => {
                json!({"code": "MANDATORY_NOT_FOUND", "details": {"api_name": field}})
            }
            (_, Ok(is_new)) => {
                json!({"id": 1, "status": if is_new { "created" } else { "updated" }})
            }
            (_, Err(code)) => json!({"status": "skipped", "reasons": [{ "code": code }]}),
        }
    }
}

/// Delivers one event to the service, and returns its result.
fn attempt(service: &RefCell<Service>, one: Delivery) -> DeliveryResult {
    let Words { kind, settings, .. } = service.borrow().words;
    let config = configured(kind, settings).unwrap();
    let loaded = Loaded::of(&config.destinations[0]).unwrap();
    let entry = Configured::with(&config.destinations[0], Ok(loaded));
    let results = RefCell::new(Vec::new());
    let outside = Outside {
        send: async |request: &Outgoing| service.borrow_mut().answer(request),
        secrets: &|_| Some("secret".to_owned()),
        now: &|| NOW.parse().unwrap(),
        is_dev: false,
        keyring: None,
        gate: Gate::new("desk", Rc::default(), NOW.parse().unwrap()),
        renew: &|_| Box::pin(async { Ok(Token { access: "at".to_owned(), host: None }) }),
        mark: &|_, asked| {
            Box::pin(async move { Some(asked.iter().map(|one| Some(one.row)).collect()) })
        },
        mark_id: "first".to_owned(),
    };
    let report = async |more: Vec<Ended>| results.borrow_mut().extend(more);
    run(deliver_group(vec![one], &entry, 1, &outside, report)).unwrap();
    results.take().remove(0).result
}

#[test]
fn an_order_that_is_repeated_after_its_refund_leaves_the_refund() {
    for words in [SALESFORCE, ZOHO, MARKETO] {
        let Words { kind, paid, refunded, .. } = words;
        let order =
            events().into_iter().find(|one| one.message_id == "track-Order-Completed").unwrap();
        let refund = Delivery {
            message_id: "refund".to_owned(),
            event: order.event.replace("Order Completed", "Order Refunded"),
            ..order.clone()
        };
        let service = RefCell::new(Service { words, stages: BTreeMap::new(), loses_answer: false });
        let stage = || service.borrow().stages.get("o-1").cloned().unwrap_or_default();
        // A refund makes no order.
        assert!(
            matches!(attempt(&service, refund.clone()), DeliveryResult::Retry { .. }),
            "{kind}"
        );
        assert_eq!(stage(), "", "{kind}");
        service.borrow_mut().loses_answer = true;
        let DeliveryResult::Retry { steps, .. } = attempt(&service, order.clone()) else {
            panic!("{kind}: the answer was not lost")
        };
        assert_eq!(stage(), paid, "{kind}");
        assert_eq!(attempt(&service, refund), DeliveryResult::Delivered, "{kind}");
        assert_eq!(stage(), refunded, "{kind}");
        let again = Delivery { steps, attempt: 1, ..order.clone() };
        assert_eq!(attempt(&service, again), DeliveryResult::Delivered, "{kind}");
        assert_eq!(stage(), refunded, "{kind}");
        // Another sender reports the same order.
        assert_eq!(attempt(&service, order), DeliveryResult::Delivered, "{kind}");
        assert_eq!(stage(), refunded, "{kind}");
    }
}
