import type { Message } from './message.ts'

/** What SQS says of a message that it has taken. */
export interface Receipt {
  readonly MessageId?: string | undefined
  readonly SequenceNumber?: string | undefined
}

/** A message on its way. */
export interface Pending extends Message {
  attempts: number
  readonly resolve: (receipt: Receipt) => void
  readonly reject: (error: Error) => void
}

/** Messages that have to keep their order: a group of a FIFO queue. On a standard queue there is one, and no order. */
export interface Lane {
  readonly waiting: Pending[]
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

  constructor(fifo: boolean, strict: boolean) {
    this.#fifo = fifo
    this.#strict = fifo && strict
  }

  push(message: Pending): void {
    const lane = this.#laneOf(message)
    lane.waiting.push(message)
    if (!lane.busy) this.#ready.add(lane)
  }

  #laneOf({ groupId }: Pending): Lane {
    const key = this.#fifo ? groupId : undefined
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = { waiting: [], busy: false }
      this.#lanes.set(key, lane)
    }
    return lane
  }

  /** The messages of the next request: at most `count`, and as many bytes as fit, but one in any case. */
  take(count: number, limit: number): Pending[] {
    const request: Pending[] = []
    let room = limit
    for (const lane of this.#ready) {
      const most = this.#strict ? 1 : count - request.length
      let taken = 0
      for (const message of lane.waiting) {
        if (taken === most || (message.bytes > room && request.length > 0)) break
        request.push(message)
        room -= message.bytes
        taken++
      }
      if (taken > 0) this.#remove(lane, taken)
      if (request.length === count) break
    }
    return request
  }

  #remove(lane: Lane, taken: number): void {
    lane.waiting.splice(0, taken)
    if (this.#fifo) lane.busy = true
    if (lane.busy || lane.waiting.length === 0) this.#ready.delete(lane)
  }

  /** Frees the lanes of a request that has ended, but for those with messages that go again; gives these. */
  release(request: readonly Pending[], again: readonly Pending[]): Set<Lane> {
    const stillBusy = new Set(again.map((message) => this.#laneOf(message)))
    for (const message of request) {
      const lane = this.#laneOf(message)
      if (!stillBusy.has(lane)) this.#free(lane, message)
    }
    return stillBusy
  }

  #free(lane: Lane, { groupId }: Pending): void {
    lane.busy = false
    if (lane.waiting.length > 0) this.#ready.add(lane)
    else if (this.#fifo) this.#lanes.delete(groupId) // Groups come and go; nothing of them stays.
  }

  /** Puts messages back in front of their lanes, in their order. */
  restore(lanes: ReadonlySet<Lane>, again: readonly Pending[]): void {
    for (const message of again.toReversed()) this.#laneOf(message).waiting.unshift(message)
    for (const lane of lanes) {
      lane.busy = false
      this.#ready.add(lane)
    }
  }

  /** Takes all that waits in a group away. Its lane is busy with the request that is the cause. */
  drop(groupId: string | undefined): Pending[] {
    return this.#lanes.get(groupId)?.waiting.splice(0) ?? []
  }
}
