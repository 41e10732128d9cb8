// Copies the items of plan.pairs ([source user, target user]) from one tenant to the other by
// @microsoft/microsoft-graph-client: folders by list, items by delta, streams by export and import.
import { answer, everything, graphClient, mailboxPath, plan } from "./libraries.mjs";

const byPrefer = { Prefer: "odata.maxpagesize=50" };

const withKind = "?$expand=singleValueExtendedProperties($filter=id eq 'Integer 0x3601')";
const isSearch = (folder) =>
    folder.singleValueExtendedProperties?.some((one) => one.value === "2") ?? false;

// Folders below `path` with their names from the top, parents first; search folders are left out.
async function tree(client, path, above = []) {
    const found = [];
    const folders = (await everything(client, path + withKind)).elements;
    for (const folder of folders.filter((one) => !isSearch(one))) {
        const names = [...above, folder.displayName];
        found.push({ ...folder, names });
        if (folder.childFolderCount > 0) {
            const below = path.replace(/\/folders.*$/, `/folders/${folder.id}/childFolders`);
            found.push(...await tree(client, below, names));
        }
    }
    return found;
}

async function twinOf(target, base, folder, twins) {
    if (folder.wellKnownName) return target.api(`${base}/folders/${folder.wellKnownName}`).get();
    const parent = twins.get(folder.parentFolderId);
    const place = parent ? `${base}/folders/${parent.id}/childFolders` : `${base}/folders`;
    const there = (await everything(target, place)).elements;
    const same = there.find((one) => one.displayName === folder.displayName);
    return same ?? target.api(place).post({ displayName: folder.displayName, type: folder.type });
}

async function importItem(session, folder, data) {
    const reply = await fetch(session.importUrl, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ FolderId: folder.id, Mode: "create", Data: data }),
    });
    if (!reply.ok) throw new Error(`import: ${reply.status} ${await reply.text()}`);
    return reply.json();
}

async function copyMailbox(source, target, [user, twin], counts) {
    const from = await mailboxPath(source, user);
    const to = await mailboxPath(target, twin);
    const session = await target.api(`${to}/createImportSession`).post({});
    const twins = new Map();
    for (const folder of await tree(source, `${from}/folders`)) {
        if (folder.totalItemCount === 0 && folder.childFolderCount === 0) continue;
        const place = await twinOf(target, to, folder, twins);
        twins.set(folder.id, place);
        const items = `${from}/folders/${folder.id}/items`;
        const delta = await everything(source, `${items}/delta`, byPrefer);
        const ids = [...new Set(delta.elements.filter((one) => !one["@removed"])
            .map((one) => one.id))];
        for (let n = 0; n < ids.length; n += 20) {
            const exported = await source.api(`${from}/exportItems`)
                .post({ itemIds: ids.slice(n, n + 20) });
            for (const one of exported.value) {
                if (one.error) throw new Error(`export: ${one.error.code}`);
                await importItem(session, place, one.data);
                counts.items += 1;
            }
        }
        const again = await everything(source, delta.deltaLink);
        counts.changed_since += again.elements.length;
        counts.folders += 1;
    }
}

const counts = { folders: 0, items: 0, changed_since: 0 };
const source = await graphClient(plan.source);
const target = await graphClient(plan.target);
for (const pair of plan.pairs) await copyMailbox(source, target, pair, counts);
answer(counts);
