// Owns: tests of finding the network's weights in what training scripts save.
// Must not know: pickles, engines.

import t from 'tap'
import { chooseWeights, type Entry } from '../../dist/esm/prepare/checkpoint/choose-weights.js'
import { expectedTensors } from '../../dist/esm/prepare/checkpoint/layout.js'

const shapes = expectedTensors({
  ...{ embedWidth: 64, depth: 2, heads: 1, features: 32, outChannels: [32, 32, 32, 32] },
  ...{ gridSize: 2, temporalLength: 32 },
})
const names = [...shapes.keys()]

/** @param origin two sets with the same one are the same tensors */
function weights(rename: (name: string) => string = (name) => name, origin?: string): Entry[] {
  return [...shapes].map(([name, shape]) => ({
    ...{ name: rename(name), shape },
    ...(origin !== undefined && { origin: `${origin} ${name}` }),
  }))
}

const under =
  (key: string) =>
  (name: string): string =>
    `${key}.${name}`
const scalar = (name: string): Entry => ({ name, shape: [] })
/** A prefix on all names but the one at that place. */
const allBut =
  (prefix: string, at: number) =>
  (name: string): string =>
    names.indexOf(name) === at ? name : prefix + name
/** Adam's, as `{ optimizer: { state: { 0: { exp_avg, … } } } }`. */
const optimizer = [...shapes.values()].flatMap((shape, i) =>
  ['exp_avg', 'exp_avg_sq'].map((what) => ({ name: `optimizer.state.${i}.${what}`, shape })),
)
const choose = (entries: readonly Entry[], wanted?: string) => chooseWeights('a.pth', entries, wanted)

const clear: readonly [string, Entry[]][] = [
  ['plain', weights()],
  ['torch.compile', weights((name) => `_orig_mod.${name}`)],
  ['DataParallel over torch.compile', weights((name) => `module._orig_mod.${name}`)],
  ['torch.compile of the head alone', weights((name) => name.replace(/^head\./, 'head._orig_mod.'))],
  ['checkpointed blocks', weights((name) => name.replace(/(blocks\.\d+)\./, '$1._checkpoint_wrapped_module.'))],
  ['FSDP', weights((name) => `_fsdp_wrapped_module.${name}`)],
  ...['module.', '_orig_mod.', 'model.', 'net.'].flatMap((prefix): [string, Entry[]][] => [
    [`${prefix} on all`, weights((name) => prefix + name)],
    [`${prefix} on all but the first`, weights(allBut(prefix, 0))],
    [`${prefix} on all but another`, weights(allBut(prefix, 7))],
    [`${prefix} on all but the last`, weights(allBut(prefix, names.length - 1))],
  ]),
  ['Lightning', [...weights(under('state_dict.model')), scalar('callbacks.Best.best_model_score')]],
  ['DeepSpeed', [...weights(under('module')), scalar('global_step')]],
  ['averaged alone', weights(under('ema'))],
  ['AveragedModel', [...weights((name) => `module.${name}`), scalar('n_averaged')]],
  ['a loss beside', [...weights(under('model')), scalar('best_loss')]],
  ['a step among them', [...weights(), scalar('step')]],
  ['pixel means among them', [...weights(), { name: 'pixel_mean', shape: [3, 1, 1] }]],
  ['a state of a random generator', [...weights(under('model')), { name: 'rng', shape: [5056] }]],
  ['an optimizer', [...weights(under('model')), ...optimizer]],
  [
    "an optimizer's state under the weights' names",
    [...weights(under('model')), ...weights(under('optimizer.state.exp_avg')), ...weights(under('exp_avg_sq'))],
  ],
  ['averages without names', [...weights(under('model')), { name: 'ema.shadow_params.0', shape: [1, 1, 64] }]],
  ['an encoder as a teacher', [...weights(under('model')), ...weights(under('teacher')).slice(0, 20)]],
  ['a discriminator', [...weights(under('generator')), { name: 'discriminator.head.weight', shape: [9, 9] }]],
  ['encoder and head by themselves', weights((name) => (name.startsWith('head') ? `decoder.${name}` : `enc.${name}`))],
  ['the same tensors twice', [...weights(under('model'), 'x'), ...weights(under('state_dict'), 'x')]],
]

for (const [what, entries] of clear) {
  t.test(`found: ${what}`, (t) => {
    const { entries: found, beside } = choose(entries)
    t.same([...found.keys()].sort(), [...names].sort())
    t.equal(found.size + beside.length, entries.length, 'nothing is lost')
    t.end()
  })
}

const twice: readonly [string, Entry[], RegExp, string][] = [
  ...['ema', 'model_ema', 'params_ema', 'state_dict_ema', 'averaged_model', 'swa'].map(
    (key): [string, Entry[], RegExp, string] => [
      `${key} beside model`,
      [...weights(under('model')), ...weights(under(key))],
      new RegExp(`2 sets of weights, under the keys "model", "${key}".*"${key}" is averaged`),
      key,
    ],
  ),
  [
    'a flat dict of both, with wrappers',
    [...weights((name) => `model._orig_mod.${name}`), ...weights((name) => `model_ema.module.${name}`)],
    /under the keys "model", "model_ema"/,
    'model_ema.module',
  ],
  [
    'one below state_dict',
    [...weights(under('state_dict.net')), ...weights(under('state_dict.ema_net'))],
    /"state_dict\.net", "state_dict\.ema_net".*"state_dict\.ema_net" is averaged/,
    'ema_net',
  ],
  ['one under no key', [...weights(), ...weights(under('ema'))], /under the keys "\.", "ema"/, '.'],
  [
    'no averages',
    [...weights(under('student')), ...weights(under('model'))],
    /"student", "model".*"model" is the usual one/,
    'student',
  ],
]

for (const [what, entries, message, key] of twice) {
  t.test(`not clear: ${what}`, (t) => {
    t.throws(() => choose(entries), { code: 'CHECKPOINT_MISMATCH', message })
    t.match((() => thrown(() => choose(entries)))(), /weightsKey \(--weights-key\)/)
    const { entries: found, keys } = choose(entries, key)
    t.same([...found.keys()].sort(), [...names].sort())
    t.ok([...found.values()].every(({ name }) => key === '.' || name.includes(key)))
    t.equal(keys.length, 2)
    t.end()
  })
}

t.test('a key that is not there names those that are', (t) => {
  const both = [...weights(under('model')), ...weights(under('ema'))]
  t.throws(() => choose(both, 'emma'), {
    code: 'INVALID_OPTION',
    message: 'Expected "model" or "ema", as a.pth holds, for weightsKey, received "emma"',
  })
  t.throws(() => choose([scalar('x')], 'ema'), { code: 'INVALID_OPTION', message: /holds no weights of Video Depth/ })
  t.throws(() => choose([...weights(under('a.model')), ...weights(under('b.model'))], 'model'), {
    code: 'CHECKPOINT_MISMATCH',
  })
  t.end()
})

t.test('weights of another module in the same dict stay: it is another network', (t) => {
  const { entries } = choose([...weights(), { name: 'refiner.conv.weight', shape: [3, 3] }])
  t.ok(entries.has('refiner.conv.weight'))
  t.end()
})

t.test('one name under two prefixes that mean nothing', (t) => {
  const doubled = [...weights(), { name: 'module.pretrained.cls_token', shape: [1, 1, 64] }]
  t.throws(() => choose(doubled), { code: 'CHECKPOINT_MISMATCH', message: /holds pretrained\.cls_token twice/ })
  t.end()
})

function thrown(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return String(error)
  }
  return 'nothing was thrown'
}
