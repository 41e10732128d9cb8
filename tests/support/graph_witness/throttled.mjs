// Lists plan.user's inbox while the simulator refuses some requests: the client's own retry handler
// has to obey Retry-After and get through.
import { answer, everything, graphClient, mailboxPath, plan } from "./libraries.mjs";

const client = await graphClient(plan.side);
const base = await mailboxPath(client, plan.user);
const started = Date.now();
const listed = await everything(client, `${base}/folders/inbox/items?$top=100`);
answer({ items: new Set(listed.elements.map((one) => one.id)).size,
         seconds: (Date.now() - started) / 1000 });
