/** Address in the core's memory, in bytes. */
export type Pointer = number;

/** Raw functions of the core binary; see assembly/ for what each does. Not public. */
export interface CoreExports {
  initialize(size: number): number;
  attach(): number;
  agentJoin(): number;
  agentLeave(agent: number): void;
  agentPresent(agent: number): number;
  arenaAllocate(bytes: number): Pointer;
  arenaFree(): number;
  arenaRelease(region: Pointer, bytes: number): void;

  poolBytes(payloadBytes: number, max: number, slots: number, flags: number, agents: number): number;
  poolCreate(
    payloadBytes: number,
    initial: number,
    max: number,
    flags: number,
    tier: number,
    agent: number,
  ): Pointer;
  poolDescribe(
    pool: Pointer,
    nameLength: number,
    dtype: number,
    rank: number,
    d0: number,
    d1: number,
    d2: number,
    d3: number,
  ): void;
  poolPublish(pool: Pointer): number;
  poolAt(place: number): Pointer;
  poolClose(shard: Pointer): number;
  poolClosed(pool: Pointer): number;
  poolFree(pool: Pointer): number;
  poolLeave(shard: Pointer): void;
  poolJoin(pool: Pointer, agent: number): Pointer;
  poolShard(pool: Pointer, agent: number): Pointer;

  poolAcquire(shard: Pointer, now: number): number;
  poolReady(pool: Pointer): number;
  poolRelease(shard: Pointer, handle: number, now: number): number;
  poolRetain(shard: Pointer, handle: number): number;
  poolHandOver(shard: Pointer, handle: number): number;
  poolAdopt(shard: Pointer, handle: number): number;
  poolAlive(pool: Pointer, handle: number): number;
  poolGrow(shard: Pointer, count: number): number;
  poolTrim(shard: Pointer, count: number, floor: number): number;
  poolTrimIdle(shard: Pointer, count: number, floor: number, moment: number): number;
  poolMoment(pool: Pointer): number;
  poolReclaim(shard: Pointer, agent: number): number;
  poolRecover(shard: Pointer): number;

  poolHeader(pool: Pointer): Pointer;
  poolName(pool: Pointer): Pointer;
  poolPayloads(pool: Pointer): Pointer;
  poolMax(pool: Pointer): number;
  poolInUse(pool: Pointer): number;
  poolInService(pool: Pointer): number;
  poolPeak(pool: Pointer): number;
  poolCount(shard: Pointer, key: number, by: number): void;
  poolCountWait(shard: Pointer, milliseconds: number): void;
  poolCounter(pool: Pointer, key: number): number;
  shardAgent(shard: Pointer): number;
  shardCounter(shard: Pointer, key: number): number;
  poolTime(pool: Pointer, which: number): number;
  poolBucket(pool: Pointer, which: number, bucket: number): number;
  poolWaiters(pool: Pointer): Pointer;
  slotHandle(pool: Pointer, index: number): number;
  slotReferences(pool: Pointer, index: number): number;
  slotHeldBy(pool: Pointer, index: number, agent: number): number;
  slotOwner(pool: Pointer, index: number): number;
  slotSince(pool: Pointer, index: number, now: number): number;
  slotUses(pool: Pointer, index: number): number;

  ringBytes(dtype: number, capacity: number): number;
  ringCreate(dtype: number, capacity: number, policy: number, maxWindow: number, sampleRate: number): Pointer;
  ringPublish(ring: Pointer, nameLength: number): number;
  ringFree(ring: Pointer): void;
  ringAt(place: number): Pointer;
  ringHeader(ring: Pointer): Pointer;
  ringName(ring: Pointer): Pointer;
  ringShape(ring: Pointer, window: number, hop: number): void;
  ringReserve(ring: Pointer, count: number): number;
  ringCommit(ring: Pointer): void;
  ringRead(ring: Pointer, out: Pointer, length: number): number;
  ringTake(ring: Pointer, shard: Pointer, now: number): number;
  ringCounter(ring: Pointer, key: number): number;

  relaxedSimd(): number;

  fftTableBytes(n: number): number;
  fftTableBuild(n: number, table: Pointer): void;
  fourTransforms(table: Pointer, a: Pointer, b: Pointer): Pointer;
  realFftTableBytes(n: number): number;
  realFftTableBuild(n: number, table: Pointer): void;
  realFftBufferBytes(n: number): number;
  fourRealTransforms(table: Pointer, a: Pointer, b: Pointer): Pointer;
  fourRealPowers(table: Pointer, a: Pointer, b: Pointer, power: Pointer): void;
  fftPlanBytes(n: number, real: number): number;
  fftPlanBuild(n: number, real: number, plan: Pointer): void;
  fftScratchBytes(n: number, real: number): number;
  fftRun(
    plan: Pointer,
    scratch: Pointer,
    input: Pointer,
    output: Pointer,
    count: number,
    inverse: number,
  ): void;

  planBytes(numbers: Pointer): number;
  planNeeds(numbers: Pointer): number;
  planCreate(numbers: Pointer): Pointer;
  planRows(plan: Pointer): number;
  planFilters(plan: Pointer): Pointer;
  planWorkspaceBytes(plan: Pointer): number;
  emptyFilter(filters: Pointer, count: number, index: number): number;
  silentFeature(plan: Pointer): number;
  computeFrames(
    plan: Pointer,
    work: Pointer,
    samples: Pointer,
    count: number,
    total: number,
    first: number,
    frames: number,
    out: Pointer,
    rowBytes: number,
    found: Pointer,
  ): void;
  greatest(at: Pointer, values: number): number;
  raiseToRange(
    plan: Pointer,
    out: Pointer,
    rows: number,
    frames: number,
    active: number,
    range: number,
    found: Pointer,
  ): void;
  standardize(
    at: Pointer,
    rows: number,
    rowStride: number,
    count: number,
    stride: number,
    deviation: number,
    numbers: Pointer,
  ): void;
  shiftAndScale(at: Pointer, frames: number, width: number, table: Pointer): void;
  stackFrames(
    from: Pointer,
    frames: number,
    width: number,
    stacked: number,
    step: number,
    left: number,
    first: number,
    vectors: number,
    out: Pointer,
  ): void;
  cosineTableBytes(inputs: number, outputs: number): number;
  cosineTableBuild(table: Pointer, inputs: number, outputs: number): void;
  cosineTransform(
    table: Pointer,
    from: Pointer,
    inputs: number,
    outputs: number,
    frames: number,
    out: Pointer,
  ): void;
  streamBytes(plan: Pointer, capacity: number): number;
  streamReset(stream: Pointer, plan: Pointer, capacity: number): void;
  streamPush(stream: Pointer, work: Pointer, samples: Pointer, count: number): number;
  streamFlush(stream: Pointer, work: Pointer, frames: number, zeros: number): void;
  streamBad(stream: Pointer): number;
  streamRead(stream: Pointer, age: number, frames: number, out: Pointer, rowBytes: number): void;

  crewBytes(members: number): number;
  crewServe(job: Pointer, member: number): void;
  crewEnd(job: Pointer): void;
  crewBegin(
    job: Pointer,
    members: number,
    plan: Pointer,
    workspace: Pointer,
    workBytes: number,
    samples: Pointer,
    count: number,
    total: number,
    frames: number,
    out: Pointer,
    rowBytes: number,
    found: Pointer,
  ): void;
  crewFinish(job: Pointer, found: Pointer): number;
  crewDone(job: Pointer): number;
  crewFrames(job: Pointer, member: number): number;

  countNonFinite(samples: Pointer, count: number): number;
  firstNonFinite(samples: Pointer, count: number): number;
  zeroNonFinite(samples: Pointer, count: number): number;

  copySamples(source: Pointer, count: number, out: Pointer): void;
  int16ToMono(source: Pointer, channels: number, frames: number, out: Pointer): void;
  floatToMono(source: Pointer, channels: number, frames: number, out: Pointer): void;

  resampleBankBytes(from: number, to: number, quality: number): number;
  resampleBankBuild(bank: Pointer, from: number, to: number, quality: number): void;
  resample(bank: Pointer, window: Pointer, phase: number, count: number, out: Pointer): void;
}
