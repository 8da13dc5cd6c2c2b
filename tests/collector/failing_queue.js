/**
 * The collector's entry for a spec about a failing queue: the built script, whose profiles' second call of the queue fails.
 */
import * as objects from "./index.js";

export { default, CartObject, FeedObject, ImportObject, InboxObject, IndexObject, JournalObject, TokensObject } from "./index.js";

let calls = 0;

export class ProfileObject {
  constructor(state, env) {
    const sendBatch = async (messages) => {
      if (++calls === 2) throw new Error("the queue fails");
      return env.DELIVERIES.sendBatch(messages);
    };
    this.object = new objects.ProfileObject(state, { ...env, DELIVERIES: { sendBatch } });
  }
  fetch(request) {
    return this.object.fetch(request);
  }
  alarm() {
    return this.object.alarm();
  }
}
