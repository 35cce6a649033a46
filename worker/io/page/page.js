// SPDX-License-Identifier: Apache-2.0
// One event stream in, one page out. Texts are hostile: they only ever reach the page through textContent.
'use strict';

const $ = id => document.getElementById(id);
const state = { status: null, entities: [], courses: new Map(), alerts: new Map(), dead: [], series: [], texts: true, filter: '' };
const SERIES_MAX = 900, COURSE_MAX = 240, COURSE_STEP_MIN = 5, DEAD_MAX = 200, ALERTS_MAX = 200;

/* ---------- small tools ---------- */

const SVG = 'http://www.w3.org/2000/svg';
function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === 'text') node.textContent = value;
    else if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter(child => child !== null && child !== undefined));
  return node;
}
const h = (tag, attributes, ...children) => build(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) => build(document.createElementNS(SVG, tag), attributes, children);

const setText = (node, text) => { if (node.textContent !== text) node.textContent = text; };
const whole = new Intl.NumberFormat('en');
const count = n => whole.format(n);
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? '' : 's'}`;
const percent = share => Number.isFinite(share) ? `${Math.round(share * 100)} %` : '–';
const ratio = (matched, all) => all > 0 ? matched / all : NaN;
const color = name => `var(--${name})`;

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hour12: false });
const dayFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const clock = ms => clockFormat.format(ms);
function moment(ms) {
  const today = new Date(ms).toDateString() === new Date().toDateString();
  return h('time', { datetime: new Date(ms).toISOString(), title: new Date(ms).toISOString().replace('T', ' ').replace(/\.\d+Z/, ' UTC'),
    text: today ? clock(ms) : `${dayFormat.format(ms)}, ${clock(ms)}` });
}
function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.round(hours / 24)} days`;
}
function seconds(value) {
  if (!Number.isFinite(value)) return '–';
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(value < 10 ? 1 : 0)} s`;
}
const keyOf = item => `${item.rule}\u0000${item.entity}`;

/* ---------- what the stream brings ---------- */

function takeAlerts(list) {
  for (const item of list) {
    if (!item.alert) continue;
    const id = item.alert.alert_id;
    const episode = state.alerts.get(id) || { id, transitions: new Map(), order: 0 };
    episode.transitions.set(item.seq, item);
    episode.order = Math.max(episode.order, item.seq);
    const transitions = [...episode.transitions.values()].sort((a, b) => a.seq - b.seq);
    episode.last = transitions[transitions.length - 1].alert;
    episode.peak = transitions.map(t => t.alert).reduce((best, alert) => alert.stats.strength > best.stats.strength ? alert : best);
    episode.detail = transitions.map(t => t.alert).filter(alert => (alert.examples || []).length).pop() || episode.last;
    state.alerts.set(id, episode);
  }
  const old = [...state.alerts.values()].sort((a, b) => b.order - a.order).slice(ALERTS_MAX);
  for (const episode of old) state.alerts.delete(episode.id);
}

function takeEntities(list, watermark) {
  state.entities = list;
  for (const entity of list) {
    const key = keyOf(entity);
    if (entity.course) state.courses.set(key, entity.course);
    const course = state.courses.get(key) || [];
    state.courses.set(key, course);
    const minute = Math.floor(watermark / 60000), last = course.length ? course[course.length - 1][0] : -Infinity;
    if (watermark !== null && minute - last >= COURSE_STEP_MIN) course.push([minute, entity.count, entity.matched, entity.count_long, entity.matched_long]);
    if (course.length > COURSE_MAX) course.shift();
  }
}

const append = (list, items, max) => { list.push(...items); if (list.length > max) list.splice(0, list.length - max); };
const newer = (list, items, number) => items.filter(item => !list.length || number(item) > number(list[list.length - 1]));

const handlers = {
  snapshot(data) {
    Object.assign(state, { courses: new Map(), alerts: new Map(), dead: [], series: [], texts: data.texts, status: data.status });
    takeEntities(data.entities, data.status.watermark);
    takeAlerts(data.alerts);
    append(state.series, data.series, SERIES_MAX);
    append(state.dead, data.dead_letters, DEAD_MAX);
    dirty('status', 'entities', 'alerts', 'series', 'dead');
  },
  status(data) { state.status = data; dirty('status'); },
  entities(data) { takeEntities(data, state.status && state.status.watermark); dirty('entities'); },
  alerts(data) { takeAlerts(data); dirty('alerts', 'entities'); },
  series(data) { append(state.series, newer(state.series, data, point => point[0]), SERIES_MAX); dirty('series'); },
  dead_letters(data) { append(state.dead, newer(state.dead, data, letter => letter.seq), DEAD_MAX); dirty('dead'); },
};

function connect() {
  const source = new EventSource('/api/v1/stream');
  for (const [name, handle] of Object.entries(handlers)) source.addEventListener(name, event => handle(JSON.parse(event.data)));
  source.onopen = () => { document.body.classList.remove('stale'); notice(''); };
  source.onerror = () => {
    document.body.classList.add('stale');
    showState('disconnected', 'disconnected');
    notice('The worker does not answer. What you see is the last that was heard; this page tries again every two seconds.');
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  };
}

/* ---------- drawing: only what changed, once a frame, not in a hidden tab ---------- */

const parts = new Set();
let frame = 0;
function dirty(...names) {
  names.forEach(name => parts.add(name));
  if (!frame && !document.hidden) frame = requestAnimationFrame(draw);
}
function draw() {
  frame = 0;
  const now = new Set(parts);
  parts.clear();
  if (now.has('status') || now.has('alerts')) drawHead();
  if (now.has('status')) drawTiles();
  if (now.has('entities') || now.has('alerts')) { drawCards(); drawEntities(); }
  if (now.has('series')) drawFlow();
  if (now.has('alerts')) drawAlerts();
  if (now.has('dead')) drawDead();
}
addEventListener('resize', () => dirty('entities', 'series'));
document.addEventListener('visibilitychange', () => { if (!document.hidden && parts.size) dirty(); });

function notice(text) {
  $('notice').hidden = !text;
  setText($('notice'), text);
}
function showState(word, data) {
  setText($('state-word'), word);
  $('state').dataset.state = data;
}

const isOpen = episode => episode.last.state !== 'RESOLVED';
const openEpisodes = () => [...state.alerts.values()].filter(isOpen).sort((a, b) => Date.parse(b.last.starts_at) - Date.parse(a.last.starts_at));

function drawHead() {
  const status = state.status;
  if (!status) return;
  showState(status.state, status.state);
  setText($('app'), status.app === status.instance ? status.app : `${status.app} · ${status.instance}`);
  setText($('fact-model'), status.model ? `${status.model.name}, ${status.model.layers}×${status.model.hidden}` : 'loading');
  setText($('fact-partitions'), `${status.input_partitions} in, ${status.scores_partitions} scores`);
  setText($('fact-uptime'), span(status.now - status.started_at));
  const behind = status.watermark === null ? null : status.now - status.watermark;
  setText($('fact-behind'), behind === null ? 'none yet' : behind < 0 ? 'now' : `${span(behind)} behind`);
  notice(status.why ? status.why[0].toUpperCase() + status.why.slice(1) : '');

  const firing = openEpisodes(), names = [...new Set(firing.map(episode => episode.last.entity))];
  const calm = status.entities ? 'All calm' : 'Nothing to watch yet';
  setText($('headline'), names.length ? `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''} ${names.length === 1 ? 'is' : 'are'} firing` : calm);
  document.title = names.length ? `▲ ${names.length} firing · Squall` : 'Squall';
  setText($('subline'), `${plural(status.entities, 'entity').replace('entitys', 'entities')} watched, ${plural(status.scored, 'message')} scored, ` +
    `${plural(status.transitions.firing, 'alert')} fired and ${count(status.transitions.resolved)} resolved since this worker started.`);
}

function drawTiles() {
  const { status } = state;
  setText($('tile-scored'), count(status.scored));
  setText($('tile-dead'), count(status.dead_lettered));
  setText($('tile-lag'), status.lag === null ? 'unknown' : count(status.lag));
  $('tile-lag').title = status.behind ? (status.catch_up_seconds === null ? 'falling further behind' : `caught up in ${seconds(status.catch_up_seconds)}`) : '';
  setText($('tile-p50'), seconds(status.latency_seconds.p50 ?? NaN));
  setText($('tile-p99'), seconds(status.latency_seconds.p99 ?? NaN));
  setText($('tile-flight'), count(status.in_flight));
  const inputs = status.partitions.filter(partition => partition.stage === 'score').sort((a, b) => a.partition - b.partition);
  $('lag-strip').replaceChildren(...inputs.map(partition => h('span', {
    class: partition.lag > 0 ? 'behind' : null, text: partition.lag === null ? '?' : short(partition.lag),
    title: `${partition.topic}[${partition.partition}]: ${partition.lag === null ? 'lag unknown' : `${count(partition.lag)} behind`}, ${partition.state}` })));
}
const short = n => n < 1000 ? String(n) : n < 1e6 ? `${(n / 1000).toFixed(n < 1e4 ? 1 : 0)}k` : `${(n / 1e6).toFixed(1)}M`;

/* ---------- charts ---------- */

const line = points => points.map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
const area = (top, bottom) => top.length ? `${line(top)}${line([...bottom].reverse()).replace('M', 'L')}Z` : '';

/* The episodes of an entity as spans of event time. */
function episodesOf(entity, end) {
  return [...state.alerts.values()].filter(episode => episode.last.entity === entity.entity && episode.last.rule === entity.rule)
    .map(episode => [Date.parse(episode.last.starts_at) / 60000, isOpen(episode) ? end : Date.parse(episode.last.ends_at || episode.last.at) / 60000]);
}

/* Runs of points that have messages, so that silence is a gap and not a zero. */
function runs(course) {
  const all = [];
  let run = [];
  for (const point of course) {
    if (point[1] > 0) run.push(point);
    else if (run.length) { all.push(run); run = []; }
  }
  if (run.length) all.push(run);
  return all;
}

/* The share of one entity over event time, above the band of what is usual for it. */
function courseChart(entity, width, height, large) {
  /* The card judges by the short window, as the alert does at first; a thin line is readable only in the long one. */
  const course = (state.courses.get(keyOf(entity)) || []).map(point => large ? point.slice(0, 3) : [point[0], point[3], point[4]]);
  const left = large ? 38 : 2, right = large ? 6 : 4, bars = large ? 22 : 0, foot = large ? 18 : 2, top = large ? 8 : 3;
  const svg = s('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', preserveAspectRatio: 'none',
    'aria-label': `Share of ${entity.entity} over event time, now ${percent(ratio(entity.matched, entity.count))}, usual ${percent(entity.baseline.rate)}` });
  if (large) svg.removeAttribute('preserveAspectRatio');
  if (course.length < 2) return large ? h('p', { class: 'empty', text: 'The course shows once some event time has passed.' }) : svg;
  const begin = course[0][0], end = Math.max(course[course.length - 1][0], begin + 60);
  const base = height - foot - bars - (bars ? 22 : 0);
  const peak = Math.max(entity.baseline.high, ...course.map(point => ratio(point[2], point[1]) || 0));
  const high = large ? (peak > .5 ? 1 : .5) : Math.max(.4, peak);
  const x = minute => left + (minute - begin) / (end - begin) * (width - left - right);
  const y = share => top + (1 - Math.min(share, high) / high) * (base - top);

  for (const [from, to] of episodesOf(entity, end)) {
    if (to <= begin || from >= end) continue;
    const start = x(Math.max(from, begin)), width = Math.max(2, x(Math.min(to, end)) - start);
    svg.append(s('rect', { x: start, y: top - 3, width, height: base - top + 3, fill: color('red-soft'), class: 'episode' }),
      s('rect', { x: start, y: top - 3, width, height: 2, fill: color('red') }));
  }
  svg.append(s('rect', { x: left, y: y(entity.baseline.high), width: width - left - right, height: Math.max(1, y(entity.baseline.low) - y(entity.baseline.high)), fill: color('usual'), opacity: .55 }),
    s('line', { x1: left, x2: width - right, y1: y(entity.baseline.rate), y2: y(entity.baseline.rate), stroke: color('usual-ink'), 'stroke-dasharray': '3 3' }));
  if (large) frameCourse(svg, { left, right, width, height, base, high, begin, end, x, y, bars, foot, course });
  for (const run of runs(course))
    svg.append(s('path', { d: line(run.map(point => [x(point[0]), y(ratio(point[2], point[1]))])), fill: 'none', stroke: color(entity.firing ? 'red' : 'accent'),
      'stroke-width': large ? 2 : 1.5, 'stroke-linejoin': 'round', 'stroke-linecap': 'round', 'vector-effect': 'non-scaling-stroke' }));
  return svg;
}

function frameCourse(svg, { left, right, width, height, base, high, begin, end, x, y, bars, foot, course }) {
  for (const share of [0, high / 2, high])
    svg.append(s('line', { x1: left, x2: width - right, y1: y(share), y2: y(share), stroke: color('line') }),
      s('text', { x: left - 6, y: y(share) + 4, 'text-anchor': 'end', text: percent(share) }));
  const most = Math.max(1, ...course.map(point => point[1])), floor = height - foot;
  for (const point of course) {
    const tall = point[1] / most * bars;
    svg.append(s('rect', { x: x(point[0]) - 1, y: floor - tall, width: Math.max(1, (width - left - right) / ((end - begin) / COURSE_STEP_MIN) - 1), height: tall, fill: color('usual') }));
  }
  svg.append(s('text', { x: left, y: floor - bars - 5, text: `messages in the window, at most ${count(most)}` }));
  for (const [at, anchor] of [[begin, 'start'], [(begin + end) / 2, 'middle'], [end, 'end']])
    svg.append(s('text', { x: x(at), y: height - 3, 'text-anchor': anchor, text: clock(at * 60000) }));
}

/* The last minutes at one second a step; the running averages keep thin traffic readable. */
function flowSeries() {
  const first = state.series.findIndex(point => point[1] || point[2]), all = first < 0 ? [] : state.series.slice(first);
  const newest = all.length ? all[all.length - 1][0] : 0;
  return all.filter(point => point[0] > newest - SERIES_MAX);
}
function smooth(points, column, width) {
  let sum = 0;
  return points.map((point, i) => {
    sum += point[column] - (i >= width ? points[i - width][column] : 0);
    return sum / Math.min(width, i + 1);
  });
}

function drawFlow() {
  const points = flowSeries();
  FLOW.width = widthOf($('chart-rate'), FLOW.width);
  if (points.length < 2 || !state.status) return;
  const labels = state.status.model ? state.status.model.labels : [];
  const rates = smooth(points, 2, 5), recent = smooth(points, 2, 10).pop();
  $('rate').replaceChildren(count(Math.round(recent)), h('small', { text: ' /s' }));
  $('chart-rate').replaceChildren(rateChart(points, rates));
  const window = points.slice(-60), total = window.reduce((sum, point) => sum + point[2], 0), negative = labels.indexOf('negative');
  const shareNow = negative < 0 ? NaN : ratio(window.reduce((sum, point) => sum + point[4 + negative], 0), total);
  $('negative').replaceChildren(percent(shareNow), h('small', { text: ' negative' }));
  $('chart-mix').replaceChildren(mixChart(points, labels));
}

const nice = value => { const unit = 10 ** Math.floor(Math.log10(Math.max(1, value))); return [1, 2, 2.5, 5, 10].map(m => m * unit).find(m => m >= value) || 1; };
const FLOW = { width: 440, height: 156, left: 40, right: 4, top: 8, foot: 18 };
const widthOf = (node, fallback) => Math.max(240, node.clientWidth || fallback);
function flowScale(points) {
  const { width, left, right } = FLOW, begin = points[0][0], end = points[points.length - 1][0];
  return second => left + (second - begin) / Math.max(1, end - begin) * (width - left - right);
}
function flowFrame(svg, points, ticks, y, format) {
  const { width, height, left, right } = FLOW;
  for (const tick of ticks)
    svg.append(s('line', { x1: left, x2: width - right, y1: y(tick), y2: y(tick), stroke: color('line') }), s('text', { x: left - 6, y: y(tick) + 4, 'text-anchor': 'end', text: format(tick) }));
  const ago = points[points.length - 1][0] - points[0][0];
  svg.append(s('text', { x: left, y: height - 3, text: `${span(ago * 1000)} ago` }), s('text', { x: width - right, y: height - 3, 'text-anchor': 'end', text: 'now' }));
}
function rateChart(points, rates) {
  const { width, height, top, foot } = FLOW, high = nice(Math.max(...rates) * 1.05), x = flowScale(points);
  const y = value => top + (1 - value / high) * (height - top - foot);
  const svg = s('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `Records scored a second, now ${Math.round(rates[rates.length - 1])}` });
  flowFrame(svg, points, [0, high / 2, high], y, value => short(value));
  const curve = points.map((point, i) => [x(point[0]), y(rates[i])]);
  svg.append(s('path', { d: area(curve, curve.map(([px]) => [px, y(0)])), fill: color('accent-soft') }),
    s('path', { d: line(curve), fill: 'none', stroke: color('accent'), 'stroke-width': 1.6, 'stroke-linejoin': 'round' }));
  return svg;
}

/* Negative first, at the bottom, in the accent; the others in greys, each with its name on it. */
function mixChart(points, labels) {
  const { width, height, top, foot, right } = FLOW, x = flowScale(points), y = share => top + (1 - share) * (height - top - foot);
  const order = labels.map((name, i) => i).sort((a, b) => (labels[b] === 'negative') - (labels[a] === 'negative'));
  const sums = labels.map((name, i) => smooth(points, 4 + i, 30));
  const svg = s('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'Share of each label among the messages scored, over time' });
  let below = points.map(() => 0);
  order.forEach((label, rank) => {
    const above = points.map((point, i) => {
      const total = sums.reduce((sum, series) => sum + series[i], 0);
      return total > 0 ? below[i] + sums[label][i] / total : below[i];
    });
    const fill = labels[label] === 'negative' ? 'accent' : rank % 2 ? 'neutral' : 'positive';
    svg.append(s('path', { d: area(points.map((point, i) => [x(point[0]), y(above[i])]), points.map((point, i) => [x(point[0]), y(below[i])])), fill: color(fill), opacity: fill === 'accent' ? .85 : 1 }));
    const last = points.length - 1, middle = (above[last] + below[last]) / 2;
    if (above[last] - below[last] > .1)
      svg.append(s('text', { x: width - right - 8, y: y(middle) + 4, 'text-anchor': 'end', text: labels[label], 'data-on': fill }));
    below = above;
  });
  flowFrame(svg, points, [0, .5, 1], y, percent);
  return svg;
}

/* ---------- firing ---------- */

const cards = new Map();
function drawCards() {
  const open = openEpisodes();
  for (const [id, card] of cards) if (!open.some(episode => episode.id === id)) { card.node.remove(); cards.delete(id); }
  for (const episode of open) {
    let card = cards.get(episode.id);
    if (!card) {
      card = { node: h('article', { class: 'card', tabindex: 0 }), order: 0 };
      cards.set(episode.id, card);
      $('firing').prepend(card.node);
    }
    const entity = entityOf(episode);
    if (card.order === episode.order) {
      card.chart.replaceChildren(courseChart(entity, widthOf(card.chart, 620), 224, true));
      drawShare(card.share, entity);
    } else {
      fillCard(card, episode, entity);
    }
  }
}

/* The live numbers where this worker has them, else those of the alert. */
function entityOf(episode) {
  const alert = episode.last, live = state.entities.find(entity => entity.entity === alert.entity && entity.rule === alert.rule);
  if (live) return live;
  return { entity: alert.entity, rule: alert.rule, count: alert.stats.count, matched: alert.stats.matched, baseline: alert.stats.baseline,
    strength: alert.stats.strength, threshold: alert.stats.threshold, firing: true };
}
function drawShare(node, entity) {
  const { rate, low, high } = entity.baseline;
  node.replaceChildren(h('b', { text: percent(ratio(entity.matched, entity.count)) }),
    ` negative now, usual ${percent(rate)} (${Math.round(low * 100)} to ${Math.round(high * 100)})`);
}

function fillCard(card, episode, entity) {
  const alert = episode.last, { stats } = alert;
  card.order = episode.order;
  card.share = h('p', { class: 'share' });
  card.chart = h('div', { class: 'course' });
  drawShare(card.share, entity);
  card.node.setAttribute('aria-label', `${alert.entity}, ${alert.severity}`);
  card.node.replaceChildren(
    h('div', {}, h('div', { class: 'card-head' }, h('h3', { text: alert.entity }), h('span', { class: 'flag', text: alert.severity }), h('span', { class: 'muted', text: alert.rule })),
      card.share, card.chart),
    quotes(episode, 3),
    whyLine(episode, stats),
    tools(alert));
  card.chart.replaceChildren(courseChart(entity, widthOf(card.chart, 620), 224, true));
}

/* What people may say of an alert. Where a POST is not taken, for want of a token, neither is this shown. */
function tools(alert) {
  if (!state.texts) return null;
  const said = h('span', { class: 'muted', role: 'status' });
  const tell = async (path, wish, done) => {
    const by = prompt('Your name, for the others:', localStorage.getItem('by') || '');
    if (!by) return;
    localStorage.setItem('by', by);
    try {
      const answer = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ by, ...wish }) });
      setText(said, !answer.ok ? (await answer.json()).error : answer.status === 202 ? `${done} Not saved yet: a worker that dies now forgets it.` : done);
    } catch { setText(said, 'The worker does not answer.'); }
  };
  return h('div', { class: 'tools' },
    alert.acknowledged ? h('span', { class: 'chip', text: 'acknowledged' }) : h('button', { type: 'button', text: 'Acknowledge',
      onclick: () => tell(`/api/v1/alerts/${alert.alert_id}/ack`, {}, 'Acknowledged: no more reminders.') }),
    alert.silenced ? h('span', { class: 'chip', text: 'silenced' }) : h('button', { type: 'button', text: 'Silence for 2 h',
      onclick: () => tell('/api/v1/silences', { rule: alert.rule, entity: alert.entity, duration: '2h' }, 'Silenced for 2 h.') }), said);
}

function quotes(episode, max) {
  const box = h('div', { class: 'quotes' });
  const examples = episode.detail.examples || [];
  if (!state.texts) box.append(h('p', { class: 'empty', text: 'Example texts are off: this server listens beyond loopback without a token.' }));
  else if (!examples.length) box.append(h('p', { class: 'empty', text: 'This alert came without example texts.' }));
  for (const example of examples.slice(0, max))
    box.append(h('blockquote', { class: 'quote' }, h('span', { text: example.excerpt || '(no text kept)' }),
      h('cite', {}, h('span', { class: 'chip', text: `${example.label} ${percent(example.score)}` }), `${example.topic}[${example.partition}]@${example.offset} · `, moment(Date.parse(example.ts)))));
  return box;
}

function whyLine(episode, stats) {
  const alert = episode.last;
  return h('div', { class: 'why' },
    h('span', {}, 'since ', moment(Date.parse(alert.starts_at))),
    h('span', { text: `${count(stats.matched)} of ${count(stats.count)} in ${span(Date.parse(alert.window.end) - Date.parse(alert.window.start))}` }),
    h('span', { text: `strength ${stats.strength.toFixed(1)}, fires at ${stats.threshold.toFixed(1)}` }),
    stats.distinct_authors ? h('span', { text: `${count(stats.distinct_authors)} or more authors` }) : null,
    stats.collapsed ? h('span', { text: `${plural(stats.collapsed, 'copy').replace('copys', 'copies')} not counted` }) : null,
    stats.skipped ? h('span', { text: `a sample: ${count(stats.skipped)} more not scored` }) : null,
    h('button', { type: 'button', text: 'Copy JSON', onclick: event => copy(event.currentTarget, alert) }));
}

async function copy(button, alert) {
  let done = true;
  try { await navigator.clipboard.writeText(JSON.stringify(alert, null, 2)); } catch { done = false; }
  button.textContent = done ? 'Copied' : 'Not allowed here';
  setTimeout(() => { button.textContent = 'Copy JSON'; }, 1500);
}

/* ---------- entities ---------- */

const rows = new Map();
let sortedAt = 0, sortedFiring = '';
function drawEntities() {
  const shown = state.entities.filter(entity => entity.entity.toLowerCase().includes(state.filter));
  $('entities').hidden = !state.entities.length;
  $('entities-empty').hidden = shown.length > 0;
  if (!shown.length && state.entities.length) setText($('entities-empty'), 'No entity has this in its name.');
  const keys = new Set(shown.map(keyOf));
  for (const [key, row] of rows) if (!keys.has(key)) { row.node.remove(); rows.delete(key); }
  for (const entity of shown) fillRow(entity);
  sortRows(shown);
}

/* Rows change places when an alert comes or goes, else every ten seconds at most: a table that jumps can't be read. */
function sortRows(shown) {
  const firing = shown.filter(entity => entity.firing).map(keyOf).join() + shown.length + state.filter;
  if (firing === sortedFiring && Date.now() - sortedAt < 10000) return;
  sortedFiring = firing;
  sortedAt = Date.now();
  const body = $('entities').tBodies[0], focused = document.activeElement;
  shown.forEach((entity, i) => { const { node } = rows.get(keyOf(entity)); if (body.children[i] !== node) body.insertBefore(node, body.children[i] || null); });
  if (focused && body.contains(focused)) focused.focus();
}

function newRow(key) {
  const cell = name => h('td', { class: name });
  const row = { name: cell('entity'), messages: cell('num'), now: cell('num now'), plot: cell('plot-col'), course: cell('course-col'), strength: cell('strength-col'), verdict: cell('verdict') };
  row.node = h('tr', { tabindex: -1 }, row.name, row.messages, row.now, row.plot, row.course, row.strength, row.verdict);
  rows.set(key, row);
  $('entities').tBodies[0].append(row.node);
  return row;
}

function fillRow(entity) {
  const row = rows.get(keyOf(entity)) || newRow(keyOf(entity));
  const share = ratio(entity.matched_long, entity.count_long);
  row.node.className = entity.firing ? 'firing' : '';
  setText(row.name, entity.entity);
  row.name.title = `${entity.entity}, rule ${entity.rule}`;
  setText(row.messages, count(entity.count_long));
  setText(row.now, percent(share));
  row.plot.replaceChildren(sharePlot(entity, share, Math.min(200, Math.max(72, row.plot.clientWidth - 12))));
  row.course.replaceChildren(courseChart(entity, 240, 34, false));
  row.strength.replaceChildren(strengthPlot(entity));
  setText(row.verdict, verdict(entity, share));
}

function verdict(entity, share) {
  if (entity.firing) return `▲ ${entity.severity}`;
  if (!entity.count_long) return 'silent';
  return share > entity.baseline.high ? 'above usual' : share < entity.baseline.low ? 'below usual' : 'as usual';
}

/* A dot on a line from 0 to 1, over the band of what is usual. */
function sharePlot(entity, share, width) {
  const x = value => 5 + value * (width - 10), { rate, low, high } = entity.baseline;
  const svg = s('svg', { viewBox: `0 0 ${width} 20`, width, height: 20, role: 'img', 'aria-label': `${percent(share)}, usual ${percent(rate)}, range ${percent(low)} to ${percent(high)}` },
    s('title', { text: `${percent(share)} now; usual ${percent(rate)}, ${percent(low)} to ${percent(high)}` }),
    s('line', { x1: x(0), x2: x(1), y1: 10, y2: 10, stroke: color('line') }),
    s('rect', { x: x(low), y: 4, width: Math.max(2, x(high) - x(low)), height: 12, rx: 3, fill: color('usual') }),
    s('line', { x1: x(rate), x2: x(rate), y1: 3, y2: 17, stroke: color('usual-ink'), 'stroke-width': 1.5 }));
  if (Number.isFinite(share)) svg.append(s('circle', { cx: x(share), cy: 10, r: 5, fill: color(entity.firing ? 'red' : 'accent'), stroke: color('panel'), 'stroke-width': 1.5 }));
  return svg;
}

/* How strong the evidence is, against the tick at which the entity fires. */
function strengthPlot(entity) {
  const width = 112, full = Math.max(entity.threshold * 2, 1), x = value => Math.min(value / full, 1) * width;
  return s('svg', { viewBox: `0 0 ${width} 20`, height: 20, role: 'img', 'aria-label': `strength ${entity.strength.toFixed(1)}, fires at ${entity.threshold.toFixed(1)}` },
    s('title', { text: `strength ${entity.strength.toFixed(1)}, fires at ${entity.threshold.toFixed(1)}` }),
    s('rect', { x: 0, y: 7, width, height: 6, rx: 3, fill: color('neutral') }),
    s('rect', { x: 0, y: 7, width: x(entity.strength), height: 6, rx: 3, fill: color(entity.firing ? 'red' : 'usual-ink') }),
    s('line', { x1: x(entity.threshold), x2: x(entity.threshold), y1: 3, y2: 17, stroke: color('ink'), 'stroke-width': 1.5 }));
}

/* ---------- lists ---------- */

const items = new Map();
function drawAlerts() {
  const episodes = [...state.alerts.values()].sort((a, b) => b.order - a.order);
  $('alerts-empty').hidden = episodes.length > 0;
  for (const [id, item] of items) if (!state.alerts.has(id)) { item.node.remove(); items.delete(id); }
  episodes.forEach((episode, i) => {
    const item = items.get(episode.id) || { node: h('li', {}), order: 0, firing: true };
    items.set(episode.id, item);
    if (item.order !== episode.order) fillEpisode(item, episode);
    if ($('alerts').children[i] !== item.node) $('alerts').insertBefore(item.node, $('alerts').children[i] || null);
  });
}

function fillEpisode(item, episode) {
  const { last, peak } = episode, word = isOpen(episode) ? 'firing' : 'resolved', details = item.node.querySelector('details');
  /* What just resolved, the card at the top no longer tells. */
  const open = (details && details.open) || (item.firing && !isOpen(episode) && episode.order === Math.max(...[...state.alerts.values()].map(other => other.order)));
  const lasted = Date.parse(last.ends_at || last.at) - Date.parse(last.starts_at);
  const how = { calm: 'calm again', no_data: 'no more messages', level_shift: 'the new level is usual now', rule_removed: 'the rule was removed' }[last.reason] || last.reason;
  const said = `${percent(peak.stats.rate)} negative at its height, ${count(peak.stats.matched)} of ${count(peak.stats.count)}, usual ${percent(peak.stats.baseline.rate)}` +
    (isOpen(episode) ? '' : `; ${how} after ${span(lasted)}`);
  item.order = episode.order;
  item.firing = isOpen(episode);
  item.node.replaceChildren(h('details', { open: open ? '' : null },
    h('summary', {}, h('span', { class: `word ${word}`, text: word }), h('b', { text: last.entity }), h('span', { class: 'when' }, moment(Date.parse(last.starts_at)), isOpen(episode) ? null : ' – ', isOpen(episode) ? null : moment(Date.parse(last.ends_at || last.at))),
      h('span', { class: 'said', text: said })),
    quotes(episode, 5), whyLine(episode, peak.stats)));
}

function drawDead() {
  $('dead-empty').hidden = state.dead.length > 0;
  $('dead').replaceChildren(...[...state.dead].reverse().slice(0, 50).map(letter => h('li', { class: 'dead' },
    h('b', { text: letter.reason.replaceAll('_', ' ') }), moment(letter.seen_at),
    h('span', { class: 'said', text: `${letter.topic}[${letter.partition}]@${letter.offset}: ${letter.message}` }))));
}

/* ---------- keys and theme ---------- */

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  try { localStorage.setItem('squall-theme', theme); } catch { /* private window */ }
}
function toggleTheme() {
  const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  setTheme((document.documentElement.dataset.theme || system) === 'dark' ? 'light' : 'dark');
}
function move(step) {
  const stops = [...document.querySelectorAll('.card, #entities tbody tr, #alerts summary')];
  const at = stops.indexOf(document.activeElement), next = stops[Math.min(stops.length - 1, Math.max(0, at + step))];
  if (next) next.focus();
}
document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === $('filter')) {
    if (event.key === 'Escape') { $('filter').value = ''; $('filter').dispatchEvent(new Event('input')); $('filter').blur(); }
    return;
  }
  const action = { t: toggleTheme, j: () => move(1), k: () => move(-1), '/': () => $('filter').focus() }[event.key];
  if (action) { event.preventDefault(); action(); }
});
$('theme').addEventListener('click', toggleTheme);
$('filter').addEventListener('input', event => { state.filter = event.target.value.trim().toLowerCase(); dirty('entities'); });
try { if (localStorage.getItem('squall-theme')) setTheme(localStorage.getItem('squall-theme')); } catch { /* private window */ }

connect();
