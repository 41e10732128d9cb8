// The vendor's own libraries, out of the folder that WITNESS_MODULES names, and what the witnesses
// share. Nothing here knows mailferry.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.WITNESS_MODULES, "package.json"));
const { ConfidentialClientApplication } = require("@azure/msal-node");
const { Client, PageIterator } = require("@microsoft/microsoft-graph-client");

export { PageIterator };

// What the test asks for: one JSON object on standard input.
export const plan = JSON.parse(readFileSync(0, "utf8"));

// side: tenant, app, and secret or certificate {privateKey, thumbprint | thumbprintSha256}
export function application(side) {
    const authority = `${plan.authority}/${side.tenant}`;
    const auth = { clientId: side.app, authority, knownAuthorities: [new URL(authority).host] };
    if (side.secret) auth.clientSecret = side.secret;
    if (side.certificate) auth.clientCertificate = side.certificate;
    return new ConfidentialClientApplication({ auth });
}

export async function token(side) {
    const scopes = ["https://graph.microsoft.com/.default"];
    const result = await application(side).acquireTokenByClientCredential({ scopes });
    return result.accessToken;
}

export async function graphClient(side) {
    const app = application(side);
    const scopes = ["https://graph.microsoft.com/.default"];
    return Client.initWithMiddleware({
        baseUrl: `${plan.graph}/`,
        customHosts: new Set([new URL(plan.graph).hostname]),
        authProvider: {
            getAccessToken: async () =>
                (await app.acquireTokenByClientCredential({ scopes })).accessToken,
        },
    });
}

// Every element of a collection, however many pages it has; the delta link, if it ends in one.
export async function everything(client, path, headers = {}) {
    const elements = [];
    const first = await client.api(path).headers(headers).get();
    const iterator = new PageIterator(client, first, (one) => elements.push(one) > 0, { headers });
    await iterator.iterate();
    return { elements, deltaLink: iterator.getDeltaLink() };
}

export async function mailboxPath(client, user) {
    const settings = await client.api(`/users/${user}/settings/exchange`).get();
    return `/admin/exchange/mailboxes/${settings.primaryMailboxId}`;
}

export function answer(value) {
    process.stdout.write(`${JSON.stringify(value)}\n`);
}
