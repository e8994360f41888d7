/** How RDS refuses a connection while it checks as many tokens as it can; it is about 200 a second. */
const busy = /too many competing requests/i

/** Tries in all. */
const attempts = 5

/** Milliseconds that the first wait takes at most; every further one may take twice as long. */
const firstWait = 100

/** How both drivers tell that a connection is there, or why not. */
export type Done<TConnection> = (
  error: (Error & { readonly code?: unknown }) | null | undefined,
  connection?: TConnection,
  release?: unknown,
) => void

/** A way to get a connection. */
export type Acquire<TConnection> = (done: Done<TConnection>) => void

/**
 * Makes a pool's way to get a connection try again where RDS is busy with those of others, after a random time, so that
 * those who were refused together do not come back together.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
 */
export function retriedWhenBusy<TConnection>(acquire: Acquire<TConnection>): Acquire<TConnection> {
  function attempt(count: number, done: Done<TConnection>): void {
    acquire((error, ...rest) => {
      if (count === attempts || !busy.test(error?.message ?? '')) done(error, ...rest)
      else setTimeout(attempt, Math.random() * firstWait * 2 ** (count - 1), count + 1, done)
    })
  }
  return (done) => {
    attempt(1, done)
  }
}
