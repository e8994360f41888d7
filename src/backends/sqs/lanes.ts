import type { Pending } from './sender.ts'

/** Messages that have to keep their order: a group of a FIFO queue. On a standard queue there is one, and no order. */
export interface Lane {
  readonly queue: Pending[]
  /** Where the queue begins; what is in front was taken. */
  head: number
  /** A request with its messages is on its way, or a pause before the next. */
  busy: boolean
}

/** What waits to be sent, by group. */
export class Lanes {
  readonly #fifo: boolean
  readonly #strict: boolean
  readonly #lanes = new Map<string | undefined, Lane>()
  /** The lanes that have messages and are not busy, in the order of their turn. */
  readonly #ready = new Set<Lane>()
  size = 0

  constructor(fifo: boolean, strict: boolean) {
    this.#fifo = fifo
    this.#strict = fifo && strict
  }

  push(message: Pending): void {
    const lane = this.#laneOf(message)
    lane.queue.push(message)
    this.size++
    if (!lane.busy) this.#ready.add(lane)
  }

  #laneOf({ groupId }: Pending): Lane {
    const key = this.#fifo ? groupId : undefined
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = { queue: [], head: 0, busy: false }
      this.#lanes.set(key, lane)
    }
    return lane
  }

  /** The messages of the next request: at most `count`, and as many bytes as fit, but one in any case. */
  take(count: number, limit: number): Pending[] {
    const request: Pending[] = []
    let room = limit
    for (const lane of this.#ready) {
      let taken = 0
      while (request.length < count && lane.head < lane.queue.length && !(this.#strict && taken > 0)) {
        const message = lane.queue[lane.head] as Pending
        if (message.bytes > room && request.length > 0) break
        request.push(message)
        room -= message.bytes
        lane.head++
        taken++
      }
      if (taken > 0) this.#afterTaking(lane)
      if (request.length === count) break
    }
    this.size -= request.length
    return request
  }

  #afterTaking(lane: Lane): void {
    if (lane.head > 1024 && lane.head * 2 > lane.queue.length) {
      lane.queue.splice(0, lane.head)
      lane.head = 0
    }
    if (this.#fifo) lane.busy = true
    if (lane.busy || lane.head === lane.queue.length) this.#ready.delete(lane)
  }

  /** Frees the lanes of a request that has ended, but for those with messages that go again; gives these. */
  release(request: readonly Pending[], again: readonly Pending[]): Set<Lane> {
    const held = new Set(again.map((message) => this.#laneOf(message)))
    for (const message of request) {
      const lane = this.#laneOf(message)
      if (!held.has(lane)) this.#free(lane, message)
    }
    return held
  }

  /** Puts messages back in front of their lanes, in their order. */
  restore(lanes: ReadonlySet<Lane>, again: readonly Pending[]): void {
    for (const message of again.toReversed()) {
      const lane = this.#laneOf(message)
      if (lane.head > 0) lane.queue[--lane.head] = message
      else lane.queue.unshift(message)
      this.size++
    }
    for (const lane of lanes) {
      lane.busy = false
      this.#ready.add(lane)
    }
  }

  #free(lane: Lane, { groupId }: Pending): void {
    lane.busy = false
    if (lane.head < lane.queue.length) this.#ready.add(lane)
    else if (this.#fifo) this.#lanes.delete(groupId) // Groups come and go; nothing of them stays.
  }

  /** Takes all that waits in a group away. */
  drop(groupId: string | undefined): Pending[] {
    const lane = this.#lanes.get(groupId)
    if (lane === undefined) return []
    const dropped = lane.queue.splice(0).slice(lane.head)
    lane.head = 0
    this.size -= dropped.length
    this.#ready.delete(lane)
    return dropped
  }
}
