// Runs the official SDK for Node against the double: a JSON list of runs in, what each saw out.
// What a run does and reports is the same in every language: ../README.md. This SDK has V1 alone,
// no compression and no shards.

import http from 'node:http';
import { readFileSync } from 'node:fs';
import Client from '@alicloud/log';

function clientOf(run, other = {}) {
  const key = { id: 'test-id', secret: 'test-secret', ...run.key, ...other };
  return new Client({ accessKeyId: key.id, accessKeySecret: key.secret, securityToken: key.token,
                      endpoint: run.endpoint });
}

// The host `project.127.0.0.1` is in no DNS.
const toLoopback = new http.Agent({
  keepAlive: true,
  lookup: (host, options, found) =>
    options.all ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4),
});

async function codeOf(call) {
  try {
    await call;
    return 'none';
  } catch (error) {
    return error.code;
  }
}

function put(client, run, options) {
  return Promise.all(run.rows.map((row, place) =>
    client.postLogStoreLogs(run.project, run.logstore, {
      logs: [{ timestamp: row.time, timestampNsPart: row.ns, content: row.contents }],
      tags: [{ __pack_id__: `p-${place}` }], topic: 'cold', source: 'sdk',
    }, options)));
}

async function answers(queries, ask) {
  const found = {};
  for (const query of queries) found[query] = await ask(query);
  return found;
}

async function errors(client, run, options) {
  const get = (each) => each.getLogStore(run.project, 'missing', options);
  return {
    'create again': await codeOf(client.createLogStore(run.project, run.logstore,
                                                       { ttl: 30, shardCount: 2 }, options)),
    'missing logstore': await codeOf(get(client)),
    'missing project': run.project &&
      await codeOf(client.getLogStore('nobody', run.logstore, options)),
    'wrong secret': await codeOf(get(clientOf(run, { secret: 'wrong' }))),
    'unknown key': await codeOf(get(clientOf(run, { id: 'nobody' }))),
  };
}

async function drive(run) {
  const client = clientOf(run);
  const { project, logstore } = run;
  const options = { agent: toLoopback, timeout: 60000 };
  const window = [new Date(run.from * 1000), new Date(run.to * 1000)];
  const ttl = async () => (await client.getLogStore(project, logstore, options)).ttl;
  const seen = {};

  await client.createLogStore(project, logstore, { ttl: 30, shardCount: 2 }, options);
  seen.ttl = [await ttl()];
  await client.updateLogStore(project, logstore, { ttl: 90, shardCount: 2 }, options);
  seen.ttl.push(await ttl());
  seen.logstores = (await client.listLogStore(project, {}, options)).logstores;

  await client.createIndex(project, logstore, run.indexes[0], options);
  await client.updateIndex(project, logstore, run.indexes[1], options);
  seen.index = (await client.getIndexConfig(project, logstore, options)).keys;

  await put(client, run, options);
  seen.found = await answers(run.queries, (query) =>
    client.getLogs(project, logstore, ...window, { query, line: 100, offset: 0 }, options));
  seen.counted = await answers(run.counts, async (query) =>
    (await client.getHistograms(project, logstore, ...window, { query }, options))
      .reduce((sum, bucket) => sum + bucket.count, 0));
  seen.errors = await errors(client, run, options);
  await client.deleteIndex(project, logstore, options);
  seen['without index'] = await codeOf(client.getIndexConfig(project, logstore, options));
  await client.deleteLogStore(project, logstore, options);
  seen.deleted = await codeOf(client.getLogStore(project, logstore, options));
  return seen;
}

const seen = [];
for (const run of JSON.parse(readFileSync(0))) seen.push(await drive(run));
console.log(JSON.stringify(seen));
toLoopback.destroy();
