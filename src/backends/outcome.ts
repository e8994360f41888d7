export { type BatchOutcome, outcomeOf } from './planning/outcomes.ts'
