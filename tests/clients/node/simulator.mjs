// What the suites of Node clients share: the simulator's own account of what it saw, and a picture.

import { crc32, deflateSync } from 'node:zlib';
import { setTimeout as pause } from 'node:timers/promises';

const ask = async (method, action, body) => {
  const answer = await fetch(`${process.env.SIMULATOR_URL}/_simulator/${action}`, { method, body: JSON.stringify(body) });
  return answer.json();
};

/** Lets something go wrong; `contains` keeps it to the requests that hold a word. */
export const addFault = (fault) => ask('POST', 'faults', [fault]);

export const clearFaults = () => ask('DELETE', 'faults');

/** What the simulator counted for one model, for the one account that the gateway uses. */
export const counted = async (model) => {
  const { places } = await ask('GET', 'state');
  return places.find((place) => place.model === model) ?? { in_flight: 0, cancelled: 0, accepted: 0 };
};

/** Waits until the simulator's counters for a model are as wanted; ends with the test when they never are. */
export const until = async (model, wanted) => {
  while (!wanted(await counted(model))) await pause(10);
};

const chunk = (kind, data) => {
  const body = Buffer.concat([Buffer.from(kind), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
};

const header = Buffer.from([0, 0, 0, 64, 0, 0, 0, 48, 8, 0, 0, 0, 0]);
const rows = Buffer.concat(Array.from({ length: 48 }, () => Buffer.concat([Buffer.from([0]), Buffer.alloc(64, 128)])));

/** A grey PNG, 64 pixels wide and 48 high, which is what the simulator says of it. */
export const picture = Buffer.concat([
  Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
  chunk('IHDR', header),
  chunk('IDAT', deflateSync(rows)),
  chunk('IEND', Buffer.alloc(0)),
]);
