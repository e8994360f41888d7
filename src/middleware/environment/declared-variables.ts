import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type UnknownRecord, asRecord } from '../../core/record.ts'
import { validated } from '../../core/standard-schema.ts'
import { InvalidEnvironmentError, ValidationError } from '../../errors/index.ts'

type VariableText = string | undefined

/** The variables that a handler declares, and what its schema makes of them. */
export class DeclaredVariables {
  readonly names: readonly string[]
  readonly #schema: StandardSchemaV1 | undefined
  /** What was checked last. */
  #known: { readonly texts: readonly VariableText[]; readonly values: UnknownRecord } | undefined

  constructor(names: readonly string[], schema: StandardSchemaV1 | undefined) {
    this.names = names
    this.#schema = schema
  }

  /** Whether the schema says which of them must be set. */
  get areOptional(): boolean {
    return this.#schema !== undefined
  }

  /** The values for texts in the order of the names. @throws InvalidEnvironmentError */
  async values(texts: readonly VariableText[]): Promise<UnknownRecord> {
    // Most invocations find what the one before has found: that was checked already.
    const { texts: before = [], values: known } = this.#known ?? {}
    if (known !== undefined && texts.every((text, index) => text === before[index])) return known
    const plain = Object.fromEntries(this.names.map((name, index) => [name, texts[index]]))
    const values = this.#schema === undefined ? plain : await this.#checked(this.#schema, plain)
    this.#known = { texts, values }
    return values
  }

  async #checked(schema: StandardSchemaV1, values: UnknownRecord): Promise<UnknownRecord> {
    try {
      return asRecord(await validated(schema, values, 'The environment')) ?? {}
    } catch (error) {
      // Schemas quote what they refuse, and these are secrets.
      if (!(error instanceof ValidationError))
        throw new InvalidEnvironmentError('The environment is not valid: its schema threw an error')
      throw this.#refusal(error)
    }
  }

  /** Of a finding only the variable is told. Whatever else it has, its path included, may be a part of a value. */
  #refusal({ errors: findings }: ValidationError): InvalidEnvironmentError {
    const isDeclared = (name: unknown): name is string => this.names.some((declared) => declared === name)
    const found = new Set(findings.map(({ path: [name] }) => (isDeclared(name) ? name : undefined)))
    const errors = [...found].map((name) => ({
      path: name === undefined ? [] : [name],
      message: 'Not what the schema asks for',
    }))
    const names = [...found].filter((name) => name !== undefined)
    const message = ['The environment is not valid', names.join(', ')].filter(Boolean).join(': ')
    return new InvalidEnvironmentError(message, { errors })
  }
}
